/** Experiments against systems whose costs are known: what is found of them, how sure it is, and what is not claimed. */
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { crossingOf } from '../../loadgen/experiment/crossing.js'
import { designOf, type Design } from '../../loadgen/experiment/design.js'
import { Experiment, REPEATS_MAX, type ExperimentOptions } from '../../loadgen/experiment/experiment.js'
import { measuresOf } from '../../loadgen/experiment/measures.js'
import { ExperimentPlan } from '../../loadgen/experiment/plan-schema.js'
import { experimentCsv } from '../../loadgen/experiment/rows.js'
import { crossoverWords, experimentLines } from '../../loadgen/experiment/summary.js'
import type { Scenario } from '../../loadgen/scenario.js'
import type { Trial } from '../../loadgen/trials.js'
import { ExperimentAnswer, RESPONSES } from '../../reports/answers/experiment.js'
import type { RunRecord } from '../../reports/record.js'
import { sampleRecord } from '../reports/sample-record.js'

type System = (scenario: Scenario, trial: Trial) => RunRecord

const SIZES = { name: 'size', key: 'push.size', levels: ['64B', '512B', '4KiB', '32KiB'] } as const
const WAYS = { name: 'way', key: 'push.binding', levels: ['message', 'session'] } as const

function design(...factors: (typeof ExperimentPlan.Encoded)['factors'][number][]): Design {
  const [first, ...others] = factors
  const made = designOf(Schema.decodeUnknownSync(ExperimentPlan)({ name: 'sample', factors: [first!, ...others] }))
  if (!made.ok) throw new Error(JSON.stringify(made.problems))
  return made.design
}
const BOTH = design(WAYS, SIZES)

function experimentOf(changes: Partial<ExperimentOptions> = {}): Experiment {
  return new Experiment({ design: BOTH, name: 'sample', seed: 1, blocks: 5, equal: 'load', startedAt: '2026-03-14T00:00:00Z', command: 'pushbench experiment sample.yaml --seed 1', scenarioYaml: 'name: sample\n', ...changes })
}

function performed(experiment: Experiment, system: System, most = Infinity): Trial[] {
  const trials: Trial[] = []
  for (let step = experiment.next(); step.type === 'trial' && trials.length < most; step = experiment.next()) {
    trials.push(step.trial)
    experiment.tell(step.trial, system(step.trial.scenario, step.trial))
    expect(experiment.progress().done).toBeLessThanOrEqual(experiment.progress().atMost)
  }
  return trials
}

/** Normal by twelve uniforms. */
function normal(entropy: SeededEntropy): number {
  let sum = -6
  for (let draw = 0; draw < 12; draw++) sum += entropy.unit()
  return sum
}

/** A gateway that uses so much CPU per push; all else is the same whatever is pushed. */
function recordOf(cpuMicros: number, changes: Partial<RunRecord> = {}): RunRecord {
  const delivered = 400
  return sampleRecord({
    work: { gateway: { seconds: 4, cpuSeconds: cpuMicros * delivered / 1e6, counts: { accepted: delivered, delivered, wireBytesIn: 400_000, wireBytesOut: 400_000, sipMessagesIn: 400, sipMessagesOut: 400 }, held: { dialogsOpen: 3 } } }, ...changes,
  })
}

/** A MESSAGE costs 100 µs times size^0.3, a session 800 µs times size^0.05: equal at (800 / 100)^(1 / 0.25) octets. */
const CROSSOVER = 8 ** 4
function powerLaw(deviation: number, run: number): System {
  return ({ push, seed }) => {
    // The machine's mood of a block is shared by its trials; what is each trial's own is not.
    const mood = Math.exp(0.3 * normal(new SeededEntropy(run, `block ${seed}`)))
    const own = Math.exp(deviation * normal(new SeededEntropy(run, `trial ${seed} ${push.binding} ${push.size}`)))
    return recordOf(mood * own * (push.binding === 'message' ? 100 * push.size ** 0.3 : 800 * push.size ** 0.05))
  }
}

