/** What a session description says about MSRP and files: RFC 4975 section 8, RFC 6135, RFC 5547, and offer and answer over it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fileSelectorText, parseFileSelector, selectorType } from '../../core/sdp/file-attributes.js'
import { answerSetup, answerTo, answeredDirection, connectingSide, fileChange, lineFault, offerSetup, shareType, takesType } from '../../core/sdp/answer.js'
import type { Description, MsrpMedia, Origin, Setup } from '../../core/sdp/msrp-media.js'
import { parseDescription } from '../../core/sdp/parse.js'
import { capabilityDescription, descriptionText, nextDescription } from '../../core/sdp/write.js'

const text = (...lines: string[]): string => lines.map((line) => `${line}\r\n`).join('')

const HEAD = ['v=0', 'o=ppg 3982000001 1 IN IP4 192.0.2.40', 's=-', 'c=IN IP4 192.0.2.40', 't=0 0']
const OFFER = text(
  ...HEAD, 'm=message 2855 TCP/MSRP *', 'a=sendonly', 'a=path:msrp://192.0.2.40:2855/k7Qp2mVx9tR4Wc1z;tcp', 'a=setup:actpass', 'a=accept-types:text/plain',
  'a=file-selector:name:"note.txt" type:text/plain size:61 hash:sha-1:8F:65:2A:A8:4F:32:F0:44:D9:EF:BA:14:92:C2:1F:D6:7A:2D:DC:09',
  'a=file-transfer-id:Jk2nVb9qLxT5sWd8RfGh3yZcMp7uKe4A', 'a=file-disposition:attachment', 'a=file-date:creation:"Thu, 12 Mar 2026 08:58:00 +0000"',
)

function read(description: string): Description {
  const parsed = parseDescription(description)
  if (parsed.fault !== undefined) throw new Error(parsed.fault.what)
  return parsed.description
}

function msrp(description: Description, index = 0): MsrpMedia {
  const line = description.media[index]
  if (line?.kind !== 'msrp') throw new Error(`media line ${index + 1} is no MSRP line`)
  return line
}

const ORIGIN: Origin = { username: 'user7', sessionId: '881', version: 1, host: '198.51.100.11' }
const OURS = { path: ['msrp://198.51.100.11:9/h3Zs8wQeT1bN6yLd;tcp'], port: 9, acceptTypes: ['text/plain'], maxSize: 1_048_576, setup: 'active', direction: 'sendrecv' } as const

describe('an offer of one file', () => {
  it('is read whole', () => {
    expect(read(OFFER)).toEqual({
      origin: { username: 'ppg', sessionId: '3982000001', version: 1, host: '192.0.2.40' },
      media: [{
        kind: 'msrp', port: 2855, transport: 'tcp', host: '192.0.2.40', path: ['msrp://192.0.2.40:2855/k7Qp2mVx9tR4Wc1z;tcp'], setup: 'actpass', fingerprints: [], acceptTypes: ['text/plain'],
        acceptWrappedTypes: [], maxSize: undefined, direction: 'sendonly',
        file: {
          selector: { name: 'note.txt', type: 'text/plain', size: 61, sha1: '8f652aa84f32f044d9efba1492c21fd67a2ddc09' },
          transferId: 'Jk2nVb9qLxT5sWd8RfGh3yZcMp7uKe4A', disposition: 'attachment', dates: { creation: 'Thu, 12 Mar 2026 08:58:00 +0000' }, range: undefined, icon: undefined,
        },
      }],
    })
  })

  it('is answered as RFC 5547 section 8.3.1 says: received, the selector without hash, no disposition, no date, the same id', () => {
    const answer = descriptionText(answerTo(read(OFFER), [OURS], ORIGIN))
    expect(answer.split('\r\n')).toEqual([
      'v=0', 'o=user7 881 1 IN IP4 198.51.100.11', 's=-', 'c=IN IP4 198.51.100.11', 't=0 0', 'm=message 9 TCP/MSRP *', 'a=setup:active', 'a=recvonly',
      'a=path:msrp://198.51.100.11:9/h3Zs8wQeT1bN6yLd;tcp', 'a=accept-types:text/plain', 'a=max-size:1048576',
      'a=file-selector:name:"note.txt" type:text/plain size:61', 'a=file-transfer-id:Jk2nVb9qLxT5sWd8RfGh3yZcMp7uKe4A', '',
    ])
  })

  it('is refused by port 0, with the transfer id still there', () => {
    const answer = msrp(answerTo(read(OFFER), ['refused'], ORIGIN))
    expect([answer.port, answer.path, answer.file?.transferId]).toEqual([0, [], 'Jk2nVb9qLxT5sWd8RfGh3yZcMp7uKe4A'])
    expect(msrp(read(descriptionText({ origin: ORIGIN, media: [answer] }))).port).toBe(0)
  })
})

describe('several media lines', () => {
  it('are answered each in its place, other media with port 0', () => {
    const line = (name: string, id: string): string[] => [
      'm=message 2855 TCP/MSRP *', 'a=sendonly', `a=path:msrp://192.0.2.40:2855/${name};tcp`, 'a=setup:actpass', 'a=accept-types:*', `a=file-selector:name:"${name}"`, `a=file-transfer-id:${id}`,
    ]
    const offer = read(text(...HEAD, ...line('one', 'idone'), 'm=audio 4000 RTP/AVP 0 8', ...line('two', 'idtwo')))
    const answer = read(descriptionText(answerTo(offer, ['refused', 'refused', OURS], ORIGIN)))
    expect(answer.media.map((each) => [each.kind, each.port])).toEqual([['msrp', 0], ['other', 0], ['msrp', 9]])
    expect(msrp(answer, 2).file?.transferId).toBe('idtwo')
  })

})

describe('a line over TLS (RFC 8122)', () => {
  const SHA256 = Array.from({ length: 32 }, (_, index) => (index * 7 + 16).toString(16).toUpperCase()).join(':')
  const OTHER = SHA256.replaceAll('1', '2')
  const secure = (head: readonly string[], ...lines: string[]): Description => read(text(...HEAD, ...head, 'm=message 2855 TCP/TLS/MSRP *', 'a=path:msrps://192.0.2.40:2855/x1;tcp', 'a=accept-types:*', ...lines))
  const fault = (offer: Description, transports: readonly ('tcp' | 'tls')[] = ['tcp', 'tls']): string | undefined => lineFault(msrp(offer), transports, true)

  it('is known by TCP/TLS/MSRP, and answered by the same with our own fingerprint', () => {
    const offer = secure([], `a=fingerprint:sha-256 ${SHA256}`)
    expect([msrp(offer).transport, msrp(offer).fingerprints, fault(offer), fault(offer, ['tcp'])]).toEqual(['tls', [SHA256], undefined, 'MSRP over TLS is not spoken here'])
    const answer = descriptionText(answerTo(offer, [{ ...OURS, setup: 'passive', fingerprint: OTHER }], ORIGIN))
    expect(answer).toContain('m=message 9 TCP/TLS/MSRP *')
    expect(answer).toContain(`a=fingerprint:sha-256 ${OTHER}`)
    expect(descriptionText(answerTo(read(OFFER), [{ ...OURS, fingerprint: OTHER }], ORIGIN))).not.toContain('fingerprint')
  })

  it('takes the fingerprints of the session where it has none of its own, and several for several certificates', () => {
    expect(msrp(secure([`a=fingerprint:SHA-256 ${SHA256.toLowerCase()}`])).fingerprints).toEqual([SHA256])
    expect(msrp(secure([`a=fingerprint:sha-256 ${SHA256}`], `a=fingerprint:sha-256 ${OTHER}`)).fingerprints).toEqual([OTHER])
    expect(msrp(secure([], `a=fingerprint:sha-256 ${SHA256}`, 'a=fingerprint:sha-1 AA:BB', `a=fingerprint:sha-256 ${OTHER}`)).fingerprints).toEqual([SHA256, OTHER])
  })

  it('cannot be taken without a fingerprint by SHA-256, nor read with one that is none', () => {
    for (const offer of [secure([]), secure([], 'a=fingerprint:sha-1 AA:BB')]) expect(fault(offer)).toMatch(/names no certificate/)
    for (const wrong of ['sha-256', 'sha-256 AA', `sha-256 ${SHA256}:00`, `sha-256 ${SHA256.replaceAll(':', '')}`, 'sha-256 xx:yy', '']) {
      const parsed = parseDescription(text(...HEAD, 'm=message 2855 TCP/TLS/MSRP *', 'a=path:msrps://192.0.2.40:2855/x1;tcp', 'a=accept-types:*', `a=fingerprint:${wrong}`))
      expect([wrong, parsed.fault?.status, parsed.fault?.what]).toEqual([wrong, 400, expect.stringContaining('a=fingerprint of media line 1')])
    }
    expect(msrp(read(OFFER.replace('a=sendonly', 'a=fingerprint:nonsense'))).fingerprints).toEqual([])
  })
})

describe('who connects (RFC 6135)', () => {
  const offered = (setup: Setup | undefined): MsrpMedia => ({ ...msrp(read(OFFER)), setup })
  it('is the offerer unless the answer says active', () => {
    expect([offerSetup(true), offerSetup(false)]).toEqual(['actpass', 'active'])
    expect([answerSetup('actpass', true), answerSetup('actpass', false), answerSetup('active', true), answerSetup('passive', true), answerSetup(undefined, true)])
      .toEqual(['passive', 'active', 'passive', 'active', 'passive'])
    expect([answerSetup('active', false), answerSetup(undefined, false)]).toEqual([undefined, undefined])
    expect([connectingSide(offered('active')), connectingSide(offered('passive')), connectingSide(offered(undefined))]).toEqual(['answerer', 'offerer', 'offerer'])
  })

  it('refuses a line that leaves nobody to connect, and one answered against the rules', () => {
    const offer: Description = { origin: ORIGIN, media: [offered('active'), offered(undefined), offered('passive')] }
    expect(answerTo(offer, [OURS, OURS, OURS], ORIGIN).media.map((line) => line.port)).toEqual([0, 0, 9])
    const passive = { ...OURS, setup: 'passive', port: 2855 } as const
    expect(answerTo(offer, [passive, passive, passive], ORIGIN).media.map((line) => line.port)).toEqual([2855, 2855, 0])
  })

  it('reads holdconn as no word at all, since MSRP has no use for it', () => {
    expect(msrp(read(OFFER.replace('setup:actpass', 'setup:holdconn'))).setup).toBeUndefined()
  })
})

describe('accept-types', () => {
  it.each([
    [['text/plain'], 'text/plain;charset=utf-8', true], [['text/plain'], 'Text/PLAIN', true], [['text/*'], 'text/vnd.wap.si', true], [['*'], 'image/png', true],
    [['text/*'], 'textual/x', false], [['image/png', 'text/plain'], 'image/gif', false], [[], 'text/plain', false], [['text/plain;format=flowed'], 'text/plain', true],
  ])('%j take %s: %s', (types, type, taken) => expect(takesType(types, type)).toBe(taken))

  it('of two sides have one in common or not', () => {
    expect([shareType(['text/plain'], ['image/*']), shareType(['image/png'], ['image/*']), shareType(['*'], ['image/*']), shareType(['text/*'], ['*']), shareType([], ['*'])])
      .toEqual([false, true, true, true, false])
  })

  it('are read in lower case without their parameters', () => {
    expect(msrp(read(OFFER.replace('accept-types:text/plain', 'accept-types:Text/Plain;charset="utf-8" message/CPIM *'))).acceptTypes).toEqual(['text/plain', 'message/cpim', '*'])
  })
})

describe('directions', () => {
  it('are turned round in the answer (RFC 3264 section 6.1)', () => {
    const all = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const
    expect(all.map((direction) => answeredDirection(direction, 'sendrecv'))).toEqual(['sendrecv', 'recvonly', 'sendonly', 'inactive'])
    expect(all.map((direction) => answeredDirection(direction, 'recvonly'))).toEqual(['recvonly', 'recvonly', 'inactive', 'inactive'])
  })
  it('are taken from the session where the line says nothing', () => {
    expect(msrp(read(OFFER.replace('a=sendonly\r\n', '').replace('t=0 0\r\n', 't=0 0\r\na=recvonly\r\n'))).direction).toBe('recvonly')
  })
})

describe('the capability form for OPTIONS (RFC 5547 section 8.5)', () => {
  it('is a line with port 0, the types, the size and an empty file-selector', () => {
    const shown = descriptionText(capabilityDescription(ORIGIN, ['text/plain', 'application/vnd.wap.mms-message'], 1_048_576))
    expect(shown.split('\r\n').slice(5)).toEqual(['m=message 0 TCP/MSRP *', 'a=accept-types:text/plain application/vnd.wap.mms-message', 'a=max-size:1048576', 'a=file-selector', ''])
    expect(msrp(read(shown))).toMatchObject({ port: 0, maxSize: 1_048_576, acceptTypes: ['text/plain', 'application/vnd.wap.mms-message'], file: { selector: {} } })
  })
})

describe('the next description', () => {
  const first = answerTo(read(OFFER), [OURS], ORIGIN)
  it('keeps its version where nothing changed, and adds one where something did (RFC 3264 section 8)', () => {
    expect(nextDescription(first, [...first.media]).origin.version).toBe(1)
    expect(nextDescription(first, [{ ...msrp(first), port: 0 }]).origin.version).toBe(2)
  })
  it('never loses a media line', () => expect(() => nextDescription(first, [])).toThrow(/fewer media lines/))
})

describe('a file offered again (RFC 5547 section 8.1)', () => {
  const file = msrp(read(OFFER)).file!
  it('is nothing new, a new transfer, or a contradiction', () => {
    expect(fileChange(file, { ...file, disposition: undefined })).toBe('same')
    expect(fileChange(file, { ...file, transferId: 'other' })).toBe('new')
    expect(fileChange(file, { ...file, selector: { ...file.selector, size: 62 } })).toBe('conflict')
  })
})

describe('a file-selector', () => {
  it.each([
    [':name:"a b%22%25%0D%0A.txt"', { name: 'a b"%\r\n.txt' }], [':size:0', { size: 0 }], ['', {}], [':type:text/plain;charset="utf-8 x" size:3', { type: 'text/plain;charset="utf-8 x"', size: 3 }],
    [':hash:sha-256:AB:CD size:3', { size: 3 }], [':name:"gr%C3%BCn"', { name: 'grün' }],
  ])('%j is read', (written, selector) => expect(parseFileSelector(written)).toEqual(selector))

  it.each([':name:"open', ':size:x', ':size:1 size:2', ':name:""', ':hash:sha-1:AB:CD', ':unknown:1', 'name:"x"', ':name:"%ZZ"', ':name:"%C3"', ':type:text', ':size:1x'])('%j is not', (written) => {
    expect(parseFileSelector(written)).toBeUndefined()
  })

  it('is written with what a name cannot hold escaped', () => {
    expect(fileSelectorText({ name: '\0\r\n"%ü' })).toBe(':name:"%00%0D%0A%22%25ü"')
  })

  it('is written so that it reads the same, whatever the name', () => {
    const sha1 = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 20, maxLength: 20 }).map((octets) => Buffer.from(octets).toString('hex'))
    fc.assert(fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }), fc.nat(), sha1, (name, size, hash) => {
      const selector = { name, size, sha1: hash, type: 'image/png' }
      expect(parseFileSelector(fileSelectorText(selector))).toEqual(selector)
      expect(fileSelectorText(selector)).not.toMatch(/[\r\n\0]/)
    }))
  })

  it('gets its type from any Content-Type', () => {
    expect([selectorType('Text/Plain; charset=utf-8'), selectorType('nonsense'), selectorType('a/b c'), selectorType('')]).toEqual(['text/plain', undefined, undefined, undefined])
  })
})

describe('any description of ours', () => {
  const media = fc.record({
    kind: fc.constant('msrp' as const), port: fc.integer({ min: 1, max: 65_535 }), transport: fc.constantFrom('tcp' as const, 'tls' as const), host: fc.constantFrom('192.0.2.40', '2001:db8::1', 'ppg.example.net'),
    path: fc.array(fc.constantFrom('msrp://192.0.2.40:2855/a1;tcp', 'msrps://[2001:db8::1]:9/b-_.+=/2;tcp'), { minLength: 1, maxLength: 4 }),
    setup: fc.constantFrom(undefined, 'active' as const, 'passive' as const, 'actpass' as const),
    fingerprints: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }).map((octets) => Buffer.from(octets).toString('hex').toUpperCase().match(/../g)!.join(':')), { maxLength: 3 }), acceptTypes: fc.constantFrom(['*'], ['text/*', 'image/png']), acceptWrappedTypes: fc.constantFrom([], ['text/plain']),
    maxSize: fc.option(fc.nat(), { nil: undefined }), direction: fc.constantFrom('sendrecv' as const, 'sendonly' as const, 'recvonly' as const, 'inactive' as const),
    file: fc.option(fc.record({
      selector: fc.record({ name: fc.string({ minLength: 1 }), size: fc.nat(), type: fc.constant('text/plain'), sha1: fc.constant('8f652aa84f32f044d9efba1492c21fd67a2ddc09') }),
      transferId: fc.constant('id1'), disposition: fc.constantFrom(undefined, 'render'), dates: fc.constantFrom(undefined, { read: 'Thu, 12 Mar 2026 08:58:00 +0000' }),
      range: fc.constantFrom(undefined, { start: 1, stop: undefined }, { start: 2049, stop: 5000 }), icon: fc.constantFrom(undefined, 'cid:icon@example.net'),
    }), { nil: undefined }),
  }).map((line) => (line.transport === 'tls' ? line : { ...line, fingerprints: [] }))
  it('is read as it was written', () => {
    fc.assert(fc.property(fc.array(media, { minLength: 1, maxLength: 4 }), fc.nat(), (lines, version) => {
      const description: Description = { origin: { ...ORIGIN, version }, media: lines }
      expect(read(descriptionText(description))).toEqual(description)
    }))
  })
})
