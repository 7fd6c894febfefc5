/** The same gateway, IMS and terminals as live, in virtual time: an hour in seconds, the same hour twice, and a ledger that balances through loss, absence, crashes and saturation. */
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { JournalEvent } from '../../core/kit/journal.js'
import type { Micros } from '../../core/kit/time.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { userAddress } from '../../core/pap/addresses.js'
import { pushMessage } from '../../core/pap/documents.js'
import { encodeSubmission } from '../../core/pap/submission.js'
import { ledgerOf } from '../../loadgen/reconcile/ledger.js'
import { Reconciler } from '../../loadgen/reconcile/reconciler.js'
import { RADIO_TIMERS } from '../../sim/ims/settings.js'
import { linkOf } from '../../sim/network/link.js'
import type { PopulationSettings } from '../../sim/terminal/population.js'
import { PushWorld, type PartName, type PushWorldOptions } from '../../sim/world/push-world.js'

const SECOND: Micros = 1_000_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const START_WALL = 1_780_000_000_000

const exponential = (meanMicros: Micros) => ({ type: 'exponential', meanMicros }) as const
const POPULATION: PopulationSettings = {
  subscribers: 200,
  identity: { domain: 'home1.example', user: 'user######', firstNumber: 0, privateIdentity: 'user######@home1.example', password: 'secret-######' },
  seed: 5,
  devicesPerSubscriber: { 1: 0.6, 2: 0.3, 3: 0.1 },
  applicationSets: [{ applications: ['mms.ua', 'wml.ua'], weight: 1 }],
  shares: { returning: 0.2, cycling: 0.2, refusing: 0.02, absent: 0.05 },
  returning: { on: exponential(5 * MINUTE), off: exponential(3 * MINUTE), silentShare: 0, offAtStartShare: 0.5 },
  cycling: { on: exponential(10 * MINUTE), off: exponential(2 * MINUTE), silentShare: 0.3, offAtStartShare: 0.2 },
  refusal: { status: 603 },
  answerDelay: { type: 'lognormal', medianMicros: 20_000, sigma: 0.7 },
  capabilities: [{ bindings: [], sizeMax: 1_000_000, types: [], weight: 1 }],
  events: { share: 0, server: 'sip:push@home1.example', expirySeconds: 86_400 },
  misbehaving: {},
  lateMicros: 5 * SECOND,
  referenceTerminals: 0,
}

const NO_SERVICE_TIME: PushWorldOptions['service'] = { gateway: () => 0, ims: () => 0, terminals: () => 0 }

interface Journals {
  readonly initiator: JournalEvent[]
  readonly gateway: JournalEvent[]
  readonly ims: JournalEvent[]
  readonly terminals: JournalEvent[]
}

function openWorld(changes: Partial<PushWorldOptions> = {}): { world: PushWorld; journals: Journals } {
  const journals: Journals = { initiator: [], gateway: [], ims: [], terminals: [] }
  const world = new PushWorld({
    seed: 42, startWall: START_WALL, crypto: systemCrypto, population: POPULATION, transport: 'udp',
    access: { delayMicros: 40_000, jitterMicros: 20_000, lossShare: 0.05, duplicateShare: 0.01 },
    core: { delayMicros: 500, jitterMicros: 0, lossShare: 0, duplicateShare: 0 },
    flushMicros: 300, service: NO_SERVICE_TIME,
    journal: (part: PartName, event) => journals[part].push(event),
    ...changes,
  })
  return { world, journals }
}

/** Pushes at random instants to random subscribers, each to be delivered within `lifetime`. */
function plan(world: PushWorld, count: number, from: Micros, until: Micros, lifetime: Micros): void {
  const entropy = new SeededEntropy(9, 'plan')
  for (let attempt = 0; attempt < count; attempt++) {
    const at = Math.floor(from + entropy.unit() * (until - from))
    const address = userAddress(world.population.impu(entropy.below(world.population.size)), 'ppg.example')
    const control = pushMessage({
      pushId: `push-${attempt}@pi.example`, addresses: [address], deliverBefore: START_WALL + Math.floor((at + lifetime) / 1_000_000) * 1_000,
      notifyRequestedTo: 'http://pi.example/notify',
    })
    const { contentType, body } = encodeSubmission(control, { contentType: 'text/plain', headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }], body: Buffer.from(`news ${attempt}`) })
    world.submit(at, { attempt, row: 'online', pushId: control.pushId, address, contentType, body })
  }
}

function reconcile(journals: Journals) {
  const reconciler = new Reconciler()
  for (const event of journals.initiator) reconciler.initiator(event)
  for (const event of journals.gateway) reconciler.gateway(event)
  for (const event of journals.ims) reconciler.ims(event)
  for (const event of journals.terminals) reconciler.terminal('virtual', event)
  return ledgerOf(reconciler.tables(), true)
}

