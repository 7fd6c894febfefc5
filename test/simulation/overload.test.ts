/**
 * A core network that bears less than it is offered, in virtual time with the machines that run live: it asks for less by overload
 * control (RFC 7339), the gateway sends as much as is borne and no more, and turns submissions away that it could not deliver in time.
 */
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { JournalEvent } from '../../core/kit/journal.js'
import type { Micros } from '../../core/kit/time.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { userAddress } from '../../core/pap/addresses.js'
import { pushMessage } from '../../core/pap/documents.js'
import { encodeSubmission } from '../../core/pap/submission.js'
import type { PopulationSettings } from '../../sim/terminal/population.js'
import { PushWorld } from '../../sim/world/push-world.js'

const SECOND: Micros = 1_000_000
const MESSAGES_PER_SECOND = 200
const POPULATION: PopulationSettings = {
  subscribers: 2_000,
  identity: { domain: 'home1.example', user: 'user######', firstNumber: 0, privateIdentity: 'user######@home1.example', password: 'secret-######' },
  seed: 5,
  devicesPerSubscriber: { 1: 1 },
  applicationSets: [{ applications: ['mms.ua'], weight: 1 }],
  shares: { returning: 0, cycling: 0, refusing: 0, absent: 0 },
  returning: { on: { type: 'constant', micros: SECOND }, off: { type: 'constant', micros: SECOND }, silentShare: 0, offAtStartShare: 0 },
  cycling: { on: { type: 'constant', micros: SECOND }, off: { type: 'constant', micros: SECOND }, silentShare: 0, offAtStartShare: 0 },
  refusal: { status: 603 },
  answerDelay: { type: 'constant', micros: 5_000 },
  capabilities: [{ bindings: [], sizeMax: 1_000_000, types: [], weight: 1 }],
  events: { share: 0, server: 'sip:push@home1.example', expirySeconds: 86_400 },
  misbehaving: {},
  lateMicros: 5 * SECOND,
  referenceTerminals: 0,
}

interface Passed {
  /** Pushes that reached a terminal, by second from the first submission. */
  readonly delivered: readonly number[]
  /** Of each push that did, when it was submitted and how long that took. */
  readonly delays: readonly { readonly at: Micros; readonly micros: Micros }[]
  readonly refusedByCore: number
  readonly turnedAway: number
}

/** @param course pushes a second, by second */
function pass(course: readonly number[]): Passed {
  const begun = new Map<string, Micros>()
  const delays: { at: Micros; micros: Micros }[] = []
  let from = 0
  let turnedAway = 0
  const world = new PushWorld({
    seed: 42, startWall: 1_780_000_000_000, crypto: systemCrypto, population: POPULATION, transport: 'tcp',
    access: { delayMicros: 20_000, jitterMicros: 0, lossShare: 0, duplicateShare: 0 }, core: { delayMicros: 500, jitterMicros: 0, lossShare: 0, duplicateShare: 0 },
    flushMicros: 500, service: { gateway: () => 0, ims: () => 0, terminals: () => 0 }, isTraced: false, carriage: 'messages',
    coreCapacity: MESSAGES_PER_SECOND, gateway: { inFlightMax: 2 * MESSAGES_PER_SECOND },
    journal: (part, event: JournalEvent) => {
      if (part === 'terminals' && event.event === 'received') delays.push({ at: begun.get(event.pushId)! - from, micros: event.mono - begun.get(event.pushId)! })
      if (part === 'initiator' && event.event === 'answered' && event.details[0] !== '1001') turnedAway += 1
    },
  })
  world.register(1_000, 60 * SECOND)
  from = world.world.now.mono + SECOND
  const entropy = new SeededEntropy(9)
  let attempt = 0
  for (const [second, rate] of course.entries()) {
    for (let count = 0; count < rate; count++, attempt++) {
      const at = Math.floor(from + (second + entropy.unit()) * SECOND)
      const pushId = `push-${attempt}@pi.example`
      const address = userAddress(world.population.impu(attempt % world.population.size), 'ppg.example')
      const { contentType, body } = encodeSubmission(pushMessage({ pushId, addresses: [address] }), { contentType: 'text/plain', headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:mms.ua' }], body: Buffer.from('news') })
      begun.set(pushId, at)
      world.submit(at, { attempt, row: 'online', pushId, address, contentType, body })
    }
  }
  world.run(from + course.length * SECOND)
  const delivered = course.map((_, second) => delays.filter(({ at, micros }) => Math.floor((at + micros) / SECOND) === second).length)
  return { delivered, delays, refusedByCore: world.ims.counters()['icscf.overload']!, turnedAway }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const steady = (times: number, seconds: number): number[] => Array.from({ length: seconds }, () => times * MESSAGES_PER_SECOND)

describe('a core network set to 200 requests a second', () => {
  it('carries what it bears, and asks for nothing, below that', () => {
    const { delivered, refusedByCore, turnedAway } = pass(steady(0.7, 15))
    expect(mean(delivered.slice(1))).toBeGreaterThan(0.65 * MESSAGES_PER_SECOND)
    expect({ refusedByCore, turnedAway }).toEqual({ refusedByCore: 0, turnedAway: 0 })
  })

  it.each([2, 5, 10])('goes on carrying nine tenths of it at %i times that load, refusing hardly any itself', (times) => {
    const { delivered, refusedByCore, turnedAway } = pass(steady(times, 20))
    expect(mean(delivered.slice(5)), delivered.join(' ')).toBeGreaterThan(0.9 * MESSAGES_PER_SECOND)
    expect(Math.max(...delivered.slice(1))).toBeLessThan(1.15 * MESSAGES_PER_SECOND)
    // What it refuses it has to work on: a fraction of what it carries.
    expect(refusedByCore).toBeLessThan(0.15 * 20 * MESSAGES_PER_SECOND)
    expect(turnedAway).toBeGreaterThan((times - 1.3) * 15 * MESSAGES_PER_SECOND)
  })

  it('is as quick as before within five seconds after five times its load has passed', () => {
    const { delays } = pass([...steady(0.5, 5), ...steady(5, 10), ...steady(0.5, 12)])
    const slowest = (from: number, to: number): Micros => Math.max(...delays.filter(({ at }) => at >= from * SECOND && at < to * SECOND).map(({ micros }) => micros))
    expect(slowest(1, 5)).toBeLessThan(0.2 * SECOND)
    expect(slowest(8, 14)).toBeGreaterThan(SECOND)
    expect(slowest(20, 26)).toBeLessThan(0.2 * SECOND)
  })
})
