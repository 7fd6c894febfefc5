/** Answers with made-up figures, the same each time, for tests that look at how answers are shown; and one of each that has hardly anything. */
import type { CapacityAnswer } from '../../reports/answers/capacity.js'
import type { ComparisonAnswer } from '../../reports/answers/comparison.js'
import type { HistoryAnswer } from '../../reports/answers/history.js'
import type { PlanAnswer } from '../../reports/answers/plan.js'
import { wilson } from '../../reports/statistics/proportion.js'
import { sampleRecord } from './sample-record.js'

const { disclosure, scenarioYaml } = sampleRecord()

/** A share between 0 and 1 that looks like chance and is the same each time. */
export function scatter(seed: number): number {
  const wave = Math.sin(seed * 12.9898 + 4.1414) * 43_758.5453
  return wave - Math.floor(wave)
}

const SEARCH: readonly (readonly [CapacityAnswer['trials'][number]['phase'], number, number?])[] = [
  ['stairs', 200], ['stairs', 400], ['stairs', 800], ['stairs', 1600], ['narrow', 1130], ['narrow', 951], ['narrow', 872],
  ...[1, 2, 3, 4, 5].flatMap((replicate) => [['edge', 911, replicate], ['edge', 955, replicate], ['edge', 933, replicate], ['edge', 922, replicate]] as ['edge', number, number][]),
  ['overload', 1160], ['overload', 1390], ['overload', 1850], ['overload', 2780],
]

export function sampleCapacity(changes: Partial<CapacityAnswer> = {}): CapacityAnswer {
  const trials = SEARCH.map(([phase, perSecond, replicate], index): CapacityAnswer['trials'][number] => {
    const chance = scatter(index + 1)
    const over = perSecond / (922 + 24 * (chance - 0.5))
    const attempts = perSecond * 10
    const inadequatelyHandled = over < 0.7 ? 0 : Math.min(attempts, Math.round(attempts * 0.001 * over ** 30))
    const passed = inadequatelyHandled <= attempts * 0.001
    const invalid = phase === 'narrow' && perSecond === 951
    return {
      id: `${String(index + 1).padStart(2, '0')}-${phase}-${perSecond}`, phase, perSecond, seed: 7 + index, ...(replicate === undefined ? {} : { replicate }),
      result: invalid ? 'invalid' : passed ? 'passed' : 'failed', ...(passed && !invalid ? {} : { why: invalid ? 'datagrams were lost at the terminals' : `${inadequatelyHandled} of ${attempts} failed or came late` }),
      attempts, inadequatelyHandled, interval: wilson(inadequatelyHandled, attempts, 0.95)!,
      deliveredPerSecond: Math.min(perSecond, 1_050 - 0.09 * Math.max(0, perSecond - 1_050)), refusedShare: perSecond > 1_500 ? 1 - 1_050 / perSecond : 0,
      endToEndP50Us: Math.round(3_000 / Math.max(0.04, 1 - Math.min(over, 1.2) / 1.25)), endToEndP99Us: Math.round(14_000 / Math.max(0.02, 1 - Math.min(over, 1.2) / 1.22)), busiest: { part: 'gateway', share: Math.min(1, perSecond / 1_100) },
    }
  })
  return {
    kind: 'capacity', schemaVersion: 1, scenario: 'sample', seed: 7, startedAt: '2026-03-14T09:00:00Z', limit: 0.001, delayLimitUs: 250_000, resolution: 1.025, level: 0.95, outcome: 'found',
    capacity: { perSecond: 924.3, low: 901.2, high: 948, replicates: [911, 922, 944, 917, 928] }, constraint: '12 of 9330 failed or came late; busiest was the gateway, up to 99 % of its event loop',
    trials, disclosure, scenarioYaml, command: 'pushbench capacity sample.yaml --seed 7', ...changes,
  }
}

/** A search that was stopped in its first trial. */
export function stoppedCapacity(): CapacityAnswer {
  const { capacity, constraint, disclosure: machine, delayLimitUs, ...rest } = sampleCapacity({ trials: [], outcome: 'unmeasured', why: 'the search was stopped before its end' })
  return rest
}

const runsOf = (side: string, slower: number): ComparisonAnswer['a']['runs'] => Array.from({ length: 8 }, (_, run) => ({
  file: `${side}/trials/${run + 1}/run.json`, seed: 100 + run, startedAt: '2026-03-14T09:00:00Z', ...(run === 7 ? { leftOut: 'invalid: generator lag p99 80 ms exceeds 10 % of the limit' } : {}),
  endToEnd: sampleRecord().curves['endToEnd']!.map(([percentile, micros]) => [percentile, Math.round(micros * slower * (0.93 + 0.14 * scatter(run + slower * 50)) * (1 + percentile / 400))] as const),
}))

