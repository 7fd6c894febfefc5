/** Every row of the table of outcomes, as the whole machine acts on it, and its document. */
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { outcomesDocument } from '../../core/push/delivery/outcome-text.js'
import { OUTCOMES, outcomeOf, type Seen } from '../../core/push/delivery/outcomes.js'
import { codeAllowed } from '../../core/pap/codes.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import type { DeliveryMethod } from '../../core/store/records.js'
import { GatewayWorld, PEER, START_WALL, silent, sipAddress, thirdPartyRegister, user } from './gateway-world.js'

const quality = (deliveryMethod: DeliveryMethod) => ({ priority: 'medium' as const, deliveryMethod, networkRequired: false, bearerRequired: false })
const seen: Seen = { binding: 'message', status: 200, deliveryMethod: 'notspecified', retryAfterSeconds: undefined, redirections: 0, redirectWithinDomain: false, resolvable: false }
const HOUR = 3_600_000_000

function pushTo(world: GatewayWorld, method: DeliveryMethod = 'notspecified', deliverBefore?: number): void {
  world.submit({ pushId: 'p', addresses: [user('anna')], qualityOfService: quality(method), ...(deliverBefore === undefined ? {} : { deliverBefore }) })
}

function withHeader(request: SipMessage, status: number, id: typeof Header.RetryAfter | typeof Header.Contact, value: string): SipMessage {
  return responseTo(request, status, undefined, 'uas').append(id, composed(value))
}

describe('the table of outcomes', () => {
  it('has a row for every final status and every silence, with codes a result notification may carry', () => {
    for (let status = 200; status < 700; status++) expect(outcomeOf({ ...seen, status })).toBeDefined()
    expect(outcomeOf({ ...seen, status: 'timeout' }).action.do).toBe('retry')
    expect(outcomeOf({ ...seen, status: 'transport' }).action.do).toBe('retry')
    for (const { action } of OUTCOMES) if ('code' in action) expect(codeAllowed('resultnotification-message', action.code)).toBe(true)
  })

  it('reads an unknown status as x00 of its class', () => {
    expect(outcomeOf({ ...seen, status: 499 })).toBe(outcomeOf({ ...seen, status: 400 }))
    expect(outcomeOf({ ...seen, status: 599 })).toBe(outcomeOf({ ...seen, status: 500 }))
    expect(outcomeOf({ ...seen, status: 699 })).toBe(outcomeOf({ ...seen, status: 600 }))
    expect(outcomeOf({ ...seen, status: 299 })).toBe(outcomeOf({ ...seen, status: 200 }))
  })

  it('is what docs/outcomes.md says', () => {
    const path = new URL('../../docs/outcomes.md', import.meta.url)
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, outcomesDocument())
    expect(readFileSync(path, 'utf8')).toBe(outcomesDocument())
  })
})

describe('final answers', () => {
  const ends: readonly (readonly [statuses: readonly number[], outcome: string])[] = [
    [[200, 299], 'delivered 1000 confirmed'],
    [[202], 'delivered 1000 unconfirmed'],
    [[300, 302, 380], 'undeliverable 2002 -'],
    [[400, 416, 420, 421, 481, 482, 483, 485, 487, 489, 491, 493, 499, 505], 'undeliverable 4000 -'],
    [[401, 407, 402, 403], 'undeliverable 2001 -'],
    [[404, 410, 484, 604], 'undeliverable 2002 -'],
    [[405, 501], 'undeliverable 3007 -'],
    [[406, 415, 413, 513, 488, 580], 'undeliverable 2006 -'],
    [[603], 'aborted 5235 -'],
    [[606], 'aborted 5238 -'],
  ]
  for (const [statuses, outcome] of ends) {
    for (const status of statuses) {
      it(`${status} ends it: ${outcome}`, () => {
        const world = new GatewayWorld({ core: () => status })
        pushTo(world)
        expect(world.outcomes()).toEqual([outcome])
        expect(world.journal.find((line) => line.event === 'outcome')!.details[3]).toBe(String(status))
        expect(world.gateway.counters.inFlight).toBe(0)
        expect(world.gateway.counters.sipRequests).toBe(1)
      })
    }
  }

  it('reports unconfirmed when unconfirmed was asked for, although the device answered 200', () => {
    const world = new GatewayWorld()
    pushTo(world, 'unconfirmed')
    expect(world.outcomes()).toEqual(['delivered 1000 unconfirmed'])
  })

  it('keeps a confirmed push pending after 202, sends nothing more, and ends it as unknown', () => {
    const world = new GatewayWorld({ core: () => 202 })
    pushTo(world, 'confirmed', START_WALL + 60_000)
    expect(world.outcomes()).toEqual([])
    world.advance(61_000_000)
    expect(world.outcomes()).toEqual(['unknown 4000 -'])
    expect(world.gateway.counters.sipRequests).toBe(1)
  })
})

