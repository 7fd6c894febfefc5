/**
 * The figures of a run as measures with labels, in the base units of monitoring (seconds, ratios, bytes): what Prometheus and OpenTelemetry are
 * told alike. Knows a record, and neither format.
 */
import type { RunRecord } from '../../reports/record.js'

export interface Point {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  /** Without prefix and unit: `stage_latency`. */
  readonly name: string
  /** As Prometheus appends it to names; empty for a plain number. */
  readonly unit: 'seconds' | 'bytes' | 'ratio' | 'per_second' | ''
  readonly help: string
  readonly points: readonly Point[]
}

const QUANTILES = [['0.5', 'p50Us'], ['0.9', 'p90Us'], ['0.99', 'p99Us'], ['0.999', 'p999Us'], ['1', 'maxUs']] as const

/** In a fixed order; families without a point are left out. Every point carries the scenario's name. */
export function familiesOf(record: RunRecord): Family[] {
  const { stages, scenarios, ledger, throughput, parts, verdict, thresholds = [], population } = record
  const kept = thresholds.map(({ name, passed }) => ({ threshold: name, value: passed ? 1 : 0 }))
  const perStage = Object.entries(stages).filter(([, summary]) => summary.count > 0)
  return [
    family('valid', '', 'Whether the run may be believed.', [{ value: verdict.valid ? 1 : 0 }]),
    family('started_timestamp', 'seconds', 'When the run began, since 1970.', [{ value: Date.parse(record.startedAt) / 1_000 }]),
    family('threshold_kept', '', 'Whether a promise of the scenario was kept.', kept),
    family('stage_latency', 'seconds', 'Latency from the planned time to a milestone, by quantile.', perStage.flatMap(([stage, summary]) => QUANTILES.map(([quantile, key]) => ({ stage, quantile, value: summary[key] / 1e6 })))),
    family('stage_samples', '', 'Samples of a milestone.', perStage.map(([stage, summary]) => ({ stage, value: summary.count }))),
    family('attempts', '', 'Attempts by row of the traffic set.', scenarios.map(({ name, attempts }) => ({ row: name, value: attempts }))),
    family('inadequately_handled', '', 'Attempts that failed or missed their delay limit.', scenarios.map(({ name, inadequatelyHandled }) => ({ row: name, value: inadequatelyHandled }))),
    family('ledger', '', 'What became of all attempts.', Object.entries(ledger).map(([entry, value]) => ({ entry, value }))),
    family('throughput', 'per_second', 'Over the measured window.', (['offered', 'sent', 'accepted', 'delivered'] as const).map((what) => ({ what, value: throughput[`${what}PerSecond`] }))),
    family('part_cpu', 'seconds', 'CPU time of a part.', Object.entries(parts).map(([part, { cpuSeconds }]) => ({ part, value: cpuSeconds }))),
    family('part_memory_max', 'bytes', 'The most resident memory of a part.', Object.entries(parts).map(([part, { rssBytesMax }]) => ({ part, value: rssBytesMax }))),
    family('part_busiest', 'ratio', 'The busiest second of a part’s busiest event loop.', Object.entries(parts).map(([part, { loopUtilisationMax }]) => ({ part, value: loopUtilisationMax }))),
    family('devices_registered', '', 'Devices registered when the load began.', [{ value: population.registered }]),
    family('devices_provisioned', '', 'Devices that should have been.', [{ value: population.provisioned }]),
  ].filter(({ points }) => points.length > 0)

  function family(name: string, unit: Family['unit'], help: string, points: readonly Readonly<Record<string, string | number>>[]): Family {
    return { name, unit, help, points: points.map(({ value, ...labels }) => ({ labels: { scenario: record.scenario, ...Object.fromEntries(Object.entries(labels).map(([label, text]) => [label, String(text)])) }, value: Number(value) })) }
  }
}
