/** The report's tables as HTML: one function each, from the record alone. Numbers stand right, words left. */
import { condensed, intervalUnit } from './condense.js'
import { count, duration, octets, percent } from './format.js'
import type { RunRecord } from './record.js'
import { FURTHER_STAGES, OUTCOME_CLASSES, STAGE_TEXTS } from './stages.js'
import { outcomeCount } from './pictures/over-time.js'
import { table } from './table.js'

export function scenariosTable(record: RunRecord): string {
  return table(
    ['<kind of push', 'attempts', 'as expected', 'IHS', 'p50', 'p99', '<measured to', 'limit'],
    record.scenarios.map((row) => [
      row.name, count(row.attempts), percent(row.asExpected, row.attempts), percent(row.inadequatelyHandled, row.attempts),
      row.latency === undefined || row.latency.count === 0 ? '–' : duration(row.latency.p50Us),
      row.latency === undefined || row.latency.count === 0 ? '–' : duration(row.latency.p99Us), stageName(row.stage).toLowerCase(), duration(row.limitUs),
    ]), 'Results by kind of push')
}

export function stagesTable(record: RunRecord): string {
  const keys = [...STAGE_TEXTS.map(({ key }) => key as string), ...Object.keys(record.stages).filter((key) => !STAGE_TEXTS.some((stage) => stage.key === key)).sort()]
  return table(['<milestone', 'count', 'p50', 'p90', 'p99', 'p99.9', 'max', '<what it is'], keys.flatMap((key) => {
    const stage = record.stages[key]
    return stage === undefined ? [] : [[
      stageName(key), count(stage.count), duration(stage.p50Us), duration(stage.p90Us), duration(stage.p99Us), duration(stage.p999Us), duration(stage.maxUs),
      (STAGE_TEXTS.find((text) => text.key === key) ?? FURTHER_STAGES[key])?.meaning ?? 'measured by the part itself, for its own step only',
    ]]
  }), 'Percentiles of each milestone')
}

export function stageName(key: string): string {
  return (STAGE_TEXTS.find((stage) => stage.key === key) ?? FURTHER_STAGES[key])?.name ?? key
}

export function ledgerTable(record: RunRecord): string {
  const { ledger } = record
  const names = ['delivered', 'undeliverable', 'rejected', 'expired', 'cancelled', 'aborted', 'timeout', 'unknown', 'inFlight'] as const
  const rows: string[][] = [
    ['attempted', count(ledger.attempted), '', 'every attempt at one address'],
    ['accepted', count(ledger.accepted), percent(ledger.accepted, ledger.attempted), 'push-response 1001'],
    ['refused', count(ledger.refused), percent(ledger.refused, ledger.attempted), 'another code, or HTTP 503'],
    ['unanswered', count(ledger.unanswered), percent(ledger.unanswered, ledger.attempted), `no push-response; ${count(ledger.recovered)} of them the gateway had taken all the same`],
    ...names.filter((name) => ledger[name] > 0 || name === 'delivered' || name === 'inFlight')
      .map((name) => [name === 'inFlight' ? 'in flight' : name, count(ledger[name]), percent(ledger[name], ledger.accepted), 'of the accepted']),
    ['lost', count(ledger.lost), percent(ledger.lost, ledger.accepted), 'accepted without an outcome, or delivered by word only'],
    ['duplicated', count(ledger.duplicated), '', 'more than one copy at one device'],
  ]
  return table(['<ledger', 'count', 'share', '<meaning'], rows, 'The ledger of all attempts')
}

export function causesTable(record: RunRecord): string {
  return record.causes.length === 0 ? '' : table(['<outcome', '<cause', 'count'], record.causes.map((row) => [row.outcome, row.cause, count(row.count)]), 'Outcomes by cause')
}

export function devicesTable(record: RunRecord): string {
  return table(['<terminals', 'devices', 'copies received', 'repeats', 'refused', 'turned away by a check'], record.devices.map((group) =>
    [group.name, count(group.devices), count(group.received), count(group.repeats), count(group.refused), count(group.rejectedByCheck)]), 'What the terminals saw')
}

