/** Terminals away from home: registration through a visited network's P-CSCF, who may, handover under a push, and the radio leg's timers. */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { RADIO_TIMERS, type ImsSettings } from '../../sim/ims/settings.js'
import { DOMAIN, ImsHarness, PORTS, subscriber, type Peer, type RegisterOptions } from './ims-harness.js'

const AOR = `sip:alice@${DOMAIN}`
const INSTANCE = 'urn:uuid:00000000-0000-4000-8000-000000000001'
const NETWORK = 'visited1.example'
const VISITED = 5_160

const roaming = (mode: 'collapsed' | 'split') => (settings: ImsSettings): ImsSettings => {
  const at = (port: number) => ({ address: '127.0.0.1', port })
  return { ...settings, mode, visited: [{ name: `pcscf.${NETWORK}`, listen: at(VISITED), furtherPorts: [], core: at(VISITED + 1), visitedNetworkId: NETWORK }] }
}

/** The device of these tests: one reg-id, and one Call-ID as long as it stays on. */
const DEVICE: RegisterOptions = { instance: INSTANCE, params: ';reg-id=1', supported: 'path, gruu, outbound', callId: 'one-and-the-same' }

const contactParam = (answer: { get(id: typeof Header.Contact): string | undefined }, name: string): string | undefined =>
  new RegExp(`${name}="([^"]+)"`).exec(answer.get(Header.Contact) ?? '')?.[1]

/** A REGISTER of the same Call-ID needs a higher CSeq, whichever peer says it. */
function registerAgain(peer: Peer, before: Peer, device = DEVICE) {
  peer.continueFrom(before)
  return peer.register(device)
}

describe.each(['collapsed', 'split'] as const)('a terminal in a visited network, %s', (mode) => {
  it('registers at home through the visited P-CSCF, whose Path brings the pushes back', () => {
    const harness = new ImsHarness(roaming(mode))
    const ue = harness.tcp(VISITED)
    const answer = ue.register(DEVICE)
    expect(answer.status).toBe(200)
    expect(answer.get(Header.Path)).toMatch(new RegExp(`^<sip:[^@]+@pcscf\\.${NETWORK};lr;ob>$`))
    const gateway = harness.tcp(PORTS.icscf)
    gateway.message(AOR)
    const push = ue.last()
    expect(push.get(Header.PCalledPartyId)).toBe(`<${AOR}>`)
    ue.answer(push, 200)
    expect(gateway.last().status).toBe(200)
    expect(harness.core.counters()).toMatchObject({ 'pcscf.requests': 0, 'pcscf2.registeredUsers': 1 })
  })

  it('is refused where its home network has it not roam, and welcome at home', () => {
    const harness = new ImsHarness(roaming(mode), [subscriber('alice', { barredNetworks: [NETWORK] }), subscriber('bob')])
    expect(harness.tcp(VISITED).register(DEVICE).status).toBe(403)
    expect(harness.tcp(PORTS.pcscf).register(DEVICE).status).toBe(200)
    expect(harness.tcp(VISITED).register({ ...DEVICE, name: 'bob' }).status).toBe(200)
  })

  it('takes its binding, its public GRUU and its temporary ones along when it moves', () => {
    const harness = new ImsHarness(roaming(mode))
    const home = harness.tcp(PORTS.pcscf)
    const first = home.register(DEVICE)
    const away = harness.tcp(VISITED)
    const second = registerAgain(away, home)
    expect(second.status).toBe(200)
    expect(harness.core.population()).toEqual({ users: 1, bindings: 1 })
    const gruu = contactParam(first, 'pub-gruu')!
    expect(contactParam(second, 'pub-gruu')).toBe(gruu)
    const gateway = harness.tcp(PORTS.icscf)
    // RFC 5627 5.1: temporary GRUUs of one Call-ID are valid together.
    for (const target of [AOR, gruu, contactParam(first, 'temp-gruu')!, contactParam(second, 'temp-gruu')!]) {
      gateway.message(target)
      away.answer(away.last(), 200)
      expect(gateway.last().status).toBe(200)
    }
    expect(home.received).toEqual([])
    // The flow it left behind takes nothing with it when it ends.
    harness.close(home)
    expect(harness.core.population()).toEqual({ users: 1, bindings: 1 })
  })

  it('that moves while a push is under way gets it over its new flow when the old one is gone', () => {
    const harness = new ImsHarness(roaming(mode))
    const home = harness.tcp(PORTS.pcscf)
    home.register(DEVICE)
    const gateway = harness.tcp(PORTS.icscf)
    gateway.message(AOR, 'X-Push-Id: moving@test')
    expect(home.last().method).toBe('MESSAGE')
    const away = harness.tcp(VISITED)
    expect(registerAgain(away, home).status).toBe(200)
    expect(gateway.received.filter(({ status }) => status >= 200)).toEqual([])
    harness.close(home)
    const followed = away.last()
    expect(followed.get(Header.XPushId)).toBe('moving@test')
    away.answer(followed, 200)
    expect(gateway.last().status).toBe(200)
    expect(harness.core.population()).toEqual({ users: 1, bindings: 1 })
    expect(harness.journal.filter(({ event }) => event === 'branch').map(({ details }) => details[1])).toEqual(['430', '200'])
  })

  it('that vanished is 430 once its connection is known to be gone, and its binding with it', () => {
    const harness = new ImsHarness(roaming(mode))
    const ue = harness.tcp(VISITED)
    ue.register(DEVICE)
    harness.close(ue)
    const gateway = harness.tcp(PORTS.icscf)
    gateway.message(AOR)
    expect(gateway.last().status).toBe(430)
    expect(harness.core.population()).toEqual({ users: 0, bindings: 0 })
  })
})

