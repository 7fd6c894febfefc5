/** Acceptance: what is refused and with which PAP code, duplicates, limits, hostile input, several recipients, a clean stop. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodePap } from '../../core/pap/decode.js'
import { encodePap } from '../../core/pap/encode.js'
import type { PushMessage, QualityOfService } from '../../core/pap/documents.js'
import { DEFAULT_SELECTION } from '../../core/push/bindings/selection-settings.js'
import { Header } from '../../core/sip/header-names.js'
import { writeMessage } from '../../core/sip/write.js'
import { GatewayWorld, START_WALL, silent, sipAddress, user } from './gateway-world.js'

const quality = (fields: Partial<QualityOfService>): QualityOfService => ({ priority: 'medium', deliveryMethod: 'notspecified', networkRequired: false, bearerRequired: false, ...fields })

function codeOf(fields: Partial<PushMessage>, content: Parameters<GatewayWorld['submit']>[1] = {}): number | undefined {
  const world = new GatewayWorld({ settings: { selection: { ...DEFAULT_SELECTION, sessionOctetsMax: 64 * 1024 } } })
  const id = world.submit({ pushId: 'p', addresses: [user('anna')], ...fields }, content)
  if (world.code(id) !== 1001) expect([world.store.rows('P'), world.store.rows('I'), world.gateway.counters.sipRequests]).toEqual([0, 0, 0])
  return world.code(id)
}

describe('acceptance', () => {
  const refusals: readonly (readonly [what: string, code: number, fields: Partial<PushMessage>, content?: Parameters<GatewayWorld['submit']>[1]])[] = [
    ['an address of another gateway', 2002, { addresses: ['WAPPUSH=anna/TYPE=USER@other.example'] }],
    ['one malformed address among good ones', 2002, { addresses: [user('anna'), 'WAPPUSH=00357/TYPE=PLMN@ppg.example'] }],
    ['an address type that is no identity here', 2002, { addresses: ['WAPPUSH=192.0.2.1/TYPE=IPv4@ppg.example'] }],
    ['a SIP URI of a foreign domain', 2002, { addresses: [sipAddress('sip:anna@elsewhere.example')] }],
    ['a SIP URI with headers', 2002, { addresses: [sipAddress('sip:anna@ims.example?Subject=x')] }],
    ['a SIP URI that would break a line', 2002, { addresses: [sipAddress('sip:anna@ims.example\r\nVia: x')] }],
    ['deliver-before in the past', 2001, { deliverBefore: START_WALL - 1_000 }],
    ['deliver-before now', 2001, { deliverBefore: START_WALL }],
    ['deliver-after not before deliver-before', 2000, { deliverBefore: START_WALL + 5_000, deliverAfter: START_WALL + 5_000 }],
    ['a required network other than IMS', 3009, { qualityOfService: quality({ network: 'GSM', networkRequired: true }) }],
    ['a required network that is not named', 3009, { qualityOfService: quality({ networkRequired: true }) }],
    ['a required bearer other than SIP', 3010, { qualityOfService: quality({ bearer: 'SMS', bearerRequired: true }) }],
    ['an application id that names no application', 2000, {}, { app: 'x-wap-application:*' }],
    ['a notification URL that is none', 2000, { notifyRequestedTo: 'pi.example' }],
    ['a notification URL with user information', 2000, { notifyRequestedTo: 'http://a:b@pi.example/' }],
    ['a push-id with a line break', 2000, { pushId: 'p\r\nX: y' }],
    ['a push-id longer than a key can hold', 2000, { pushId: 'ä'.repeat(300) }],
    ['content above the limit', 2006, {}, { body: 'x'.repeat(64 * 1024 + 1) }],
  ]
  for (const [what, code, fields, content] of refusals) it(`refuses ${what}: ${code}`, () => expect(codeOf(fields, content)).toBe(code))

  it('takes what is merely preferred, odd but legal, or at the limit', () => {
    expect(codeOf({ qualityOfService: quality({ network: 'GSM', bearer: 'SMS' }) })).toBe(1001)
    expect(codeOf({ qualityOfService: quality({ network: 'ims', networkRequired: true, bearer: 'SIP-MESSAGE', bearerRequired: true }) })).toBe(1001)
    expect(codeOf({ deliverAfter: START_WALL - 5_000 })).toBe(1001)
    expect(codeOf({}, { body: 'x'.repeat(64 * 1024) })).toBe(1001)
    expect(codeOf({}, { body: '' })).toBe(1001)
    expect(codeOf({ pushId: 'ä'.repeat(256) })).toBe(1001)
    expect(codeOf({ deliverBefore: 253_402_300_799_000 })).toBe(1001)
    expect(codeOf({ deliverAfter: -62_167_219_200_000 })).toBe(1001)
  })

  it('maps phone numbers, names, SIP URIs and tel URIs to identities by rule, and names the bad ones', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: ['WAPPUSH=+357-99.1/TYPE=PLMN@ppg.example', user('maria.k'), sipAddress('sip:ben@ims.example'), 'tel:+357-992', 'WAPPUSH=a%20b/TYPE=USER@ppg.example'] })
    expect(world.sent.map((sent) => sent.request.requestUri)).toEqual([
      'sip:+357991@ims.example;user=phone', 'sip:maria.k@ims.example', 'sip:ben@ims.example', 'sip:+357992@ims.example;user=phone', 'sip:a%20b@ims.example',
    ])
    const id = world.submit({ pushId: 'q', addresses: [user('anna'), 'WAPPUSH=anna/TYPE=USER@foreign.example'] })
    expect(world.code(id)).toBe(2002)
    expect(world.replies.at(-1)!.body).toContain('foreign.example')
    expect(world.journal.filter((line) => line.event === 'refused').map((line) => line.details)).toEqual([['2002'], ['2002']])
  })

  it('names application ids by their feature tags, the WML user agent where none is given', () => {
    for (const [app, tag] of [[undefined, '"wml.ua"'], ['x-wap-application:mms.ua', '"mms.ua"'], ['4', '"mms.ua"'], ['urn:example:app', '"<urn:example:app>"']] as const) {
      const world = new GatewayWorld({ core: silent })
      world.submit({ pushId: 'p', addresses: [user('anna')] }, app === undefined ? {} : { app })
      expect(world.sent[0]!.request.get(Header.AcceptContact)).toBe(`*;+g.oma.pusheventapp=${tag};require;explicit`)
    }
  })

})

describe('a push-id', () => {
  it('is taken once per initiator: 2007, while under way, pending, delivered, and after a restart', () => {
    const world = new GatewayWorld({ core: silent })
    world.holdCommits = true
    const first = world.submit({ pushId: 'p', addresses: [user('anna')] })
    const underWay = world.submit({ pushId: 'p', addresses: [user('anna')] })
    expect([world.code(first), world.code(underWay)]).toEqual([undefined, 2007])
    world.holdCommits = false
    world.flush()
    expect(world.code(world.submit({ pushId: 'p', addresses: [user('ben')] }))).toBe(2007)
    expect(world.code(world.submit({ pushId: 'p', addresses: [user('anna')] }, { initiator: 'another' }))).toBe(1001)
    world.answer(200)
    expect(world.code(world.submit({ pushId: 'p', addresses: [user('anna')] }))).toBe(2007)
    world.boot()
    expect(world.code(world.submit({ pushId: 'p', addresses: [user('anna')] }))).toBe(2007)
  })

  it('is told apart from another pair that reads the same', () => {
    const world = new GatewayWorld()
    expect(world.code(world.submit({ pushId: 'b', addresses: [user('anna')] }, { initiator: 'aa' }))).toBe(1001)
    expect(world.code(world.submit({ pushId: 'ab', addresses: [user('anna')] }, { initiator: 'a' }))).toBe(1001)
  })

  it('stays taken for the retention time from the outcome, restarts included, and is free afterwards', () => {
    const day = 86_400_000_000
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.answer(200)
    world.advance(6 * day)
    world.boot()
    expect(world.code(world.submit({ pushId: 'p', addresses: [user('anna')] }))).toBe(2007)
    world.advance(1.1 * day)
    expect([world.store.rows('D'), world.store.rows('I')]).toEqual([0, 0])
    expect(world.code(world.submit({ pushId: 'p', addresses: [user('anna')] }))).toBe(1001)
  })

  it('is not used up by a refused submission', () => {
    const world = new GatewayWorld()
    expect(world.code(world.submit({ pushId: 'p', addresses: ['nowhere'] }))).toBe(2002)
    expect(world.code(world.submit({ pushId: 'p', addresses: [user('anna')] }))).toBe(1001)
  })
})

describe('several recipients', () => {
  it('are not reached again by a gateway that starts when the outcomes of some are older than the retention time and another still waits', () => {
    const day = 86_400_000_000
    const reached: string[] = []
    const core = ({ requestUri }: { readonly requestUri: string }): number => {
      if (requestUri.includes('away')) return 480
      reached.push(requestUri)
      return 200
    }
    const world = new GatewayWorld({ core, settings: { retentionMillis: 86_400_000 } })
    world.submit({ pushId: 'p', addresses: [user('anna'), user('away'), user('ben')] })
    world.advance(2.2 * day)
    expect(reached).toHaveLength(2)
    world.boot()
    world.advance(day / 24)
    expect(reached).toHaveLength(2)
    // When the last has its outcome too, all go.
    world.advance(3 * day)
    expect([world.store.rows('D'), world.store.rows('I')]).toEqual([0, 0])
  })

  it('are one submission with an outcome each, and the row goes with the last', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: [user('a'), user('b'), user('c')] })
    world.answer(200)
    world.answer(404)
    expect([world.store.rows('P'), world.store.rows('D')]).toEqual([1, 2])
    world.answer(200)
    expect([world.store.rows('P'), world.store.rows('D'), world.store.rows('I')]).toEqual([0, 3, 1])
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed', 'undeliverable 2002 -', 'delivered 1000 confirmed'])
  })

  it('whose outcomes come while one is being written follow in the next commit', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: [user('a'), user('b'), user('c')] })
    world.holdCommits = true
    for (let count = 0; count < 3; count++) world.answer(200)
    expect(world.commitsWaiting).toBe(1)
    world.flush(1)
    expect(world.commitsWaiting).toBe(1)
    expect(world.outcomes()).toHaveLength(1)
    world.flush()
    expect(world.outcomes()).toHaveLength(3)
    expect(world.store.rows('P')).toBe(0)
  })

  it('that mean one identity are one recipient, told by the first literal', () => {
    const world = new GatewayWorld()
    world.submit({ pushId: 'p', addresses: [user('anna'), sipAddress('sip:anna@ims.example')] })
    expect(world.journal.filter((line) => line.event === 'outcome').map((line) => line.address)).toEqual([user('anna')])
  })

  it('are taken up after a restart without those that have an outcome', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: [user('a'), user('b'), user('c')] })
    world.answer(200)
    world.sent.length = 0
    world.boot()
    expect(world.sent.map((sent) => sent.request.requestUri)).toEqual(['sip:b@ims.example', 'sip:c@ims.example'])
    world.answer(200)
    world.answer(200)
    expect(world.store.rows('P')).toBe(0)
    expect(world.outcomes()).toHaveLength(3)
  })
})

describe('overload', () => {
  it('is shed with 503 and Retry-After beyond the limit of work in flight, before anything is read', () => {
    const world = new GatewayWorld({ core: silent, settings: { inFlightMax: 2 } })
    const ids = ['a', 'b', 'c'].map((name) => world.submit({ pushId: name, addresses: [user(name)] }))
    expect(ids.map((id) => world.code(id))).toEqual([1001, 1001, 503])
    expect(world.replies.at(-1)).toMatchObject({ status: 503, retryAfterSeconds: 2, body: '' })
    expect(world.code(world.post('text/nonsense', Buffer.from('?')))).toBe(503)
    world.answer(200)
    expect(world.code(world.submit({ pushId: 'c', addresses: [user('c')] }))).toBe(1001)
  })

  it('does not count those who wait for a registration, up to the bound on what is held', () => {
    const world = new GatewayWorld({ core: () => 480, settings: { inFlightMax: 2, heldMax: 5 } })
    const codes = [1, 2, 3, 4, 5, 6].map((number) => world.code(world.submit({ pushId: `p${number}`, addresses: [user(`u${number}`)] })))
    expect(codes).toEqual([1001, 1001, 1001, 1001, 1001, 503])
  })

  it('of the store is answered 503 and nothing is kept, sent or claimed', () => {
    const world = new GatewayWorld()
    world.storeIsFull = true
    expect(world.code(world.submit({ pushId: 'p', addresses: [user('anna')] }))).toBe(503)
    expect(world.journal).toEqual([])
    world.storeIsFull = false
    expect(world.code(world.submit({ pushId: 'p', addresses: [user('anna')] }))).toBe(1001)
  })

  it('of the store when an outcome is written is waited out: the outcome is told once, when it is kept', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: [user('anna')], notifyRequestedTo: 'http://pi.example/' })
    world.storeIsFull = true
    world.answer(200)
    world.advance(3_000_000)
    expect([world.outcomes(), world.notifies]).toEqual([[], []])
    world.storeIsFull = false
    world.advance(1_000_000)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
    expect(world.notifies).toHaveLength(1)
  })
})

describe('a clean stop', () => {
  it('lets attempts under way end, begins nothing, and names what is still in flight', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: '1', addresses: [user('anna')] })
    world.submit({ pushId: '2', addresses: [user('anna')] })
    world.submit({ pushId: '3', addresses: [user('ben'), user('carl')] })
    world.answer(200, world.sent.find((sent) => sent.request.requestUri.includes('ben')))
    world.input({ type: 'drain' })
    expect(world.drained).toBe(false)
    expect(world.code(world.submit({ pushId: '4', addresses: [user('dora')] }))).toBe(503)
    world.answer(480, world.sent.find((sent) => sent.request.requestUri.includes('carl')))
    world.answer(200, world.sent.find((sent) => sent.request.requestUri.includes('anna')))
    expect(world.drained).toBe(true)
    expect(world.journal.filter((line) => line.event === 'in-flight').map((line) => [line.pushId, line.address])).toEqual([['2', user('anna')], ['3', user('carl')]])
  })
})

describe('hostile input', () => {
  it('gets an answer each, and every other push goes on', () => {
    const whole = { contentType: 'multipart/related; boundary=b', body: Buffer.from(`--b\r\nContent-Type: application/xml\r\n\r\n${encodePap({ type: 'push-message', pushId: 'x', replaceMethod: 'all', progressNotesRequested: false, addresses: [user('anna')] }, '2.0')}\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b--\r\n`) }
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(whole.body.length - 1), fc.nat(255)), { maxLength: 8 }), fc.nat(whole.body.length), (changes, cut) => {
      const world = new GatewayWorld()
      const body = Buffer.from(whole.body)
      for (const [at, octet] of changes) body[at] = octet
      world.post(whole.contentType, cut % 3 === 0 ? body.subarray(0, cut) : body)
      expect(world.replies).toHaveLength(1)
      const reply = world.replies[0]!
      expect(reply.status).toBe(202)
      expect(decodePap(reply.body).ok).toBe(true)
      expect(world.code(world.submit({ pushId: 'good', addresses: [user('ben')] }))).toBe(1001)
      expect(world.outcomes('good')).toEqual(['delivered 1000 confirmed'])
    }), { numRuns: 300 })
  })

  it('on the SIP side never stops the machine', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    const { flow } = world.sent[0]!
    for (const text of ['\r\n\r\n', 'garbage\r\n\r\n', 'SIP/2.0 200 OK\r\n\r\n', 'SIP/2.0 999 ?\r\nVia: SIP/2.0/TCP x;branch=z9hG4bKx\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n']) {
      world.network({ type: 'bytes', flow: 1, bytes: Buffer.from(text), from: { address: '127.0.0.66', port: 5060 } })
    }
    const late = world.sent[0]!
    world.answer(200)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
    world.answer(404, late)
    world.network({ type: 'bytes', flow, bytes: writeMessage(late.request) })
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })
})
