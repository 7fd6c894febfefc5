/** Whether a load came to rest, and whether it left as evenly as it was planned: seen in the journals, told in words. */
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { journalLine, parseJournalLine, type JournalEvent } from '../../core/kit/journal.js'
import { schedule } from '../../loadgen/pacing.js'
import { stairs, steady, type RateSegment } from '../../loadgen/rate-curve.js'
import { bunchingOf } from '../../loadgen/reconcile/bunching.js'
import { bunchBinMicros } from '../../loadgen/verdict.js'
import { Reconciler } from '../../loadgen/reconcile/reconciler.js'
import { courseOf, growthOf, restOf } from '../../loadgen/reconcile/steady-state.js'
import { stepRows } from '../../loadgen/reconcile/steps.js'
import type { Tables } from '../../loadgen/reconcile/tables.js'
import { ROWS, type RowName } from '../../loadgen/scenario.js'

const SECOND = 1_000_000
const LIMITS = Object.fromEntries(ROWS.map((row) => [row, SECOND])) as Record<RowName, number>

/** What the journals would hold: a gateway with one server that takes `serviceMicros` for each push, and a sender that may come late. */
function journals(segments: readonly RateSegment[], serviceMicros: number, sentAt: (plannedAt: number) => number = (plannedAt) => plannedAt + 100, seed = 1): Tables {
  const reconciler = new Reconciler()
  const offsets = schedule('poisson', segments, new SeededEntropy(seed))
  const service = new SeededEntropy(seed, 'service')
  const lines: Record<'initiator' | 'gateway' | 'terminal', [number, string][]> = { initiator: [], gateway: [], terminal: [] }
  let freeAt = 0
  offsets.forEach((plannedAt, attempt) => {
    const [pushId, address, target] = [`${attempt}@test`, `address-${attempt}`, `sip:user${attempt}@home`]
    const at = Math.round(sentAt(plannedAt))
    freeAt = Math.max(freeAt, at) + Math.round(service.exponential(serviceMicros))
    const log = (part: keyof typeof lines, mono: number, event: JournalEvent['event'], ...details: string[]): void => {
      lines[part].push([mono, journalLine(mono, event, pushId, part === 'terminal' ? '-' : address, ...details)])
    }
    log('initiator', plannedAt, 'planned', 'online', String(attempt))
    log('initiator', at, 'sent', String(attempt))
    log('initiator', at + 1_000, 'answered', '1001', String(attempt))
    log('gateway', at + 500, 'accepted')
    log('gateway', freeAt, 'sip-out', target, 'message')
    log('terminal', freeAt + 200, 'received', target, 'device', '200', 'first')
    log('gateway', freeAt + 400, 'outcome', 'delivered', '1000', 'confirmed', '200')
  })
  const read = (part: keyof typeof lines, take: (event: NonNullable<ReturnType<typeof parseJournalLine>>) => void): void => {
    for (const [, line] of lines[part].sort(([a], [b]) => a - b)) take(parseJournalLine(line.trimEnd())!)
  }
  read('initiator', (event) => reconciler.initiator(event))
  read('gateway', (event) => reconciler.gateway(event))
  read('terminal', (event) => reconciler.terminal('virtual', event))
  return reconciler.tables()
}

const window = (seconds: number) => ({ from: 0, to: seconds * SECOND })

describe('a load at one rate', () => {
  it('is stationary when the gateway carries it, whatever the seed', () => {
    for (let seed = 1; seed <= 5; seed++) expect(growthOf(courseOf(journals(steady(200, 30 * SECOND), 3_000, undefined, seed), window(30), SECOND)), `seed ${seed}`).toBeUndefined()
  })

  it('is not when it asks for more than the gateway can do: what is in flight and the latency both grow, and the words say so', () => {
    const growth = growthOf(courseOf(journals(steady(300, 30 * SECOND), 5_000), window(30), SECOND))
    expect(growth).toMatch(/^not stationary: in flight from \d+ to \d+, latency \(p95\) from \d+ ms to \d+ ms, both growing$/)
  })

  it('of a few seconds cannot be told to grow', () => {
    expect(growthOf(courseOf(journals(steady(400, 5 * SECOND), 5_000), window(5), SECOND))).toBeUndefined()
  })
})

