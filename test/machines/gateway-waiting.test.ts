/** Pushes that wait: for a registration, for their time, for their turn; and their end when nobody comes. */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { GatewayWorld, START_WALL, silent, sipAddress, thirdPartyRegister, user, type TestDevice } from './gateway-world.js'

const ANNA = 'sip:anna@ims.example'
const SECOND = 1_000_000
const MMS = { app: 'x-wap-application:mms.ua' }
const quality = (priority: 'high' | 'medium' | 'low') => ({ priority, deliveryMethod: 'notspecified' as const, networkRequired: false, bearerRequired: false })

describe('an offline recipient', () => {
  it('waits after 480 and is served when the S-CSCF tells of its registration', () => {
    let online = false
    const world = new GatewayWorld({ core: () => (online ? 200 : 480) })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.advance(3_600 * SECOND)
    expect(world.gateway.counters).toMatchObject({ sipRequests: 1, waiting: 1, inFlight: 1 })
    online = true
    world.receive(thirdPartyRegister(ANNA, 3600))
    expect(world.responses.map((response) => response.status)).toEqual([200])
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
    expect(world.gateway.counters).toMatchObject({ waiting: 0, inFlight: 0, registrations: 1 })
  })

  it('is tried at once when its registration came while the attempt was under way: no wake-up is lost', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.receive(thirdPartyRegister(ANNA, 3600))
    expect(world.sent).toHaveLength(1)
    world.answer(480)
    expect(world.sent).toHaveLength(1)
    world.answer(200)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('waits when its deregistration came while the attempt was under way', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.receive(thirdPartyRegister(ANNA, 0))
    world.answer(480)
    expect(world.sent).toHaveLength(0)
    expect(world.gateway.counters.waiting).toBe(1)
  })

  it('is not attempted while it is known to be deregistered, and is as soon as it registers', () => {
    const world = new GatewayWorld()
    world.receive(thirdPartyRegister(ANNA, 0))
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    expect(world.gateway.counters.sipRequests).toBe(0)
    world.receive(thirdPartyRegister(ANNA, 600))
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('is tried again after the Retry-After of a 480 even without a registration', () => {
    let count = 0
    const world = new GatewayWorld({ core: (request) => (++count > 1 ? 200 : retryAfter(request, 480, '60')) })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.advance(59 * SECOND)
    expect(count).toBe(1)
    world.advance(2 * SECOND)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('expires at deliver-before, or ends as timeout at the end of the default lifetime', () => {
    const world = new GatewayWorld({ core: () => 480, settings: { defaultLifetimeMillis: 120_000 } })
    world.submit({ pushId: 'before', addresses: [user('anna')], deliverBefore: START_WALL + 60_000 })
    world.submit({ pushId: 'default', addresses: [user('anna')] })
    world.advance(59 * SECOND)
    expect(world.outcomes()).toEqual([])
    world.advance(2 * SECOND)
    expect(world.outcomes()).toEqual(['expired 4000 -'])
    world.advance(60 * SECOND)
    expect(world.outcomes('default')).toEqual(['timeout 4000 -'])
    expect(world.store.rows('P')).toBe(0)
    world.receive(thirdPartyRegister(ANNA, 600))
    expect(world.gateway.counters.sipRequests).toBe(2)
  })

  it('costs no content in memory: the content comes from the store for the attempt', () => {
    let online = false
    const bodies: string[] = []
    const world = new GatewayWorld({ core: (request) => { bodies.push(request.body.toString()); return online ? 200 : 480 } })
    world.submit({ pushId: 'p', addresses: [user('anna')] }, { body: 'as accepted' })
    const [key] = [...world.store.durable.keys()].filter((each) => each.startsWith('P'))
    const row = Buffer.from(world.store.durable.get(key!)!)
    row.write('as stored  ', row.length - 'as accepted'.length)
    world.store.durable.set(key!, row)
    online = true
    world.receive(thirdPartyRegister(ANNA, 600))
    expect(bodies).toEqual(['as accepted', 'as stored  '])
  })
})

describe('one Request-URI', () => {
  it('has at most one MESSAGE pending, and the next goes when it ends (RFC 3428 section 8)', () => {
    const world = new GatewayWorld({ core: silent })
    for (const pushId of ['1', '2', '3']) world.submit({ pushId, addresses: [user('anna')] })
    world.submit({ pushId: 'other', addresses: [user('ben')] })
    expect(world.sent.map((sent) => sent.request.get(Header.XPushId))).toEqual(['1', 'other'])
    world.answer(200)
    expect(world.sent.map((sent) => sent.request.get(Header.XPushId))).toEqual(['other', '2'])
    world.answer(200)
    world.answer(404)
    world.answer(200)
    expect(world.outcomes()).toHaveLength(4)
  })

  it('serves high before medium before low priority, each in order of acceptance', () => {
    const order: string[] = []
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'first', addresses: [user('anna')] })
    for (const [pushId, priority] of [['l1', 'low'], ['m1', 'medium'], ['h1', 'high'], ['l2', 'low'], ['h2', 'high'], ['m2', 'medium']] as const) {
      world.submit({ pushId, addresses: [user('anna')], qualityOfService: quality(priority) })
    }
    for (let count = 0; count < 7; count++) {
      order.push(world.sent[0]!.request.get(Header.XPushId)!)
      world.answer(200)
    }
    expect(order).toEqual(['first', 'h1', 'h2', 'm1', 'm2', 'l1', 'l2'])
  })

  it('drops a queued push whose deliver-before passes before its turn', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: '1', addresses: [user('anna')] })
    world.submit({ pushId: '2', addresses: [user('anna')], deliverBefore: START_WALL + 5_000 })
    world.advance(6 * SECOND)
    expect(world.outcomes('2')).toEqual(['expired 4000 -'])
    world.answer(200)
    expect(world.sent).toHaveLength(0)
  })

  it('of a redirected push takes its turn, too', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: '1', addresses: [user('ben')] })
    world.submit({ pushId: '2', addresses: [user('anna')] })
    const anna = world.sent.pop()!
    world.answer(withContact(anna.request, 302, '<sip:ben@ims.example>'), anna)
    expect(world.sent).toHaveLength(1)
    world.answer(200)
    expect(world.sent[0]!.request.requestUri).toBe('sip:ben@ims.example')
    expect(world.sent[0]!.request.get(Header.XPushId)).toBe('2')
  })

  it('opens no more transactions at one time than the limit', () => {
    const world = new GatewayWorld({ core: silent, settings: { attemptsMax: 3 } })
    for (let count = 0; count < 10; count++) world.submit({ pushId: `p${count}`, addresses: [user(`u${count}`)] })
    expect(world.sent).toHaveLength(3)
    for (let count = 0; count < 10; count++) world.answer(200)
    expect(world.outcomes()).toHaveLength(10)
  })
})