function anHour(seed: number) {
  const { world, journals } = openWorld({ seed })
  world.register(50, 2 * MINUTE)
  plan(world, 2_000, 2 * MINUTE, 2 * MINUTE + HOUR, 10 * MINUTE)
  world.run(2 * MINUTE + HOUR + 15 * MINUTE)
  return { hash: world.world.trace.hash, world, ...reconcile(journals) }
}

describe('an hour of 300 terminals with loss, duplication and absence', () => {
  const hour = anHour(42)

  it('ends with a balanced ledger: every accepted push has exactly one outcome, and every delivery was seen by a terminal', () => {
    expect(hour.world.fleet.counters.devices).toBeGreaterThan(280)
    expect(hour.findings).toEqual({ balanced: true, lost: [], duplicated: [], notes: [] })
    expect(hour.ledger).toMatchObject({ attempted: 2_000, accepted: 2_000, lost: 0, inFlight: 0, unanswered: 0 })
  })

  it('has the outcomes such a population must have: most delivered, the absent expired, the refusing aborted', () => {
    expect(hour.ledger.delivered).toBeGreaterThan(1_750)
    expect(hour.ledger.expired).toBeGreaterThan(50)
    expect(hour.ledger.aborted).toBeGreaterThan(10)
    expect(hour.world.network.lost.datagrams).toBeGreaterThan(100)
  })

  it('is the same hour again from the same seed, event by event, and another from another', () => {
    expect(anHour(42).hash).toBe(hour.hash)
    expect(anHour(43).hash).not.toBe(hour.hash)
  })
})

describe('a gateway that dies again and again', () => {
  it('keeps every push it acknowledged, though its disk drops what was not flushed', () => {
    const { world, journals } = openWorld({ flushMicros: 20_000 })
    world.register(50, 2 * MINUTE)
    plan(world, 3_000, 2 * MINUTE, 7 * MINUTE, 10 * MINUTE)
    for (let crash = 0; crash < 10; crash++) world.crashGateway(2 * MINUTE + 17 * SECOND + crash * 28 * SECOND + crash * 1_234, 2 * SECOND)
    world.run(25 * MINUTE)
    const { ledger, findings } = reconcile(journals)
    expect(findings.lost).toEqual([])
    expect(ledger).toMatchObject({ attempted: 3_000, lost: 0, inFlight: 0 })
    expect(ledger.unanswered).toBeGreaterThan(50)
    expect(ledger.accepted + ledger.refused + ledger.unanswered).toBe(3_000)
    expect(ledger.delivered).toBeGreaterThan(2_000)
  })
})

describe('service times', () => {
  /** Offers pushes for 20 s to a gateway that needs 4 ms a submission; 99th percentile of planned to accepted, and how many were. */
  function submitP99(perSecond: number): Micros {
    const { world, journals } = openWorld({
      population: { ...POPULATION, shares: { returning: 0, cycling: 0, refusing: 0, absent: 0 } },
      access: { delayMicros: 1_000, jitterMicros: 0, lossShare: 0, duplicateShare: 0 },
      service: { ...NO_SERVICE_TIME, gateway: (input) => (input.type === 'pap-request' ? 4_000 : 0) },
    })
    world.register(200, MINUTE)
    const from = world.world.now.mono
    plan(world, perSecond * 20, from, from + 20 * SECOND, 5 * MINUTE)
    world.run(from + 10 * MINUTE)
    const plannedAt = new Map(journals.initiator.filter(({ event }) => event === 'planned').map(({ pushId, mono }) => [pushId, mono]))
    const times = journals.initiator.filter(({ event }) => event === 'answered').map(({ pushId, mono }) => mono - plannedAt.get(pushId)!).sort((a, b) => a - b)
    expect(times.length).toBe(perSecond * 20)
    return times[Math.floor(times.length * 0.99)]!
  }

  it('let the gateway saturate in virtual time as it does in life: the queue is short below 250/s and grows without end beyond', () => {
    expect(submitP99(125)).toBeLessThan(60_000)
    expect(submitP99(500)).toBeGreaterThan(15 * SECOND)
  })
})

