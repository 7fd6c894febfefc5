/**
 * A run in a screenful: verdict, traffic set, stages, ledger, parts, from the record alone. Plain lines of at most 80
 * columns, with colours only where asked. Knows text, not terminals.
 */
import { count, duration, octets, percent, rate, thresholdText } from '../reports/format.js'
import { loadSentences, stepCells } from '../reports/load.js'
import { STAGES, type RunRecord } from '../reports/record.js'
import { styled, wrapped, type Style } from './text-style.js'

const STAGE_WORDS: Readonly<Record<(typeof STAGES)[number], string>> = {
  lag: 'taken up (lag)', submit: 'answered', firstSip: 'first SIP out', endToEnd: 'at the terminal', confirmation: 'confirmed', notification: 'notified',
}

/** Outcomes that make up `accepted`, in the words of the ledger. */
const OUTCOMES = ['delivered', 'undeliverable', 'rejected', 'expired', 'cancelled', 'aborted', 'timeout', 'unknown'] as const

export function summaryLines(record: RunRecord, colour: boolean): string[] {
  const style = styled(colour)
  const sections = [verdictLines(record, style), trafficLines(record, style), stepLines(record, style), stageLines(record, style), ledgerLines(record, style), causeLines(record, style), partLines(record, style)]
  return sections.filter((lines) => lines.length > 0).flatMap((lines) => [...lines, '']).slice(0, -1)
}

function verdictLines(record: RunRecord, style: Style): string[] {
  const { throughput, durations, verdict, thresholds = [] } = record
  const failed = thresholds.filter(({ passed }) => !passed)
  const word = !verdict.valid ? style.bad(' INVALID ') : failed.length > 0 ? style.bad(' FAILED ') : style.good(' VALID ')
  const lines = [
    `${word} ${style.bold(record.scenario)}${style.dim(`  seed ${record.seed}`)}`,
    `  ${rate(throughput.offeredPerSecond)} offered, ${rate(throughput.acceptedPerSecond)} accepted, ${rate(throughput.deliveredPerSecond)} delivered, over ${Math.round(durations.loadSeconds)} s`,
  ]
  for (const reason of verdict.reasons) lines.push(...wrapped(reason, '  - ', '    ').map((line) => style.warn(line)))
  for (const threshold of failed) lines.push(style.warn(`  - ${thresholdText(threshold)}`))
  for (const sentence of loadSentences(record)) lines.push(...wrapped(sentence, '  ', '  ').map((line) => style.dim(line)))
  for (const note of record.disclosure.deviations) lines.push(...wrapped(`note: ${note}`, '  ', '  ').map((line) => style.dim(line)))
  return lines
}

function trafficLines({ scenarios }: RunRecord, style: Style): string[] {
  const lines = [style.dim(`  ${'traffic set'.padEnd(16)}${'attempts'.padStart(9)}${'as expected'.padStart(13)}${'late or failed'.padStart(16)}${'p99'.padStart(11)}${'limit'.padStart(11)}`)]
  for (const row of scenarios) {
    const handled = `${row.name.padEnd(16)}${count(row.attempts).padStart(9)}${percent(row.asExpected, row.attempts).padStart(13)}`
    const bad = count(row.inadequatelyHandled).padStart(16)
    const p99 = row.latency === undefined ? '–' : duration(row.latency.p99Us)
    lines.push(`  ${handled}${row.inadequatelyHandled > 0 ? style.warn(bad) : bad}${p99.padStart(11)}${duration(row.limitUs).padStart(11)}`)
  }
  return lines
}

/** Steps that did not come to rest say why below their figures. */
function stepLines({ steps = [] }: RunRecord, style: Style): string[] {
  if (steps.length === 0) return []
  const row = (cells: readonly string[]): string => `  ${cells[0]!.padEnd(9)}${[2, 3, 4, 5, 6, 7].map((cell, index) => cells[cell]!.padStart([9, 9, 17, 11, 11, 11][index]!)).join('')}`
  const lines = [style.dim(row(['step', '', 'attempts', 'IHS', '95 % interval', 'delivered', 'p50', 'p99']))]
  for (const step of steps) {
    lines.push(row(stepCells(step)))
    if (!step.stationary) lines.push(...wrapped(step.why ?? 'not stationary', '    ', '    ').map((line) => style.warn(line)))
  }
  return lines
}

