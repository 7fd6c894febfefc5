/**
 * Requests within dialogs (RFC 3261 sections 12.2 and 16.12, RFC 5626 section 5.3, RFC 5627 section 6.1): by the route set the
 * core gave, over the very flow, from both ends; and dialogs that terminals begin with a service of the network.
 */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import type { Dialog } from '../../core/sip/dialog.js'
import { dialogOfNotify } from '../../core/sip/dialog.js'
import { SipMessage as Message } from '../../core/sip/message.js'
import { AOR, Answerer, Call, PUSH, left, send, statuses, took, withoutChance } from './ims-calls.js'
import { DOMAIN, ImsHarness, PORTS, type Peer } from './ims-harness.js'

const MODES = ['collapsed', 'split'] as const
const INSTANCE = 'urn:uuid:6f0e1c5e-0a07-4b6e-9d52-1d2a3b4c5d6e'
const GRUU = `${AOR};gr=${INSTANCE}`
const SERVICE = `sip:push@${DOMAIN}`
const SERVICE_PORT = 6_100

interface Scene {
  readonly harness: ImsHarness
  readonly ue: Peer
  readonly contact: string
  readonly gateway: Peer
  /** Connections the core opened to the service. */
  readonly service: Peer[]
}

function scene(mode: (typeof MODES)[number], transport: 'tcp' | 'udp' = 'tcp'): Scene {
  const harness = new ImsHarness((settings) => ({
    ...settings, mode,
    hosts: { [`ppg.${DOMAIN}`]: { address: '127.0.0.3', port: SERVICE_PORT } },
    services: { [SERVICE]: { transport: 'tcp', address: '127.0.0.3', port: SERVICE_PORT } },
  }))
  const service = harness.listenAt(SERVICE_PORT)
  const ue = harness[transport](PORTS.pcscf)
  const contact = `sip:alice@127.0.0.2:${ue.remote.port};transport=${transport}`
  expect(ue.register({ instance: INSTANCE, contact }).status).toBe(200)
  return { harness, ue, contact, gateway: harness.tcp(PORTS.icscf, { address: '127.0.0.3', port: 41_022 }), service }
}

/** A call from the gateway that was answered and acknowledged: the dialog at both ends. */
function established({ harness, ue, gateway }: Scene, contact = `<${GRUU}>`, uri = AOR): { call: Call; caller: Dialog; callee: Dialog } {
  const call = new Call(harness, gateway, uri)
  const answerer = new Answerer(harness, ue, took(ue, 'INVITE'), contact)
  answerer.answer(200)
  const caller = call.dialog(gateway.last())
  send(harness, gateway, caller.ack(1))
  took(ue, 'ACK')
  return { call, caller, callee: answerer.dialog() }
}

/** What a terminal or gateway says of itself in a request that may move its target. */
function withContact(request: SipMessage, { remote, transport }: Peer): SipMessage {
  return request.append(Header.Contact, composed(`<sip:${remote.address}:${remote.port};transport=${transport}>`))
}

