/**
 * A 408 and silence, at every kind of request the gateway sends: what was asked has its named end and cause, or is asked again as
 * promised, and nothing is left behind. RFC 3261 section 8.1.3.1 makes the two one; section 12.2.1.2 ends a dialog by either.
 */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import { subscribed } from './event-world.js'
import { GatewayWorld, thirdPartyRegister, user } from './gateway-world.js'
import { SessionWorld } from './session-world.js'

const SECOND = 1_000_000
const MINUTE = 60 * SECOND
const AOR = 'sip:anna@ims.example'
const DEVICE = { instance: 'urn:uuid:1', publicGruu: `${AOR};gr=urn:uuid:1` }
/** Timers B, F and N: 64 times T1 (RFC 3261 table 4). */
const PATIENCE = 32 * SECOND

/** A status, or nothing at all. */
type Answer = 408 | undefined

/** What came of it: requests of that kind, ends of pushes. */
interface Told { readonly asked: number | 'again'; readonly ends: readonly string[] }

interface Case {
  readonly what: string
  readonly method: string
  /** Lets it happen, and enough time pass. */
  readonly happens: (answer: Answer) => { readonly world: GatewayWorld; readonly requests: readonly SipMessage[] }
  readonly told: Told
  /** What is meant to stay: a subscription that the request did not concern, a user who is watched. */
  readonly stays?: { readonly subscriptions?: number; readonly watches?: number }
}

function again(requests: readonly SipMessage[], method: string): number | 'again' {
  const { length } = requests.filter((request) => request.method === method)
  return length > 1 ? 'again' : length
}

/** Pushes to a plain core network that answers this method so, and all others with 200. */
function plain(method: string, answer: Answer, settings: ConstructorParameters<typeof GatewayWorld>[0] = {}): { readonly world: GatewayWorld; readonly requests: SipMessage[] } {
  const requests: SipMessage[] = []
  const world = new GatewayWorld({
    ...settings,
    core: (request) => {
      requests.push(request)
      return request.method === method ? answer : 200
    },
  })
  return { world, requests }
}

function inSession(options: ConstructorParameters<typeof SessionWorld>[0], bye: Answer | 200 = 200): SessionWorld {
  const world = new SessionWorld(options)
  const { core } = world.gateway
  world.gateway.core = (request, self) => {
    const answered = core(request, self)
    return request.method === 'BYE' ? bye : answered
  }
  return world
}

const ringing = (request: SipMessage): SipMessage => responseTo(request, 180, undefined, 'ue').append(Header.Contact, composed('<sip:anna@127.0.0.20:5060;transport=tcp>'))