describe('passing troubles', () => {
  for (const status of [408, 430, 486, 500, 502, 503, 504, 600, 588, 688] as const) {
    it(`${status} is retried with a growing wait, the same Call-ID and a higher CSeq`, () => {
      const requests: SipMessage[] = []
      const world = new GatewayWorld({ core: (request) => (requests.push(request) < 3 ? status : 200) })
      pushTo(world)
      expect(requests).toHaveLength(1)
      world.advance(900_000)
      expect(requests).toHaveLength(1)
      world.advance(HOUR)
      expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
      expect(new Set(requests.map((request) => request.get(Header.CallId))).size).toBe(1)
      const numbers = requests.map((request) => parseInt(request.get(Header.CSeq)!, 10))
      expect(numbers[0]! < numbers[1]! && numbers[1]! < numbers[2]!).toBe(true)
      expect(world.gateway.counters.sipRetries).toBe(2)
    })
  }

  it('ends expired when deliver-before passes while retrying, else as timeout at the default lifetime; 4001 when it was busy', () => {
    for (const [status, code] of [[500, 4000], [486, 4001], [600, 4001], [503, 4001], [430, 4000]] as const) {
      const expiring = new GatewayWorld({ core: () => status })
      pushTo(expiring, 'notspecified', START_WALL + 30_000)
      expiring.advance(31_000_000)
      expect(expiring.outcomes()).toEqual([`expired ${code} -`])
      const lasting = new GatewayWorld({ core: () => status, settings: { defaultLifetimeMillis: 60_000 } })
      pushTo(lasting)
      lasting.advance(61_000_000)
      expect(lasting.outcomes()).toEqual([`timeout ${code} -`])
    }
  })

  it('waits at least Retry-After when busy', () => {
    const world = new GatewayWorld({ core: (request, { gateway }) => (gateway.counters.sipRequests === 1 ? withHeader(request, 486, Header.RetryAfter, '120 (in a meeting);duration=60') : 200) })
    pushTo(world)
    world.advance(119_000_000)
    expect(world.gateway.counters.sipRequests).toBe(1)
    world.advance(2_000_000)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('retries after silence: timer F ends the attempt after 32 s', () => {
    let count = 0
    const world = new GatewayWorld({ core: () => (++count === 1 ? undefined : 200) })
    pushTo(world)
    world.advance(31_000_000)
    expect(count).toBe(1)
    world.advance(10_000_000)
    expect(count).toBe(2)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('lets an attempt finish that is under way when the lifetime ends', () => {
    const world = new GatewayWorld({ core: silent })
    pushTo(world, 'notspecified', START_WALL + 10_000)
    world.advance(11_000_000)
    expect(world.outcomes()).toEqual([])
    world.answer(200)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('tells an expiry at once when the attempt that outlived the lifetime fails', () => {
    const world = new GatewayWorld({ core: silent })
    pushTo(world, 'notspecified', START_WALL + 10_000)
    world.advance(11_000_000)
    world.answer(480)
    expect(world.outcomes()).toEqual(['expired 4000 -'])
  })
})

describe('next hops', () => {
  const OTHER = '127.0.0.8'
  const two = { nextHops: [{ transport: 'tcp' as const, address: PEER, port: 5060 }, { transport: 'tcp' as const, address: OTHER, port: 5060 }] }
  const hopOf = (request: SipMessage): string => (request.get(Header.Route)!.includes(OTHER) ? 'other' : 'peer')

  it('spread the load in turn', () => {
    const used: string[] = []
    const world = new GatewayWorld({ settings: two, core: (request) => { used.push(hopOf(request)); return 200 } })
    for (let count = 0; count < 4; count++) world.submit({ pushId: `p${count}`, addresses: [user(`u${count}`)] })
    expect(used).toEqual(['peer', 'other', 'peer', 'other'])
  })

  it('that answer 503 with Retry-After rest that long, and the push goes by the other one at once', () => {
    const used: string[] = []
    const world = new GatewayWorld({ settings: two, core: (request) => { used.push(hopOf(request)); return hopOf(request) === 'peer' ? withHeader(request, 503, Header.RetryAfter, '30') : 200 } })
    for (let count = 0; count < 3; count++) world.submit({ pushId: `p${count}`, addresses: [user(`u${count}`)] })
    expect(used).toEqual(['peer', 'other', 'other', 'other'])
    expect(world.outcomes()).toHaveLength(3)
    world.advance(31_000_000)
    for (let count = 3; count < 5; count++) world.submit({ pushId: `p${count}`, addresses: [user(`u${count}`)] })
    expect(used.slice(4)).toContain('peer')
  })

  it('that all rest hold everything back until the first is awake', () => {
    const world = new GatewayWorld({ core: (request, { gateway }) => (gateway.counters.sipRequests === 1 ? withHeader(request, 503, Header.RetryAfter, '0') : 200) })
    pushTo(world)
    world.submit({ pushId: 'q', addresses: [user('ben')] })
    expect(world.gateway.counters.sipRequests).toBe(1)
    world.advance(1_000_000)
    expect(world.outcomes()).toHaveLength(2)
  })

  it('that are silent for one device are used for the others all the same, and passed over for it where there is another', () => {
    for (const settings of [{}, two]) {
      const used: string[] = []
      const world = new GatewayWorld({ settings, core: (request) => (request.requestUri!.includes('mute') ? void used.push(hopOf(request)) : 200) })
      world.submit({ pushId: 'm', addresses: [user('mute')] })
      world.advance(32_000_000)
      world.submit({ pushId: 'p', addresses: [user('ben')] })
      expect([world.outcomes('p'), used]).toEqual([['delivered 1000 confirmed'], settings === two ? ['peer', 'other'] : ['peer']])
    }
  })

  it('that cannot be reached are passed over, and the push is not held up', () => {
    const world = new GatewayWorld({ settings: two })
    world.refuseConnections = true
    pushTo(world)
    expect(world.gateway.counters.sipRequests).toBe(2)
    world.refuseConnections = false
    world.advance(HOUR)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })
})

describe('redirections and GRUUs', () => {
  it('follows 3xx within the own domain, twice at most', () => {
    const targets: string[] = []
    const world = new GatewayWorld({ core: (request) => { targets.push(request.requestUri); return withHeader(request, 302, Header.Contact, `<sip:n${targets.length}@ims.example>`) } })
    pushTo(world)
    expect(targets).toEqual(['sip:anna@ims.example', 'sip:n1@ims.example', 'sip:n2@ims.example'])
    expect(world.outcomes()).toEqual(['undeliverable 2002 -'])
  })

  it('does not follow 3xx out of the domain', () => {
    const world = new GatewayWorld({ core: (request) => withHeader(request, 302, Header.Contact, '<sip:anna@elsewhere.example>') })
    pushTo(world)
    expect(world.outcomes()).toEqual(['undeliverable 2002 -'])
    expect(world.gateway.counters.sipRequests).toBe(1)
  })

  it('resolves a dead temporary GRUU once and sends to the GRUU its device has now', () => {
    const targets: string[] = []
    const world = new GatewayWorld({ core: (request) => { targets.push(request.requestUri); return 404 } })
    const device = { instance: 'urn:uuid:1', publicGruu: 'sip:anna@ims.example;gr=urn:uuid:1', temporaryGruu: 'sip:tgruu.1@ims.example;gr' }
    world.receive(thirdPartyRegister('sip:anna@ims.example', 3600, [device]))
    world.submit({ pushId: 'p', addresses: [sipAddress('sip:tgruu.1@ims.example;gr')] }, { app: 'x-wap-application:mms.ua' })
    expect(targets).toEqual(['sip:tgruu.1@ims.example;gr', 'sip:anna@ims.example;gr=urn:uuid:1'])
    expect(world.outcomes()).toEqual(['undeliverable 2002 -'])
  })
})
