/** A plan in two screenfuls, and a prediction in a few lines: plain text of at most 80 columns, colours only where asked. Knows text, not terminals. */
import type { PlanAnswer, PlanPredictionRow, PlanUnit } from '../../reports/answers/plan.js'
import { count, duration, octets, rate, significant } from '../../reports/format.js'
import { styled, wrapped, type Style } from '../text-style.js'

/** A figure with its unit. */
export function planFigure(value: number, unit: PlanUnit): string {
  switch (unit) {
    case 'count': return value >= 10 || Number.isInteger(value) ? count(value) : significant(value)
    case 'perSecond': return rate(value)
    case 'micros': return duration(value)
    case 'seconds': return value < 2 * 3_600 ? duration(value * 1e6) : `${significant(value / 3_600)} h`
    case 'octets': return octets(Math.round(value))
    case 'octetsPerSecond': return `${octets(Math.round(value))}/s`
    case 'cores': return `${significant(value)} cores`
    case 'share': return `${significant(100 * value)} %`
    case 'cpuSeconds': return `${significant(value)} CPU s`
    case 'money': return significant(value)
  }
}

/** Figures that are told first, as a sentence would. */
const HEAD = ['nodes.busyHour', 'nodes.campaign', 'nodes.total']

export function planLines(answer: PlanAnswer, colour: boolean): string[] {
  const style = styled(colour)
  const lines = [headLine(answer, style), style.dim(`  ${answer.name}, ${count(answer.subscribers)} subscribers`)]
  const { constraint, why, outputs } = answer
  const extrapolated = [...new Set(outputs.flatMap((output) => output.extrapolated ?? []))]
  if (why !== undefined) lines.push(...wrapped(why, '  ', '  '))
  if (constraint !== undefined) lines.push(...wrapped(`what binds: ${constraint.words}`, '  ', '  '))
  if (outputs.length > 0) lines.push('', ...outputs.flatMap((output) => outputLines(output, extrapolated)), '', ...resourceLines(answer, style))
  if (answer.sensitivity.length > 0) lines.push('', ...sensitivityLines(answer, style))
  if (answer.staircase.length > 0) lines.push('', ...staircaseLines(answer, style))
  lines.push('', ...evidenceLines(answer, style))
  if (answer.heldOut !== undefined) lines.push('', ...heldOutLines(answer.heldOut, style))
  extrapolated.forEach((words, index) => lines.push(...wrapped(`${mark(index)} extrapolated: ${words}`, index === 0 ? '\n  ' : '  ', '     ')))
  if (answer.uncounted.length > 0) lines.push('', style.dim('  not counted'), ...answer.uncounted.flatMap((words) => wrapped(words, '    ', '    ')))
  return lines.flatMap((line) => line.split('\n'))
}

function headLine({ outcome, nodes }: PlanAnswer, style: Style): string {
  if (nodes === undefined) return style.warn('NOT PLANNED')
  const words = `${count(nodes.total)} nodes: ${count(nodes.needed)} and ${count(nodes.spare)} spare`
  return outcome === 'planned' ? `${style.good(' PLAN ')} ${style.bold(words)}` : style.warn(`DOUBTFUL ${words}`)
}

function mark(index: number): string {
  return '*'.repeat(index + 1)
}

/** An interval stands below its figure. */
function outputLines({ name, words, unit, value, low, high, extrapolated }: PlanAnswer['outputs'][number], all: readonly string[]): string[] {
  const figure = `${planFigure(value, unit)}${extrapolated === undefined ? '' : ` ${mark(all.indexOf(extrapolated))}`}`
  const line = `  ${words.padEnd(46)}${figure.padStart(18)}`
  return low === undefined || high === undefined || HEAD.includes(name) ? [line] : [line, `  ${`from ${planFigure(low, unit)} to ${planFigure(high, unit)}`.padStart(64)}`]
}

function resourceLines({ resources, constraint }: PlanAnswer, style: Style): string[] {
  return [
    style.dim(`  ${'resource, at the peak'.padEnd(34)}${'asked for'.padStart(14)}${'of a node'.padStart(14)}${'nodes'.padStart(9)}`),
    ...resources.map(({ name, words, unit, demand, perNode, nodes }) =>
      `  ${words.padEnd(34)}${planFigure(demand, unit).padStart(14)}${planFigure(perNode, unit).padStart(14)}${count(nodes).padStart(9)}${name === constraint?.name ? ' <' : ''}`),
  ]
}