const cpuCrossover = ({ crossovers }: ExperimentAnswer) => crossovers.find(({ response }) => response === 'gatewayCpuMicrosPerPush')!

describe('a crossover that is known', () => {
  it('is found exactly where nothing varies', () => {
    const experiment = experimentOf({ blocks: 2 })
    performed(experiment, powerLaw(0, 1))
    const crossover = cpuCrossover(experiment.answer())
    expect(crossover).toMatchObject({ outcome: 'found', first: 0, levels: [0, 1], range: { from: 64, to: 32_768 }, further: 0 })
    expect(crossover.quantity! / CROSSOVER).toBeCloseTo(1, 6)
    expect(crossover.low! / CROSSOVER).toBeCloseTo(1, 1)
    expect(crossover.high! / CROSSOVER).toBeCloseTo(1, 1)
  })

  it('lies within its interval in 95 of 100 experiments, give or take chance, also with three blocks', { timeout: 120_000 }, () => {
    for (const blocks of [3, 6]) {
      let inside = 0
      const RUNS = 1_000
      for (let run = 0; run < RUNS; run++) {
        const entropy = new SeededEntropy(run, 'blocks')
        // Below the crossover a session costs more than a MESSAGE, by size^-0.25; each trial of a pair has chance of its own.
        const points = [64, 512, 4_096, 32_768].map((quantity) => ({
          quantity, differences: new Map(Array.from({ length: blocks }, (_, block) => [block, 0.25 * Math.log(CROSSOVER / quantity) + 0.1 * normal(entropy) - 0.1 * normal(entropy)])),
        }))
        const { low, high } = crossingOf(points, 0.95)
        if ((low ?? 0) <= CROSSOVER && CROSSOVER <= (high ?? Infinity)) inside++
      }
      // 95 in 100 with a standard error of 0.7; looking from quantity to quantity may keep a little more.
      expect(inside / RUNS, `${blocks} blocks`).toBeGreaterThan(0.93)
      expect(inside / RUNS, `${blocks} blocks`).toBeLessThan(0.99)
    }
  })

  it('is not claimed where one way is better throughout, and an interval that leaves the range is open there', () => {
    const experiment = experimentOf()
    performed(experiment, ({ push, seed }) => recordOf((push.binding === 'message' ? 100 : 400) + seed % 7))
    expect(cpuCrossover(experiment.answer())).toMatchObject({ outcome: 'none', first: 0, notExcluded: false })
    const close = experimentOf()
    performed(close, powerLaw(0.8, 3))
    const { low, high, outcome, notExcluded } = cpuCrossover(close.answer())
    expect(outcome === 'found' ? low === undefined || high === undefined || high / low > 4 : notExcluded).toBe(true)
  })

  it('is told with what ended the range', () => {
    const experiment = experimentOf({ design: design(WAYS, { ...SIZES, levels: [...SIZES.levels, '256KiB'] }), blocks: 2 })
    performed(experiment, powerLaw(0.05, 1))
    const answer = experiment.answer()
    expect(cpuCrossover(answer)).toMatchObject({ outcome: 'found', range: { to: 32_768 }, bounded: expect.stringMatching(/^push\.size: more than 60000 octets do not fit a MESSAGE/) })
    expect(answer.cells.filter(({ infeasible }) => infeasible !== undefined)).toHaveLength(1)
    expect(answer.trials).toHaveLength(2 * 9)
  })
})

