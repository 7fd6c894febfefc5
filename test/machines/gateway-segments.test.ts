/** Content in pieces to a device behind a constrained bearer (RFC 2046 section 5.2.2): when, in which order, and what ends it. */
import { describe, expect, it } from 'vitest'
import { BINDING_NAMES, bitOf } from '../../core/push/bindings/binding.js'
import { goesInSegments, type DeviceKnowledge, type SelectionInput } from '../../core/push/bindings/select.js'
import { DEFAULT_SELECTION } from '../../core/push/bindings/selection-settings.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import { GatewayWorld, silent, thirdPartyRegister, user, type WorldOptions } from './gateway-world.js'

const AOR = 'sip:anna@ims.example'
const GRUU = `${AOR};gr=urn:uuid:1`
const BODY = 'one content, four pieces: '.repeat(4)

/** A device that told `allow` when it was asked, and of which every other request is answered as `core` says. */
function worldOf(core: NonNullable<WorldOptions['core']>, allow = 'MESSAGE', segmentOctets = 40): GatewayWorld {
  const world = new GatewayWorld({ settings: { selection: { ...DEFAULT_SELECTION, segmentOctets } }, core: (request, self) => {
    if (request.method !== 'OPTIONS') return core(request, self)
    const told = responseTo(request, 200, undefined, 'uas')
    told.append(Header.Allow, composed(allow))
    return told
  } })
  world.receive(thirdPartyRegister(AOR, 3600, [{ instance: 'urn:uuid:1', publicGruu: GRUU }]))
  return world
}

const submit = (world: GatewayWorld, body = BODY): number => world.submit({ pushId: 'p', addresses: [user('anna')] }, { type: 'text/vnd.wap.si', app: 'x-wap-application:mms.ua', body, headers: [{ name: 'Content-Language', value: 'en' }] })
const partsOf = (request: SipMessage): (string | undefined)[] => [Header.CallId, Header.XPushId, Header.XWapApplicationId].map((id) => request.get(id))

describe('a content larger than the segment size, to a device that takes neither sessions nor references', () => {
  it('goes in numbered pieces, one at a time, the headers of the content in the first; the 200 to the last one delivers', () => {
    const world = worldOf(silent)
    submit(world)
    const seen: SipMessage[] = []
    while (world.sent.length > 0) {
      expect(world.sent).toHaveLength(1)
      expect(world.outcomes()).toEqual([])
      seen.push(world.sent[0]!.request)
      world.answer(200)
    }
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
    const [id] = /id="[^"]+"/.exec(seen[0]!.get(Header.ContentType)!)!
    expect(seen.map((request) => request.get(Header.ContentType))).toEqual(seen.map((_, index) => `message/partial; ${id}; number=${index + 1}; total=${seen.length}`))
    expect(Buffer.concat(seen.map(({ body }) => body)).toString()).toBe(`Content-Type: text/vnd.wap.si\r\nContent-Language: en\r\n\r\n${BODY}`)
    for (const request of seen) expect([request.body.length <= 40, ...partsOf(request)]).toEqual([true, ...partsOf(seen[0]!)])
    expect(seen.map((request) => request.get(Header.CSeq))).toEqual(seen.map((_, index) => `${parseInt(seen[0]!.get(Header.CSeq)!, 10) + index} MESSAGE`))
    expect(world.journal.filter(({ event }) => event === 'sip-out')).toHaveLength(1)
  })

  it('ends with the first piece that is refused', () => {
    let pieces = 0
    const world = worldOf(() => (++pieces === 2 ? 413 : 200))
    submit(world)
    expect([pieces, world.outcomes()[0]?.split(' ')[0]]).toEqual([2, 'undeliverable'])
  })

  it('begins anew with the same id when a piece stayed unanswered, so that what came before counts', () => {
    const types: string[] = []
    const world = worldOf((request) => (types.push(request.get(Header.ContentType)!) === 2 ? 503 : 200))
    submit(world)
    world.advance(600_000_000)
    expect(types[2]).toBe(types[0])
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })
})

describe('nothing is cut', () => {
  it.each([
    ['that is no larger than a piece', 'MESSAGE', 40, 'x'.repeat(40)],
    ['where the operator asks for none', 'MESSAGE', 0, BODY],
    ['that would need more pieces than a device keeps', 'MESSAGE', 40, 'x'.repeat(40 * 256)],
  ])('%s', (_what, allow, segmentOctets, body) => {
    const types: (string | undefined)[] = []
    const world = worldOf((request) => { types.push(request.get(Header.ContentType)); return 200 }, allow, segmentOctets)
    submit(world, body)
    expect([types, world.outcomes()]).toEqual([['text/vnd.wap.si'], ['delivered 1000 confirmed']])
  })
})

describe('of a device', () => {
  const device: DeviceKnowledge = { instance: 'i', gruu: 'sip:a@x;gr=i', methods: ['MESSAGE'], mediaTypes: ['text/plain', 'message/partial'], sizeMax: undefined, applications: undefined, registeredAt: 0 }
  const policy = { ...DEFAULT_SELECTION, segmentOctets: 100 }
  const base: SelectionInput = {
    bearer: undefined, bearerRequired: false, size: 101, contentType: 'text/plain', application: 'mms.ua', statesCapabilities: false, devices: [device], toGruu: true,
    transportIsStream: true, policy, available: BINDING_NAMES.reduce((bits, name) => bits | bitOf(name), 0),
  }
  it.each([
    ['neither sessions nor references', {}, true],
    ['sessions', { devices: [{ ...device, methods: ['MESSAGE', 'INVITE'] }] }, false],
    ['references', { devices: [{ ...device, mediaTypes: ['message/*'] }] }, false],
    ['references, where the operator forbids them', { devices: [{ ...device, mediaTypes: ['message/*'] }], policy: { ...policy, allowIndirection: false } }, true],
    ['nobody knows what', { devices: [{ ...device, methods: undefined, mediaTypes: undefined }] }, false],
    ['neither, like not every device of its user', { devices: [device, { ...device, methods: ['INVITE'] }] }, false],
  ] as const satisfies readonly (readonly [string, Partial<SelectionInput>, boolean])[])('that takes %s', (_what, change, isCut) => {
    expect(goesInSegments({ ...base, ...change })).toBe(isCut)
  })
})