export function sampleComparison(changes: Partial<ComparisonAnswer> = {}): ComparisonAnswer {
  const metric = (name: string, unit: ComparisonAnswer['metrics'][number]['unit'], mean: number, factor: number, verdict: ComparisonAnswer['verdict'], spread: number): ComparisonAnswer['metrics'][number] => {
    const values = (by: number, seed: number) => Array.from({ length: 7 }, (_, trial) => mean * by * (1 + spread * (scatter(seed + trial) - 0.5)))
    return {
      name, unit, better: 'lower', a: values(1, name.length), b: values(factor, name.length + 40), meanA: mean, meanB: mean * factor, ratio: { estimate: factor, low: factor * (1 - spread / 4), high: factor * (1 + spread / 4) },
      pValue: 0.0004, adjustedP: verdict === 'inconclusive' ? 0.31 : 0.0021, verdict, ...(verdict === 'inconclusive' ? { furtherTrials: 18 } : {}),
    }
  }
  return {
    kind: 'comparison', schemaVersion: 1, level: 0.95, margin: 0.05, plan: 'pairs',
    a: { name: 'main', scenario: 'sample', runs: runsOf('main', 1), disclosure, scenarioYaml }, b: { name: 'branch', scenario: 'sample', runs: runsOf('branch', 1.25), disclosure, scenarioYaml },
    differences: [{ of: 'commit', key: 'commit', a: 'abcdef0', b: '1234567' }], verdict: 'worse',
    metrics: [
      metric('endToEnd.p50', 'micros', 3_700, 1.04, 'inconclusive', 0.2), metric('endToEnd.p99', 'micros', 14_800, 1.27, 'worse', 0.2), metric('submit.p99', 'micros', 5_100, 1.01, 'same', 0.05),
      metric('parts.gateway.cpuPerPush', 'micros', 410, 0.88, 'better', 0.04), metric('parts.gateway.memory', 'octets', 180_000_000, 1.004, 'same', 0.02),
    ],
    unmeasured: ['notification.p99'], curves: [], command: 'pushbench compare main branch', ...changes,
  }
}

/** One run against one: nothing can be concluded. */
export function singleComparison(): ComparisonAnswer {
  const single = (side: ComparisonAnswer['a']) => ({ ...side, runs: side.runs.slice(0, 1) })
  const whole = sampleComparison()
  return {
    ...whole, a: single(whole.a), b: single(whole.b), verdict: 'inconclusive',
    metrics: whole.metrics.map(({ ratio, pValue, adjustedP, ...metric }) => ({ ...metric, a: metric.a.slice(0, 1), b: metric.b.slice(0, 1), verdict: 'inconclusive', furtherTrials: 4 })),
    curves: [{ stage: 'endToEnd', points: [{ percentile: 50, a: 3_700, b: 3_850 }, { percentile: 99, a: 14_800, b: 18_800 }, { percentile: 100, a: 0, b: 74_000 }] }],
  }
}

const RUNS = [100, 200, 300, 400, 600, 800]

