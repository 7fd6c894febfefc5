/** The reg event package at the S-CSCF (RFC 3680, RFC 5628, RFC 6665): who may watch, what a watcher is told and when, and how it ends; collapsed and split. */
import { describe, expect, it } from 'vitest'
import { readRegInfo } from '../../core/reg/read.js'
import { RegTable } from '../../core/reg/table.js'
import type { RegInfo } from '../../core/reg/model.js'
import { type Dialog, dialogOfNotify } from '../../core/sip/dialog.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import type { ImsSettings } from '../../sim/ims/settings.js'
import { AOR, PUSH, left, send, statuses, withoutChance } from './ims-calls.js'
import { DOMAIN, ImsHarness, PORTS, subscriber, type Peer, type RegisterOptions } from './ims-harness.js'

const MODES = ['collapsed', 'split'] as const
const INSTANCE = 'urn:uuid:6f0e1c5e-0a07-4b6e-9d52-1d2a3b4c5d6e'
const TAGS = ';+g.oma.pusheventapp="push.sia,mms.ua";q=0.7'
const GATEWAY_PORT = 6_200

interface Scene {
  readonly harness: ImsHarness
  readonly gateway: Peer
  /** Connections over which the core reaches the gateway. */
  readonly notified: Peer[]
}

function scene(mode: (typeof MODES)[number] = 'collapsed', more: Partial<ImsSettings['regEvent']> = {}): Scene {
  const harness = new ImsHarness(
    (settings) => ({ ...settings, mode, regEvent: { ...settings.regEvent, watchers: [PUSH], ...more } }),
    [subscriber('alice', { identities: [{ uri: `${AOR}`, barred: false }, { uri: `sip:barred@${DOMAIN}`, barred: true }, { uri: 'tel:+4970001', barred: false }] }), subscriber('bob')],
  )
  const notified = harness.listenAt(GATEWAY_PORT)
  return { harness, gateway: harness.tcp(PORTS.icscf, { address: '127.0.0.3', port: 41_022 }), notified }
}

let callLast = 0

function subscribe({ harness, gateway }: Scene, { uri = AOR, from = PUSH, expires = '600', event = 'reg', peer = gateway, contact = `sip:push@127.0.0.3:${GATEWAY_PORT};transport=tcp` } = {}): SipMessage {
  const request = new SipMessage({ method: 'SUBSCRIBE', requestUri: uri })
  request.append(Header.MaxForwards, composed('70')).append(Header.From, composed(`<${from}>;tag=w1`)).append(Header.To, composed(`<${uri}>`))
  request.append(Header.CallId, composed(`watch-${++callLast}`)).append(Header.CSeq, composed('1 SUBSCRIBE')).append(Header.Contact, composed(`<${contact}>`))
  request.append(Header.PAssertedIdentity, composed(`<${from}>`)).append(Header.Event, composed(event))
  if (expires !== '') request.append(Header.Expires, composed(expires))
  const sent = request.clone()
  send(harness, peer, request)
  return sent
}

/** The NOTIFYs the gateway got and has not looked at, oldest first, not yet answered. */
function waiting({ notified }: Scene): SipMessage[] {
  return notified.flatMap((peer) => peer.received.splice(0).filter(({ method, isRequest }) => isRequest && method === 'NOTIFY'))
}

function answer({ notified }: Scene, notify: SipMessage, status = 200): void {
  notified[0]!.answer(notify, status)
}

/** The one NOTIFY that waits, answered 200; its document. */
function heard(all: Scene): { notify: SipMessage; info: RegInfo; state: string } {
  const [notify, ...more] = waiting(all)
  expect(more).toEqual([])
  answer(all, notify!)
  return { notify: notify!, info: documentOf(notify!), state: notify!.get(Header.SubscriptionState)! }
}

