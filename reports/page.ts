/**
 * The report: one self-contained HTML page made from the run record alone. No script, no network, readable in
 * print and in the dark; behind each picture stands its table. Its size is bounded whatever the run's length.
 */
import { count, duration, percent, rate, thresholdText } from './format.js'
import { figure, folded, list, opening, section, sheet, tiles } from './html.js'
import { heatPicture, heatTable } from './pictures/heat-map.js'
import { latencyPicture, outcomesPicture, ratesPicture } from './pictures/over-time.js'
import { curvesTable, milestonesPicture } from './pictures/percentiles.js'
import { waterfallPicture } from './pictures/waterfall.js'
import { loadSentences, stepsFigure, stepsTable } from './load.js'
import type { RunRecord } from './record.js'
import { wilson } from './statistics/proportion.js'
import {
  bindingsTable, causesTable, deviceOutcomesTable, devicesTable, disclosureTable, intervalsTable, latenciesTable, ledgerTable, outcomesTable, partsTable, scenariosTable, stagesTable,
} from './tables.js'

/** The whole page as HTML text. */
export function renderPage(record: RunRecord): string {
  return sheet(`${record.scenario} · ${record.verdict.valid ? 'valid' : 'INVALID'} · pushbench`, [
    header(record), tiles(tilesOf(record)),
    section('By kind of push', 'A push is inadequately handled (IHS) when it failed or missed its limit; a late success is a failure.', scenariosTable(record)),
    section('By step', 'Each step of the stair by itself; its transient is left out (MSER-5). One that did not come to rest has no steady figures.', figure(stepsFigure(record), stepsTable(record))),
    section('Where the time goes', 'Each bar starts where the median push reached the milestone before. All times count from the planned instant, so a late generator is part of them.',
      figure(waterfallPicture(record), stagesTable(record))),
    section('Latency by percentile', 'The further right, the rarer. A curve that bends upwards early has a tail that users meet.', figure(milestonesPicture(record), curvesTable(record))),
    section('Rates over time', 'The load phase only: warm-up and drain are not shown. Pushes of the warm-up may still be accepted or delivered in it. Below: how late the generator was with what it had planned, which is a fault of the measurement and not of the gateway.',
      figure(ratesPicture(record), intervalsTable(record))),
    section('Latency over time', '', figure(latencyPicture(record), latenciesTable(record))),
    section('Where latencies lie', 'Every push of the load phase by the second it was planned for and the time it took to its terminal. A dark stripe is the usual case; what lies above it is the tail, and when.',
      figure(heatPicture(record), heatTable(record))),
    section('Outcomes over time', 'Each final outcome in the second in which the gateway recorded it, load phase only; what ended in the drain is in the ledger.', figure(outcomesPicture(record), outcomesTable(record))),
    section('Ledger', 'Each part kept a journal of its own; they were reconciled push by push, by set difference.', ledgerTable(record) + findings(record) + causesTable(record)),
    section('Bindings', 'How pushes were sent: as a MESSAGE, in a session, as a notification, or as a reference to be fetched.', bindingsTable(record)),
    section('Terminals', '', devicesTable(record) + deviceOutcomesTable(record)),
    section('Cost of each part', 'CPU over the whole run, start and registration included, so the cost per push is an upper bound.', partsTable(record)),
    section('Disclosure', '', disclosureTable(record)),
    section('Scenario as run', 'Save it and run it again with <code>pushbench run scenario.yaml</code>; the seed is in it.', folded('show the scenario', record.scenarioYaml)),
  ])
}

function header(record: RunRecord): string {
  const { valid, reasons } = record.verdict
  const crossed = (record.thresholds ?? []).filter(({ passed }) => !passed).map((threshold) => `a threshold is crossed: ${thresholdText(threshold)}`)
  return opening({
    heading: record.scenario, origin: `${record.startedAt} · seed ${record.seed} · pushbench ${record.disclosure.pushbench}`,
    badge: valid ? 'VALID' : 'INVALID', tone: valid ? 'good' : 'bad', reasons: [...reasons, ...crossed],
    sentences: [record.interrupted ?? '', record.endedEarly === undefined ? '' : `The load was ended early: ${record.endedEarly}.`, ...loadSentences(record), answer(record)],
  })
}

/** The run in one or two sentences. */
export function answer(record: RunRecord): string {
  const { ledger, throughput } = record
  const endToEnd = record.stages['endToEnd']
  const latency = endToEnd === undefined || endToEnd.count === 0 ? 'no push reached a terminal' : `half of the pushes were at their terminal ${duration(endToEnd.p50Us)} after their planned time, 99 of 100 within ${duration(endToEnd.p99Us)}`
  const judged = record.scenarios.reduce((sum, row) => sum + row.attempts, 0)
  const good = judged - record.scenarios.reduce((sum, row) => sum + row.inadequatelyHandled, 0)
  const interval = wilson(good, judged, 0.95)
  const handled = interval === undefined ? 'no attempt was measured' : `${percent(good, judged)} of ${count(judged)} attempts were handled as they should be, in time (95 % interval ${(interval.low * 100).toFixed(2)} to ${(interval.high * 100).toFixed(2)} %)`
  return `At ${rate(throughput.offeredPerSecond)} offered, ${handled}; ${latency}. ${count(ledger.lost)} lost, ${count(ledger.duplicated)} duplicated.`
}

function tilesOf(record: RunRecord): [string, string][] {
  const endToEnd = record.stages['endToEnd']
  return [
    [rate(record.throughput.offeredPerSecond), 'offered'],
    [rate(record.throughput.deliveredPerSecond), 'delivered'],
    [percent(record.ledger.delivered, record.ledger.accepted), 'of the accepted delivered'],
    [endToEnd === undefined ? '–' : duration(endToEnd.p50Us), 'end to end, median'],
    [endToEnd === undefined ? '–' : duration(endToEnd.p99Us), 'end to end, 99th percentile'],
    [`${count(record.ledger.lost)} / ${count(record.ledger.duplicated)}`, 'lost / duplicated'],
  ]
}

function findings(record: RunRecord): string {
  const items = [
    ...record.findings.lost.map(({ pushId, address, why }) => `lost: ${pushId} to ${address}: ${why}`),
    ...record.findings.duplicated.map(({ pushId, address, instance, copies }) => `duplicated: ${pushId} to ${address}: ${copies} copies at ${instance}`),
    ...record.findings.notes,
  ]
  return items.length === 0 ? '<p class="soft">Everything reconciles.</p>' : list(items)
}
