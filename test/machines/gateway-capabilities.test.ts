/** What the gateway knows of devices: from registrations, and from asking them; for selection, and for initiators who ask. */
import { describe, expect, it } from 'vitest'
import { parseContentType } from '../../core/mime/content-type.js'
import { splitMultipart } from '../../core/mime/multipart.js'
import type { PushMessage } from '../../core/pap/documents.js'
import { decodePap } from '../../core/pap/decode.js'
import { encodePap } from '../../core/pap/encode.js'
import { readOptions } from '../../core/ota/options.js'
import { DEFAULT_SESSIONS } from '../../core/push/bindings/session-settings.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import { GatewayWorld, sipAddress, thirdPartyRegister, user, type TestDevice } from './gateway-world.js'

const AOR = 'sip:anna@ims.example'
const phone: TestDevice = { instance: 'urn:uuid:1', publicGruu: `${AOR};gr=urn:uuid:1` }
const tablet: TestDevice = { instance: 'urn:uuid:2', publicGruu: `${AOR};gr=urn:uuid:2` }
const MMS = { app: 'x-wap-application:mms.ua' }
const LARGE = { ...MMS, body: 'x'.repeat(70_000) }

const SDP = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=message 0 TCP/MSRP *', 'a=accept-types:text/plain image/*', 'a=max-size:80000', 'a=file-selector', ''].join('\r\n')

interface Told { readonly allow?: string; readonly accept?: string; readonly sdp?: string; readonly contact?: string }

function answerTo(request: SipMessage, told: Told, status = 200): SipMessage {
  const response = responseTo(request, status, undefined, 'uas')
  if (told.allow !== undefined) response.append(Header.Allow, composed(told.allow))
  if (told.accept !== undefined) response.append(Header.Accept, composed(told.accept))
  if (told.contact !== undefined) response.append(Header.Contact, composed(told.contact))
  if (told.sdp !== undefined) {
    response.append(Header.ContentType, composed('application/sdp'))
    response.body = Buffer.from(told.sdp)
  }
  return response
}

/** Devices that answer OPTIONS as told, and everything else 200. */
function worldOf(told: (request: SipMessage) => SipMessage | number | undefined, seen: string[] = []): GatewayWorld {
  return new GatewayWorld({ settings: { sessions: DEFAULT_SESSIONS }, core: (request) => {
    seen.push(`${request.method} ${request.requestUri}`)
    return request.method === 'OPTIONS' ? told(request) : 200
  } })
}

const asks = (seen: readonly string[]): number => seen.filter((line) => line.startsWith('OPTIONS')).length

describe('an answer to OPTIONS', () => {
  const request = (): SipMessage => thirdPartyRegister(AOR, 1)

  it('tells methods, media types of bodies and of MSRP, the largest size, files, applications and software', () => {
    const response = answerTo(request(), { allow: 'MESSAGE, invite', accept: 'application/sdp, text/*;q=0.5', sdp: SDP, contact: '<sip:x@192.0.2.1>;+g.oma.pusheventapp="mms.ua,WML.ua"' })
    response.append(Header.Server, composed('Sample/1.0 (x)'))
    expect(readOptions(response)).toMatchObject({
      methods: ['MESSAGE', 'INVITE'], mediaTypes: ['application/sdp', 'text/*', 'text/plain', 'image/*'], sizeMax: 80_000, takesFiles: true, applications: ['mms.ua', 'wml.ua'], userAgent: 'Sample/1.0 (x)',
    })
  })

  it('that says nothing tells nothing; methods of the Contact stand in for Allow', () => {
    expect(readOptions(answerTo(request(), {}))).toMatchObject({ methods: undefined, mediaTypes: undefined, sizeMax: undefined, takesFiles: false, applications: undefined })
    expect(readOptions(answerTo(request(), { contact: '<sip:x@192.0.2.1>;methods="INVITE,MESSAGE"' })).methods).toEqual(['INVITE', 'MESSAGE'])
  })

  it('that cannot be read does no harm', () => {
    for (const sdp of ['', 'v=0', 'v=0\r\nm=message 0 TCP/MSRP *', SDP.replace('80000', 'many'), '\0\0\0']) {
      expect(readOptions(answerTo(request(), { allow: ',,,"', accept: ';;', sdp, contact: '<<<' }))).toMatchObject({ sizeMax: undefined })
    }
  })
})