describe('the steps of a stair', () => {
  const steps = [100, 150, 300].map((perSecond, index) => ({ perSecond, from: index * 20 * SECOND, to: (index + 1) * 20 * SECOND }))
  const rows = stepRows(journals(stairs([100, 150, 300], 60 * SECOND), 4_000), window(60), steps, LIMITS, () => [])

  it('have a row each, with their own attempts, latency, and interval of what was inadequately handled', () => {
    expect(rows.map(({ perSecond, fromSecond, toSecond }) => [perSecond, fromSecond, toSecond])).toEqual([[100, 0, 20], [150, 20, 40], [300, 40, 60]])
    const [first] = rows
    expect(first!.inadequatelyHandled).toBe(0)
    expect(first!.interval!.low).toBe(0)
    expect(first!.interval!.high).toBeLessThan(0.005)
    expect(Math.abs(first!.deliveredPerSecond - 100)).toBeLessThan(10)
    expect(first!.attempts).toBeLessThanOrEqual(2_200)
    expect(first!.p50Us!).toBeLessThan(first!.p99Us!)
  })

  it('that are beyond the gateway never come to rest, and are said not to', () => {
    expect(rows.map(({ stationary }) => stationary)).toEqual([true, true, false])
    expect(rows[2]!.why).toMatch(/both growing|never settled/)
  })

  it('lose their transient: what the step before left behind is no part of the figures', () => {
    // The first ten seconds overload the gateway, the rest of them empties it.
    const transient = journals([...steady(260, 4 * SECOND), ...steady(100, 36 * SECOND)], 5_000)
    const rest = restOf(courseOf(transient, window(40)))
    expect(rest.stationary, rest.why).toBe(true)
    expect(rest.trimmedMicros).toBeGreaterThan(4 * SECOND)
    expect(rest.trimmedMicros).toBeLessThan(15 * SECOND)
  })

  it('of which an interrupted run never saw are not there; one it saw half of is too short or counted as far as it went', () => {
    const cut = stepRows(journals(stairs([100, 150, 300], 60 * SECOND), 4_000), window(30), steps, LIMITS, () => [])
    expect(cut.map(({ toSecond }) => toSecond)).toEqual([20, 30])
  })
})

describe('arrivals', () => {
  const tables = (sentAt: (plannedAt: number) => number) => journals(steady(500, 10 * SECOND), 100, sentAt)
  const added = (given: Tables): number => {
    const { planned, sent } = bunchingOf(given, window(10), 10_000)!
    return Math.sqrt(Math.max(0, sent ** 2 - planned ** 2))
  }

  it('that leave when they were planned, or a few milliseconds late, are not bunched', () => {
    const jitter = new SeededEntropy(4)
    expect(added(tables((at) => at))).toBe(0)
    expect(added(tables((at) => at + 3_000 * jitter.unit()))).toBeLessThan(0.2)
  })

  it('at a low rate are not taken for bunched when a few milliseconds carry some of them into the next piece of time', () => {
    for (let seed = 0; seed < 50; seed++) {
      const jitter = new SeededEntropy(seed)
      const given = journals(steady(60, 20 * SECOND), 100, (at) => at + 30_000 * jitter.unit())
      const { planned, sent } = bunchingOf(given, window(20), bunchBinMicros(100_000, 60))!
      expect(sent ** 2 - planned ** 2, `seed ${seed}`).toBeLessThan(0.25)
    }
  })

  it('are bunched when the sender wakes every 25 ms only, though none of them is late by more', () => {
    expect(added(tables((at) => Math.ceil(at / 25_000) * 25_000))).toBeGreaterThan(1)
  })

  it('are bunched by one stall of a second, and not by one of fifty milliseconds', () => {
    const stall = (micros: number) => tables((at) => (at > 5 * SECOND && at < 5 * SECOND + micros ? 5 * SECOND + micros : at))
    expect(added(stall(SECOND))).toBeGreaterThan(1)
    expect(added(stall(50_000))).toBeLessThan(0.3)
  })

  it('of a moment are too few to tell', () => {
    expect(bunchingOf(tables((at) => at), window(0.3), 10_000)).toBeUndefined()
  })
})
