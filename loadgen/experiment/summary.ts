/** An experiment's answer as plain text of at most 80 columns where names allow, and a trial in a line; colours only where asked. Knows text, not terminals. */
import { count, duration, octets, percent, rate, significant } from '../../reports/format.js'
import type { ExperimentAnswer, ExperimentCell, ExperimentCrossover, ExperimentEffect, ExperimentTrialRow, ResponseName } from '../../reports/answers/experiment.js'
import { styled, wrapped, type Style } from '../text-style.js'

/** What a first look is about; the rest is in the answer and the CSV. */
const PRIMARY: readonly (readonly [ResponseName, string])[] = [
  ['gatewayCpuMicrosPerPush', 'gateway CPU'], ['wireBytesPerPush', 'wire octets'], ['messagesPerPush', 'messages'], ['endToEndP50Us', 'p50'], ['endToEndP99Us', 'p99'],
]
/** A table of more cells is looked up in the CSV. */
const CELLS_SHOWN = 60
const COLUMN = 12

export function experimentLines(answer: ExperimentAnswer, colour: boolean): string[] {
  const style = styled(colour)
  const counted = answer.trials.filter((trial) => trial.counted).length
  const invalid = answer.trials.filter(({ valid }) => !valid).length
  const state = answer.complete ? style.good(' EXPERIMENT ') : style.warn('STOPPED BEFORE ITS END')
  return [
    `${state} ${style.bold(answer.name)}   ${count(counted)} trials count${invalid === 0 ? '' : `, ${count(invalid)} were invalid`}`,
    style.dim(`  ${answer.factors.map(({ name, levels }) => `${levels.length} × ${name}`).join(', ')}; ${answer.blocks} blocks, seed ${answer.seed}, at equal ${answer.equal}`),
    ...cellLines(answer, style), ...obstacleLines(answer), ...effectLines(answer, style), ...crossoverLines(answer, style),
  ]
}

/** A trial when it is over, for progress. */
export function trialLine({ valid, why, measures, perSecond }: ExperimentTrialRow, words: string, done: number, planned: number | undefined): string {
  const place = `trial ${done}${planned === undefined ? '' : ` of ${planned}`}, ${words}`
  if (!valid) return `${place}: invalid, ${why ?? ''}`
  const told = PRIMARY.flatMap(([response, name]) => (measures[response] === undefined ? [] : [`${name} ${figure(response, measures[response])}`]))
  return `${place} at ${rate(perSecond)}: ${told.join(', ') || 'nothing was delivered'}`
}

function cellLines({ cells, factors }: ExperimentAnswer, style: Style): string[] {
  const shown = cells.filter(({ measured }) => Object.keys(measured).length > 0)
  if (shown.length === 0) return []
  if (shown.length > CELLS_SHOWN) return ['', `  ${count(shown.length)} cells were measured; the CSV has them all.`]
  const widths = factors.map(({ name, levels }) => Math.max(name.length, ...levels.map((level) => level.name.length)) + 2)
  const line = (names: readonly string[], figures: readonly string[]): string => `  ${names.map((name, index) => name.padEnd(widths[index]!)).join('')}${figures.map((text) => text.padStart(COLUMN)).join('')}`
  return [
    '', style.dim('  means per push, over the trials of each cell'),
    style.dim(line(factors.map(({ name }) => name), PRIMARY.map(([, name]) => name))),
    ...shown.map((cell) => line(levelsOf(factors, cell), PRIMARY.map(([response]) => (cell.measured[response] === undefined ? '–' : figure(response, cell.measured[response].mean))))),
  ]
}

/** Each rule once, with the cells it forbids. */
function obstacleLines({ cells, factors }: ExperimentAnswer): string[] {
  const byRule = new Map<string, { readonly words: string; readonly cells: string[] }>()
  for (const cell of cells) {
    const { infeasible } = cell
    if (infeasible === undefined) continue
    const known = byRule.get(infeasible.rule) ?? { words: infeasible.words, cells: [] }
    known.cells.push(levelsOf(factors, cell).join(', '))
    byRule.set(infeasible.rule, known)
  }
  return byRule.size === 0 ? [] : ['', ...[...byRule].flatMap(([rule, { words, cells: forbidden }]) =>
    wrapped(`${forbidden.length} cell${forbidden.length === 1 ? '' : 's'} cannot be (${forbidden[0]}${forbidden.length === 1 ? '' : ', ...'}): ${rule}: ${words}`, '  ', '    '))]
}

