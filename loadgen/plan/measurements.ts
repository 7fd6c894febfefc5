/**
 * The quantities a plan rests on, each by name, with its interval and the runs it was measured in; and where a load lies outside of what
 * those runs had. Knows laws and loads, not the network that is planned.
 */
import type { PlanMeasurementRow } from '../../reports/answers/plan.js'
import { count, rate } from '../../reports/format.js'
import { capacityRates, type CapacityEvidence, type NodeLoad, type Observed } from './evidence.js'
import type { Law, Laws } from './laws.js'

const MICROS = 1e6

/** @param load what one node is planned to do */
export function measurementsOf(laws: Laws, capacity: CapacityEvidence | undefined, load: NodeLoad, runs: readonly string[]): PlanMeasurementRow[] {
  const rows: PlanMeasurementRow[] = []
  const rates = capacity === undefined ? undefined : capacityRates(capacity.answer)
  if (capacity !== undefined && rates !== undefined) {
    const { outcome, limit } = capacity.answer
    rows.push({
      name: 'capacity', words: `capacity of a node, contents of ${capacity.octets} octets, at most ${100 * limit} % late or failed${outcome === 'at-least' ? ' (at least)' : ''}`, unit: 'perSecond',
      value: rates.value, low: rates.low, ...(rates.high === undefined ? {} : { high: rates.high }), runs: [capacity.file],
    })
  }
  perPush(rows, laws.gateway, 'gateway', 'the gateway', load, runs)
  perPush(rows, laws.core, 'ims', 'the core network', load, runs)
  const { wire, memory } = laws
  if (wire !== undefined) {
    const quiet = { ...load, registrations: 0 }
    rows.push(measurement('wire.perPush', 'SIP and MSRP of a push at the gateway, both ways', 'octets', 'gateway.wire', { value: wire.at(quiet), ...wire.interval(quiet) }, 1 / load.pushes, runs))
  }
  if (memory !== undefined) {
    for (const [term, name, words] of [['', 'memory.empty', 'memory of the gateway without devices'], ['registered', 'memory.perDevice', 'memory of the gateway per registered device'], ['pending', 'memory.perWaiting', 'memory of the gateway per push that waits']] as const) {
      const value = memory.term(term)
      if (value !== undefined) rows.push(measurement(name, words, 'octets', 'gateway.memory', value, 1, runs))
    }
  }
  return rows
}

function perPush(rows: PlanMeasurementRow[], law: Law<NodeLoad> | undefined, part: string, words: string, load: NodeLoad, runs: readonly string[]): void {
  if (law === undefined) return
  const quiet = { ...load, registrations: 0 }
  rows.push(measurement(`${part}.perPush`, `processor time of ${words} for a push, at ${rate(load.pushes)}`, 'micros', `${part}.cpu`, { value: law.at(quiet), ...law.interval(quiet) }, MICROS / load.pushes, runs))
  const registration = law.term('g', load)
  if (registration !== undefined) rows.push(measurement(`${part}.perRegistration`, `processor time of ${words} for a registration`, 'micros', `${part}.cpu`, registration, MICROS, runs))
}

function measurement(
  name: string, words: string, unit: PlanMeasurementRow['unit'], model: string, { value, low, high }: { readonly value: number; readonly low?: number; readonly high?: number }, scale: number, runs: readonly string[],
): PlanMeasurementRow {
  const interval = low === undefined || high === undefined ? {} : { low: Math.max(0, low * scale), high: high * scale }
  return { name, words, unit, value: value * scale, ...interval, model, runs }
}

/** A little more than measured is not beyond it. */
const SLACK = 1.02

/**
 * In what a node's load goes beyond what was measured, in words; undefined where it does not.
 * @param largest octets of the largest content @param capacityPerSecond what the capacity search had
 */
export function beyond(points: readonly Observed[], load: NodeLoad, largest: number, capacityPerSecond: number): string | undefined {
  const most = (of: (point: Observed) => number): number => Math.max(0, ...points.map(of))
  const words: string[] = []
  const pushes = Math.max(capacityPerSecond, most((point) => point.pushes))
  if (load.pushes > SLACK * pushes) words.push(`${rate(load.pushes)} on a node, measured up to ${rate(pushes)}`)
  const octets = most(({ kib }) => 1024 * kib)
  if (largest > SLACK * octets) words.push(`contents of ${count(largest)} octets, measured up to ${count(octets)}`)
  if (load.sessions > 0 && most(({ sessions }) => sessions) === 0) words.push('pushes in sessions, of which none was measured')
  const registrations = most((point) => point.registrations)
  if (load.registrations > SLACK * registrations) words.push(`${rate(load.registrations)} registrations on a node, measured up to ${rate(registrations)}`)
  return words.length === 0 ? undefined : words.join('; ')
}

/** The same of what a node holds. */
export function heldBeyond(points: readonly Observed[], registered: number, waiting: number): string | undefined {
  const most = (of: (point: Observed) => number): number => Math.max(0, ...points.map(of))
  const words: string[] = []
  for (const [held, measured, what] of [[registered, most((point) => point.registered), 'registered devices'], [waiting, most((point) => point.pending), 'pushes that wait']] as const) {
    if (held > SLACK * measured) words.push(`${count(held)} ${what} on a node, measured up to ${count(measured)}`)
  }
  return words.length === 0 ? undefined : words.join('; ')
}
