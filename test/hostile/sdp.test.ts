/** Session descriptions from nowhere good: each is a fault in words or a description, at once, and never an exception. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DESCRIPTION_LIMITS } from '../../core/sdp/msrp-media.js'
import { answerTo } from '../../core/sdp/answer.js'
import { parseDescription } from '../../core/sdp/parse.js'
import { descriptionText } from '../../core/sdp/write.js'

const GOOD = [
  'v=0', 'o=u 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', 'm=message 2855 TCP/MSRP *', 'a=path:msrp://192.0.2.1:2855/s1;tcp', 'a=setup:actpass', 'a=accept-types:*',
  'a=file-selector:name:"x" size:3', 'a=file-transfer-id:abc',
]
const written = (lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('')
const without = (start: string): string => written(GOOD.filter((line) => !line.startsWith(start)))
const withLine = (start: string, line: string): string => written(GOOD.map((each) => (each.startsWith(start) ? line : each)))

describe('a malformed description', () => {
  it('is good to begin with', () => expect(parseDescription(written(GOOD)).fault).toBeUndefined())

  it.each([
    ['nothing', '', 400], ['no version', without('v='), 400], ['another version', withLine('v=', 'v=1'), 400], ['no origin', without('o='), 400], ['no session name', without('s='), 400], ['no time', without('t='), 400],
    ['a broken origin', withLine('o=', 'o=u 1 IN IP4 x'), 400], ['an origin version without end', withLine('o=', `o=u 1 ${'9'.repeat(400)} IN IP4 x`), 400],
    ['no connection', without('c='), 400], ['no path', without('a=path'), 400], ['a path that is no MSRP URI', withLine('a=path', 'a=path:http://x/'), 400],
    ['no types', without('a=accept'), 400], ['a type that is none', withLine('a=accept', 'a=accept-types:text'), 400], ['a file without an id', without('a=file-transfer'), 400],
    ['a port beyond 65535', withLine('m=', 'm=message 65536 TCP/MSRP *'), 400], ['a port that is a word', withLine('m=', 'm=message x TCP/MSRP *'), 400], ['a line without =', withLine('s=', 'nonsense'), 400],
    ['a setup nobody knows', withLine('a=setup', 'a=setup:sideways'), 400], ['a NUL', withLine('s=', 's=\0'), 400], ['a selector that does not close', withLine('a=file-sel', 'a=file-selector:name:"x'), 400],
    ['a size that is none', `${written(GOOD)}a=max-size:big\r\n`, 400], ['a range that ends before it starts', `${written(GOOD)}a=file-range:9-3\r\n`, 400],
    ['too long', written(GOOD) + 'a=x\r\n'.repeat(20_000), 400], ['too many lines', written(GOOD) + 'a=x\r\n'.repeat(2_100), 400],
    ['too many media', written(GOOD) + 'm=audio 1 RTP/AVP 0\r\n'.repeat(64), 488],
    ['an endless path', withLine('a=path', `a=path:${'msrp://192.0.2.1:2855/s1;tcp '.repeat(20)}`), 488],
  ])('with %s is refused %#', (_, text, status) => {
    const { fault } = parseDescription(text)
    expect(fault?.status).toBe(status)
    expect(fault?.what.length).toBeLessThan(300)
  })

  it('never throws, and what is read can be answered and written', () => {
    const line = fc.oneof(fc.constantFrom(...GOOD), fc.string({ maxLength: 40 }), fc.tuple(fc.constantFrom('a=file-selector:', 'a=path:', 'a=accept-types:', 'm=message ', 'o=', 'c=', 'a=file-date:'), fc.string()).map(([start, end]) => start + end))
    fc.assert(fc.property(fc.array(line, { maxLength: 12 }), fc.array(fc.nat(10), { maxLength: 3 }), (extra, dropped) => {
      const text = written([...GOOD.filter((_, index) => !dropped.includes(index)), ...extra])
      const parsed = parseDescription(text)
      if (parsed.fault !== undefined) return
      expect(() => descriptionText(answerTo(parsed.description, [], { username: '-', sessionId: '1', version: 1, host: '192.0.2.2' }))).not.toThrow()
    }), { numRuns: 500 })
  })

  it('holds nobody for long', () => {
    const long = (line: string): number => {
      const text = `${written(GOOD)}${line}\r\n`.slice(0, DESCRIPTION_LIMITS.characters)
      const start = process.cpuUsage().user
      for (let turn = 0; turn < 20; turn++) parseDescription(text)
      return (process.cpuUsage().user - start) / 20_000
    }
    // Of processor time, not of the clock: what the regular expressions of sdp-transform do cannot be counted.
    // Milliseconds for 60,000 characters; a quadratic reader would need seconds.
    for (const line of [`a=file-selector:${'name:"x" '.repeat(6_000)}`, `a=file-date:${'creation:"a" '.repeat(4_500)}`, `a=path:${'m'.repeat(60_000)}`, `a=accept-types:${'a/b '.repeat(15_000)}`, `a=file-selector:type:a/b${';a="b"'.repeat(9_000)}`]) {
      expect(long(line), line.slice(0, 30)).toBeLessThan(500)
    }
  })
})