const CASES: readonly Case[] = [
  {
    method: 'MESSAGE', what: 'a MESSAGE: again under the same Call-ID until the push has expired, which says that nobody knows', told: { asked: 'again', ends: ['expired 4000 -'] },
    happens: (answer) => {
      const { world, requests } = plain('MESSAGE', answer)
      world.submit({ pushId: 'p', addresses: [user('anna')], deliverBefore: world.wall + 600_000 })
      world.advance(11 * MINUTE)
      expect(new Set(requests.map((request) => request.get(Header.CallId))).size).toBe(1)
      expect(new Set(requests.map((request) => request.get(Header.CSeq))).size).toBe(requests.length)
      return { world, requests }
    },
  },
  {
    method: 'INVITE', what: 'an INVITE: again until the push has run out of time', told: { asked: 'again', ends: ['timeout 4000 -'] },
    happens: (answer) => {
      const world = inSession({ invite: () => answer })
      world.push('p')
      world.advance(80 * 60 * MINUTE)
      return { world: world.gateway, requests: world.requests }
    },
  },
  {
    method: 'CANCEL', what: 'a CANCEL of an INVITE that rings: the INVITE is given up, and tried again', told: { asked: 1, ends: ['delivered 1000 confirmed'] },
    happens: (answer) => {
      let rang = false
      const world = inSession({
        invite: (request) => {
          if (rang) return 'answer'
          rang = true
          return ringing(request)
        },
      })
      const { core } = world.gateway
      world.gateway.core = (request, self) => {
        const answered = core(request, self)
        return request.method === 'CANCEL' ? answer : answered
      }
      world.push('p')
      world.advance(4 * MINUTE)
      return { world: world.gateway, requests: world.requests }
    },
  },
  {
    method: 'BYE', what: 'a BYE: once, and the session is over all the same', told: { asked: 1, ends: ['delivered 1000 confirmed'] },
    happens: (answer) => {
      const world = inSession({}, answer)
      world.push('p')
      world.advance(4 * MINUTE)
      return { world: world.gateway, requests: world.requests }
    },
  },
  {
    method: 'NOTIFY', what: 'a NOTIFY with a push: the subscription is over, the push goes as a MESSAGE', told: { asked: 1, ends: ['delivered 1000 confirmed'] },
    happens: (answer) => {
      const world = subscribed((request) => (request.method === 'NOTIFY' && request.body.length > 0 ? answer : 200))
      world.submit({ pushId: 'p', addresses: [user('anna')] }, { app: 'x-wap-application:mms.ua', body: 'p' })
      world.advance(MINUTE)
      expect(world.messages.map(({ method }) => method)).toEqual(['MESSAGE'])
      return { world, requests: [...world.notified.map(({ request }) => request), ...world.messages] }
    },
  },
  {
    method: 'NOTIFY', what: 'the last NOTIFY of a subscription that ran out: it is over', told: { asked: 1, ends: [] },
    happens: (answer) => {
      let silent = false
      const world = subscribed((request) => (request.method === 'NOTIFY' && silent ? answer : 200))
      silent = true
      world.advance(86_400 * SECOND)
      return { world, requests: world.notified.map(({ request }) => request) }
    },
  },
  {
    method: 'REFER', what: 'a REFER to another push server: a move that failed, the subscription stands', told: { asked: 1, ends: [] }, stays: { subscriptions: 1 },
    happens: (answer) => {
      const world = subscribed((request) => (request.method === 'REFER' ? answer : 200))
      world.input({ type: 'move-subscriptions', server: 'sip:push@other.example' })
      world.advance(2 * PATIENCE)
      expect(world.gateway.moves.report).toMatchObject({ subscriptions: 1, failed: 1, pending: 0 })
      return { world, requests: world.messages }
    },
  },
  {
    method: 'OPTIONS', what: 'OPTIONS: the device is taken to be able, and gets the push', told: { asked: 1, ends: ['delivered 1000 confirmed'] },
    happens: (answer) => {
      const world = new SessionWorld({ other: (request) => (request.method === 'OPTIONS' ? answer : 200) })
      world.gateway.receive(thirdPartyRegister(AOR, 3600, [DEVICE]))
      world.gateway.submit({ pushId: 'p', addresses: [user('anna')] }, { app: 'x-wap-application:mms.ua', body: 'x'.repeat(70_000) })
      world.advance(4 * MINUTE)
      return { world: world.gateway, requests: world.requests }
    },
  },
  {
    method: 'SUBSCRIBE', what: 'a SUBSCRIBE to registrations: a minute later again, and the push is tried without knowing', told: { asked: 'again', ends: ['delivered 1000 confirmed'] },
    happens: (answer) => {
      const { world, requests } = plain('SUBSCRIBE', answer, { settings: { registrations: 'reg-event' } })
      world.submit({ pushId: 'p', addresses: [user('anna')] })
      world.advance(PATIENCE + 61 * SECOND)
      expect(requests.filter(({ method }) => method === 'SUBSCRIBE').length).toBeLessThanOrEqual(3)
      // Nobody is watched an hour after the last push.
      world.advance(61 * MINUTE)
      return { world, requests }
    },
  },
]

describe.each([['408', 408], ['silence', undefined]] as const)('%s', (_name, answer) => {
  for (const { what, method, happens, told, stays = {} } of CASES) it(`to ${what}`, () => {
    const { world, requests } = happens(answer)
    expect({ asked: again(requests, method), ends: world.outcomes() }).toEqual(told)
    const { subscriptions = 0, watches = 0 } = stays
    expect([world.gateway.subscriptions.size, world.store.rows('S'), world.gateway.watches?.size ?? 0]).toEqual([subscriptions, subscriptions, watches])
    expect(world.gateway.sessions.open).toEqual({ sessions: 0, dialogs: 0, connections: 0, waiting: 0 })
    world.input({ type: 'drain' })
    world.advance(SECOND)
    expect(world.drained).toBe(true)
  })
})
