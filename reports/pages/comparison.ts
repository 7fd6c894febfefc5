/** The page of a comparison: the verdict, every measure with its interval, the trials behind it, and the percentile curves of all runs over each other. From the answer alone. */
import { again, machineTable } from '../answer-tables.js'
import type { ComparedMetricRow, ComparisonAnswer } from '../answers/comparison.js'
import { count, duration, shareText, times } from '../format.js'
import { figure, list, opening, section, sheet, tiles, type Tone } from '../html.js'
import { forestPicture } from '../pictures/forest.js'
import { lanesPicture } from '../pictures/lanes.js'
import { percentilePicture, percentileTable, type Curve } from '../pictures/percentiles.js'
import { chanceText, quantity } from '../quantity.js'
import { escapeText } from '../svg.js'
import { table } from '../table.js'

const TONES: Readonly<Record<ComparisonAnswer['verdict'], Tone>> = { better: 'good', same: 'good', worse: 'bad', inconclusive: 'open' }
const SIDES = ['a', 'b'] as const

/** The whole page as HTML text. */
export function renderComparisonPage(answer: ComparisonAnswer): string {
  const { metrics, margin, level } = answer
  const ratios = metrics.flatMap(({ name, ratio, verdict }) => (ratio === undefined ? [] : [{ name, ratio: ratio.estimate, low: ratio.low, high: ratio.high, finding: verdict }]))
  const curves = curvesOf(answer)
  return sheet(`${answer.a.name} and ${answer.b.name} · ${answer.verdict} · pushbench`, [
    header(answer), tiles(tilesOf(answer)),
    section('B against A, measure by measure', `How many times as large a measure is in B, with its ${shareText(level)} interval over trials. “Same” means that the whole interval lies in the shaded margin of ±${shareText(margin)}.`,
      figure(forestPicture('Ratio of B to A for each measure, with intervals', ratios, 'B over A', margin), metricsTable(answer)) || metricsTable(answer)),
    section('The trials behind it', 'One dot for each trial; where the two lanes do not overlap, no statistics are needed.', figure(lanesPicture('Every trial of A and of B, relative to the mean of A', metrics.map(laneOf)), trialsTable(metrics))),
    section('Latency by percentile, all runs', 'One curve for each run, end to end. Curves of one side that lie far apart say how much chance there is in a single run.',
      figure(percentilePicture('Latency end to end by percentile for each run', curves), percentileTable(curves))),
    section('One run against one', 'The trial is the unit: of a single run on each side no verdict follows.', curvesTable(answer)),
    section('Runs', '', runsTable(answer)),
    section('In what they differ', 'Besides what was to be compared.', list(answer.differences.map(differenceText), 'notes')),
    section('Disclosure', '', SIDES.map((side) => `<h3>${side.toUpperCase()}: ${escapeText(answer[side].name)}</h3>${machineTable(answer[side].disclosure, [['scenario', answer[side].scenario]])}`).join('')),
    again(answer.command, answer.a.scenarioYaml),
  ])
}

function header(answer: ComparisonAnswer): string {
  const { a, b, verdict, metrics } = answer
  const named = (wanted: ComparedMetricRow['verdict']) => metrics.filter((metric) => metric.verdict === wanted).map(({ name }) => name)
  const part = (wanted: ComparedMetricRow['verdict'], words: string) => { const names = named(wanted); return names.length === 0 ? '' : `${words}: ${names.join(', ')}.` }
  const open = metrics.filter((metric) => metric.verdict === 'inconclusive')
  return opening({
    heading: `${b.name} against ${a.name}`, origin: `${a.scenario} · ${counted(answer, 'a')} trials of A, ${counted(answer, 'b')} of B · pushbench ${a.disclosure.pushbench}`,
    badge: verdict.toUpperCase(), tone: TONES[verdict],
    reasons: SIDES.flatMap((side) => answer[side].runs.flatMap(({ file, leftOut }) => (leftOut === undefined ? [] : [`left out: ${file}, ${leftOut}`]))),
    sentences: [
      [part('worse', 'Worse'), part('better', 'Better'), part('same', 'The same')].filter((sentence) => sentence !== '').join(' '),
      open.length === 0 ? '' : `Undecided: ${open.map(({ name, furtherTrials }) => `${name}${furtherTrials === undefined ? '' : ` (about ${count(furtherTrials)} more trials a side)`}`).join(', ')}.`,
      answer.unmeasured.length === 0 ? '' : `Not measured in every run: ${answer.unmeasured.join(', ')}.`,
    ],
  })
}

