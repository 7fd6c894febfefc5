/** The capacity search against gateways whose capacity is known: what it finds, how sure it is of it, and where it says that it cannot know. */
import fc from 'fast-check'
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { CapacityAnswer } from '../../reports/answers/capacity.js'
import type { RunRecord } from '../../reports/record.js'
import { CapacitySearch, type CapacityOptions } from '../../loadgen/capacity/search.js'
import { DEFAULT_SCENARIO, type Scenario } from '../../loadgen/scenario.js'
import { sampleRecord } from '../reports/sample-record.js'

type Gateway = (scenario: Scenario) => RunRecord

const START = { ...DEFAULT_SCENARIO, load: { ...DEFAULT_SCENARIO.load, rate: 100, duration: 10_000_000 } }

function searchOf(gateway: Gateway, changes: Partial<CapacityOptions> = {}): CapacityAnswer {
  const search = new CapacitySearch({ scenario: START, scenarioYaml: 'name: scenario', startedAt: '2026-03-14T00:00:00Z', command: 'pushbench capacity', perSecondMax: 100_000, replicates: 5, overload: [1.5, 2], ...changes })
  for (let step = search.next(); ; step = search.next()) {
    if (step.type === 'answer') return step.answer
    search.tell(step.trial, gateway(step.trial.scenario))
    if (search.progress().done > search.progress().atMost) throw new Error(`more trials than the ${search.progress().atMost} it said`)
  }
}

/** A run at a rate of which this share was inadequately handled, give or take what chance does to so many attempts. */
function runOf({ load, seed }: Scenario, share: number, changes: Partial<RunRecord> = {}): RunRecord {
  const attempts = Math.round(load.rate * load.duration / 1e6)
  const entropy = new SeededEntropy(seed, 'chance')
  const mean = attempts * share
  // Many rare events: Poisson, by counting exponential gaps; where they are not rare, chance matters no more.
  let failed = 0
  if (mean > 500) failed = Math.round(mean)
  else for (let at = entropy.exponential(1); at < mean; at += entropy.exponential(1)) failed++
  return sampleRecord({ seed, scenarios: [{ name: 'online', attempts, asExpected: attempts - failed, inadequatelyHandled: failed, stage: 'endToEnd', limitUs: 1_000_000 }], ...changes })
}

/** How much faster or slower the machine is in one trial than in another: normal by twelve uniforms. */
function mood(seed: number, deviation: number): number {
  const entropy = new SeededEntropy(seed, 'mood')
  let sum = -6
  for (let draw = 0; draw < 12; draw++) sum += entropy.unit()
  return 1 + deviation * sum
}

/** One server, 1 ms a push, Poisson arrivals, a limit of 50 ms: the share later than it grows as an M/D/1 queue's tail. */
const SERVICE_MILLIS = 1
const LIMIT_MILLIS = 50
function lateShare(perSecond: number): number {
  const busy = perSecond * SERVICE_MILLIS / 1_000
  return busy >= 1 ? 1 - 1 / (busy + 0.02) + 0.05 : Math.min(1, Math.exp(-2 * (1 - busy) / busy * (LIMIT_MILLIS - SERVICE_MILLIS) / SERVICE_MILLIS))
}
/** Where that share is 0.1 %, the objective: by bisection on the formula. */
const QUEUE_CAPACITY = (() => {
  let [low, high] = [1, 1_000]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (lateShare(middle) <= 0.001) low = middle
    else high = middle
  }
  return low
})()

const queue = (deviation: number): Gateway => (scenario) => runOf(scenario, lateShare(scenario.load.rate / mood(scenario.seed, deviation)))
const wall = (perSecond: number): Gateway => (scenario) => runOf(scenario, scenario.load.rate > perSecond ? 1 - perSecond / scenario.load.rate : 0)

