/** A population's day in virtual time: the ledger balances, one seed is one day, messages say what octets say, shards add up, and absence, expiry and churn come out as they must. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { JournalEvent } from '../../core/kit/journal.js'
import { addTotals, noTotals } from '../../loadgen/world/totals.js'
import { HOUR, pass, scenarioOf, type Passed } from './day.js'

/** A busy machine is given time. */
const PATIENCE = 240_000
const OFF_HOURS = 2.4
const OFF_SHARE = OFF_HOURS / (12 + OFF_HOURS)
const LIFETIME_HOURS = 4

/** For each push how long it waited for its device, hours, and whether it came to it. */
function waits(journal: Passed['journal']): { readonly hours: number; readonly delivered: boolean }[] {
  const plannedAt = new Map<string, number>()
  const found: { hours: number; delivered: boolean }[] = []
  for (const [part, event] of journal) {
    if (part === 'initiator' && event.event === 'planned') plannedAt.set(event.pushId, event.mono)
    else if (part === 'gateway' && event.event === 'outcome') found.push({ hours: (event.mono - plannedAt.get(event.pushId)!) / HOUR, delivered: event.details[0] === 'delivered' })
  }
  return found
}

describe('a day of 2,000 subscribers who are away a sixth of the time', () => {
  let passed: Passed
  beforeAll(async () => {
    passed = await pass(scenarioOf(2_000), {}, true)
  }, PATIENCE)
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

  it('ends with a balanced ledger: nothing lost, nothing doubled, what still waits is told as in flight', () => {
    const { totals } = passed
    const { ledger } = totals
    expect(totals).toMatchObject({ balanced: true, lost: [], duplicated: [] })
    expect([...totals.notes]).toEqual([])
    expect(ledger.attempted).toBeGreaterThan(9_600)
    expect(ledger).toMatchObject({ accepted: ledger.attempted, refused: 0, lost: 0 })
    expect(ledger.delivered + ledger.expired + ledger.inFlight).toBe(ledger.accepted)
    expect(totals.rows.anyone).toEqual({ attempts: ledger.attempted, asExpected: ledger.attempted, inadequatelyHandled: 0 })
  })

  it('has as many changes between on and off as the behaviour makes', () => {
    const { day, journal } = passed
    const changes = journal.filter(([, { event, mono }]) => (event === 'device-up' || event === 'device-down') && mono >= day.window.from && mono < day.window.to).length
    const expected = 2_000 * 2 * 24 / (12 + OFF_HOURS)
    expect(Math.abs(changes - expected) / expected).toBeLessThan(0.05)
  })

  it('lets as many pushes expire as are for devices that stay away longer than their lifetime', () => {
    const ended = waits(passed.journal)
    const expected = OFF_SHARE * Math.exp(-LIFETIME_HOURS / OFF_HOURS)
    const share = ended.filter(({ delivered }) => !delivered).length / ended.length
    expect(Math.abs(share - expected) / expected).toBeLessThan(0.25)
  })

  it('makes a push wait as long as the rest of an absence lasts, its lifetime at most', () => {
    const expected = OFF_SHARE * OFF_HOURS * (1 - Math.exp(-LIFETIME_HOURS / OFF_HOURS))
    expect(Math.abs(mean(waits(passed.journal).map(({ hours }) => hours)) - expected) / expected).toBeLessThan(0.15)
  })

  it('counts by the hour, and the hours add up to the day', () => {
    const { totals } = passed
    expect(totals.intervals).toHaveLength(24)
    expect(totals.intervals.reduce((sum, { planned }) => sum + planned, 0)).toBe(totals.ledger.attempted)
    const last = totals.intervals[23]!
    expect(Math.abs(last.inFlight - totals.ledger.inFlight)).toBeLessThanOrEqual(10)
  })
})

describe('a curve over the day', () => {
  it('has its busiest hour where it should, as much above the mean as it should', async () => {
    const { totals } = await pass(scenarioOf(1_000, { load: { rate: `${5_000 / 86_400}/s`, warmUp: '0s', duration: '24h', drainMax: '60s', shape: 'day', day: { peak: 1.8, busiest: '20h' } } }))
    const planned = totals.intervals.map((interval) => interval.planned)
    const mean = totals.ledger.attempted / 24
    expect(planned[19]! + planned[20]!).toBeGreaterThan(2 * 1.6 * mean)
    expect(planned[7]! + planned[8]!).toBeLessThan(2 * 0.4 * mean)
  }, PATIENCE)
})