for (const mode of MODES) {
  describe(`a dialog through a ${mode} core`, () => {
    it('ends by BYE from the gateway', () => {
      const all = scene(mode)
      const { caller } = established(all)
      send(all.harness, all.gateway, caller.request('BYE'))
      const bye = took(all.ue, 'BYE')
      expect(bye.has(Header.Route)).toBe(false)
      expect(bye.has(Header.RecordRoute)).toBe(false)
      all.ue.answer(bye, 200)
      expect(statuses(all.gateway)).toEqual([200])
      all.harness.pass(70)
      expect(left(all.harness)).toEqual({})
    })

    it('ends by BYE from the terminal, which goes to the gateway\'s own contact', () => {
      const all = scene(mode)
      const listening = all.harness.listenAt(41_022)
      const { callee } = established(all)
      send(all.harness, all.ue, callee.request('BYE'))
      const [peer] = listening
      const bye = took(peer!, 'BYE')
      expect(bye.getAll(Header.Via)).toHaveLength(3)
      expect(bye.has(Header.Route)).toBe(false)
      expect(bye.get(Header.PAssertedIdentity)).toBe(`<${AOR}>`)
      peer!.answer(bye, 200)
      expect(statuses(all.ue)).toEqual([200])
    })

    it('that was begun with a GRUU leads to the contact behind it, over the flow of the dialog', () => {
      const all = scene(mode)
      // The same device has a second flow, refreshed later.
      const second = all.harness.tcp(PORTS.pcscf)
      const { caller } = established(all)
      expect(caller.remoteTarget).toBe(GRUU)
      expect(second.register({ instance: INSTANCE, contact: 'sip:alice@127.0.0.2:7777;transport=tcp', params: ';reg-id=2', supported: 'path, gruu, outbound', callId: 'second' }).status).toBe(200)
      send(all.harness, all.gateway, caller.request('MESSAGE'))
      expect(took(all.ue, 'MESSAGE').requestUri).toBe(all.contact)
    })

    it('keeps its way when the terminal registers anew over another flow, and is 430 once the old flow is gone', () => {
      const all = scene(mode)
      const { caller } = established(all)
      const moved = all.harness.tcp(PORTS.pcscf)
      expect(moved.register({ instance: INSTANCE, contact: 'sip:alice@127.0.0.2:7778;transport=tcp', callId: 'moved' }).status).toBe(200)
      send(all.harness, all.gateway, caller.request('MESSAGE'))
      all.ue.answer(took(all.ue, 'MESSAGE'), 200)
      expect(statuses(all.gateway)).toEqual([200])
      all.harness.close(all.ue)
      send(all.harness, all.gateway, caller.request('MESSAGE'))
      expect(statuses(all.gateway)).toEqual([430])
      // The registration is not blamed for the dialog's flow.
      expect(all.harness.core.population().bindings).toBe(1)
      expect(moved.received).toEqual([])
    })

    it('is renewed by re-INVITE from both ends, each with its own ACK', () => {
      const all = scene(mode)
      const listening = all.harness.listenAt(41_022)
      const { caller, callee } = established(all)
      send(all.harness, all.gateway, withContact(caller.request('INVITE'), all.gateway))
      const again = new Answerer(all.harness, all.ue, took(all.ue, 'INVITE'), `<${GRUU}>`)
      expect(again.request.has(Header.PCalledPartyId)).toBe(false)
      again.answer(200)
      expect(statuses(all.gateway)).toEqual([200])
      send(all.harness, all.gateway, caller.ack(caller.localSequence))
      expect(took(all.ue, 'ACK').get(Header.CSeq)).toBe('2 ACK')
      send(all.harness, all.ue, withContact(callee.request('INVITE'), all.ue))
      const [peer] = listening
      new Answerer(all.harness, peer!, took(peer!, 'INVITE')).answer(200)
      expect(statuses(all.ue)).toEqual([200])
      send(all.harness, all.ue, callee.ack(callee.localSequence))
      took(peer!, 'ACK')
      all.harness.pass(70)
      expect(left(all.harness)).toEqual({})
    })

    it('with a terminal on UDP goes over the very flow too', () => {
      const all = scene(mode, 'udp')
      const { caller, callee } = established(all)
      send(all.harness, all.gateway, caller.request('BYE'))
      all.ue.answer(took(all.ue, 'BYE'), 200)
      expect(statuses(all.gateway)).toEqual([200])
      const listening = all.harness.listenAt(41_022)
      send(all.harness, all.ue, callee.request('BYE'))
      took(listening[0]!, 'BYE')
    })

    it('with a terminal in a visited network runs through the P-CSCF there, both ways', () => {
      const at = (port: number) => ({ address: '127.0.0.1', port })
      const visited = [{ name: 'pcscf.visited1.example', listen: at(5_160), furtherPorts: [], core: at(5_161), visitedNetworkId: 'visited1.example' }]
      const harness = new ImsHarness((settings) => ({ ...settings, mode, visited }))
      const ue = harness.tcp(5_160)
      const contact = `sip:alice@127.0.0.2:${ue.remote.port};transport=tcp`
      expect(ue.register({ instance: INSTANCE, contact }).status).toBe(200)
      const all: Scene = { harness, ue, contact, gateway: harness.tcp(PORTS.icscf, { address: '127.0.0.3', port: 41_022 }), service: [] }
      const { caller, callee } = established(all)
      const listening = harness.listenAt(41_022)
      send(harness, ue, callee.request('INFO'))
      listening[0]!.answer(took(listening[0]!, 'INFO'), 200)
      expect(statuses(ue)).toEqual([200])
      send(harness, all.gateway, caller.request('BYE'))
      expect(took(ue, 'BYE').requestUri).toBe(contact)
      expect(harness.core.counters()).toMatchObject({ 'pcscf.requests': 0, 'pcscf2.acks': 1 })
    })

    it('between two terminals of one network runs through the core both ways', () => {
      const { harness, ue } = scene(mode)
      const bob = harness.tcp(PORTS.pcscf)
      expect(bob.register({ name: 'bob' }).status).toBe(200)
      const call = new Call(harness, ue, `sip:bob@${DOMAIN}`, AOR)
      const answerer = new Answerer(harness, bob, took(bob, 'INVITE'))
      expect(answerer.request.get(Header.PAssertedIdentity)).toBe(`<${AOR}>`)
      expect(answerer.request.getAll(Header.RecordRoute)).toHaveLength(4)
      answerer.answer(200)
      const caller = call.dialog(ue.last())
      send(harness, ue, caller.ack(1))
      took(bob, 'ACK')
      send(harness, ue, caller.request('INFO'))
      bob.answer(took(bob, 'INFO'), 200)
      expect(statuses(ue)).toEqual([200])
      send(harness, bob, answerer.dialog().request('BYE'))
      ue.answer(took(ue, 'BYE'), 200)
      expect(statuses(bob)).toEqual([200])
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })
  })

  describe(`a service of the network behind a ${mode} core`, () => {
    /** A SUBSCRIBE of the terminal that the service accepted, and the subscriber's dialog by its first NOTIFY. */
    function subscribed(all: Scene, uri: string) {
      const { harness, ue, service } = all
      const subscribe = new Message({ method: 'SUBSCRIBE', requestUri: uri })
      subscribe.append(Header.MaxForwards, composed('70')).append(Header.From, composed(`<${AOR}>;tag=sub1`)).append(Header.To, composed(`<${uri}>`))
      subscribe.append(Header.CallId, composed('sub-1')).append(Header.CSeq, composed('1 SUBSCRIBE')).append(Header.Contact, composed(`<${GRUU}>`))
      subscribe.append(Header.Event, composed('oma-push;event-app-id="mms.ua"')).append(Header.Expires, composed('86400'))
      subscribe.append(Header.PPreferredIdentity, composed(`<${AOR}>`))
      const sent = subscribe.clone()
      send(harness, ue, subscribe)
      const peer = service[0]!
      return { sent, peer, answerer: new Answerer(harness, peer, took(peer, 'SUBSCRIBE'), `<sip:ppg1@127.0.0.3:${SERVICE_PORT};transport=tcp>`) }
    }

    it.each([['a public service identity of the domain', SERVICE], ['a host the network knows', `${PUSH};transport=tcp`]])('at %s takes a SUBSCRIBE and notifies inside the dialog', (_, uri) => {
      const all = scene(mode)
      const { harness, ue, gateway } = all
      const { sent, peer, answerer } = subscribed(all, uri)
      expect(answerer.request.get(Header.PAssertedIdentity)).toBe(`<${AOR}>`)
      expect(answerer.request.has(Header.PPreferredIdentity)).toBe(false)
      expect(answerer.request.requestUri).toBe(uri)
      expect(answerer.request.getAll(Header.RecordRoute)[0]).toBe('<sip:orig@scscf.home1.example;lr>')
      answerer.answer(200)
      expect(statuses(ue)).toEqual([200])
      const notifier = answerer.dialog()
      const notify = withContact(notifier.request('NOTIFY'), peer)
      notify.append(Header.Event, composed('oma-push;event-app-id="mms.ua"')).append(Header.SubscriptionState, composed('active;expires=86399'))
      send(harness, gateway, notify)
      const heard = took(ue, 'NOTIFY')
      expect(heard.requestUri).toBe(all.contact)
      ue.answer(heard, 200)
      expect(statuses(gateway)).toEqual([200])
      // RFC 6665 4.4.1: the subscriber's route set is that of the first NOTIFY, so that is on record too.
      const subscriber = dialogOfNotify(sent, heard, 'tcp')!
      send(harness, ue, withContact(subscriber.request('SUBSCRIBE'), ue))
      const refresh = took(peer, 'SUBSCRIBE')
      expect(refresh.get(Header.CSeq)).toBe('2 SUBSCRIBE')
      expect(refresh.get(Header.PAssertedIdentity)).toBe(`<${AOR}>`)
      peer.answer(refresh, 200)
      expect(statuses(ue)).toEqual([200])
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })

    it('is called by a terminal and calls a terminal, INVITE both ways', () => {
      const all = scene(mode)
      const call = new Call(all.harness, all.ue, SERVICE, AOR)
      const peer = all.service[0]!
      const answerer = new Answerer(all.harness, peer, took(peer, 'INVITE'))
      answerer.answer(200)
      const caller = call.dialog(all.ue.last())
      send(all.harness, all.ue, caller.ack(1))
      took(peer, 'ACK')
      send(all.harness, all.gateway, answerer.dialog().request('BYE'))
      all.ue.answer(took(all.ue, 'BYE'), 200)
      expect(statuses(all.gateway)).toEqual([200])
    })

    it('moves a terminal by REFER outside any dialog, which is on record for what the terminal answers to it', () => {
      const all = scene(mode)
      all.gateway.request(`REFER ${GRUU}`, `Max-Forwards: 70
From: <${PUSH}>;tag=r1
To: <${GRUU}>
Call-ID: refer-1
CSeq: 1 REFER
Contact: <sip:ppg1@127.0.0.3:${SERVICE_PORT};transport=tcp>
P-Asserted-Identity: <${PUSH}>
Refer-To: <sip:push@ppg2.${DOMAIN};method=SUBSCRIBE?Event=oma-push>
Refer-Sub: false`)
      const refer = took(all.ue, 'REFER')
      expect(refer.get(Header.ReferTo)).toContain('method=SUBSCRIBE')
      expect(refer.getAll(Header.RecordRoute)).toHaveLength(2)
      all.ue.answer(refer, 202)
      expect(statuses(all.gateway)).toEqual([202])
    })

    it('is reached from outside by its identity, and a service nobody has is 404', () => {
      const all = scene(mode)
      all.gateway.message(SERVICE)
      took(all.service[0]!, 'MESSAGE')
      new Call(all.harness, all.ue, `sip:nothing@${DOMAIN}`, AOR)
      expect(statuses(all.ue)).toEqual([404])
      new Call(all.harness, all.ue, 'sip:push@unknown.example', AOR)
      expect(statuses(all.ue)).toEqual([404])
    })
  })
}