describe('the crossing of differences', () => {
  const at = (quantity: number, ...values: number[]) => ({ quantity, differences: new Map(values.map((value, block) => [block, value])) })
  it('takes the first change of sign and counts the others', () => {
    expect(crossingOf([at(1, 1, 1.1), at(10, -1, -1.1), at(100, 1, 1.1)], 0.95)).toMatchObject({ outcome: 'found', sign: 1, further: 1 })
  })
  it('passes over a quantity at which both are the same', () => {
    const { quantity } = crossingOf([at(1, 1, 1), at(10, 0, 0), at(100, -1, -1)], 0.95)
    expect(quantity).toBeCloseTo(10, 9)
  })
  it('uses plain distances where a quantity is 0', () => {
    expect(crossingOf([at(0, 1, 1), at(10, -1, -1)], 0.95).quantity).toBeCloseTo(5, 9)
  })
  it('claims no place where the means change sides by chance: none is excluded, not even that there is no change', () => {
    const noise = crossingOf([at(1, 0.5, -0.4), at(10, -0.6, 0.3), at(100, 0.7, -0.5)], 0.95)
    expect(noise).toMatchObject({ outcome: 'undecided', sign: 0, notExcluded: true })
    expect(noise.quantity).toBeUndefined()
  })
  it('has nobody better where all is the same', () => {
    expect(crossingOf([at(1, 0, 0), at(10, 0, 0)], 0.95)).toMatchObject({ outcome: 'none', sign: 0, notExcluded: true })
  })
})

describe('effects', () => {
  it('are ratios within blocks, so that a machine whose mood changes between blocks hides nothing', () => {
    const experiment = experimentOf()
    performed(experiment, ({ push, seed }) => recordOf((push.binding === 'message' ? 200 : 260) * Math.exp(0.5 * normal(new SeededEntropy(seed, 'mood'))) * Math.exp(0.01 * normal(new SeededEntropy(seed, `${push.binding}${push.size}`)))))
    const effect = experiment.answer().effects.find(({ response, factor, at }) => response === 'gatewayCpuMicrosPerPush' && factor === 0 && at === undefined)!
    expect(effect).toMatchObject({ level: 1, against: 0, blocks: 5, verdict: 'worse' })
    expect(effect.ratio).toBeCloseTo(1.3, 1)
    expect(effect.low!).toBeGreaterThan(1.25)
    expect(effect.high!).toBeLessThan(1.35)
  })

  it('of nothing are found in at most 5 of 100 experiments, over all responses together', { timeout: 120_000 }, () => {
    let found = 0
    const RUNS = 100
    for (let run = 0; run < RUNS; run++) {
      const experiment = experimentOf({ design: design(WAYS), blocks: 4 })
      performed(experiment, ({ seed, push }) => {
        const entropy = new SeededEntropy(run, `${seed} ${push.binding}`)
        const chance = (): number => Math.exp(0.1 * normal(entropy))
        const base = recordOf(200 * chance())
        return { ...base, stages: { endToEnd: { ...base.stages['endToEnd']!, p50Us: 1e6 * chance(), p99Us: 1e7 * chance() } }, throughput: { ...base.throughput, deliveredPerSecond: 100 * chance() } }
      })
      if (experiment.answer().effects.some(({ at, verdict }) => at === undefined && verdict !== 'inconclusive')) found++
    }
    expect(found / RUNS).toBeLessThan(0.13)
  })

  it('know that more is better of what is delivered, and of a single block nothing for certain', () => {
    const experiment = experimentOf({ design: design(WAYS), blocks: 4 })
    performed(experiment, ({ push, seed }) => ({ ...recordOf(100), throughput: { ...sampleRecord().throughput, deliveredPerSecond: (push.binding === 'message' ? 100 : 150) + seed % 3 } }))
    expect(experiment.answer().effects.find(({ response }) => response === 'deliveredPerSecond')).toMatchObject({ verdict: 'better' })
    const single = experimentOf({ blocks: 1 })
    performed(single, powerLaw(0.1, 1))
    expect(single.answer().effects.every(({ verdict, low, pValue }) => verdict === 'inconclusive' && low === undefined && pValue === undefined)).toBe(true)
    expect(cpuCrossover(single.answer()).outcome).toBe('unmeasured')
  })
})