describe('the time window', () => {
  it('sends nothing before deliver-after, and then at once', () => {
    const world = new GatewayWorld()
    world.submit({ pushId: 'p', addresses: [user('anna')], deliverAfter: START_WALL + 60_000, deliverBefore: START_WALL + 120_000 })
    world.advance(59 * SECOND)
    expect(world.gateway.counters).toMatchObject({ sipRequests: 0, waiting: 1 })
    world.advance(1 * SECOND)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })
})

describe('content past deliver-before', () => {
  it('is not sent when the clock has jumped over it before its turn', () => {
    const world = new GatewayWorld({ core: () => 480 })
    world.submit({ pushId: 'p', addresses: [user('anna')], deliverBefore: START_WALL + 60_000 })
    world.wall += 61_000
    world.receive(thirdPartyRegister(ANNA, 600))
    expect(world.gateway.counters.sipRequests).toBe(1)
    expect(world.outcomes()).toEqual(['expired 4000 -'])
  })

  it('is not sent when it passes while the push is being written', () => {
    const world = new GatewayWorld()
    world.holdCommits = true
    world.submit({ pushId: 'p', addresses: [user('anna')], deliverBefore: START_WALL + 1_000 })
    world.advance(2 * SECOND)
    world.flush()
    world.flush()
    expect(world.gateway.counters.sipRequests).toBe(0)
    expect(world.outcomes()).toEqual(['expired 4000 -'])
  })

  it('is not sent when it passes while the content is being read back', () => {
    const world = new GatewayWorld({ core: () => 480 })
    world.submit({ pushId: 'p', addresses: [user('anna')], deliverBefore: START_WALL + 60_000 })
    world.holdReads = true
    world.receive(thirdPartyRegister(ANNA, 600))
    world.advance(61 * SECOND)
    expect(world.outcomes()).toEqual([])
    world.releaseReads()
    expect(world.gateway.counters.sipRequests).toBe(1)
    expect(world.outcomes()).toEqual(['expired 4000 -'])
  })
})

