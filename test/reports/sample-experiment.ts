/** The answer of a made-up experiment in which session mode overtakes MESSAGE at about 4 KiB; as many blocks, sizes and bursts as asked for. */
import type { ExperimentAnswer } from '../../reports/answers/experiment.js'
import { scatter } from './sample-answers.js'
import { sampleRecord } from './sample-record.js'

const MODES = ['message', 'session', 'session kept', 'event', 'indirection'] as const
const SIZES: readonly (readonly [string, number])[] = [['64 B', 64], ['512 B', 512], ['1300 B', 1_300], ['4 KiB', 4_096], ['32 KiB', 32_768], ['256 KiB', 262_144], ['1 MiB', 1_048_576]]
const BURSTS = [1, 2, 5, 10, 50]

const COST: Readonly<Record<(typeof MODES)[number], (size: number, burst: number) => number>> = {
  message: (size) => 320 + size * 0.12, session: (size, burst) => 300 + 480 / burst + size * 0.02, 'session kept': (size, burst) => 260 + 200 / burst + size * 0.02, event: (size) => 350 + size * 0.11, indirection: (size) => 520 + size * 0.03,
}

const estimate = (values: readonly number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { trials: values.length, mean, low: mean * 0.96, high: mean * 1.04 }
}

export function sampleExperiment(blocks = 3, changes: Partial<ExperimentAnswer> = {}, sizes = SIZES.length, bursts = BURSTS.length): ExperimentAnswer {
  const { disclosure, scenarioYaml } = sampleRecord()
  const feasible = (mode: string, size: number) => mode !== 'event' || size <= 65_536
  const keys = MODES.flatMap((mode, m) => SIZES.slice(0, sizes).flatMap(([, size], s) => BURSTS.slice(0, bursts).map((burst, b) => ({ id: `${m}-${s}-${b}`, mode, size, burst, levels: [m, s, b] }))))
  const measure = (key: (typeof keys)[number], block: number) => {
    const by = 0.95 + 0.1 * scatter(block * 1_000 + key.size + key.levels[0]! * 17 + key.burst)
    const cpu = COST[key.mode](key.size, key.burst) * by
    return { gatewayCpuMicrosPerPush: cpu, wireBytesPerPush: key.size * 1.05 + 2_200 / key.burst + 300 * key.levels[0]!, messagesPerPush: 4 + 6 / key.burst, endToEndP99Us: 9_000 + cpu * 6, inadequatelyHandledShare: 0 }
  }
  const cells = keys.map((key): ExperimentAnswer['cells'][number] => {
    if (!feasible(key.mode, key.size)) return { id: key.id, levels: key.levels, infeasible: { rule: 'RFC 3428 section 8', words: 'more than 1,300 octets over UDP' }, measured: {} }
    const values = Array.from({ length: blocks }, (_, block) => measure(key, block))
    const names = Object.keys(values[0]!) as (keyof ReturnType<typeof measure>)[]
    return {
      id: key.id, levels: key.levels, measured: Object.fromEntries(names.map((name) => [name, estimate(values.map((value) => value[name]))])),
      endToEnd: Array.from({ length: 40 }, (_, step): [number, number] => [Math.round((2_000 + COST[key.mode](key.size, key.burst) * 3) * 1.06 ** step), (step + 1) / 40]),
    }
  })
  const measured = keys.filter((key) => feasible(key.mode, key.size))
  const trials = Array.from({ length: blocks }, (_, block) => measured.map((key, index): ExperimentAnswer['trials'][number] => {
    const valid = scatter(block * 77 + index) > 0.03
    return { id: `${block + 1}-${key.id}`, cell: key.id, block: block + 1, seed: 1_000 * block + index, perSecond: 100, valid, counted: valid, ...(valid ? {} : { why: 'the terminals were saturated' }), measures: measure(key, block) }
  })).flat()
  return {
    kind: 'experiment', schemaVersion: 1, name: 'message-vs-session', seed: 7, startedAt: '2026-03-14T09:00:00Z', level: 0.95, blocks, complete: true, equal: 'load',
    factors: [{ name: 'mode', levels: MODES.map((name) => ({ name })) }, { name: 'size', levels: SIZES.slice(0, sizes).map(([name, value]) => ({ name, value })) }, { name: 'burst', levels: BURSTS.slice(0, bursts).map((value) => ({ name: String(value), value })) }],
    responses: [
      { name: 'gatewayCpuMicrosPerPush', words: 'CPU of the gateway per push', unit: 'us', better: 'lower' }, { name: 'wireBytesPerPush', words: 'octets on the wire per push', unit: 'bytes', better: 'lower' },
      { name: 'messagesPerPush', words: 'messages per push', unit: '', better: 'lower' }, { name: 'endToEndP99Us', words: 'latency end to end, 99th percentile', unit: 'us', better: 'lower' }, { name: 'inadequatelyHandledShare', words: 'handled inadequately', unit: 'share', better: 'lower' },
    ],
    cells, trials,
    effects: (['gatewayCpuMicrosPerPush', 'wireBytesPerPush', 'endToEndP99Us'] as const).flatMap((response, r) => [1, 2, 3, 4].map((level): ExperimentAnswer['effects'][number] => {
      const ratio = [0.62, 0.5, 1.04, 0.71][level - 1]! * (1 + r * 0.35)
      return { response, factor: 0, level, against: 0, blocks, ratio, low: ratio * 0.93, high: ratio * 1.08, pValue: 0.001, adjustedPValue: 0.012, verdict: ratio * 1.08 < 1 ? 'better' : ratio * 0.93 > 1 ? 'worse' : 'inconclusive' }
    })),
    crossovers: [
      { response: 'gatewayCpuMicrosPerPush', factor: 0, levels: [0, 1], along: 1, at: { burst: 0 }, range: { from: 64, to: 1_048_576 }, blocks, outcome: 'found', quantity: 4_600, low: 3_900, high: 5_500, first: 0 },
      { response: 'gatewayCpuMicrosPerPush', factor: 0, levels: [0, 1], along: 2, at: { size: 0 }, range: { from: 1, to: 50 }, blocks, outcome: 'found', quantity: 17, low: 12, first: 0 },
      { response: 'wireBytesPerPush', factor: 0, levels: [0, 1], along: 1, at: { burst: 0 }, range: { from: 64, to: 1_048_576 }, blocks, outcome: 'none', first: 0, notExcluded: false },
      { response: 'endToEndP99Us', factor: 0, levels: [0, 3], along: 1, at: { burst: 0 }, blocks, outcome: 'unmeasured' },
    ],
    disclosure, scenarioYaml, command: 'pushbench experiment message-vs-session --seed 7', ...changes,
  }
}