function documentOf(notify: SipMessage): RegInfo {
  expect(notify.get(Header.ContentType)).toBe('application/reginfo+xml')
  const read = readRegInfo(notify.body)
  if (!read.ok) throw new Error(read.problem)
  return read.info
}

/** What each NOTIFY says of the first identity: document state, registration state, and each contact's event. */
const told = ({ version, state, registrations }: RegInfo) => [version, state, registrations[0]!.state, ...registrations[0]!.contacts.map(({ event }) => event)]

function register({ harness }: Scene, options: RegisterOptions = {}, ue = harness.tcp(PORTS.pcscf)): Peer {
  expect(ue.register({ instance: INSTANCE, params: TAGS, expires: 3_600, ...options }).status).toBe(200)
  return ue
}

for (const mode of MODES) {
  describe(`watching a user through a ${mode} core`, () => {
    it('begins with the full state at once: contacts, features, both GRUUs', () => {
      const all = scene(mode)
      const ue = register(all)
      const sent = subscribe(all)
      const accepted = all.gateway.last()
      expect([accepted.status, accepted.get(Header.Expires)]).toEqual([200, '600'])
      const { notify, info, state } = heard(all)
      expect(notify.requestUri).toBe(`sip:push@127.0.0.3:${GATEWAY_PORT};transport=tcp`)
      expect(notify.get(Header.Event)).toBe('reg')
      expect(notify.get(Header.CallId)).toBe(sent.get(Header.CallId))
      expect(state).toBe('active;expires=600')
      // Every identity of the implicit set that is not barred.
      expect(info.registrations.map(({ aor }) => aor)).toEqual([AOR, 'tel:+4970001'])
      const [contact] = info.registrations[0]!.contacts
      expect(contact).toMatchObject({
        state: 'active', event: 'registered', uri: `sip:alice@127.0.0.2:${ue.remote.port};transport=tcp`, expiresSeconds: 3_600, q: 0.7, callId: `call-${ue.flow}`, cseq: 2,
        publicGruu: `${AOR};gr=${INSTANCE}`, temporaryGruu: { firstCseq: 2 },
        parameters: [{ name: '+sip.instance', value: `"<${INSTANCE}>"` }, { name: '+g.oma.pusheventapp', value: '"push.sia,mms.ua"' }],
      })
      expect(info.registrations[1]!.contacts[0]!.publicGruu).toBeUndefined()
      all.harness.pass(70)
      expect(left(all.harness)).toEqual({})
    })

    it('goes on with what changed: registered, refreshed, unregistered, each with the next version', () => {
      const all = scene(mode)
      const table = new RegTable()
      const hear = () => {
        const { info } = heard(all)
        expect(table.apply(info)).toBe('applied')
        return told(info)
      }
      subscribe(all)
      expect(hear()).toEqual([0, 'full', 'init'])
      const ue = register(all)
      expect(hear()).toEqual([1, 'partial', 'active', 'registered'])
      const before = [...table.contacts()][0]!.temporaryGruu!
      all.harness.pass(10)
      register(all, {}, ue)
      expect(hear()).toEqual([2, 'partial', 'active', 'refreshed'])
      const after = [...table.contacts()][0]!.temporaryGruu!
      // A new temporary GRUU, and the old one still good: made under the same Call-ID, not before firstCseq (RFC 5628 section 5.2).
      expect(after.uri).not.toBe(before.uri)
      expect(after.firstCseq).toBe(before.firstCseq)
      const second = register(all, { instance: 'urn:uuid:00000000-0000-4000-8000-000000000002' })
      expect(hear()).toEqual([3, 'partial', 'active', 'registered'])
      expect([...table.contacts()]).toHaveLength(4)
      register(all, { expires: 0 }, ue)
      expect(hear()).toEqual([4, 'partial', 'active', 'unregistered'])
      register(all, { instance: 'urn:uuid:00000000-0000-4000-8000-000000000002', expires: 0 }, second)
      expect(hear()).toEqual([5, 'partial', 'terminated', 'unregistered'])
      expect([...table.contacts()]).toEqual([])
    })

    it('tells a terminal of its own registration over its flow, and takes its refresh and its end', () => {
      const all = scene(mode)
      const ue = register(all)
      ue.received.length = 0
      const sent = subscribe(all, { peer: ue, from: AOR, contact: `${AOR};gr=${INSTANCE}` })
      const notify = ue.received.find(({ method, isRequest }) => isRequest && method === 'NOTIFY')!
      expect(ue.received.some(({ status }) => status === 200)).toBe(true)
      expect(notify.requestUri).toBe(`sip:alice@127.0.0.2:${ue.remote.port};transport=tcp`)
      expect(told(documentOf(notify))).toEqual([0, 'full', 'active', 'registered'])
      ue.answer(notify, 200)
      ue.received.length = 0
      const dialog = dialogOfNotify(sent, notify, 'tcp')!
      refresh(all.harness, ue, dialog, '0', `<${AOR};gr=${INSTANCE}>`)
      const last = ue.received.find(({ method, isRequest }) => isRequest && method === 'NOTIFY')!
      expect(ue.received.some(({ status }) => status === 200)).toBe(true)
      expect(last.get(Header.SubscriptionState)).toBe('terminated;reason=timeout')
      ue.answer(last, 200)
      expect(all.harness.core.counters()['scscf.regSubscriptions']).toBe(0)
      all.harness.pass(70)
      expect(left(all.harness)).toEqual({})
    })
  })
}