describe('trials', () => {
  const invalid = sampleRecord({ verdict: { valid: false, reasons: ['generator lag: p99 150 ms'], checks: ['lag'] } })

  it('that are invalid are asked for again at the end of their block with another seed, and count in nothing', () => {
    const experiment = experimentOf({ blocks: 2 })
    let failed: string | undefined
    const trials = performed(experiment, (scenario, trial) => {
      failed ??= trial.id
      return trial.id === failed ? invalid : powerLaw(0.1, 1)(scenario, trial)
    })
    const answer = experiment.answer()
    expect(answer.trials[0]).toMatchObject({ valid: false, counted: false, why: 'generator lag: p99 150 ms', measures: {} })
    expect(trials).toHaveLength(2 * 8 + 1)
    expect(trials[8]!.id).toBe(`${failed}-again1`)
    expect(trials[8]!.scenario.push).toEqual(trials[0]!.scenario.push)
    expect(trials[8]!.scenario.seed).not.toBe(trials[0]!.scenario.seed)
    expect(answer.cells.every(({ measured }) => measured['gatewayCpuMicrosPerPush']!.trials === 2)).toBe(true)
    expect(new Set(trials.map(({ id }) => id)).size).toBe(trials.length)
  })

  it('that stay invalid are given up, and what is missing is said', () => {
    const experiment = experimentOf({ blocks: 2 })
    const trials = performed(experiment, (scenario, trial) => (scenario.push.size === 64 && scenario.push.binding === 'session' ? invalid : powerLaw(0.05, 1)(scenario, trial)))
    expect(trials).toHaveLength(2 * (8 + REPEATS_MAX))
    const answer = experiment.answer()
    expect(answer.complete).toBe(true)
    // The range begins where both ways could be measured.
    expect(cpuCrossover(answer)).toMatchObject({ outcome: 'found', range: { from: 512 } })
    const nothing = experimentOf({ blocks: 2 })
    performed(nothing, () => invalid)
    expect(nothing.answer()).toMatchObject({ complete: true, effects: [] })
    expect(nothing.answer().crossovers.every(({ outcome }) => outcome === 'unmeasured')).toBe(true)
  })

  it('are the same after a stop as without one, none twice and none missing', () => {
    const whole = experimentOf({ blocks: 3 })
    const all = performed(whole, powerLaw(0.1, 4))
    const lying = new Map<string, RunRecord>()
    const stopped = experimentOf({ blocks: 3 })
    performed(stopped, (scenario, trial) => {
      const record = powerLaw(0.1, 4)(scenario, trial)
      lying.set(trial.id, record)
      return record
    }, 13)
    expect(stopped.answer()).toMatchObject({ complete: false })
    // What the driver does: it asks a new planner, and tells what lies there before it performs anything.
    let anew = 0
    const second = experimentOf({ blocks: 3 })
    performed(second, (scenario, trial) => {
      const found = lying.get(trial.id)
      if (found === undefined) anew++
      return found ?? powerLaw(0.1, 4)(scenario, trial)
    })
    expect(anew).toBe(all.length - 13)
    expect(second.answer()).toEqual(whole.answer())
  })

  it('of a stopped block lie on nobody\'s account: the effects rest on the blocks before it', () => {
    const experiment = experimentOf({ blocks: 4 })
    performed(experiment, powerLaw(0.05, 2), 3 * 8 + 3)
    const overall = experiment.answer().effects.filter(({ response, at, factor }) => response === 'gatewayCpuMicrosPerPush' && at === undefined && factor === 0)
    expect(overall).toHaveLength(1)
    expect(overall[0]!.blocks).toBe(3)
  })
})