describe('a device', () => {
  it('is asked before something larger than a MESSAGE, once, and not before anything small', () => {
    const seen: string[] = []
    const world = worldOf((request) => answerTo(request, { allow: 'MESSAGE', accept: 'text/plain' }), seen)
    world.receive(thirdPartyRegister(AOR, 3600, [phone]))
    world.submit({ pushId: 'small', addresses: [user('anna')] }, MMS)
    expect(seen).toEqual([`MESSAGE ${AOR}`])
    world.submit({ pushId: 'p', addresses: [user('anna')] }, LARGE)
    world.submit({ pushId: 'q', addresses: [user('anna')] }, LARGE)
    expect(seen.slice(1)).toEqual([`OPTIONS ${phone.publicGruu}`])
    // It told of no INVITE, and nothing is hosted here: no way is left.
    expect(world.outcomes('p')).toEqual(['undeliverable 2006 -'])
    expect(world.outcomes('q')).toEqual(['undeliverable 2006 -'])
  })

  it('that is being asked holds up no small push, and is asked by one question at a time', () => {
    const seen: string[] = []
    const world = worldOf(() => undefined, seen)
    world.receive(thirdPartyRegister(AOR, 3600, [phone]))
    world.submit({ pushId: 'p', addresses: [sipAddress(phone.publicGruu!)] }, LARGE)
    world.submit({ pushId: 'q', addresses: [sipAddress(phone.publicGruu!)] }, LARGE)
    expect(asks(seen)).toBe(1)
    world.submit({ pushId: 'small', addresses: [sipAddress(phone.publicGruu!)] }, MMS)
    expect(world.outcomes('small')).toEqual(['delivered 1000 confirmed'])
    // RFC 3261 section 11.1.
    expect(world.sent[0]!.request.get(Header.Accept)).toBe('application/sdp')
    world.answer(answerTo(world.sent[0]!.request, { allow: 'MESSAGE', accept: 'text/plain' }))
    expect(world.outcomes('p')).toEqual(['undeliverable 2006 -'])
    expect(world.outcomes('q')).toEqual(['undeliverable 2006 -'])
  })

  it('that does not answer is taken to be able, and is not asked again for a while', () => {
    const seen: string[] = []
    const world = worldOf(() => undefined, seen)
    world.receive(thirdPartyRegister(AOR, 3600, [phone]))
    world.submit({ pushId: 'p', addresses: [user('anna')] }, LARGE)
    world.advance(33_000_000)
    expect(seen.at(-1)).toBe(`INVITE ${AOR}`)
    world.submit({ pushId: 'q', addresses: [user('anna')] }, LARGE)
    expect(asks(seen)).toBe(1)
    world.advance(61_000_000)
    world.submit({ pushId: 'r', addresses: [user('anna')] }, LARGE)
    expect(asks(seen)).toBe(2)
  })

  it('tells by a refusal only where that is about the method or being busy (RFC 3261 section 11.2)', () => {
    for (const [status, goes] of [[404, true], [500, true], [405, false], [486, false]] as const) {
      const seen: string[] = []
      const world = worldOf((request) => answerTo(request, { allow: 'MESSAGE' }, status), seen)
      world.receive(thirdPartyRegister(AOR, 3600, [phone]))
      world.submit({ pushId: 'p', addresses: [user('anna')] }, LARGE)
      expect(seen.includes(`INVITE ${AOR}`)).toBe(goes)
    }
  })

  it('is asked again after its next registration', () => {
    const seen: string[] = []
    const world = worldOf((request) => answerTo(request, { allow: 'MESSAGE' }), seen)
    world.receive(thirdPartyRegister(AOR, 3600, [phone]))
    world.submit({ pushId: 'p', addresses: [user('anna')] }, LARGE)
    world.receive(thirdPartyRegister(AOR, 3600, [phone]))
    world.submit({ pushId: 'q', addresses: [user('anna')] }, LARGE)
    expect(asks(seen)).toBe(2)
  })

  it('that told what it takes gets nothing else: 2006 before anything is sent, 2005 when capabilities were stated', () => {
    const seen: string[] = []
    const world = worldOf((request) => answerTo(request, { allow: 'MESSAGE, INVITE', accept: 'application/sdp', sdp: SDP }), seen)
    world.receive(thirdPartyRegister(AOR, 3600, [phone]))
    world.submit({ pushId: 'type', addresses: [user('anna')] }, { ...LARGE, type: 'video/mp4' })
    world.submit({ pushId: 'size', addresses: [user('anna')] }, { ...MMS, body: 'x'.repeat(90_000) })
    expect(world.outcomes()).toEqual(['undeliverable 2006 -', 'undeliverable 2006 -'])
    expect(seen).toEqual([`OPTIONS ${phone.publicGruu}`])
  })
})