function refresh(harness: ImsHarness, peer: Peer, dialog: Dialog, expires: string, contact = `<sip:push@127.0.0.3:${GATEWAY_PORT};transport=tcp>`): void {
  const request = dialog.request('SUBSCRIBE').append(Header.Contact, composed(contact)).append(Header.Event, composed('reg')).append(Header.Expires, composed(expires))
  send(harness, peer, request)
}

describe('a watcher', () => {
  it('is one of the configuration or the user himself; others are 403, and nobody is 404', () => {
    const all = scene()
    const [alice, bob] = [register(all), register(all, { name: 'bob', instance: 'urn:uuid:00000000-0000-4000-8000-000000000003' })]
    subscribe(all, { from: `sip:stranger@ppg.${DOMAIN}` })
    expect(statuses(all.gateway)).toEqual([403])
    subscribe(all, { peer: bob, from: `sip:bob@${DOMAIN}` })
    expect(statuses(bob)).toEqual([403])
    // What a terminal claims to be is taken out at the edge.
    subscribe(all, { peer: alice, from: PUSH })
    expect(statuses(alice)).toEqual([403])
    subscribe(all, { uri: `sip:nobody@${DOMAIN}` })
    expect(statuses(all.gateway)).toEqual([404])
    subscribe(all, { uri: `sip:barred@${DOMAIN}` })
    expect(statuses(all.gateway)).toEqual([404])
    expect(all.harness.core.counters()['scscf.regSubscriptions']).toBe(0)
  })

  it('of another package is no watcher: the SUBSCRIBE goes to the devices', () => {
    const all = scene()
    const ue = register(all)
    subscribe(all, { event: 'presence' })
    expect(ue.last().method).toBe('SUBSCRIBE')
  })

  it('gets the default duration without Expires, the longest where it asks for more, 423 where for less', () => {
    const all = scene('collapsed', { expiresMaxSeconds: 5_000 })
    for (const [expires, granted] of [['', '3761'], ['900000', '5000']] as const) {
      subscribe(all, { expires })
      expect(all.gateway.last().get(Header.Expires)).toBe(granted)
    }
    subscribe(all, { expires: '5' })
    const refused = all.gateway.last()
    expect([refused.status, refused.get(Header.MinExpires)]).toEqual([423, '60'])
  })

  it('that only asks once gets the state once', () => {
    const all = scene()
    register(all)
    subscribe(all, { expires: '0' })
    const { info, state } = heard(all)
    expect(state).toBe('terminated;reason=timeout')
    expect(told(info)).toEqual([0, 'full', 'active', 'registered'])
    expect(all.harness.core.counters()['scscf.regSubscriptions']).toBe(0)
  })

  it('too many for one user, or for all, is refused: the S-CSCF\'s 503 comes out of the network as 500, with its Retry-After (RFC 3261 section 16.7 step 6)', () => {
    const all = scene('collapsed', { subscriptionsPerUserMax: 2, subscriptionsMax: 3 })
    for (const [uri, status] of [[AOR, 200], [AOR, 200], [AOR, 500], [`sip:bob@${DOMAIN}`, 200], [`sip:bob@${DOMAIN}`, 500]] as const) {
      subscribe(all, { uri })
      const waits = all.gateway.received.filter((answer) => answer.status >= 200).map((answer) => answer.get(Header.RetryAfter))
      expect(waits).toEqual([status === 200 ? undefined : '60'])
      expect(statuses(all.gateway)).toEqual([status])
    }
  })

  it('that ends in one dialog leaves the others of the same user alone', () => {
    const all = scene()
    subscribe(all)
    heard(all)
    subscribe(all)
    const [notify] = waiting(all)
    answer(all, notify!, 481)
    register(all)
    expect(told(heard(all).info)).toEqual([1, 'partial', 'active', 'registered'])
    expect(all.harness.core.counters()['scscf.regSubscriptions']).toBe(1)
  })
})

