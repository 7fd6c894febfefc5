/** The part of an experiment's page that is about quantities: each measure along each of them by mode, and where the better mode changes. */
import type { ExperimentAnswer, ExperimentCrossover } from '../answers/experiment.js'
import { figure, foldedTable } from '../html.js'
import { alongPicture, type AlongSeries } from '../pictures/along.js'
import { escapeText } from '../svg.js'
import { table } from '../table.js'
import { classOf, combinations, levelName, modeFactor, quantityText, responseText, settingText } from './experiment-words.js'

const RESPONSES_MAX = 6

type Response = ExperimentAnswer['responses'][number]

/** One picture for each measure and quantity, the other quantities at their first level at which anything was measured. */
export function alongFigures(answer: ExperimentAnswer): string {
  const mode = modeFactor(answer)
  const quantities = answer.factors.flatMap(({ levels }, factor) => (factor !== mode && levels.length > 1 && levels.every(({ value }) => value !== undefined && value > 0) ? [factor] : []))
  return quantities.flatMap((along) => answer.responses.slice(0, RESPONSES_MAX).map((response) => alongFigure(answer, mode, along, response))).join('')
}

function alongFigure(answer: ExperimentAnswer, mode: number, along: number, response: Response): string {
  const combination = combinations(answer, mode, along).find(({ cells }) => cells.some(({ measured }) => measured[response.name] !== undefined))
  if (combination === undefined) return ''
  const { levels, name } = answer.factors[along]!
  const series: AlongSeries[] = answer.factors[mode]!.levels.map((level, index) => ({
    name: level.name, className: classOf(index),
    points: levels.flatMap(({ value }, quantity) => {
      const estimate = combination.cells.find((cell) => cell.levels[mode] === index && cell.levels[along] === quantity)?.measured[response.name]
      return estimate === undefined || !(estimate.mean > 0) ? [] : [{ x: value!, mean: estimate.mean, low: bound(estimate.low, estimate.mean), high: estimate.high }]
    }).sort((a, b) => a.x - b.x),
  }))
  const crossings = answer.crossovers.filter((crossover) => crossover.outcome === 'found' && crossover.response === response.name && crossover.along === along && crossover.quantity !== undefined
    && Object.entries(crossover.at).every(([factor, level]) => combination.setting[factor] === level))
  const setting = settingText(answer, combination.setting)
  const picture = alongPicture({
    name: `${response.words} along ${name}`, caption: name, series, xLabel: (value) => quantityText(answer, along, value), yLabel: (value) => responseText(response, value),
    crossings: crossings.map(({ quantity, low, high, levels: pair, first }) => ({ at: quantity!, low, high, name: `${pairText(answer, mode, pair, first)}: ${quantityText(answer, along, quantity!)}` })),
  })
  return picture === '' ? '' : `<h3>${escapeText(`${response.words} along ${name}${setting === '' ? '' : ` (${setting})`}`)}</h3>${figure(picture, alongTable(answer, along, response, series))}`
}

/** On a logarithm there is no 0: an interval that reaches it ends at a tenth of the mean. */
function bound(low: number | undefined, mean: number): number | undefined {
  return low === undefined ? undefined : Math.max(low, mean / 10)
}

function pairText(answer: ExperimentAnswer, mode: number, [one, other]: readonly [number, number], first: number | undefined): string {
  const order = first === other ? [other, one] : [one, other]
  return order.map((level) => levelName(answer, mode, level)).join(' → ')
}

function alongTable(answer: ExperimentAnswer, along: number, response: Response, series: readonly AlongSeries[]): string {
  return table(['<mode', answer.factors[along]!.name, response.words, 'from', 'to'], series.flatMap(({ name, points }) => points.map(({ x, mean, low, high }) => [
    name, quantityText(answer, along, x), responseText(response, mean), low === undefined ? '–' : responseText(response, low), high === undefined ? '–' : responseText(response, high),
  ])), `${response.words} along ${answer.factors[along]!.name}`)
}

/** `Gateway CPU per push: message is better up to size 3.1 KiB (2.4 KiB to 4.0 KiB), session beyond; burst 1.` */
export function crossoverSentence(answer: ExperimentAnswer, crossover: ExperimentCrossover): string {
  const { factor, levels: [one, other], along, quantity, low, high, first = one, at, response } = crossover
  const words = answer.responses.find(({ name }) => name === response)?.words ?? response
  const beyond = first === one ? other : one
  const setting = settingText(answer, at)
  const text = (value: number | undefined, open: string) => (value === undefined ? open : quantityText(answer, along, value))
  return `${words}: ${levelName(answer, factor, first)} is better up to ${answer.factors[along]!.name} ${text(quantity, '?')} (interval ${text(low, 'below what was measured')} to ${text(high, 'beyond what was measured')}), ${levelName(answer, factor, beyond)} beyond${setting === '' ? '' : `; at ${setting}`}.`
}

/** What was found, that with an interval closed on both sides first. */
export function foundIn({ crossovers }: ExperimentAnswer): ExperimentCrossover[] {
  const open = ({ low, high }: ExperimentCrossover): number => (low === undefined ? 1 : 0) + (high === undefined ? 1 : 0)
  return crossovers.filter(({ outcome }) => outcome === 'found').sort((a, b) => open(a) - open(b))
}

/** Those that were found in sight, the others folded away. */
export function crossoversTable(answer: ExperimentAnswer): string {
  const found = foundIn(answer)
  const others = answer.crossovers.filter(({ outcome }) => outcome !== 'found')
  if (answer.crossovers.length === 0) return ''
  return (found.length === 0 ? '<p>None was found.</p>' : crossoverRows(answer, found)) + (others.length === 0 ? '' : foldedTable(`show the ${others.length} where none was found, none could be told, or too little was measured`, crossoverRows(answer, others)))
}

function crossoverRows(answer: ExperimentAnswer, crossovers: readonly ExperimentCrossover[]): string {
  return table(['<measure', '<of', '<along', '<at', '<outcome', 'crossover', 'from', 'to', '<better below'], crossovers.map((crossover) => {
    const { response, factor, levels, along, at, outcome, quantity, low, high, range, first, notExcluded, bounded } = crossover
    const text = (value: number | undefined, open: string) => (value === undefined ? open : quantityText(answer, along, value))
    const none = `none${range === undefined ? '' : ` from ${text(range.from, '')} to ${text(range.to, '')}`}${notExcluded === true ? ', though one is not excluded' : ''}${bounded === undefined ? '' : `; ${bounded}`}`
    return [
      answer.responses.find(({ name }) => name === response)?.words ?? response, levels.map((level) => levelName(answer, factor, level)).join(' and '), answer.factors[along]!.name, settingText(answer, at), outcome === 'none' ? none : outcome,
      text(quantity, '–'), outcome === 'found' ? text(low, 'below the range') : '–', outcome === 'found' ? text(high, 'beyond the range') : '–', first === undefined ? '–' : levelName(answer, factor, first),
    ]
  }), 'Crossovers')
}