describe('a capabilities query', () => {
  function ask(world: GatewayWorld, address: string, appId?: string): number {
    return world.post('application/xml', Buffer.from(encodePap({ type: 'ccq-message', queryId: 'q1', appId, address }, '2.0')))
  }

  function answered(world: GatewayWorld, id: number): { readonly code: number | undefined; readonly profile: string | undefined } {
    const reply = world.replies.find((each) => each.id === id)
    if (reply === undefined) return { code: undefined, profile: undefined }
    const type = parseContentType(reply.contentType ?? 'application/xml')!
    const parts = type.mediaType === 'multipart/related' ? splitMultipart(Buffer.from(reply.body), type.parameters.get('boundary')!).parts.map((part) => part.body) : [Buffer.from(reply.body)]
    const document = decodePap(parts[0]!)
    if (!document.ok || document.message.type !== 'ccq-response') throw new Error('no ccq-response')
    expect(document.message.queryId).toBe('q1')
    return { code: document.message.code, profile: parts[1]?.toString() }
  }

  it('is answered with what the device tells, asked once, and from memory afterwards', () => {
    const seen: string[] = []
    const world = worldOf((request) => answerTo(request, { allow: 'MESSAGE', accept: 'application/vnd.wap.mms-message', sdp: SDP }), seen)
    world.receive(thirdPartyRegister(AOR, 3600, [phone]))
    const first = answered(world, ask(world, user('anna'), 'x-wap-application:mms.ua'))
    expect(first.code).toBe(1000)
    expect(first.profile).toContain('<rdf:li>application/vnd.wap.mms-message</rdf:li>')
    expect(first.profile).toContain('<prf:Push-MsgSize>80000</prf:Push-MsgSize>')
    expect(first.profile).toContain('<rdf:li>x-wap-application:mms.ua</rdf:li>')
    expect(answered(world, ask(world, user('anna')))).toEqual(first)
    expect(asks(seen)).toBe(1)
  })

  it('is answered with what registration told when the device says nothing', () => {
    const world = worldOf(() => undefined)
    world.receive(thirdPartyRegister(AOR, 3600, [phone]))
    const id = ask(world, user('anna'))
    expect(answered(world, id).code).toBeUndefined()
    world.advance(33_000_000)
    expect(answered(world, id)).toMatchObject({ code: 1000, profile: expect.stringContaining('x-wap-application:wml.ua') as string })
  })

  it('about a user of several devices tells what at least one takes; about a GRUU what that one takes', () => {
    const world = worldOf((request) => answerTo(request, { accept: request.requestUri === phone.publicGruu ? 'text/plain' : 'image/png' }))
    world.receive(thirdPartyRegister(AOR, 3600, [phone, tablet]))
    const both = answered(world, ask(world, user('anna'))).profile!
    expect(both).toContain('text/plain')
    expect(both).toContain('image/png')
    expect(answered(world, ask(world, sipAddress(tablet.publicGruu!))).profile).not.toContain('text/plain')
  })

  it('fails by 3008 where nothing is known, 2002 for an address not served, 2000 for an app-id that is none', () => {
    const world = worldOf(() => 200)
    expect(answered(world, ask(world, user('nobody'))).code).toBe(3008)
    expect(answered(world, ask(world, 'WAPPUSH=a/TYPE=USER@elsewhere.example')).code).toBe(2002)
    world.receive(thirdPartyRegister(AOR, 3600, [phone]))
    expect(answered(world, ask(world, user('anna'), 'no application')).code).toBe(2000)
    expect(answered(world, ask(world, user('anna'), 'x-oma-application:ulp.ua')).code).toBe(3008)
  })

  it('that is open is answered before a clean stop', () => {
    const world = worldOf(() => undefined)
    world.receive(thirdPartyRegister(AOR, 3600, [phone]))
    const id = ask(world, user('anna'))
    world.input({ type: 'drain' })
    expect(world.drained).toBe(false)
    world.answer(200)
    expect(answered(world, id).code).toBe(1000)
    expect(world.drained).toBe(true)
  })
})