describe('figures per push', () => {
  const gateway = (counts: Record<string, number>) => measuresOf(sampleRecord({ work: { gateway: { seconds: 4, cpuSeconds: 0.2, counts }, ims: { seconds: 2, cpuSeconds: 0.05, counts: {} } } }))

  it('are quotients of what was done and delivered in the same stretch of time', () => {
    expect(gateway({ accepted: 400, delivered: 400, wireBytesIn: 100_000, wireBytesOut: 300_000, contentBytesOut: 400_000, sipMessagesIn: 400, sipMessagesOut: 800, msrpMessagesIn: 40, sessions: 20 })).toMatchObject({
      // The core network used 25 ms a second for 100 pushes.
      gatewayCpuMicrosPerPush: 500, coreCpuMicrosPerPush: 250, wireBytesPerPush: 2_000, messagesPerPush: 3.1, sipMessagesPerPush: 3, msrpMessagesPerPush: 0.1, sessionsPerPush: 0.05, endToEndP50Us: 3_700,
    })
  })

  it('are not told where pushes came and ended in unlike numbers, since their work would be put down to others', () => {
    for (const counts of [{ accepted: 400, delivered: 350 }, { accepted: 100, delivered: 400 }, { accepted: 400 }]) {
      const measures = gateway({ ...counts, wireBytesOut: 300_000 })
      expect(measures.wireBytesPerPush).toBeUndefined()
      expect(measures.gatewayCpuMicrosPerPush).toBeUndefined()
      expect(measures.endToEndP50Us).toBe(3_700)
    }
    expect(gateway({ accepted: 400, delivered: 300, expired: 90 }).gatewayCpuMicrosPerPush).toBeCloseTo(666.7, 1)
  })
})

describe('at equal objective', () => {
  /** Carries so many a second by each way; beyond, a tenth is late. */
  const system: System = ({ push, load }) => {
    const attempts = 5_000
    const late = load.rate > (push.binding === 'message' ? 900 : 300) ? 500 : 0
    return { ...recordOf(100), scenarios: [{ name: 'online', attempts, asExpected: attempts - late, inadequatelyHandled: late, stage: 'endToEnd', limitUs: 1_000_000 }], throughput: { ...sampleRecord().throughput, deliveredPerSecond: load.rate } }
  }

  it('the highest rate that keeps it is searched in every trial, and what is measured is measured there', () => {
    const experiment = experimentOf({ design: design(WAYS), blocks: 3, equal: 'objective' })
    performed(experiment, system)
    const { trials, cells, effects } = experiment.answer()
    const counted = trials.filter((trial) => trial.counted)
    expect(counted).toHaveLength(2 * 3)
    const rate = (cell: number): number => cells[cell]!.measured['deliveredPerSecond']!.mean
    expect(rate(0)).toBeLessThanOrEqual(900)
    expect(rate(0)).toBeGreaterThan(900 / 1.1)
    expect(rate(1)).toBeLessThanOrEqual(300)
    expect(rate(1)).toBeGreaterThan(300 / 1.1)
    expect(effects.find(({ response }) => response === 'deliveredPerSecond')!.ratio).toBeCloseTo(rate(1) / rate(0), 9)
    expect(new Set(trials.map(({ id }) => id)).size).toBe(trials.length)
  })

  it('a search that meets the limit of the instruments says nothing of the system', () => {
    const experiment = experimentOf({ design: design(WAYS), blocks: 2, equal: 'objective' })
    performed(experiment, (scenario, trial) => {
      const record = system(scenario, trial)
      return scenario.push.binding === 'session' && scenario.load.rate > 250 ? { ...record, verdict: { valid: false, reasons: ['generator lag'], checks: ['lag'] } } : record
    })
    expect(experiment.answer().trials.filter(({ counted, cell }) => counted && cell === 'c002')).toEqual([])
    expect(experiment.answer().trials.filter(({ counted, cell }) => counted && cell === 'c001')).toHaveLength(2)
  })
})

