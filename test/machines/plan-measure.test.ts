/** The runs a plan asks for, on gateways whose costs are known: what they tell, that a prediction comes before what is predicted is asked for, and when it fails. */
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { RunRecord } from '../../reports/record.js'
import { PlanMeasure, type Measured } from '../../loadgen/plan/measure.js'
import { planOf } from '../../loadgen/plan/plan.js'
import { DEFAULT_PLAN } from '../../loadgen/plan/plan-file.js'
import { brokenRules } from '../../loadgen/scenario-rules.js'
import type { Trial } from '../../loadgen/trials.js'
import { linear, runOf, type Cores, type Known } from './plan-evidence.js'

const OPTIONS = { plan: DEFAULT_PLAN, seed: 7, perSecond: 400, trialSeconds: 10 }

/** What a run of the trial's scenario is to a gateway with these costs. */
function knownOf({ scenario: { load, push, population, traffic } }: Trial): Known {
  const returning = Math.floor(population.subscribers * population.returning.share)
  const waits = traffic.expires.share === 1
  return {
    perSecond: load.rate, octets: push.size, session: push.binding === 'session', registrations: returning === 0 ? 0 : 2 * returning * 1e6 / (population.returning.on + population.returning.off),
    registered: population.subscribers, waiting: waits ? load.rate * 15 : 0,
  }
}

interface Course {
  readonly trials: readonly Trial[]
  readonly predictedAt: number | undefined
  readonly measured: Measured
}

function courseOf(record: (trial: Trial, known: Known) => RunRecord): Course {
  const planner = new PlanMeasure(OPTIONS)
  const trials: Trial[] = []
  let predictedAt: number | undefined
  for (let step = planner.next(); ; step = planner.next()) {
    if (step.type === 'answer') return { trials, predictedAt, measured: step.answer }
    if (trials.length > 200) throw new Error('it asks for ever')
    const { trial } = step
    trials.push(trial)
    const { done, atMost } = planner.progress()
    expect(done).toBe(trials.length - 1)
    expect(done).toBeLessThan(atMost)
    planner.tell(trial, record(trial, knownOf(trial)))
    if (planner.prediction() !== undefined) predictedAt ??= trials.length
  }
}

const noisy = (cores: Cores, noise: number) => (trial: Trial, known: Known): RunRecord => {
  const { record } = runOf(known, cores)
  const entropy = new SeededEntropy(trial.scenario.seed, 'noise')
  const factor = 1 + noise * (entropy.unit() + entropy.unit() + entropy.unit() - 1.5)
  const { gateway, ...others } = record.work!
  return { ...record, work: { ...others, gateway: { ...gateway!, cpuSeconds: gateway!.cpuSeconds * factor } } }
}

describe('the runs of a plan', () => {
  it('can run as they are written, none twice, and differ in what costs are told by', () => {
    const { trials } = courseOf(noisy(linear, 0))
    expect(trials.flatMap(({ scenario }) => brokenRules(scenario))).toEqual([])
    expect(new Set(trials.map(({ id }) => id)).size).toBe(trials.length)
    expect(new Set(trials.map(({ scenario }) => scenario.seed)).size).toBe(trials.length)
    const known = trials.map(knownOf)
    for (const of of [(one: Known) => one.perSecond, (one: Known) => one.octets!, (one: Known) => one.registrations!, (one: Known) => one.registered!, (one: Known) => one.waiting!]) {
      expect(new Set(known.map(of)).size).toBeGreaterThan(1)
    }
  })

  it('predict, before it is asked for, a configuration that none of them had, and within 10 % on a gateway with noise', () => {
    const { trials, predictedAt, measured: { heldOut, runs } } = courseOf(noisy(linear, 0.06))
    const first = trials.findIndex(({ id }) => id.startsWith('held-out'))
    expect(predictedAt).toBe(first)
    expect(trials.slice(first)).toHaveLength(5)
    const { load, push } = trials[first]!.scenario
    expect(trials.slice(0, first).some(({ scenario }) => scenario.load.rate === load.rate && scenario.push.size === push.size)).toBe(false)
    expect(runs).toHaveLength(first)
    const cost = heldOut!.predictions.find(({ name }) => name === 'gateway.perPush')!
    expect(cost.predicted).toBeGreaterThan(0.9 * linear({ perSecond: load.rate, octets: push.size }) * 1e6 / load.rate)
    expect(cost.measured).toHaveLength(5)
    expect(cost).toMatchObject({ holds: true })
    expect(cost.meanLow).toBeLessThan(cost.mean!)
    expect(heldOut!.predictions.map(({ name }) => name)).toEqual(expect.arrayContaining(['gateway.perPush', 'gateway.cores', 'delivered', 'wire.perPush']))
  })

  it('say that a prediction does not hold when the gateway changed meanwhile', () => {
    const { measured } = courseOf((trial, known) => noisy((load) => linear(load) * (trial.id.startsWith('held-out') ? 1.3 : 1), 0.02)(trial, known))
    const cost = measured.heldOut!.predictions.find(({ name }) => name === 'gateway.perPush')!
    expect(cost).toMatchObject({ holds: false })
    expect(cost.error).toBeLessThan(-0.15)
  })

  it('are repeated when they are invalid, with another seed, and given up after the third: what is not known is not made up', () => {
    let invalid = 0
    const { trials, measured } = courseOf((trial, known) => {
      const record = noisy(linear, 0.02)(trial, known)
      if (!trial.id.startsWith('session')) return record
      invalid++
      return { ...record, verdict: { valid: false, reasons: ['the generator was late'] } }
    })
    const sessions = trials.filter(({ id }) => id.startsWith('session'))
    expect(invalid).toBe(sessions.length)
    expect(sessions.map(({ id }) => id)).toEqual(['session-50-4096', 'session-50-4096-again-1', 'session-50-4096-again-2', 'session-100-4096', 'session-100-4096-again-1', 'session-100-4096-again-2', 'session-200-4096', 'session-200-4096-again-1', 'session-200-4096-again-2'])
    const answer = planOf({ plan: DEFAULT_PLAN, planYaml: '', evidence: { runs: measured.runs, capacities: [] }, startedAt: '2026-03-14T00:00:00Z', command: 'pushbench plan --measure' })
    expect(answer.runs.filter(({ leftOut }) => leftOut !== undefined)).toHaveLength(invalid)
    expect(answer.uncounted.join()).toContain('what a session costs: no run had any')
    expect(answer.outputs.find(({ name }) => name === 'nodes.total')!.extrapolated).toContain('contents of 4,096 octets')
  })

  it('with every trial invalid end without a prediction, and nothing is planned', () => {
    const { trials, measured } = courseOf((trial, known) => ({ ...noisy(linear, 0)(trial, known), verdict: { valid: false, reasons: ['the generator was late'] } }))
    expect(measured.heldOut).toBeUndefined()
    expect(trials.some(({ id }) => id.startsWith('held-out'))).toBe(false)
    const answer = planOf({ plan: DEFAULT_PLAN, planYaml: '', evidence: { runs: measured.runs, capacities: [] }, startedAt: '2026-03-14T00:00:00Z', command: 'pushbench plan --measure' })
    expect(answer.outcome).toBe('unmeasured')
    expect(answer.nodes).toBeUndefined()
  })
})