/** Below this change of the nodes an input is not shown. */
const NOTABLE = 0.005

function sensitivityLines({ sensitivity, nodes }: PlanAnswer, style: Style): string[] {
  const before = nodes?.needed ?? 0
  const shown = sensitivity.filter(({ less, more }) => Math.abs(more.exactNodes - less.exactNodes) > NOTABLE * Math.max(less.exactNodes, more.exactNodes))
  const cell = ({ nodes: after, exactNodes }: { readonly nodes: number; readonly exactNodes: number }): string => `${count(after)} (${significant(exactNodes)})`
  return [
    style.dim(`  ${'nodes, without spares, if'.padEnd(46)}${'20 % less'.padStart(15)}${'20 % more'.padStart(15)}`),
    ...shown.map(({ words, less, more }) => `  ${words.padEnd(46)}${cell(less).padStart(15)}${cell(more).padStart(15)}`),
    ...wrapped(`${count(before)} as planned; other inputs change the nodes by less than ${100 * NOTABLE} %`, '  ', '  '),
  ]
}

const STEPS_SHOWN = 8

function staircaseLines({ staircase }: PlanAnswer, style: Style): string[] {
  const stride = Math.max(1, Math.ceil(staircase.length / STEPS_SHOWN))
  return [
    style.dim(`  ${'up to subscribers'.padEnd(22)}${'nodes'.padStart(8)}${'with spares'.padStart(14)}   what binds`),
    ...staircase.filter((_, index) => index % stride === stride - 1).map(({ subscribers, nodes, withSpares, constraint, extrapolated }) =>
      `  ${count(subscribers).padEnd(22)}${count(nodes).padStart(8)}${count(withSpares).padStart(14)}   ${constraint}${extrapolated ? ', extrapolated' : ''}`),
  ]
}

function evidenceLines({ measurements, models, runs }: PlanAnswer, style: Style): string[] {
  const counted = runs.filter(({ leftOut }) => leftOut === undefined).length
  return [
    style.dim(`  measured, in ${counted} runs${runs.length > counted ? ` (${runs.length - counted} left out)` : ''}`),
    ...measurements.flatMap(({ words, unit, value, low, high }) =>
      wrapped(`${words}: ${planFigure(value, unit)}${low === undefined || high === undefined ? '' : ` (${planFigure(low, unit)} to ${planFigure(high, unit)})`}`, '    ', '      ')),
    style.dim('  models, with their error at runs left out of the fit'),
    ...models.flatMap(({ words, formula, heldOutError, verdict }) => [
      ...wrapped(`${words}: ${heldOutError === undefined ? 'unchecked, too few runs' : `${significant(100 * heldOutError)} %, ${verdict === 'holds' ? 'holds' : 'does not hold'}`}`, '    ', '      '),
      ...wrapped(formula, '      ', '        '),
    ]),
    ...runs.flatMap(({ file, leftOut }) => (leftOut === undefined ? [] : wrapped(`left out: ${file}: ${leftOut}`, '    ', '      '))),
  ]
}

/** What is predicted, before it is measured. */
export function predictionLines(words: string, predictions: readonly PlanPredictionRow[]): string[] {
  return [
    ...wrapped(`predicted for ${words}:`, '', '  '),
    ...predictions.map(({ words: what, unit, predicted, low, high }) => `  ${what.padEnd(44)}${planFigure(predicted, unit).padStart(12)}${low === undefined || high === undefined ? '' : `  ${planFigure(low, unit)} to ${planFigure(high, unit)}`}`),
  ]
}

function heldOutLines({ words, predictions }: NonNullable<PlanAnswer['heldOut']>, style: Style): string[] {
  return [
    ...wrapped(`predicted, then measured: ${words}`, '  ', '  '),
    style.dim(`  ${''.padEnd(40)}${'predicted'.padStart(12)}${'measured'.padStart(12)}${'error'.padStart(9)}`),
    ...predictions.map(({ words: what, unit, predicted, mean, error, holds }) =>
      `  ${what.padEnd(40)}${planFigure(predicted, unit).padStart(12)}${(mean === undefined ? '–' : planFigure(mean, unit)).padStart(12)}${(error === undefined ? '–' : `${significant(100 * error)} %`).padStart(9)}${holds === false ? '  off' : ''}`),
  ]
}
