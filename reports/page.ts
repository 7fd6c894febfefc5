/**
 * The report: one self-contained HTML page made from the run record alone. No script, no network, readable in
 * print and in the dark; behind each picture stands its table. Its size is bounded whatever the run's length.
 */
import { count, duration, percent, rate, thresholdText } from './format.js'
import { PAGE_STYLE } from './page-style.js'
import { latencyPicture, outcomesPicture, ratesPicture } from './pictures/over-time.js'
import { percentilePicture } from './pictures/percentiles.js'
import { waterfallPicture } from './pictures/waterfall.js'
import type { RunRecord } from './record.js'
import { wilson } from './statistics/proportion.js'
import { escapeText } from './svg.js'
import { bindingsTable, causesTable, deviceOutcomesTable, devicesTable, disclosureTable, intervalsTable, ledgerTable, partsTable, scenariosTable, stagesTable } from './tables.js'

/** The whole page as HTML text. */
export function renderPage(record: RunRecord): string {
  const title = `${record.scenario} · ${record.verdict.valid ? 'valid' : 'INVALID'} · pushbench`
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escapeText(title)}</title><style>${PAGE_STYLE}</style></head><body><main>`,
    header(record), tiles(record),
    section('By kind of push', 'A push is inadequately handled (IHS) when it failed or missed its limit; a late success is a failure.', scenariosTable(record)),
    section('Where the time goes', 'Each bar starts where the median push reached the milestone before. All times count from the planned instant, so a late generator is part of them.',
      figure(waterfallPicture(record), stagesTable(record))),
    section('Latency by percentile', 'The further right, the rarer. A curve that bends upwards early has a tail that users meet.', figure(percentilePicture(record))),
    section('Rates over time', 'The load phase only: warm-up and drain are not shown. Pushes of the warm-up may still be accepted or delivered in it.', figure(ratesPicture(record))),
    section('Latency over time', '', figure(latencyPicture(record))),
    section('Outcomes over time', 'Each final outcome in the second in which the gateway recorded it, load phase only; what ended in the drain is in the ledger.', figure(outcomesPicture(record), intervalsTable(record))),
    section('Ledger', 'Each part kept a journal of its own; they were reconciled push by push, by set difference.', ledgerTable(record) + findings(record) + causesTable(record)),
    section('Bindings', 'How pushes were sent: as a MESSAGE, in a session, as a notification, or as a reference to be fetched.', bindingsTable(record)),
    section('Terminals', '', devicesTable(record) + deviceOutcomesTable(record)),
    section('Cost of each part', 'CPU over the whole run, start and registration included, so the cost per push is an upper bound.', partsTable(record)),
    section('Disclosure', '', disclosureTable(record)),
    section('Scenario as run', 'Save it and run it again with <code>pushbench run scenario.yaml</code>; the seed is in it.', `<details><summary>show the scenario</summary><pre>${escapeText(record.scenarioYaml)}</pre></details>`),
    '</main></body></html>\n',
  ].join('\n')
}

function header(record: RunRecord): string {
  const { valid, reasons } = record.verdict
  const crossed = (record.thresholds ?? []).filter(({ passed }) => !passed).map((threshold) => `a threshold is crossed: ${thresholdText(threshold)}`)
  const items = [...reasons, ...crossed]
  const why = items.length === 0 ? '' : `<ul class="reasons">${items.map((item) => `<li>${escapeText(item)}</li>`).join('')}</ul>`
  const stopped = record.interrupted === undefined ? '' : `<p><strong>${escapeText(record.interrupted)}</strong></p>`
  return [
    `<h1>${escapeText(record.scenario)}</h1><p class="soft">${escapeText(record.startedAt)} · seed ${record.seed} · pushbench ${escapeText(record.disclosure.pushbench)}</p>`,
    `<div class="verdict ${valid ? 'valid' : 'invalid'}">${valid ? 'VALID' : 'INVALID'}</div>${why}${stopped}<p>${escapeText(answer(record))}</p>`,
  ].join('')
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

function tiles(record: RunRecord): string {
  const endToEnd = record.stages['endToEnd']
  const entries: [string, string][] = [
    [rate(record.throughput.offeredPerSecond), 'offered'],
    [rate(record.throughput.deliveredPerSecond), 'delivered'],
    [percent(record.ledger.delivered, record.ledger.accepted), 'of the accepted delivered'],
    [endToEnd === undefined ? '–' : duration(endToEnd.p50Us), 'end to end, median'],
    [endToEnd === undefined ? '–' : duration(endToEnd.p99Us), 'end to end, 99th percentile'],
    [`${count(record.ledger.lost)} / ${count(record.ledger.duplicated)}`, 'lost / duplicated'],
  ]
  return `<div class="tiles">${entries.map(([figureText, name]) => `<div class="tile"><b>${escapeText(figureText)}</b><span>${escapeText(name)}</span></div>`).join('')}</div>`
}

function findings(record: RunRecord): string {
  const items = [
    ...record.findings.lost.map(({ pushId, address, why }) => `lost: ${pushId} to ${address}: ${why}`),
    ...record.findings.duplicated.map(({ pushId, address, instance, copies }) => `duplicated: ${pushId} to ${address}: ${copies} copies at ${instance}`),
    ...record.findings.notes,
  ]
  return items.length === 0 ? '<p class="soft">Everything reconciles.</p>' : `<ul class="reasons">${items.map((item) => `<li>${escapeText(item)}</li>`).join('')}</ul>`
}

/** `lead` is HTML of ours, never data. */
function section(heading: string, lead: string, content: string): string {
  return content === '' ? '' : `<section><h2>${escapeText(heading)}</h2>${lead === '' ? '' : `<p class="soft">${lead}</p>`}${content}</section>`
}

function figure(picture: string, behind = ''): string {
  if (picture === '') return ''
  return `<figure>${picture}</figure>${behind === '' ? '' : `<details><summary>the figures behind it</summary>${behind}</details>`}`
}
