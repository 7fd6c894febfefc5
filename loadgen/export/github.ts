/** A run as Markdown for the summary of a GitHub job: verdict, thresholds, traffic set and milestones. Knows a record and the format. */
import { count, duration, percent, rate, thresholdText } from '../../reports/format.js'
import { STAGES, type RunRecord } from '../../reports/record.js'
import { STAGE_TEXTS } from '../../reports/stages.js'

export function githubSummary(record: RunRecord): string {
  const { verdict, thresholds = [], throughput, durations, ledger, disclosure } = record
  const broken = thresholds.filter(({ passed }) => !passed)
  const word = !verdict.valid ? '❌ INVALID' : broken.length > 0 ? '❌ FAILED' : '✅ VALID'
  return [
    `## pushbench ${escape(record.scenario)}: ${word}`, '',
    `${rate(throughput.offeredPerSecond)} offered, ${rate(throughput.acceptedPerSecond)} accepted, ${rate(throughput.deliveredPerSecond)} delivered over ${Math.round(durations.loadSeconds)} s; seed ${record.seed}, commit ${escape(disclosure.commit)}`, '',
    ...verdict.reasons.map((reason) => `- ${escape(reason)}`), ...(verdict.reasons.length === 0 ? [] : ['']),
    ...table(['threshold', 'kept'], thresholds.map((threshold) => [escape(thresholdText(threshold)), threshold.passed ? 'yes' : '**no**'])),
    ...table(['traffic set', '>attempts', '>as expected', '>late or failed', '>p99', '>limit'], record.scenarios.map((row) => [
      escape(row.name), count(row.attempts), percent(row.asExpected, row.attempts), count(row.inadequatelyHandled), row.latency === undefined ? '–' : duration(row.latency.p99Us), duration(row.limitUs),
    ])),
    ...table(['from planned to', '>count', '>p50', '>p90', '>p99', '>p99.9', '>max'], STAGES.flatMap((stage) => {
      const summary = record.stages[stage]
      if (summary === undefined || summary.count === 0) return []
      return [[STAGE_TEXTS.find(({ key }) => key === stage)!.name, count(summary.count), ...[summary.p50Us, summary.p90Us, summary.p99Us, summary.p999Us, summary.maxUs].map(duration)]]
    })),
    `Ledger: attempted ${count(ledger.attempted)}, accepted ${count(ledger.accepted)}, delivered ${count(ledger.delivered)}, lost ${count(ledger.lost)}, duplicated ${count(ledger.duplicated)}.`, '',
  ].join('\n')
}

/** A heading that starts with `>` holds numbers. Nothing for no rows. */
function table(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(headings.map((heading) => heading.replace('>', ''))), line(headings.map((heading) => (heading.startsWith('>') ? '--:' : '---'))), ...rows.map(line), '']
}

function escape(text: string): string {
  return text.replace(/[\\`*_[\]<>|]/g, '\\$&').replace(/\s+/g, ' ')
}