describe('what a terminal may send within a dialog', () => {
  const own = (all: Scene, change: (request: SipMessage) => void, over = all.ue): number[] => {
    const { callee } = established(all)
    const request = callee.request('BYE')
    change(request)
    send(all.harness, over, request)
    return statuses(over)
  }

  it('comes over the flow of the dialog, not over another\'s', () => {
    const all = scene('collapsed')
    const bob = all.harness.tcp(PORTS.pcscf)
    expect(bob.register({ name: 'bob' }).status).toBe(200)
    expect(own(all, () => {}, bob)).toEqual([403])
    const stranger = all.harness.tcp(PORTS.pcscf)
    expect(own(all, () => {}, stranger)).toEqual([403])
  })

  it('comes over a flow that still carries a registration', () => {
    const all = scene('collapsed')
    const { callee } = established(all)
    expect(all.ue.register({ instance: INSTANCE, contact: all.contact, expires: 0 }).status).toBe(200)
    send(all.harness, all.ue, callee.request('BYE'))
    expect(statuses(all.ue)).toEqual([403])
  })

  it('follows the route set: without it, past the S-CSCF, or to another terminal\'s flow it is 403', () => {
    const all = scene('collapsed')
    const bob = all.harness.tcp(PORTS.pcscf)
    expect(bob.register({ name: 'bob' }).status).toBe(200)
    const bobs = [...all.harness.core.scscf.registrar.find(`sip:bob@${DOMAIN}`)!.bindings()][0]!.path.text
    expect(own(all, (request) => request.removeAll(Header.Route))).toEqual([403])
    expect(own(all, (request) => { const [first] = request.getAll(Header.Route); request.set(Header.Route, first!) })).toEqual([403])
    expect(own(all, (request) => { const [first] = request.getAll(Header.Route); request.set(Header.Route, composed(`${first}, <sip:127.0.0.9:9;lr>`)) })).toEqual([403])
    expect(own(all, (request) => { const [first] = request.getAll(Header.Route); request.set(Header.Route, composed(`${first}, ${bobs}`)) })).toEqual([403])
    expect(bob.received).toEqual([])
  })

  it('is told apart by its tag in To: forged tokens are 403, an ACK with one is dropped and counted', () => {
    const all = scene('collapsed')
    const { callee } = established(all)
    const ack = callee.ack(1)
    const [, second] = ack.getAll(Header.Route)
    ack.set(Header.Route, composed(`<sip:AAAA@pcscf.${DOMAIN};lr>, ${second}`))
    send(all.harness, all.ue, ack)
    expect(all.ue.received).toEqual([])
    expect(all.harness.core.counters()['pcscf.acksLost']).toBe(1)
  })

  it('says who it is only by registration: a claim of its own is taken out', () => {
    const all = scene('collapsed')
    const listening = all.harness.listenAt(41_022)
    const { callee } = established(all)
    send(all.harness, all.ue, callee.request('INFO').append(Header.PAssertedIdentity, composed(`<sip:boss@${DOMAIN}>`)))
    expect(took(listening[0]!, 'INFO').getAll(Header.PAssertedIdentity)).toEqual([`<${AOR}>`])
  })

  it('works in a dialog addressed to a temporary GRUU, where From is no identity', () => {
    const all = scene('collapsed')
    const listening = all.harness.listenAt(41_022)
    const answer = all.ue.register({ instance: INSTANCE, contact: all.contact })
    const temporary = /temp-gruu="([^"]+)"/.exec(answer.get(Header.Contact)!)![1]!
    const { caller, callee } = established(all, `<${temporary}>`, temporary)
    send(all.harness, all.ue, callee.request('INFO'))
    expect(took(listening[0]!, 'INFO').has(Header.PAssertedIdentity)).toBe(false)
    send(all.harness, all.gateway, caller.request('BYE'))
    expect(took(all.ue, 'BYE').requestUri).toBe(all.contact)
  })
})