function stageLines({ stages }: RunRecord, style: Style): string[] {
  const heads = ['count', 'p50', 'p90', 'p99', 'p99.9', 'max']
  const lines = [style.dim(`  ${'from planned to'.padEnd(16)}${heads.map((head) => head.padStart(10)).join('')}`)]
  for (const stage of STAGES) {
    const summary = stages[stage]
    if (summary === undefined || summary.count === 0) continue
    const values = [summary.p50Us, summary.p90Us, summary.p99Us, summary.p999Us, summary.maxUs].map((micros) => duration(micros).padStart(10))
    lines.push(`  ${STAGE_WORDS[stage].padEnd(16)}${count(summary.count).padStart(10)}${values.join('')}`)
  }
  return lines
}

function ledgerLines({ ledger, findings }: RunRecord, style: Style): string[] {
  const outcomes = OUTCOMES.filter((outcome) => ledger[outcome] > 0 || outcome === 'delivered').map((outcome) => `${outcome} ${count(ledger[outcome])}`)
  const title = 'ledger'.padEnd(10)
  const rest = ' '.repeat(12)
  const lines = [
    `  ${style.dim(title)}attempted ${count(ledger.attempted)} = accepted ${count(ledger.accepted)} + refused ${count(ledger.refused)} + unanswered ${count(ledger.unanswered)}`,
    ...wrapped(`accepted ${count(ledger.accepted)} = ${[...outcomes, `in flight ${count(ledger.inFlight)}`].join(' + ')}`, rest, rest),
  ]
  const found = `lost ${count(ledger.lost)}, duplicated ${count(ledger.duplicated)}${findings.balanced ? ', balanced' : ', NOT BALANCED'}`
  lines.push(rest + (findings.balanced && ledger.duplicated === 0 ? found : style.warn(found)))
  for (const { pushId, why } of findings.lost.slice(0, 3)) lines.push(...wrapped(`lost ${pushId}: ${why}`, rest, rest).map((line) => style.warn(line)))
  for (const { pushId, instance, copies } of findings.duplicated.slice(0, 3)) lines.push(...wrapped(`${copies} copies of ${pushId} at ${instance}`, rest, rest).map((line) => style.warn(line)))
  for (const note of findings.notes) lines.push(...wrapped(note, rest, rest).map((line) => style.dim(line)))
  return lines
}

const CAUSES_SHOWN = 6

function causeLines({ causes }: RunRecord, style: Style): string[] {
  if (causes.length === 0) return []
  const shown = causes.slice(0, CAUSES_SHOWN).map(({ outcome, cause, count: times }, index) => `  ${style.dim((index === 0 ? 'causes' : '').padEnd(10))}${count(times).padStart(7)}  ${outcome}: ${cause}`)
  return causes.length > CAUSES_SHOWN ? [...shown, `${' '.repeat(12)}and ${causes.length - CAUSES_SHOWN} more`] : shown
}

function partLines({ parts, devices, population }: RunRecord, style: Style): string[] {
  const lines = [style.dim(`  ${'part'.padEnd(16)}${'CPU'.padStart(10)}${'memory'.padStart(12)}${'busiest second'.padStart(17)}`)]
  for (const [name, part] of Object.entries(parts)) {
    lines.push(`  ${name.padEnd(16)}${`${part.cpuSeconds.toFixed(1)} s`.padStart(10)}${octets(part.rssBytesMax).padStart(12)}${`${Math.round(part.loopUtilisationMax * 100)} % busy`.padStart(17)}`)
  }
  const groups = devices.map(({ name, devices: number, received }) => `${count(number)} ${name} (${count(received)} pushes)`).join(', ')
  lines.push(...wrapped(`${count(population.subscribers)} subscribers; ${count(population.registered)} of ${count(population.provisioned)} devices registered${lasting(population.registrationSeconds)}; terminals: ${groups}`, '  ', '  '))
  return lines
}

/** A slow registration is said, not judged: whoever was late is there when the load begins. */
function lasting(seconds: number | undefined): string {
  return seconds === undefined ? '' : ` in ${seconds.toFixed(1)} s`
}