describe('progress notes', () => {
  it('are in the answer of an accepted push when they were asked for, and only then', () => {
    const world = new GatewayWorld()
    const stages = (id: number): readonly string[] => {
      const document = decodePap(world.replies.find((each) => each.id === id)!.body)
      if (!document.ok || document.message.type !== 'push-response') throw new Error('no push-response')
      return document.message.progressNotes.map((note) => note.stage)
    }
    expect(stages(world.submit({ pushId: 'a', addresses: [user('anna')], progressNotesRequested: true }))).toEqual(['validation', 'addressing', 'accepted'])
    expect(stages(world.submit({ pushId: 'b', addresses: [user('anna')], progressNotesRequested: true, deliverAfter: world.wall + 5_000 }))).toEqual(['validation', 'addressing', 'scheduling', 'accepted'])
    expect(stages(world.submit({ pushId: 'c', addresses: [user('anna')] }))).toEqual([])
  })

  it('are in the answer of a refused push, too, up to the stage that refused it', () => {
    const world = new GatewayWorld()
    const noted = (fields: Partial<PushMessage>): readonly string[] => {
      const id = world.submit({ pushId: 'a', addresses: [user('anna')], progressNotesRequested: true, ...fields })
      const document = decodePap(world.replies.find((each) => each.id === id)!.body)
      if (!document.ok || document.message.type !== 'push-response') throw new Error('no push-response')
      expect(document.message.result.code).toBeGreaterThanOrEqual(2000)
      return document.message.progressNotes.map(({ stage, note }) => `${stage}: ${note!}`)
    }
    world.submit({ pushId: 'a', addresses: [user('anna')] })
    expect(noted({})).toEqual(['validation: the control entity is valid', 'admission: this push-id was used before'])
    expect(noted({ progressNotesRequested: false })).toEqual([])
    expect(noted({ pushId: 'b', addresses: [user('anna'), 'WAPPUSH=x/TYPE=USER@elsewhere.example'] })).toEqual(['validation: the control entity is valid', expect.stringMatching(/^addressing: .*elsewhere/)])
    expect(noted({ pushId: 'c', deliverBefore: world.wall - 1_000 })).toEqual(['validation: the control entity is valid', 'admission: deliver-before-timestamp has passed'])
    expect(noted({ pushId: 'd', deliverBefore: world.wall + 1_000, deliverAfter: world.wall + 2_000 })).toEqual([expect.stringMatching(/^validation: deliver-after/)])
    expect(noted({ pushId: 'e', replacePushId: 'a', replaceMethod: 'pending-only' })).toEqual(['validation: the control entity is valid', 'addressing: 1 of 1 addresses resolved', expect.stringMatching(/^admission: nothing of the push by replace-push-id waits/)])
  })
})

describe('a result notification', () => {
  it('tells the network and the bearer that were used, after success and where quality of service was given', () => {
    const quality = { priority: 'medium' as const, deliveryMethod: 'confirmed' as const, networkRequired: false, bearer: 'sip-message', bearerRequired: true }
    const world = new GatewayWorld({ core: (request) => (request.requestUri === AOR ? 200 : 603) })
    const submission = { notifyRequestedTo: 'http://pi.example/', qualityOfService: quality }
    world.submit({ ...submission, pushId: 'a', addresses: [user('anna')] })
    world.submit({ ...submission, pushId: 'b', addresses: [user('ben')] })
    expect(world.notifies[0]!.body).toContain('network="IMS" bearer="SIP-MESSAGE"')
    expect(world.notifies[1]!.body).not.toContain('bearer=')
  })
})