describe('a request with a To tag', () => {
  const inside = (gateway: Peer, uri: string, more = ''): void => gateway.request(`MESSAGE ${uri}`, `Max-Forwards: 70
From: <${PUSH}>;tag=a
To: <${uri}>;tag=b
Call-ID: lost
CSeq: 7 MESSAGE${more}`)

  it('is never forked by registrations: without a route to follow it is 481', () => {
    const { ue, gateway } = scene('collapsed')
    inside(gateway, AOR)
    expect(statuses(gateway)).toEqual([481])
    expect(ue.received).toEqual([])
  })

  it('to a GRUU finds its device by the GRUU alone', () => {
    const all = scene('collapsed')
    inside(all.gateway, GRUU)
    expect(took(all.ue, 'MESSAGE').requestUri).toBe(all.contact)
    inside(all.gateway, `${AOR};gr=urn:uuid:00000000-0000-4000-8000-000000000099`)
    expect(statuses(all.gateway)).toEqual([404])
  })

  it('goes from the entry of the network only to the S-CSCF', () => {
    const { gateway } = scene('collapsed')
    inside(gateway, AOR, '\nRoute: <sip:127.0.0.9:9;lr>')
    expect(statuses(gateway)).toEqual([404])
  })

  it('with no hop left is 483', () => {
    const all = scene('collapsed')
    const { caller } = established(all)
    send(all.harness, all.gateway, caller.request('BYE').set(Header.MaxForwards, composed('1')))
    expect(statuses(all.gateway)).toEqual([483])
  })
})

describe('collapsed and split', () => {
  it('write the same bytes to terminal and gateway for a dialog the terminal began', () => {
    const seen = MODES.map((mode) => {
      const all = scene(mode)
      all.ue.octets.length = 0
      const call = new Call(all.harness, all.ue, SERVICE, AOR)
      const peer = all.service[0]!
      const answerer = new Answerer(all.harness, peer, took(peer, 'INVITE'))
      answerer.answer(200)
      send(all.harness, all.ue, call.dialog(all.ue.last()).ack(1))
      send(all.harness, all.gateway, answerer.dialog().request('BYE'))
      return [withoutChance(all.ue.octets), withoutChance(peer.octets)]
    })
    expect(seen[0]![0]).toContain('BYE')
    expect(seen[0]![1]).toContain('ACK')
    expect(seen[1]).toEqual(seen[0])
  })
})