export function samplePlan(changes: Partial<PlanAnswer> = {}): PlanAnswer {
  const model = (name: string, words: string, unit: PlanAnswer['models'][number]['unit'], at: (x: number) => number, noise: number): PlanAnswer['models'][number] => ({
    name, words, unit, formula: `${name} = a + b × pushes`, along: 'pushes accepted per second', tolerance: 0.1, heldOutErrors: [0.02, -0.03, 0.04], heldOutError: noise, verdict: noise > 0.1 ? 'does-not-hold' : 'holds',
    points: RUNS.map((x, index) => ({ run: `run-${x}/run.json`, x, fitted: at(x), measured: at(x) * (1 + noise * (scatter(index + x) - 0.5) * 2) })),
  })
  return {
    kind: 'plan', schemaVersion: 1, name: 'one million subscribers', startedAt: '2026-03-14T09:00:00Z', level: 0.95, outcome: 'planned', subscribers: 1_000_000,
    nodes: { busyHour: 3, campaign: 5, needed: 5, spare: 1, total: 6 }, constraint: { name: 'cpu', words: 'processor time of the gateway at the peak of the campaign' },
    outputs: [
      { name: 'peak', words: 'pushes at the peak of the campaign', unit: 'perSecond', value: 4_170, rests: [], how: 'campaign recipients over its window' },
      { name: 'cpuMillion', words: 'CPU per million pushes', unit: 'cpuSeconds', value: 1_112, low: 1_050, high: 1_170, rests: ['gatewayCpuPerPush'], how: 'CPU per push times a million' },
      { name: 'offline', words: 'pushes held for who is away, at most', unit: 'count', value: 81_300, rests: [], how: 'Little’s law: rate times mean absence' },
      { name: 'memory', words: 'memory of a node', unit: 'octets', value: 3_900_000_000, rests: ['memoryPerTerminal'], how: 'per registered device, and per push held', extrapolated: 'measured up to 20,000 devices' },
    ],
    resources: [
      { name: 'cpu', words: 'processor time', unit: 'cores', demand: 4.6, perNode: 1, nodes: 5, rests: ['gatewayCpuPerPush'] },
      { name: 'memory', words: 'memory', unit: 'octets', demand: 19_500_000_000, perNode: 8_000_000_000, nodes: 3, rests: ['memoryPerTerminal'], extrapolated: 'measured up to 20,000 devices' },
    ],
    sensitivity: [
      { input: 'subscribers', words: 'subscribers', less: { nodes: 4, exactNodes: 3.68 }, more: { nodes: 6, exactNodes: 5.52 } }, { input: 'campaign.window', words: 'window of the campaign', less: { nodes: 6, exactNodes: 5.6 }, more: { nodes: 4, exactNodes: 3.9 } },
      { input: 'devices', words: 'devices per subscriber', less: { nodes: 5, exactNodes: 4.4 }, more: { nodes: 5, exactNodes: 4.8 } }, { input: 'ttl', words: 'lifetime of a push', less: { nodes: 5, exactNodes: 4.6 }, more: { nodes: 5, exactNodes: 4.6 } },
    ],
    staircase: Array.from({ length: 10 }, (_, index) => ({ subscribers: 216_000 * (index + 1), nodes: index + 1, withSpares: index + 2, constraint: 'cpu', extrapolated: index > 6 })),
    measurements: [{ name: 'gatewayCpuPerPush', words: 'CPU of the gateway per push', unit: 'micros', value: 1_112, low: 1_050, high: 1_170, model: 'gatewayCpu', runs: RUNS.map((x) => `run-${x}/run.json`) }],
    models: [model('gatewayCpu', 'CPU of the gateway', 'cores', (x) => 0.03 + x * 0.001112, 0.03), model('p99', 'Latency end to end, 99th percentile', 'micros', (x) => 9_000 / (1 - x / 1_000), 0.3)],
    runs: RUNS.map((x, index) => ({ file: `run-${x}/run.json`, seed: index, startedAt: '2026-03-14T09:00:00Z', pushesPerSecond: x, registrationsPerSecond: 4, octets: 1_200, sessions: 0, registered: 2_900, ...(index === 5 ? { leftOut: 'invalid: the terminals were saturated' } : {}) })),
    heldOut: {
      words: 'At 500 pushes per second of 800 octets, which no model had seen.',
      predictions: [
        { name: 'cpu', words: 'CPU of the gateway', unit: 'cores', predicted: 0.586, measured: [0.57, 0.6, 0.58, 0.59, 0.61], mean: 0.59, meanLow: 0.571, meanHigh: 0.609, error: -0.007, holds: true },
        { name: 'p99', words: 'latency end to end, 99th percentile', unit: 'micros', predicted: 18_000, measured: [24_000, 22_000, 26_000, 23_000, 25_000], mean: 24_000, meanLow: 22_040, meanHigh: 25_960, error: -0.25, holds: false },
      ],
    },
    uncounted: ['TLS between gateway and core network'], disclosure, planYaml: 'name: one million subscribers\nsubscribers: 1000000\n', command: 'pushbench plan plan.yaml runs/*', ...changes,
  }
}

/** The runs did not tell enough. */
export function unmeasuredPlan(): PlanAnswer {
  const { nodes, constraint, heldOut, disclosure: machine, ...rest } = samplePlan({ outcome: 'unmeasured', why: 'no run had two rates', outputs: [], resources: [], sensitivity: [], staircase: [], measurements: [], models: [], runs: [] })
  return rest
}

/** Forty runs, the last fifteen of them slower; one run without the figure. */
export function sampleHistory(): HistoryAnswer {
  const runs = Array.from({ length: 40 }, (_, run) => ({ time: `2026-03-${String(1 + Math.floor(run / 2)).padStart(2, '0')}T0${run % 2}:00:00Z`, commit: `c0ffee${run}`, run: `runs/${run}` }))
  return {
    kind: 'history', schemaVersion: 1, significance: 0.05, runsLeast: 10, problems: ['history.csv, line 41: torn, left out'],
    series: [{
      scenario: 'sample', series: '0123abcd', runs, leftOut: 2,
      metrics: [{
        name: 'endToEnd.p99', unit: 'micros', better: 'lower', values: runs.map((_, run) => (run === 5 ? null : (run < 25 ? 14_000 : 17_500) * (0.95 + 0.1 * scatter(run)))),
        changes: [{ index: 25, time: runs[25]!.time, commit: runs[25]!.commit, commitBefore: runs[24]!.commit, before: 14_000, after: 17_500, verdict: 'worse', pValue: 0.005 }],
      }, { name: 'throughput.delivered', unit: 'perSecond', better: 'higher', values: runs.map((_, run) => 190 + 10 * scatter(run + 70)), changes: [] }],
    }],
  }
}