describe('a subscription', () => {
  it('has one NOTIFY under way; what happens meanwhile is told in one that follows', () => {
    const all = scene()
    subscribe(all)
    const [first] = waiting(all)
    const ue = register(all)
    register(all, { instance: 'urn:uuid:00000000-0000-4000-8000-000000000002' })
    register(all, {}, ue)
    expect(waiting(all)).toEqual([])
    answer(all, first!)
    // Registered and refreshed before anybody heard of it is registered.
    expect(told(heard(all).info)).toEqual([1, 'partial', 'active', 'registered', 'registered'])
  })

  it('tells of refreshes alone not more often than every five seconds, of anything else at once', () => {
    const all = scene()
    const ue = register(all)
    subscribe(all)
    heard(all)
    register(all, {}, ue)
    expect(waiting(all)).toEqual([])
    all.harness.pass(4.9)
    expect(waiting(all)).toEqual([])
    all.harness.pass(0.2)
    expect(told(heard(all).info)).toEqual([1, 'partial', 'active', 'refreshed'])
    register(all, {}, ue)
    register(all, { instance: 'urn:uuid:00000000-0000-4000-8000-000000000002' })
    expect(told(heard(all).info)).toEqual([2, 'partial', 'active', 'refreshed', 'registered'])
    // Five seconds since the last NOTIFY, though an earlier refresh had begun to wait.
    all.harness.pass(3)
    register(all, {}, ue)
    all.harness.pass(1.9)
    expect(waiting(all)).toEqual([])
    all.harness.pass(0.2)
    expect(told(heard(all).info)).toEqual([3, 'partial', 'active', 'refreshed'])
    all.harness.pass(10)
    expect(waiting(all)).toEqual([])
  })

  it('tells of a registration that ran out, and of one that ended because its flow was dead', () => {
    const all = scene()
    subscribe(all)
    heard(all)
    register(all, { expires: 60 })
    heard(all)
    all.harness.pass(61)
    expect(told(heard(all).info)).toEqual([2, 'partial', 'terminated', 'expired'])
    const ue = register(all)
    heard(all)
    all.harness.close(ue)
    all.gateway.message(AOR)
    expect(told(heard(all).info)).toEqual([4, 'partial', 'terminated', 'deactivated'])
  })

  it('tells the first REGISTER\'s CSeq of each Call-ID with the temporary GRUU', () => {
    const all = scene()
    subscribe(all)
    heard(all)
    const ue = register(all, { callId: 'one' })
    heard(all)
    register(all, { callId: 'two' }, ue)
    all.harness.pass(6)
    const [contact] = heard(all).info.registrations[0]!.contacts
    expect(contact!.callId).toBe('two')
    expect(contact!.temporaryGruu!.firstCseq).toBe(contact!.cseq)
  })

  it('is refreshed within its dialog, by its route or at the entry of the network, and tells everything again', () => {
    const all = scene()
    register(all)
    const sent = subscribe(all)
    const { notify } = heard(all)
    all.gateway.received.length = 0
    const dialog = dialogOfNotify(sent, notify, 'tcp')!
    for (const [at, version] of [[all.gateway, 1], [all.harness.tcp(PORTS.scscf, all.gateway.remote), 2]] as const) {
      refresh(all.harness, at, dialog, '1200')
      const accepted = at.last()
      expect([accepted.status, accepted.get(Header.Expires)]).toEqual([200, '1200'])
      const again = heard(all)
      expect([again.state, ...told(again.info)]).toEqual(['active;expires=1200', version, 'full', 'active', 'registered'])
    }
  })

  it('runs out with a last NOTIFY, and is unknown from then on', () => {
    const all = scene()
    const sent = subscribe(all, { expires: '60' })
    const { notify } = heard(all)
    const dialog = dialogOfNotify(sent, notify, 'tcp')!
    all.harness.pass(61)
    expect(heard(all).state).toBe('terminated;reason=timeout')
    all.gateway.received.length = 0
    refresh(all.harness, all.gateway, dialog, '600')
    expect(statuses(all.gateway)).toEqual([481])
    register(all)
    expect(waiting(all)).toEqual([])
  })

  it('ends when nobody answers its NOTIFY, and when nobody can be reached', () => {
    const all = scene()
    subscribe(all)
    waiting(all)
    all.harness.pass(33)
    expect(all.harness.core.counters()).toMatchObject({ 'scscf.regSubscriptions': 0, 'scscf.regNotifyFailures': 1 })
    subscribe(all, { contact: 'sip:push@nowhere.example' })
    all.harness.pass(1)
    expect(waiting(all)).toEqual([])
    all.harness.pass(70)
    expect(left(all.harness)).toEqual({})
  })

  it('that lost a NOTIFY to a passing fault tells everything in the next', () => {
    const all = scene()
    subscribe(all)
    heard(all)
    register(all)
    const [lost] = waiting(all)
    answer(all, lost!, 500)
    register(all, { instance: 'urn:uuid:00000000-0000-4000-8000-000000000002' })
    const { info } = heard(all)
    expect(told(info)).toEqual([2, 'full', 'active', 'registered', 'registered'])
  })

  it('takes nothing but SUBSCRIBE within its dialog', () => {
    const all = scene()
    const sent = subscribe(all)
    const { notify } = heard(all)
    all.gateway.received.length = 0
    send(all.harness, all.gateway, dialogOfNotify(sent, notify, 'tcp')!.request('INFO'))
    expect(statuses(all.gateway)).toEqual([405])
  })
})

describe('collapsed and split', () => {
  it('write the same NOTIFYs', () => {
    const seen = MODES.map((mode) => {
      const all = scene(mode)
      callLast = 0
      subscribe(all)
      heard(all)
      register(all, { callId: 'same', contact: 'sip:alice@127.0.0.2:7777;transport=tcp' })
      heard(all)
      return withoutChance(all.notified.flatMap(({ octets }) => octets)).replace(/tag=\w+/g, 'tag=T').replace(/tgruu\.[\w+/]+/g, 'tgruu')
    })
    expect(seen[0]).toContain('state="partial"')
    expect(seen[1]).toBe(seen[0])
  })
})