describe('the radio leg', () => {
  /** When the P-CSCF sent the MESSAGE, seconds after the first time, to a terminal on UDP that stays silent. */
  function schedule(change: (settings: ImsSettings) => ImsSettings, seconds: number): { sent: number[]; branchTimeouts: number } {
    const harness = new ImsHarness(change)
    const ue = harness.udp(PORTS.pcscf)
    expect(ue.register({ instance: INSTANCE }).status).toBe(200)
    harness.tcp(PORTS.icscf).message(AOR)
    const sent: number[] = []
    for (let second = 0; second <= seconds; second += 0.5) {
      if (ue.received.length > 0) sent.push(second)
      ue.received.length = 0
      harness.pass(0.5)
    }
    return { sent, branchTimeouts: harness.core.counters()['pcscf.branchTimeouts']! }
  }

  it('retransmits after 2, 4, 8 and then 16 s, and gives up after 128 s (TS 24.229 table 7.8)', () => {
    const radio = (settings: ImsSettings): ImsSettings => ({ ...settings, pcscf: { ...settings.pcscf, accessTimers: RADIO_TIMERS } })
    const { sent, branchTimeouts } = schedule(radio, 130)
    // A push sent at 0 is seen at the next half second at the latest.
    expect(sent.map(Math.floor)).toEqual([0, 2, 6, 14, 30, 46, 62, 78, 94, 110, 126])
    expect(branchTimeouts).toBe(1)
    expect(schedule(radio, 120).branchTimeouts).toBe(0)
  })

  it('leaves the core its own timers', () => {
    const { sent, branchTimeouts } = schedule((settings) => settings, 33)
    expect(sent).toHaveLength(11)
    expect(branchTimeouts).toBe(1)
    const split = (settings: ImsSettings): ImsSettings => ({ ...settings, mode: 'split', pcscf: { ...settings.pcscf, accessTimers: RADIO_TIMERS } })
    const harness = new ImsHarness(split)
    const ue = harness.tcp(PORTS.pcscf)
    ue.register({ instance: INSTANCE })
    harness.tcp(PORTS.icscf).message(AOR)
    harness.pass(33)
    expect(harness.core.counters()).toMatchObject({ 'scscf.branchTimeouts': 1, 'pcscf.branchTimeouts': 0 })
    harness.pass(96)
    expect(harness.core.counters()).toMatchObject({ 'pcscf.branchTimeouts': 1 })
  })
})