describe('a GRUU', () => {
  const phone: TestDevice = { instance: 'urn:uuid:1', publicGruu: `${ANNA};gr=urn:uuid:1`, temporaryGruu: 'sip:tgruu.1@ims.example;gr' }
  const tablet: TestDevice = { instance: 'urn:uuid:2', publicGruu: `${ANNA};gr=urn:uuid:2`, features: ';+g.oma.pusheventapp="wml.ua"' }

  it('is sent to as it is, without forking, and its answer is journalled for the device', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: [sipAddress(phone.publicGruu!)] })
    const { request } = world.sent[0]!
    expect(request.requestUri).toBe(phone.publicGruu)
    expect(request.get(Header.To)).toBe(`<${phone.publicGruu}>`)
    expect(request.get(Header.RequestDisposition)).toBe('no-fork')
    world.answer(200)
    expect(world.journal.filter((line) => line.event === 'device').map((line) => line.details)).toEqual([[phone.publicGruu, '200', 'message']])
  })

  it('has a queue of its own beside its user', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: '1', addresses: [user('anna')] })
    world.submit({ pushId: '2', addresses: [sipAddress(phone.publicGruu!)] })
    expect(world.sent).toHaveLength(2)
  })

  it('waits on its user: any registration of the user wakes it, for a temporary GRUU as well', () => {
    let online = false
    const world = new GatewayWorld({ core: () => (online ? 200 : 480) })
    world.receive(thirdPartyRegister(ANNA, 600, [phone]))
    world.submit({ pushId: '1', addresses: [sipAddress(phone.publicGruu!)] }, MMS)
    world.submit({ pushId: '2', addresses: [sipAddress(phone.temporaryGruu!)] }, MMS)
    expect(world.gateway.counters.waiting).toBe(2)
    online = true
    world.receive(thirdPartyRegister(ANNA, 600, [phone]))
    expect(world.outcomes()).toHaveLength(2)
  })

  it('of a device that lacks the application is not tried: 2006, or 2005 when capabilities were stated', () => {
    const world = new GatewayWorld()
    world.receive(thirdPartyRegister(ANNA, 600, [phone, tablet]))
    world.submit({ pushId: 'p', addresses: [sipAddress(tablet.publicGruu!)] }, MMS)
    expect(world.outcomes()).toEqual(['undeliverable 2006 -'])
    expect(world.gateway.counters.sipRequests).toBe(0)
    world.submit({ pushId: 'q', addresses: [sipAddress(phone.publicGruu!)] }, MMS)
    expect(world.outcomes('q')).toEqual(['delivered 1000 confirmed'])
  })

  it('that is gone for good (410) is forgotten as a device', () => {
    const world = new GatewayWorld({ core: (request) => (request.requestUri === phone.publicGruu ? 410 : 200) })
    world.receive(thirdPartyRegister(ANNA, 600, [phone, tablet]))
    world.submit({ pushId: 'p', addresses: [sipAddress(phone.publicGruu!)] }, MMS)
    expect(world.outcomes()).toEqual(['undeliverable 2002 -'])
    world.submit({ pushId: 'q', addresses: [user('anna')] }, MMS)
    expect(world.outcomes('q')).toEqual(['undeliverable 2006 -'])
  })
})

