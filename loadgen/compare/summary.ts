/** A comparison in a screenful, and as Markdown for a pull request. Plain text of at most 80 columns, colours only where asked. Knows text, not terminals. */
import { duration } from '../../reports/format.js'
import type { ComparedMetricRow, ComparisonAnswer } from '../../reports/answers/comparison.js'
import { quantity } from '../../reports/quantity.js'
import { styled, wrapped, type Style } from '../text-style.js'
import { differenceText } from './differences.js'

const HEADS = { better: 'BETTER', worse: 'WORSE', same: 'SAME', inconclusive: 'INCONCLUSIVE' } as const

export function comparisonLines(answer: ComparisonAnswer, colour: boolean): string[] {
  const style = styled(colour)
  const word = ` ${HEADS[answer.verdict]} `
  const head = answer.verdict === 'worse' ? style.bad(word) : answer.verdict === 'inconclusive' ? style.warn(word.trim()) : style.good(word)
  return [
    `${head}   B against A, ${100 * answer.level} % intervals over trials`,
    ...(['a', 'b'] as const).map((side) => style.dim(`  ${side.toUpperCase()}  ${sideText(answer, side)}`)),
    ...leftOutTexts(answer).flatMap((text) => wrapped(text, '  - ', '    ')).map((line) => style.warn(line)),
    ...answer.differences.map(differenceText).flatMap((text) => wrapped(`note: ${text}`, '  ', '    ')).map((line) => style.dim(line)),
    '',
    style.dim(`  ${'verdict'.padEnd(13)}${'metric'.padEnd(25)}${'A'.padStart(9)}${'B'.padStart(9)}  change, %`),
    ...answer.metrics.map((metric) => metricLine(metric, style)),
    ...curveLines(answer, style),
    '',
    ...conclusions(answer).flatMap((sentence) => wrapped(sentence, '  ', '  ')),
  ]
}

/** GitHub's flavour; everything but the table folds away. */
export function comparisonMarkdown(answer: ComparisonAnswer): string {
  const notes = [...leftOutTexts(answer), ...answer.differences.map(differenceText)]
  return [
    `### Push delivery: ${HEADS[answer.verdict].toLowerCase()}`, '',
    `| metric | A | B | B against A, % (${100 * answer.level} % interval) | verdict |`, '|---|--:|--:|--:|---|',
    ...answer.metrics.map((metric) => `| \`${metric.name}\` | ${quantity(metric.meanA, metric.unit)} | ${quantity(metric.meanB, metric.unit)} | ${changeText(metric)} | ${verdictText(metric, answer.margin)} |`),
    ...answer.unmeasured.map((name) => `| \`${name}\` | – | – | – | not measured in every run |`), '',
    ...(notes.length === 0 ? [] : [...notes.map((note) => `- ${escapeMarkdown(note)}`), '']),
    '<details><summary>What was compared</summary>', '',
    `- A: ${escapeMarkdown(sideText(answer, 'a'))}`, `- B: ${escapeMarkdown(sideText(answer, 'b'))}`,
    `- again: \`${answer.command}\``, '', '</details>', '',
  ].join('\n')
}

/** `same within ±5 %`, `inconclusive: about 12 more trials a side`. */
export function verdictText({ verdict, furtherTrials }: ComparedMetricRow, margin: number): string {
  if (verdict === 'same') return `same within ±${round(100 * margin)} %`
  return verdict === 'inconclusive' ? `inconclusive: about ${furtherTrials ?? 1} more trial${furtherTrials === 1 ? '' : 's'} a side` : verdict
}

function sideText(answer: ComparisonAnswer, side: 'a' | 'b'): string {
  const { name, runs, disclosure } = answer[side]
  const counting = runs.filter(({ leftOut }) => leftOut === undefined).length
  return `${name}: ${counting} trial${counting === 1 ? '' : 's'}, commit ${disclosure.commit}`
}

function leftOutTexts({ a, b }: ComparisonAnswer): string[] {
  return [...a.runs, ...b.runs].flatMap(({ file, leftOut }) => (leftOut === undefined ? [] : [`left out: ${file}, ${leftOut}`]))
}

function metricLine(metric: ComparedMetricRow, style: Style): string {
  const word = metric.verdict.padEnd(13)
  const shown = metric.verdict === 'worse' || metric.verdict === 'inconclusive' ? style.warn(word) : word
  return `  ${shown}${metric.name.padEnd(25)}${quantity(metric.meanA, metric.unit).padStart(9)}${quantity(metric.meanB, metric.unit).padStart(9)}  ${changeText(metric)}`
}

/** Per cent: `+6.7 [+1.2, +12.5]`. */
function changeText({ ratio }: ComparedMetricRow): string {
  return ratio === undefined ? '–' : `${signed(ratio.estimate)} [${signed(ratio.low)}, ${signed(ratio.high)}]`
}

function signed(ratio: number): string {
  const percent = 100 * (ratio - 1)
  const text = Math.abs(percent).toFixed(Math.abs(percent) >= 100 ? 0 : 1)
  return Number(text) === 0 ? '0.0' : `${percent < 0 ? '−' : '+'}${text}`
}

function curveLines({ curves }: ComparisonAnswer, style: Style): string[] {
  if (curves.length === 0) return []
  return ['', style.dim(`  ${'A | B, no verdict'.padEnd(18)}${['p50', 'p90', 'p99', 'max'].map((name) => name.padStart(15)).join('')}`), ...curves.map(({ stage, points }) => {
    const cells = points.filter(({ percentile }) => [50, 90, 99, 100].includes(percentile)).map(({ a, b }) => `${plain(a)}|${plain(b)}`.padStart(15))
    return `  ${stage.padEnd(18)}${cells.join('')}`
  })]
}

function plain(micros: number): string {
  return duration(micros).replace(' ', '')
}

function conclusions(answer: ComparisonAnswer): string[] {
  const { metrics, margin, unmeasured } = answer
  const open = metrics.filter(({ verdict }) => verdict === 'inconclusive')
  const single = metrics.some(({ pValue }) => pValue === undefined)
  return [
    ...(single ? ['A single run on a side says nothing of what another run of the same would have been: the trial is the unit.'] : []),
    ...(open.length === 0 ? [] : [`To decide: ${open.map(({ name, furtherTrials }) => `${name} about ${furtherTrials ?? 1}`).join(', ')} more trials a side.`]),
    ...(metrics.some(({ verdict }) => verdict === 'same') ? [`"Same" is within ±${round(100 * margin)} %.`] : []),
    ...(unmeasured.length === 0 ? [] : [`Not measured in every run: ${unmeasured.join(', ')}.`]),
  ]
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>|]/g, '\\$&').replaceAll('\n', ' ')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