describe('a gateway of known capacity', () => {
  it('with a sharp wall: found within 5 % wherever the wall is and wherever the search begins', () => {
    fc.assert(fc.property(fc.double({ min: 40, max: 50_000, noNaN: true }), fc.double({ min: 20, max: 20_000, noNaN: true }), fc.nat(1_000_000), (perSecond, start, seed) => {
      const scenario = { ...START, seed, load: { ...START.load, rate: start } }
      const answer = searchOf(wall(perSecond), { scenario })
      return answer.outcome === 'found' && Math.abs(answer.capacity!.perSecond / perSecond - 1) < 0.05
    }), { numRuns: 200 })
  })

  it('with a queue before one server: found within 5 %, and the interval is around it in 95 of 100 searches, give or take chance', () => {
    expect(QUEUE_CAPACITY).toBeGreaterThan(900)
    let inside = 0
    let farthest = 0
    for (let seed = 0; seed < 200; seed++) {
      const answer = searchOf(queue(0.01), { scenario: { ...START, seed: seed * 1_000 } })
      expect(answer.outcome).toBe('found')
      const { perSecond, low, high } = answer.capacity!
      farthest = Math.max(farthest, Math.abs(perSecond / QUEUE_CAPACITY - 1))
      if (low <= QUEUE_CAPACITY && QUEUE_CAPACITY <= high) inside++
    }
    expect(farthest).toBeLessThan(0.05)
    expect(inside).toBeGreaterThanOrEqual(184)
  })

  it('on a machine of moods: the interval is wider, and says so', () => {
    const widths = [0.01, 0.06].map((deviation) => {
      let sum = 0
      for (let seed = 0; seed < 20; seed++) {
        const { capacity } = searchOf(queue(deviation), { scenario: { ...START, seed: seed * 1_000 } })
        sum += capacity!.high / capacity!.low - 1
      }
      return sum / 20
    })
    expect(widths[1]! / widths[0]!).toBeGreaterThan(2)
  })
})

describe('the search', () => {
  it('asks for each trial with a seed of its own, and gives it the time that seeing 0.1 % takes', () => {
    const seen = new Map<number, Scenario>()
    const answer = searchOf((scenario) => {
      expect(seen.has(scenario.seed)).toBe(false)
      seen.set(scenario.seed, scenario)
      return wall(777)(scenario)
    })
    expect(seen.size).toBe(answer.trials.length)
    for (const { load } of seen.values()) expect(load.rate * load.duration / 1e6).toBeGreaterThanOrEqual(2_995)
    expect(new Set(answer.trials.map(({ id }) => id)).size).toBe(answer.trials.length)
    expect(Schema.is(CapacityAnswer)(answer)).toBe(true)
  })

  it('measures the loads beyond the capacity, too, and names what gave way', () => {
    const answer = searchOf((scenario) => wall(500)(scenario))
    const beyond = answer.trials.filter(({ phase }) => phase === 'overload')
    expect(beyond.map(({ perSecond }) => Math.round(10 * perSecond / answer.capacity!.perSecond) / 10)).toEqual([1.5, 2])
    expect(answer.constraint).toMatch(/inadequately handled, most of them online .*; busiest was the \w+, up to \d+ % of its event loop/)
  })

  it('takes a trial that was cut short for being over-saturated as failed at its rate', () => {
    const answer = searchOf((scenario) => (scenario.load.rate > 640 ? runOf(scenario, 0, { endedEarly: 'in flight and latency both grow' }) : runOf(scenario, 0)))
    expect(answer.outcome).toBe('found')
    expect(Math.abs(answer.capacity!.perSecond / 640 - 1)).toBeLessThan(0.05)
  })
})