function effectLines({ effects, factors }: ExperimentAnswer, style: Style): string[] {
  const overall = effects.filter(({ at, factor, response }) => at === undefined && factors[factor]!.levels.every(({ value }) => value === undefined) && PRIMARY.some(([name]) => name === response))
  if (overall.length === 0) return []
  return ['', style.dim('  against the first level, over all cells both were measured in: ratio, 95 % interval'), ...overall.map((effect) => effectLine(effect, factors, style))]
}

function effectLine({ factor, level, against, response, ratio, low, high, verdict }: ExperimentEffect, factors: ExperimentAnswer['factors'], style: Style): string {
  const names = factors[factor]!.levels
  const interval = low === undefined || high === undefined ? 'one block' : `${significant(low)} to ${significant(high)}`
  const words = verdict === 'worse' ? style.warn(verdict) : verdict
  return `  ${`${names[level]!.name} / ${names[against]!.name}`.padEnd(26)}${nameOf(response).padEnd(13)}${`× ${significant(ratio)}`.padStart(8)}  ${interval.padEnd(16)}  ${words}`
}

function crossoverLines({ crossovers, factors }: ExperimentAnswer, style: Style): string[] {
  const shown = crossovers.filter(({ response }) => PRIMARY.some(([name]) => name === response))
  const groups = new Map<string, ExperimentCrossover[]>()
  for (const crossover of shown) {
    const { factor, along, at } = crossover
    const names = factors[factor]!.levels
    const place = Object.entries(at).map(([name, level]) => `${name} ${factors.find((other) => other.name === name)!.levels[level]!.name}`).join(', ')
    const head = `${names[crossover.levels[0]]!.name} against ${names[crossover.levels[1]]!.name}, along ${factors[along]!.name}${place === '' ? '' : `, at ${place}`}`
    groups.set(head, [...groups.get(head) ?? [], crossover])
  }
  return [...groups].flatMap(([head, rows]) => ['', `  ${style.bold(head)}`, ...rows.map((row) => `    ${nameOf(row.response).padEnd(13)}${crossoverWords(row, factors)}`)])
}

/** `5.20 KiB (3.10 KiB to 9.90 KiB): below it MESSAGE is better`, or that there is none. */
export function crossoverWords({ outcome, quantity, low, high, first, along, factor, levels, range, notExcluded, further }: ExperimentCrossover, factors: ExperimentAnswer['factors']): string {
  const show = quantityText(factors[along]!)
  const names = factors[factor]!.levels
  if (outcome === 'unmeasured') return 'too few valid trials'
  if (outcome === 'undecided') return `cannot be told from ${show(range!.from)} to ${show(range!.to)}: the means change sides, and no quantity is excluded`
  if (outcome === 'none') {
    const who = first === undefined ? 'the same' : `${names[first]!.name} is better`
    return `no crossover from ${show(range!.from)} to ${show(range!.to)}: ${who}${notExcluded === true ? ', though one is not excluded' : ''}`
  }
  const other = names[first === levels[0] ? levels[1] : levels[0]]!.name
  const interval = `${low === undefined ? `below ${show(range!.from)}` : show(low)} to ${high === undefined ? `above ${show(range!.to)}` : show(high)}`
  return `${show(quantity!)} (${interval}), from there ${other} is better${further === undefined || further === 0 ? '' : `; changes ${further} times more beyond`}`
}

/** Sizes, times and rates as their levels are written; plain numbers otherwise. */
function quantityText({ levels }: ExperimentAnswer['factors'][number]): (value: number) => string {
  const written = levels[0]!.name
  if (/(?:B|iB)$/.test(written)) return (value) => octets(Math.round(value))
  if (/\/(?:s|min|h)$/.test(written)) return rate
  if (/\d\s*(?:us|µs|ms|s|sec|m|min|h)$/.test(written)) return duration
  if (/%$/.test(written)) return (value) => percent(value, 1)
  return significant
}

function levelsOf(factors: ExperimentAnswer['factors'], { levels }: ExperimentCell): string[] {
  return factors.map((factor, index) => factor.levels[levels[index]!]!.name)
}

function nameOf(response: ResponseName): string {
  return PRIMARY.find(([name]) => name === response)![1]
}

function figure(response: ResponseName, value: number): string {
  if (response === 'wireBytesPerPush') return octets(Math.round(value))
  return response === 'messagesPerPush' ? significant(value) : duration(value)
}