describe('churn', () => {
  it('makes pushes to those who have not come yet undeliverable, and lets those to who has left expire', async () => {
    const share = 0.1
    const { totals } = await pass(scenarioOf(1_000, { virtual: { churn: '10%' } }))
    const { attempted } = totals.ledger
    expect(totals.balanced).toBe(true)
    expect(totals.rows.anyone.inadequatelyHandled).toBe(0)
    const unknown = totals.causes.get('undeliverable\tPAP 2002, SIP 404') ?? 0
    // On average half of the day's pushes come before somebody new does.
    expect(Math.abs(unknown / attempted - share / 2) / (share / 2)).toBeLessThan(0.25)
    // And half after somebody has left; those of the last four hours are still waited with.
    const stay = OFF_SHARE * Math.exp(-LIFETIME_HOURS / OFF_HOURS) * (1 - 4 / 24)
    const left = totals.ledger.expired / attempted - stay
    expect(left).toBeGreaterThan(share / 2 * 0.5)
    expect(left).toBeLessThan(share / 2)
  }, PATIENCE)
})

describe('one seed', () => {
  const short = (seed: number) => ({ ...scenarioOf(300, { load: { rate: '0.02/s', warmUp: '0s', duration: '3h', drainMax: '60s' } }), seed })

  it('is one day, event by event, and another seed another', async () => {
    const trace = async (seed: number): Promise<string> => (await pass(short(seed), { isTraced: true })).day.world.world.trace.hash
    const first = await trace(5)
    expect(await trace(5)).toBe(first)
    expect(await trace(6)).not.toBe(first)
  }, PATIENCE)

  it.each(['tcp', 'udp'] as const)('is the same day whether messages cross whole or as octets, over %s: every octet at its time, every line of every journal', async (transport) => {
    const scenario = short(5)
    const both = await Promise.all((['messages', 'octets'] as const).map((carriage) => pass({ ...scenario, terminals: { ...scenario.terminals, transport } }, { carriage, isTraced: true }, true)))
    const lines = both.map(({ journal }) => journal.map(([part, event]) => [part, line(event)].join(' ')))
    expect(lines[0]!.length).toBeGreaterThan(2_000)
    expect(lines[0]).toEqual(lines[1])
    expect(both[0]!.day.world.world.trace.hash).toBe(both[1]!.day.world.world.trace.hash)
    expect(both[0]!.day.world.network.sent).toEqual(both[1]!.day.world.network.sent)
    expect(both[0]!.totals).toEqual(both[1]!.totals)
  }, PATIENCE)
})

describe('shards', () => {
  it('share subscribers and pushes of one day among them, and add up to it', async () => {
    const scenario = scenarioOf(400, { load: { rate: '0.05/s', warmUp: '0s', duration: '6h', drainMax: '60s' } })
    const whole = await pass(scenario)
    const parts = await Promise.all([0, 1].map((index) => pass(scenario, { shard: { index, count: 2 } })))
    const sum = noTotals(whole.totals.intervals.length)
    for (const { totals } of parts) addTotals(sum, totals)
    expect(parts[0]!.totals.ledger.attempted).toBeGreaterThan(100)
    expect(sum.ledger.attempted).toBe(whole.totals.ledger.attempted)
    expect(sum.intervals.map(({ planned }) => planned)).toEqual(whole.totals.intervals.map(({ planned }) => planned))
    expect(sum.balanced).toBe(true)
    expect(sum.notes.size).toBe(0)
    const merged = parts[0]!.histograms
    merged.add(parts[1]!.histograms.encode())
    expect(merged.summaries('stage')['submit']!.count).toBe(whole.histograms.summaries('stage')['submit']!.count)
  }, PATIENCE)
})

function line({ mono, event, pushId, address, details }: JournalEvent): string {
  return [mono, event, pushId, address, ...details].join('\t')
}

it('warms up at the rate of its load, whatever a live run does: nothing has to be compiled, and a node calibrated at one rate may be swamped by another', async () => {
  const load = { rate: '0.05/s', warmUp: '1h', duration: '2h', drainMax: '60s' }
  const plain = await pass(scenarioOf(400, { load }))
  const fast = await pass(scenarioOf(400, { load: { ...load, warmUpRate: '5/s' } }))
  expect(fast.totals.ledger.attempted).toBe(plain.totals.ledger.attempted)
}, PATIENCE)