function differenceText({ of, key, a, b, within }: ComparisonAnswer['differences'][number]): string {
  return within === undefined ? `${of}: ${key} is ${a} in A and ${b} in B` : `${of}: ${key} is ${a} in one run of ${within.toUpperCase()} and ${b} in another`
}

function counted(answer: ComparisonAnswer, side: 'a' | 'b'): number {
  return answer[side].runs.filter(({ leftOut }) => leftOut === undefined).length
}

function tilesOf(answer: ComparisonAnswer): [string, string][] {
  const of = (verdict: ComparedMetricRow['verdict']) => String(answer.metrics.filter((metric) => metric.verdict === verdict).length)
  return [[of('worse'), 'measures worse'], [of('better'), 'better'], [of('same'), 'the same'], [of('inconclusive'), 'undecided'], [`${counted(answer, 'a')} / ${counted(answer, 'b')}`, 'trials of A / B'], [`±${shareText(answer.margin)}`, 'counts as the same']]
}

function laneOf({ name, a, b, meanA }: ComparedMetricRow): Parameters<typeof lanesPicture>[1][number] {
  return { name, a, b, unit: meanA }
}

function curvesOf(answer: ComparisonAnswer): Curve[] {
  return SIDES.flatMap((side, index) => answer[side].runs.filter(({ leftOut, endToEnd }) => leftOut === undefined && endToEnd !== undefined).map(({ endToEnd }, run) => ({
    name: `${side.toUpperCase()} ${run + 1}`, className: index === 0 ? 'thin c1' : 'thin c4', points: endToEnd!, label: run > 0 ? '' : `${side.toUpperCase()}: ${answer[side].name}`,
  })))
}

function metricsTable({ metrics, unmeasured }: ComparisonAnswer): string {
  return table(['<measure', '<better is', 'A', 'B', 'B / A', 'from', 'to', 'p, corrected', '<verdict'], [
    ...metrics.map(({ name, better, unit, meanA, meanB, ratio, adjustedP, verdict, furtherTrials }) => [
      name, better, quantity(meanA, unit), quantity(meanB, unit), ...(ratio === undefined ? ['–', '–', '–'] : [times(ratio.estimate), times(ratio.low), times(ratio.high)]),
      chanceText(adjustedP), furtherTrials === undefined ? verdict : `${verdict}: about ${count(furtherTrials)} more trials a side`,
    ]),
    ...unmeasured.map((name) => [name, '', '–', '–', '–', '–', '–', '–', 'not measured in every run']),
  ], 'Every measure with its verdict')
}

function trialsTable(metrics: readonly ComparedMetricRow[]): string {
  return table(['<measure', '<side', '<each trial'], metrics.flatMap(({ name, unit, ...metric }) => SIDES.map((side) => [name, side.toUpperCase(), metric[side].map((value) => quantity(value, unit)).join(', ')])), 'The values of each trial')
}

function curvesTable({ curves }: ComparisonAnswer): string {
  return curves.length === 0 ? '' : table(['<stage', 'percentile', 'A', 'B', 'B / A'], curves.flatMap(({ stage, points }) => points.map(({ percentile, a, b }) =>
    [stage, `${percentile} %`, duration(a), duration(b), a > 0 ? times(b / a) : '–'])), 'Percentiles of the one run of each side')
}

function runsTable(answer: ComparisonAnswer): string {
  return table(['<side', '<record', 'seed', '<started', '<counts'], SIDES.flatMap((side) => answer[side].runs.map(({ file, seed, startedAt, leftOut }) =>
    [side.toUpperCase(), file, String(seed), startedAt, leftOut === undefined ? 'yes' : `no: ${leftOut}`])), 'The runs of both sides')
}