export function bindingsTable(record: RunRecord): string {
  const rows = record.bindings ?? []
  return rows.length === 0 ? '' : table(['<binding', 'pushes', 'delivered', 'e2e p50', 'e2e p90', 'e2e p99', 'e2e max'], rows.map(({ name, pushes, delivered, endToEnd }) => [
    name, count(pushes), percent(delivered, pushes), ...(endToEnd === undefined ? ['–', '–', '–', '–'] : [duration(endToEnd.p50Us), duration(endToEnd.p90Us), duration(endToEnd.p99Us), duration(endToEnd.maxUs)]),
  ]), 'Pushes by the binding of their last attempt')
}

export function deviceOutcomesTable(record: RunRecord): string {
  const rows = record.deviceOutcomes ?? []
  return rows.length === 0 ? '' : table(['<answer of a device', 'count'], rows.map(({ status, count: times }) => [status, count(times)]), 'Answers of single devices, of pushes addressed to one')
}

export function partsTable(record: RunRecord): string {
  return table(['<part', 'CPU', 'CPU per push', 'memory at most', 'busiest loop', 'datagrams lost'], Object.entries(record.parts).map(([name, part]) => [
    name, `${part.cpuSeconds.toFixed(1)} s`, record.ledger.accepted === 0 ? '–' : duration((part.cpuSeconds * 1e6) / record.ledger.accepted),
    octets(part.rssBytesMax), `${Math.round(part.loopUtilisationMax * 100)} %`,
    part.datagramsDropped === undefined ? '–' : count(part.datagramsDropped + (part.datagramsFailed ?? 0)),
  ]), 'CPU and memory of each part over the whole run, start and registration included')
}

export function intervalsTable(record: RunRecord): string {
  return intervalsOf(record, 'Rates', ['offered', 'sent', 'accepted', 'delivered', 'in flight', 'lag p99'], ({ planned, sent, accepted, delivered, inFlight, lagP99Us }) =>
    [count(planned), count(sent), count(accepted), count(delivered), count(inFlight), duration(lagP99Us)])
}

export function latenciesTable(record: RunRecord): string {
  return intervalsOf(record, 'Latencies', ['e2e p50', 'e2e p99', 'accepted p50', 'accepted p99', 'lag p99'], (interval) =>
    [interval.endToEndP50Us, interval.endToEndP99Us, interval.submitP50Us, interval.submitP99Us, interval.lagP99Us].map(duration))
}

export function outcomesTable(record: RunRecord): string {
  const names = OUTCOME_CLASSES.map(([name]) => name).filter((name) => name === 'delivered' || record.intervals.some((interval) => outcomeCount(interval, name) > 0))
  return intervalsOf(record, 'Final outcomes', names, (interval) => names.map((name) => count(outcomeCount(interval, name))))
}

function intervalsOf(record: RunRecord, what: string, headings: readonly string[], cells: (interval: RunRecord['intervals'][number]) => readonly string[]): string {
  const { name } = intervalUnit(record)
  return table([name, ...headings], condensed(record).map((interval) => [String(interval.second), ...cells(interval)]), name === 'second' ? `${what} of every measured second` : `${what} of every ${name}, per second`)
}

export function disclosureTable(record: RunRecord): string {
  const { disclosure } = record
  return table(['<disclosure', '<value'], [
    ['pushbench', `${disclosure.pushbench} at commit ${disclosure.commit}`],
    ['machine', `${disclosure.cpu}, ${disclosure.cores} cores, ${octets(disclosure.memoryBytes)}`],
    ['system', `${disclosure.kernel}, Node ${disclosure.node}`],
    ['scenario', `${record.scenario}, seed ${record.seed}, SHA-256 ${disclosure.scenarioHash}`],
    ['phases', `warm-up ${record.durations.warmUpSeconds} s (not reported), load ${record.durations.loadSeconds} s, drain ${record.durations.drainSeconds} s`],
    ['population', `${count(record.population.subscribers)} subscribers, ${count(record.population.provisioned)} devices provisioned to be online, ${count(record.population.registered)} registered${record.population.registrationSeconds === undefined ? '' : ` in ${record.population.registrationSeconds.toFixed(1)} s`}`],
    ...(record.little === undefined ? [] : [['Little’s law', `${record.little.ok ? 'OK' : 'BAD'}: in flight measured ${record.little.measured.toFixed(2)}, rate × time ${record.little.predicted.toFixed(2)}`]]),
    ['deviations', disclosure.deviations.length === 0 ? 'none' : disclosure.deviations.join('; ')],
  ], 'What a reader needs to repeat or doubt this run')
}
