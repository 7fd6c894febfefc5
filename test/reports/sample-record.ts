/** A run record with round, made-up figures, for tests that look at how a record is shown. */
import { HeatCounter } from '../../reports/heat.js'
import type { HeatMap, RunRecord } from '../../reports/record.js'
import { OUTCOME_CLASSES } from '../../reports/stages.js'

const stage = (p50Us: number, factor = 1) => ({ count: 6000, p50Us, p90Us: p50Us * 2 * factor, p99Us: p50Us * 4 * factor, p999Us: p50Us * 9 * factor, maxUs: p50Us * 20 * factor })

/** Latencies around 4 ms with a tail, and one bad second, the same each time. */
export function sampleHeat(seconds: number): HeatMap {
  const heat = new HeatCounter(seconds)
  for (let second = 0; second < seconds; second++) {
    for (let push = 0; push < 198; push++) {
      const wave = Math.sin(push * 12.9898 + second * 78.233) * 43_758.5453
      const share = wave - Math.floor(wave)
      const late = (second === Math.floor(seconds * 0.6) && share > 0.7) || share > 0.985 ? 20 : 1
      heat.add(second, 3_700 * late * (share / (1.02 - share)) ** 0.4)
    }
  }
  return heat.heatMap('endToEnd')!
}

export function sampleRecord(changes: Partial<RunRecord> = {}): RunRecord {
  const stages: Record<string, ReturnType<typeof stage>> = {
    lag: stage(300), submit: stage(1_900), firstSip: stage(2_100), endToEnd: stage(3_700), confirmation: stage(4_600), notification: stage(6_100), 'gateway.store': stage(700),
  }
  return {
    schemaVersion: 1, scenario: 'sample', startedAt: '2026-03-14T09:00:00Z', seed: 7,
    durations: { warmUpSeconds: 5, loadSeconds: 30, drainSeconds: 4 },
    verdict: { valid: true, reasons: [] },
    ledger: { attempted: 6000, accepted: 5950, refused: 50, unanswered: 0, recovered: 0, delivered: 5900, undeliverable: 0, rejected: 0, expired: 50, cancelled: 0, aborted: 0, timeout: 0, unknown: 0, inFlight: 0, lost: 0, duplicated: 0 },
    findings: { balanced: true, lost: [], duplicated: [], notes: [] },
    stages,
    scenarios: [
      { name: 'online', attempts: 4200, asExpected: 4200, inadequatelyHandled: 1, stage: 'endToEnd', limitUs: 500_000, latency: stage(3_700) },
      { name: 'expires', attempts: 50, asExpected: 50, inadequatelyHandled: 0, stage: 'confirmation', limitUs: 2_000_000, latency: stage(900_000, 0.3) },
      { name: 'duplicate', attempts: 50, asExpected: 50, inadequatelyHandled: 0, stage: 'submit', limitUs: 500_000 },
    ],
    throughput: { offeredPerSecond: 200, sentPerSecond: 200, acceptedPerSecond: 198.3, deliveredPerSecond: 196.7 },
    causes: [{ outcome: 'expired', cause: '480 Temporarily Unavailable', count: 50 }],
    devices: [{ name: 'virtual', devices: 3000, received: 7100, repeats: 0, refused: 0, rejectedByCheck: 0 }, { name: 'reference (sip.js)', devices: 20, received: 40, repeats: 0, refused: 0, rejectedByCheck: 0 }],
    bindings: [{ name: 'message', pushes: 5700, delivered: 5690, endToEnd: stage(3_700) }, { name: 'session', pushes: 250, delivered: 210, endToEnd: stage(9_100) }],
    deviceOutcomes: [{ status: '200', count: 510 }, { status: '480', count: 12 }],
    parts: {
      gateway: { cpuSeconds: 4.1, rssBytesMax: 180_000_000, loopUtilisationMax: 0.21 }, ims: { cpuSeconds: 3.2, rssBytesMax: 150_000_000, loopUtilisationMax: 0.16 },
      terminals: { cpuSeconds: 3.9, rssBytesMax: 210_000_000, loopUtilisationMax: 0.18 }, load: { cpuSeconds: 5, rssBytesMax: 160_000_000, loopUtilisationMax: 0.2 },
    },
    population: { provisioned: 2900, registered: 2900, subscribers: 2000, refused: 0, waiting: 0, registrationSeconds: 3.4 },
    little: { measured: 0.92, predicted: 0.9, ok: true },
    intervals: Array.from({ length: 34 }, (_, second) => {
      const load = second < 30 ? 1 : 0
      const wave = 1 + 0.2 * Math.sin(second)
      return {
        second, planned: Math.round(200 * load), sent: 200 * load, accepted: Math.round(198 * load), refused: 2 * load, delivered: Math.round(196 * load * wave), outcomes: second % 5 === 4 ? { expired: 8 } : {},
        inFlight: second < 30 ? 12 : 0, lagP99Us: Math.round(1_100 * wave), submitP50Us: Math.round(1_900 * wave), submitP99Us: Math.round(5_000 * wave), endToEndP50Us: Math.round(3_700 * wave), endToEndP99Us: Math.round(14_000 * wave),
      }
    }),
    heatMap: sampleHeat(30),
    curves: Object.fromEntries(Object.entries(stages).map(([key, { p50Us, p90Us, p99Us, p999Us, maxUs }]) =>
      [key, [[0, Math.round(p50Us / 2)], [25, Math.round(p50Us * 0.8)], [50, p50Us], [75, Math.round(p50Us * 1.4)], [90, p90Us], [99, p99Us], [99.9, p999Us], [99.98, maxUs], [100, maxUs]] as [number, number][]])),
    disclosure: { pushbench: '0.1.0', commit: 'abcdef0', node: 'v20.20.2', kernel: 'Linux 6.1', cpu: 'sample processor', cores: 2, memoryBytes: 25_000_000_000, scenarioHash: '0'.repeat(64), deviations: [] },
    scenarioYaml: 'name: sample\nseed: 7\n',
    ...changes,
  }
}

/** An hour of seconds in which every outcome occurs. */
export function sampleHour(): RunRecord {
  const { intervals } = sampleRecord()
  const outcomes = (second: number) => Object.fromEntries(OUTCOME_CLASSES.slice(1).map(([name]) => [name, 1 + second % 7]))
  return sampleRecord({ intervals: Array.from({ length: 3_600 }, (_, second) => ({ ...intervals[second % 30]!, second, outcomes: outcomes(second) })), heatMap: sampleHeat(3_600) })
}