describe('terminals in visited networks, over accesses of their own', () => {
  const STEADY = { ...POPULATION, shares: { returning: 0, cycling: 0, refusing: 0, absent: 0 }, answerDelay: { type: 'constant', micros: 0 } } as const
  const FAR = 'visited1.example'
  const NARROW = 'visited2.example'
  const everyone = (of: PushWorld) => Array.from({ length: of.population.size }, (_, index) => index)

  const visited = [
    { id: FAR, access: { rttMicros: 600_000, jitterMicros: 0, lossShare: 0 } },
    { id: NARROW, access: { rttMicros: 40_000, jitterMicros: 0, lossShare: 0, bitsPerSecond: 16_000 } },
  ]
  const near = linkOf({ rttMicros: 40_000, jitterMicros: 0, lossShare: 0 })

  it('take a push as long as their network’s round trip and bandwidth make it', () => {
    const { world, journals } = openWorld({
      transport: 'tcp', visited, access: near,
      population: { ...STEADY, devicesPerSubscriber: { 1: 1 }, access: { roaming: { [FAR]: 0.3, [NARROW]: 0.3 }, roamingBarred: 0, ownConnections: 1, aka: 0.5, outOfStep: 0.5 } },
    })
    expect(world.register(20, 5 * MINUTE)).toMatchObject({ wanted: 200, done: 200 })
    expect(world.ims.counters()).toMatchObject({ 'scscf.akaResynchronisations': expect.any(Number) })
    expect(world.ims.counters()['scscf.akaResynchronisations']).toBeGreaterThan(20)
    // One push to each, so that none waits for another.
    const from = world.world.now.mono + SECOND
    const sent = new Map<string, number>()
    for (const index of everyone(world)) {
      const address = userAddress(world.population.impu(index), 'ppg.example')
      const control = pushMessage({ pushId: `one-${index}@pi.example`, addresses: [address] })
      const { contentType, body } = encodeSubmission(control, { contentType: 'text/plain', headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }], body: Buffer.from('news') })
      world.submit(from + index * SECOND, { attempt: index, row: 'online', pushId: control.pushId, address, contentType, body })
      sent.set(control.pushId, index)
    }
    world.run(from + 10 * MINUTE)
    const micros: Record<string, number[]> = { home: [], [FAR]: [], [NARROW]: [] }
    for (const { event, pushId, mono, details } of journals.terminals) {
      if (event !== 'received' || details[2] !== '200') continue
      const index = sent.get(pushId)!
      micros[world.population.access.networkOf(index) ?? 'home']!.push(mono - from - index * SECOND)
    }
    const [home, far, narrow] = [micros['home']!, micros[FAR]!, micros[NARROW]!].map((each) => ({ count: each.length, min: Math.min(...each), max: Math.max(...each) }))
    expect(home!.count + far!.count + narrow!.count).toBe(200)
    expect(Math.min(home!.count, far!.count, narrow!.count)).toBeGreaterThan(30)
    // One way of 20 ms, of 300 ms, and of 20 ms with about 700 octets at 2,000 a second.
    expect(home).toMatchObject({ min: expect.toSatisfy((each: number) => each > 20_000), max: expect.toSatisfy((each: number) => each < 60_000) })
    expect(far).toMatchObject({ min: expect.toSatisfy((each: number) => each > 300_000), max: expect.toSatisfy((each: number) => each < 340_000) })
    expect(narrow).toMatchObject({ min: expect.toSatisfy((each: number) => each > 220_000), max: expect.toSatisfy((each: number) => each < 600_000) })
  })

  it('lose no push in a quarter of an hour of handovers, lost coverage and radio timers', () => {
    const { world, journals } = openWorld({
      transport: 'tcp', visited, access: near, timers: RADIO_TIMERS,
      population: { ...POPULATION, access: { roaming: { [FAR]: 0.2, [NARROW]: 0.2 }, roamingBarred: 0, ownConnections: 0.7, aka: 0.2, outOfStep: 0.1 } },
    })
    world.register(20, 5 * MINUTE)
    const from = world.world.now.mono
    plan(world, 600, from, from + 15 * MINUTE, 10 * MINUTE)
    const entropy = new SeededEntropy(3, 'moves')
    for (let move = 0; move < 300; move++) {
      const subscriber = entropy.below(world.population.size)
      const network = [undefined, FAR, NARROW][entropy.below(3)]
      world.world.at(from + Math.floor(entropy.unit() * 15 * MINUTE), { happen: () => world.fleetNode.give({ type: 'move', subscriber, network }) })
    }
    world.run(from + 35 * MINUTE)
    const { ledger, findings } = reconcile(journals)
    expect(findings).toMatchObject({ balanced: true, lost: [] })
    expect(ledger).toMatchObject({ attempted: 600, accepted: 600, lost: 0, inFlight: 0 })
    expect(ledger.delivered).toBeGreaterThan(500)
    expect(journals.ims.filter(({ event, details }) => event === 'branch' && details[1] === '430').length).toBeGreaterThan(0)
  }, 90_000)
})
