/** The bench's own arithmetic: what becomes of repeats, when a limit is met, and where a profile's samples go. */
import { describe, expect, it } from 'vitest'
import { breakdownOf } from '../bench/profile.js'
import { rowNames, SIZES, WAYS, whyNot } from '../bench/binding-cells.js'
import { LIMITS, marginOf, median, rowOf, unevenness, verdictOf } from '../bench/rows.js'
import { formatTable } from '../bench/table.js'

describe('the bench', () => {
  it('takes the median of repeats, the mean of the middle two where they are even', () => {
    expect(median([5, 1, 9])).toBe(5)
    expect(median([4, 1, 9, 6])).toBe(5)
    expect(() => median([])).toThrow('a median needs a value')
  })

  it('makes a row of repeats with their noise and the ratio to the floor', () => {
    expect(rowOf({ name: 'ims.register.cpuUs', unit: 'µs', values: [40, 50, 44], floors: [11, 12, 10] }))
      .toEqual({ name: 'ims.register.cpuUs', value: 44, min: 40, max: 50, repeats: 3, unit: 'µs', floor: 11, ratio: 4 })
  })

  it('writes null where there is no floor', () => {
    expect(rowOf({ name: 'ims.binding.bytes', unit: 'bytes', values: [1_800], floors: [] })).toMatchObject({ floor: null, ratio: null })
  })

  it('tells the noise of the pairs where one figure stands for them all', () => {
    expect(rowOf({ name: 'gateway.flatness', unit: 'ratio', values: [1.05], floors: [], range: [0.98, 1.05, 1.2] })).toMatchObject({ value: 1.05, min: 0.98, max: 1.2, repeats: 3 })
  })

  it('meets a limit at the limit, whichever side it bounds', () => {
    expect(verdictOf('gateway.push.cpuUs', 85)).toBe('met')
    expect(verdictOf('gateway.push.cpuUs', 85.1)).toBe('missed')
    expect(verdictOf('sip.parse.perSecond', 600_000)).toBe('met')
    expect(verdictOf('sip.parse.perSecond', 599_000)).toBe('missed')
    expect(verdictOf('pap.ceiling.perSecond', 1)).toBe('no limit')
  })

  it('says by how much of the limit a value is better or worse', () => {
    expect(marginOf('gateway.push.cpuUs', 102)).toBeCloseTo(-0.2)
    expect(marginOf('sip.parse.perSecond', 660_000)).toBeCloseTo(0.1)
  })

  it('has a limit for every row that was promised', () => {
    expect(Object.keys(LIMITS)).toEqual(expect.arrayContaining([
      'gateway.push.cpuUs', 'gateway.notified.cpuUs', 'ims.message.cpuUs.udp', 'ims.message.cpuUs.tcp', 'ims.register.cpuUs', 'ims.binding.bytes',
      'terminal.answer.cpuUs.udp', 'terminal.idle.bytes', 'sip.parse.perSecond', 'generator.lag.p99Us', 'gateway.flatness', 'msrp.stream.ratio', 'msrp.reuse.ratio',
      'event.subscription.bytes',
    ]))
  })

  it('calls costs uneven by the larger over the smaller, median of the pairs', () => {
    expect(unevenness([10, 10, 10], [11, 12, 30])).toBeCloseTo(1.2)
    expect(unevenness([10, 10, 10], [5, 8, 9])).toBeCloseTo(1.25)
  })

  it('prints one aligned line a row, with the limit, met or by how much missed', () => {
    const rows = [
      rowOf({ name: 'gateway.push.cpuUs', unit: 'µs', values: [93.5], floors: [55] }),
      rowOf({ name: 'sip.parse.perSecond', unit: '1/s', values: [750_000], floors: [] }),
    ]
    const lines = formatTable(rows).split('\n')
    expect(lines).toHaveLength(4)
    expect(lines[2]).toMatch(/^gateway\.push\.cpuUs +93\.5 .* 55 +1\.70 +at most 85 +NO, by 10 %$/)
    expect(lines[3]).toMatch(/^sip\.parse\.perSecond +750,000 .* at least 600,000 +yes, 25 % to spare$/)
  })

  it('says why a row that was promised has no value, in bench.json and below the table', () => {
    const missing = rowOf({ name: 'binding.event.1MB.cpuUs', unit: 'µs', reason: 'a NOTIFY holds less' })
    expect(missing).toEqual({ name: 'binding.event.1MB.cpuUs', value: 'n/a', unit: 'µs', reason: 'a NOTIFY holds less' })
    const lines = formatTable([missing, { ...missing, name: 'binding.event.1MB.wireBytes' }]).split('\n')
    expect(lines[2]).toMatch(/^binding\.event\.1MB\.cpuUs +n\/a +µs$/)
    expect(lines.slice(4)).toEqual(['n/a: a NOTIFY holds less'])
  })

  it('has three rows for each binding and size, and leaves out only what one request cannot hold', () => {
    const names = WAYS.flatMap(rowNames)
    expect(new Set(names).size).toBe(5 * 5 * 3)
    expect(names).toEqual(expect.arrayContaining(['binding.message.200B.pushesPerSecond', 'binding.session-reused.1MB.cpuUs', 'binding.indirection.100kB.wireBytes']))
    const without = WAYS.flatMap((way) => SIZES.filter((size) => whyNot(way, size) !== undefined).map(({ name }) => `${way} ${name}`))
    expect(without).toEqual(['message 100kB', 'message 1MB', 'event 100kB', 'event 1MB'])
  })

  it('gives a sample to the room at work, or to the room that called what is at work', () => {
    const node = (id: number, functionName: string, url: string, children: number[] = []) => ({ id, callFrame: { functionName, url, lineNumber: 0 }, children })
    const { shares } = breakdownOf({
      nodes: [
        node(1, '(root)', '', [2, 3, 6, 7]), node(2, '(idle)', ''), node(3, 'onRequest', 'file:///x/dist/core/live/http.js', [4]),
        node(4, 'request', 'file:///x/dist/core/push/admit.js', [5]), node(5, 'latin1Slice', ''), node(6, '(garbage collector)', ''), node(7, 'onStreamRead', 'node:internal/stream_base_commons'),
      ],
      samples: [2, 3, 4, 5, 6, 7], timeDeltas: [1_000, 10, 20, 30, 15, 25],
    }, 5)
    expect(shares).toMatchObject({ HTTP: 0.1, push: 0.5, gc: 0.15, Node: 0.25, SIP: 0 })
  })
})