describe('what is handed over', () => {
  const experiment = experimentOf({ design: design({ ...WAYS, name: 'way, "binding"' }, SIZES), blocks: 3 })
  performed(experiment, powerLaw(0.1, 1))
  const answer = experiment.answer()

  it('keeps to the published schema', () => {
    expect(Schema.decodeUnknownSync(ExperimentAnswer)(JSON.parse(JSON.stringify(answer)))).toEqual(answer)
  })

  it('has every trial as a row of a CSV that loads back with every figure', () => {
    const [header, ...rows] = parsed(experimentCsv(answer))
    expect(header!.slice(0, 9)).toEqual(['id', 'cell', 'way, "binding"', 'size', 'seed', 'block', 'per_second', 'valid', 'counted'])
    expect(header).toContain('gateway_cpu_micros_per_push')
    expect(rows).toHaveLength(answer.trials.length)
    rows.forEach((row, index) => {
      const { id, seed, block, measures } = answer.trials[index]!
      expect(row).toHaveLength(header!.length)
      expect([row[0], Number(row[4]), Number(row[5])]).toEqual([id, seed, block])
      RESPONSES.forEach((response, at) => {
        const cell = row[10 + at]!
        expect(cell === '' ? undefined : Number(cell)).toBe(measures[response])
      })
    })
  })

  it('has a row for what cannot be, which says why', () => {
    const forbidden = experimentOf({ design: design(WAYS, { key: 'push.size', levels: ['64B', '61kB'] }), blocks: 1 })
    performed(forbidden, powerLaw(0, 1))
    const rows = parsed(experimentCsv(forbidden.answer()))
    expect(rows.at(-1)!.slice(1, 4)).toEqual(['c002', 'message', '61kB'])
    expect(rows.at(-1)!.join()).toContain('push.size: more than 60000 octets do not fit a MESSAGE')
    expect(experimentLines(forbidden.answer(), false).join(' ').replace(/ +/g, ' ')).toContain('1 cell cannot be (message, 61kB): push.size: more than 60000 octets do not fit')
  })

  it('is told in words: the crossover with its interval, and who is better from there', () => {
    const text = experimentLines(answer, false).join('\n')
    expect(text).toContain('message against session, along size')
    expect(text).toMatch(/gateway CPU\s+\d[\d.]* (?:B|KiB) \(.* to .*\), from there session is better/)
    expect(text).toMatch(/wire octets\s+no crossover from 64 B to 32\.0 KiB: the same/)
    expect(crossoverWords({ ...cpuCrossover(answer), outcome: 'found', quantity: 4_096, low: undefined, high: 8_192 }, answer.factors)).toBe('4.00 KiB (below 64 B to 8.00 KiB), from there session is better')
    expect(crossoverWords({ ...cpuCrossover(answer), outcome: 'undecided' }, answer.factors)).toBe('cannot be told from 64 B to 32.0 KiB: the means change sides, and no quantity is excluded')
  })

  it('holds the latencies of a cell as one distribution, its trials weighing by their samples', () => {
    const curve = answer.cells[0]!.endToEnd!
    expect(curve.at(-1)![1]).toBe(1)
    expect(curve.every(([micros, share], index) => index === 0 || (micros > curve[index - 1]![0] && share >= curve[index - 1]![1]))).toBe(true)
    expect(curve.find(([micros]) => micros === 3_700)![1]).toBeCloseTo(0.5, 9)
  })
})

/** RFC 4180, character by character. */
function parsed(text: string): string[][] {
  const rows: string[][] = [['']]
  let isQuoted = false
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!
    const row = rows.at(-1)!
    if (character === '"' && isQuoted && text[index + 1] === '"') row[row.length - 1] += text[++index]!
    else if (character === '"') isQuoted = !isQuoted
    else if (character === ',' && !isQuoted) row.push('')
    else if (character === '\n' && !isQuoted) rows.push([''])
    else row[row.length - 1] += character
  }
  expect(rows.pop()).toEqual([''])
  return rows
}