describe('what cannot be known is not claimed', () => {
  const late = { valid: false, reasons: ['generator lag: p99 150 ms is more than 10% of the limit'], checks: ['lag'] } as const

  it('where the generator is the limit: at least the highest rate below it that passes', () => {
    const answer = searchOf((scenario) => runOf(scenario, 0, scenario.load.rate > 3_000 ? { verdict: late } : {}))
    expect(answer).toMatchObject({ outcome: 'at-least', why: expect.stringMatching(/^beyond it the instruments, not the system under test, were the limit; at [\d.]+\/s: generator lag/) })
    expect(answer.bound).toBeGreaterThan(3_000 / 1.1)
    expect(answer.bound).toBeLessThanOrEqual(3_000)
    expect(answer.capacity).toBeUndefined()
  })

  it('where the system gives way below the rate at which the instruments do, its capacity is found all the same', () => {
    const answer = searchOf((scenario) => (scenario.load.rate > 3_000 ? runOf(scenario, 0.3, { verdict: late }) : wall(2_200)(scenario)), { overload: [] })
    expect(answer.outcome).toBe('found')
    expect(Math.abs(answer.capacity!.perSecond / 2_200 - 1)).toBeLessThan(0.05)
  })

  it('where the instruments were late once near the edge, the rate is asked again; where they were twice, at least what passed', () => {
    for (const [times, outcome] of [[1, 'found'], [2, 'at-least']] as const) {
      let left = 0
      let begun = false
      const answer = searchOf((scenario) => {
        const { rate } = scenario.load
        if (!begun && rate > 950 && rate < 1_050) {
          begun = true
          left = times
        }
        return left-- > 0 ? runOf(scenario, 0, { verdict: late }) : wall(1_000)(scenario)
      }, { scenario: { ...START, load: { ...START.load, rate: 100 } } })
      expect(answer.outcome, `late ${times} times`).toBe(outcome)
    }
  })

  it('where the instruments are at their limit at once: nothing', () => {
    const answer = searchOf((scenario) => runOf(scenario, 0, { verdict: late }))
    expect(answer).toMatchObject({ outcome: 'unmeasured', why: expect.stringContaining('the instruments were at their limit at 100/s') })
  })

  it('where every rate asked for passes, or none: the bound', () => {
    expect(searchOf((scenario) => runOf(scenario, 0), { perSecondMax: 5_000 })).toMatchObject({ outcome: 'at-least', bound: 5_000, why: 'no higher rate than 5000/s was asked for' })
    expect(searchOf((scenario) => runOf(scenario, 0.5))).toMatchObject({ outcome: 'at-most', bound: 1 })
  })

  it('where trials are invalid: they are repeated, never averaged in, and in the end given up', () => {
    const broken = { valid: false, reasons: ['ledger: 1 of 100 accepted pushes were lost'], checks: ['ledger'] } as const
    const answer = searchOf((scenario) => runOf(scenario, 0, scenario.load.rate >= 400 ? { verdict: broken } : {}))
    expect(answer).toMatchObject({ outcome: 'unmeasured', why: '3 trials at 400/s were invalid; the last: ledger: 1 of 100 accepted pushes were lost' })
    // One bad trial in five costs time, not the answer.
    const found = searchOf((scenario) => (scenario.seed % 5 === 0 ? runOf(scenario, 0, { verdict: broken }) : wall(640)(scenario)))
    expect(Math.abs(found.capacity!.perSecond / 640 - 1)).toBeLessThan(0.05)
  })

  it('where so few attempts fit a trial that the limit cannot be seen: that it needs more time', () => {
    expect(searchOf(wall(5), { scenario: { ...START, load: { ...START.load, rate: 5 } } }))
      .toMatchObject({ outcome: 'unmeasured', why: expect.stringContaining('600 attempts are too few to see 0.1 % of them; give each trial more time') })
  })

  it('where the system is another one from trial to trial: that its edge moves', () => {
    let calls = 0
    const answer = searchOf((scenario) => (++calls < 12 ? wall(1_000)(scenario) : runOf(scenario, 0.5)))
    expect(answer.outcome).toBe('unmeasured')
    expect(answer.why).toContain('not the same from trial to trial')
  })

  it('where it was stopped: what had passed, and that it was stopped', () => {
    const search = new CapacitySearch({ scenario: START, scenarioYaml: '', startedAt: '', command: '', perSecondMax: 1e5, replicates: 2, overload: [] })
    const step = search.next()
    if (step.type === 'trial') search.tell(step.trial, runOf(step.trial.scenario, 0))
    expect(search.answer()).toMatchObject({ outcome: 'unmeasured', bound: 100, why: 'the search was stopped before its end' })
  })

  it('a limit of the system that was hit is a failure of the system, not of the trial', () => {
    const shed = { valid: false, reasons: ['limit hit: admission: 12 submissions answered 503'], checks: ['limit'] } as const
    const answer = searchOf((scenario) => (scenario.load.rate > 640 ? runOf(scenario, 0.3, { verdict: shed }) : runOf(scenario, 0)))
    expect(Math.abs(answer.capacity!.perSecond / 640 - 1)).toBeLessThan(0.05)
  })
})