describe('what registrations tell', () => {
  it('ends a push at once when every registered device named its applications and none has this one', () => {
    const world = new GatewayWorld()
    world.receive(thirdPartyRegister(ANNA, 600, [{ instance: 'urn:uuid:1', features: ';+g.oma.pusheventapp="wml.ua"' }]))
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    expect(world.outcomes()).toEqual(['undeliverable 2006 -'])
  })

  it('tries a device that told no feature at all, and a user whose devices are unknown', () => {
    const world = new GatewayWorld()
    world.receive(thirdPartyRegister(ANNA, 600, [{ instance: 'urn:uuid:1', features: '' }]))
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    world.receive(thirdPartyRegister(ANNA, 600))
    world.submit({ pushId: 'q', addresses: [user('anna')] }, MMS)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed', 'delivered 1000 confirmed'])
  })

  it('holds no longer than the registration: afterwards the network is asked', () => {
    const world = new GatewayWorld()
    world.receive(thirdPartyRegister(ANNA, 600, [{ instance: 'urn:uuid:1', features: ';+g.oma.pusheventapp="wml.ua"' }]))
    world.advance(601 * SECOND)
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('is taken from configured peers only: 403 for others; 405 for what is no REGISTER; 404 without an address of record', () => {
    const world = new GatewayWorld()
    world.receive(thirdPartyRegister(ANNA, 600), '127.0.0.66')
    const options = thirdPartyRegister(ANNA, 600)
    options.method = 'OPTIONS'
    options.set(Header.CSeq, composed('1 OPTIONS'))
    world.receive(options)
    world.receive(thirdPartyRegister('tel:+3579910', 600))
    expect(world.responses.map((response) => response.status)).toEqual([403, 405, 404])
    expect(world.responses[1]!.get(Header.Allow)).toMatch(/\bREGISTER\b/)
    expect(world.gateway.counters.registrations).toBe(0)
  })

  it('survives a restart: what was known offline stays unattempted but for one try, GRUUs keep their owner', () => {
    const world = new GatewayWorld({ core: () => 480 })
    world.receive(thirdPartyRegister(ANNA, 0))
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    expect(world.gateway.counters.sipRequests).toBe(0)
    world.boot()
    expect(world.gateway.counters).toMatchObject({ sipRequests: 1, waiting: 1 })
    world.submit({ pushId: 'q', addresses: [user('anna')] })
    expect(world.gateway.counters.sipRequests).toBe(1)
    world.core = () => 200
    world.receive(thirdPartyRegister(ANNA, 600))
    expect(world.outcomes()).toHaveLength(2)
  })

  it('is believed rather than an older row that is read back later', () => {
    const world = new GatewayWorld({ core: () => 480 })
    world.receive(thirdPartyRegister(ANNA, 0))
    world.holdReads = true
    world.boot()
    world.receive(thirdPartyRegister(ANNA, 600))
    world.releaseReads()
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    expect(world.gateway.counters.sipRequests).toBe(1)
  })

  it('is answered and kept although the store is full', () => {
    const world = new GatewayWorld()
    world.storeIsFull = true
    world.receive(thirdPartyRegister(ANNA, 600))
    expect(world.responses.map((response) => response.status)).toEqual([200])
    expect(world.gateway.counters.registrations).toBe(1)
  })

  it('reads hostile bodies without harm', () => {
    const world = new GatewayWorld()
    const bodies = ['', '--b1', '--b1\r\nContent-Type: message/sip\r\n\r\nSIP/2.0 200 OK\r\n\r\n--b1--', '--b1\r\nContent-Type: message/sip\r\n\r\n\0\0\0\r\n--b1--\r\n', `--b1\r\n\r\n${'x'.repeat(70_000)}\r\n--b1--`]
    for (const body of bodies) {
      const request = thirdPartyRegister(ANNA, 600, [{ instance: 'i' }])
      request.body = Buffer.from(body)
      world.receive(request)
    }
    expect(world.responses.map((response) => response.status)).toEqual(bodies.map(() => 200))
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })
})

function retryAfter(request: SipMessage, status: number, value: string): SipMessage {
  return answer(request, status).append(Header.RetryAfter, composed(value))
}

function withContact(request: SipMessage, status: number, value: string): SipMessage {
  return answer(request, status).append(Header.Contact, composed(value))
}

function answer(request: SipMessage, status: number): SipMessage {
  const response = new SipMessage({ method: request.method, status, reason: 'Said So' })
  for (const id of [Header.Via, Header.From, Header.To, Header.CallId, Header.CSeq] as const) response.append(id, request.get(id)!)
  return response
}
