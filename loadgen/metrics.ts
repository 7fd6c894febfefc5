/**
 * The figures of a run by name: what thresholds, comparisons, history and exports call `endToEnd.p99` or `parts.gateway.cpuPerPush`, with
 * the unit and the direction that is better. One list for all of them, read off a run record; knows nothing of what is done with a figure.
 */
import type { ComparedMetricRow } from '../reports/answers/comparison.js'
import { STAGES, type RunRecord } from '../reports/record.js'
import { FURTHER_STAGES } from '../reports/stages.js'
import { ROWS } from './scenario.js'

export type Unit = ComparedMetricRow['unit']

export interface Metric {
  readonly name: string
  readonly unit: Unit
  readonly better: 'lower' | 'higher'
  /** In words, for a list of what there is. */
  readonly meaning: string
  /** Undefined where the record has no such figure: nothing was measured, or the record is older than it. */
  readonly of: (record: RunRecord) => number | undefined
}

/** What the gateway measures of its own steps (core/live/gateway-service.ts). */
const GATEWAY_STAGES = ['gateway.http', 'gateway.store', 'gateway.notify'] as const
const PERCENTILES = [['p50', 'p50Us'], ['p90', 'p90Us'], ['p99', 'p99Us'], ['p999', 'p999Us'], ['max', 'maxUs']] as const
const MEASURED_PARTS = ['gateway', 'ims', 'terminals', 'generator'] as const
/** Of the ledger, what there should be much of. */
const WELCOME = ['attempted', 'accepted', 'recovered', 'delivered'] as const
const UNWELCOME = ['refused', 'unanswered', 'undeliverable', 'rejected', 'expired', 'cancelled', 'aborted', 'timeout', 'unknown', 'inFlight', 'lost', 'duplicated'] as const

/** Every figure there is, by name. */
export const METRICS: ReadonlyMap<string, Metric> = new Map(all().map((metric) => [metric.name, metric]))

function all(): Metric[] {
  return [...stages(), ...rows(), ...ledger(), ...throughput(), ...parts(), ...population()]
}

function stages(): Metric[] {
  return [...STAGES, ...Object.keys(FURTHER_STAGES), ...GATEWAY_STAGES].flatMap((stage): Metric[] => [
    ...PERCENTILES.map(([name, key]): Metric => ({
      name: `${stage}.${name}`, unit: 'micros', better: 'lower', meaning: `${name} of the milestone ${stage}`,
      of: ({ stages: measured }) => measured[stage] === undefined || measured[stage].count === 0 ? undefined : measured[stage][key],
    })),
    { name: `${stage}.count`, unit: 'count', better: 'higher', meaning: `samples of the milestone ${stage}`, of: ({ stages: measured }) => measured[stage]?.count },
  ])
}

function rows(): Metric[] {
  const late: Metric = {
    name: 'inadequatelyHandled', unit: 'share', better: 'lower', meaning: 'attempts that failed or missed their delay limit, of all',
    of: ({ scenarios }) => share(sum(scenarios, 'inadequatelyHandled'), sum(scenarios, 'attempts')),
  }
  return [late, ...ROWS.flatMap((row): Metric[] => {
    const find = ({ scenarios }: RunRecord): RunRecord['scenarios'][number] | undefined => scenarios.find(({ name }) => name === row)
    const shareOf = (key: 'inadequatelyHandled' | 'asExpected', better: Metric['better'], meaning: string): Metric => ({
      name: `${row}.${key}`, unit: 'share', better, meaning: `${meaning}, of the attempts of ${row}`,
      of: (record) => { const found = find(record); return found === undefined ? undefined : share(found[key], found.attempts) },
    })
    return [
      shareOf('inadequatelyHandled', 'lower', 'failed or missed the delay limit'), shareOf('asExpected', 'higher', 'ended as the row expects'),
      { name: `${row}.attempts`, unit: 'count', better: 'higher', meaning: `attempts of ${row}`, of: (record) => find(record)?.attempts },
      ...PERCENTILES.map(([name, key]): Metric => ({ name: `${row}.${name}`, unit: 'micros', better: 'lower', meaning: `${name} of what the delay limit of ${row} is about`, of: (record) => find(record)?.latency?.[key] })),
    ]
  })]
}

function ledger(): Metric[] {
  const of = (better: Metric['better']) => (name: keyof RunRecord['ledger']): Metric => (
    { name, unit: 'count', better, meaning: `${name}, in the ledger of the whole run`, of: (record) => record.ledger[name] })
  return [...WELCOME.map(of('higher')), ...UNWELCOME.map(of('lower'))]
}

function throughput(): Metric[] {
  return (['offered', 'sent', 'accepted', 'delivered'] as const).map((name) => (
    { name: `throughput.${name}`, unit: 'perSecond', better: 'higher', meaning: `${name} per second of the measured window`, of: ({ throughput: measured }) => measured[`${name}PerSecond`] }))
}

function parts(): Metric[] {
  return MEASURED_PARTS.flatMap((part): Metric[] => [
    { name: `parts.${part}.cpuPerPush`, unit: 'micros', better: 'lower', meaning: `CPU time of the ${part} for each accepted push, in the measured window`, of: (record) => cpuPerPush(record, part) },
    { name: `parts.${part}.cpu`, unit: 'micros', better: 'lower', meaning: `CPU time of the ${part} in all`, of: ({ parts: all }) => all[part] === undefined ? undefined : all[part].cpuSeconds * 1e6 },
    { name: `parts.${part}.memory`, unit: 'octets', better: 'lower', meaning: `the most resident memory of the ${part}`, of: ({ parts: all }) => all[part]?.rssBytesMax },
    { name: `parts.${part}.busiest`, unit: 'share', better: 'lower', meaning: `the busiest second of the ${part}’s busiest event loop`, of: ({ parts: all }) => all[part]?.loopUtilisationMax },
  ]).filter(({ name }) => name !== 'parts.generator.cpuPerPush').concat({
    name: 'parts.gateway.wirePerPush', unit: 'octets', better: 'lower', meaning: 'octets through the gateway’s SIP and MSRP sockets for each accepted push',
    of: ({ work }) => share((work?.['gateway']?.counts['wireBytesIn'] ?? 0) + (work?.['gateway']?.counts['wireBytesOut'] ?? 0), work?.['gateway']?.counts['accepted'] ?? 0),
  })
}

function population(): Metric[] {
  return [
    { name: 'population.registered', unit: 'count', better: 'higher', meaning: 'devices registered when the load began', of: (record) => record.population.registered },
    { name: 'population.registrationTime', unit: 'micros', better: 'lower', meaning: 'from the first REGISTER’s turn to the last device’s end',
      of: (record) => record.population.registrationSeconds === undefined ? undefined : record.population.registrationSeconds * 1e6 },
  ]
}

/** The part's CPU per second over accepted pushes per second: both of the measured window, but between samples of their own. */
function cpuPerPush({ work }: RunRecord, part: string): number | undefined {
  const used = work?.[part]
  const gateway = work?.['gateway']
  const accepted = gateway?.counts['accepted'] ?? 0
  if (used === undefined || gateway === undefined || accepted === 0 || used.seconds === 0) return undefined
  return (used.cpuSeconds * 1e6 / used.seconds) / (accepted / gateway.seconds)
}

function sum(scenarios: RunRecord['scenarios'], key: 'inadequatelyHandled' | 'attempts'): number {
  return scenarios.reduce((total, row) => total + row[key], 0)
}

function share(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole
}
