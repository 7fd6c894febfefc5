/** How an experiment's answer is read: which factor is the mode, which settings there are, and what levels and measures are called. */
import type { ExperimentAnswer, ExperimentCell } from '../answers/experiment.js'
import { octets } from '../format.js'
import { quantity, type QuantityUnit } from '../quantity.js'

type Response = ExperimentAnswer['responses'][number]

const CLASSES = ['c1', 'c4', 'c3', 'c2', 'c5', 'c0']

/** The colour of a level of the mode. */
export function classOf(level: number): string {
  return CLASSES[level % CLASSES.length]!
}

/** The factor whose levels are told apart by colour: the first that has no quantities. */
export function modeFactor({ factors }: ExperimentAnswer): number {
  return Math.max(0, factors.findIndex(({ levels }) => levels.some(({ value }) => value === undefined)))
}

export function levelName({ factors }: ExperimentAnswer, factor: number, level: number): string {
  return factors[factor]?.levels[level]?.name ?? String(level)
}

/** `size 64 B, burst 5`. Keys are names of factors; values, indexes of their levels. */
export function settingText(answer: ExperimentAnswer, setting: Readonly<Record<string, number>>): string {
  return Object.entries(setting).map(([name, level]) => `${name} ${levelName(answer, answer.factors.findIndex((factor) => factor.name === name), level)}`).join(', ')
}

export interface Combination {
  readonly setting: Readonly<Record<string, number>>
  readonly cells: readonly ExperimentCell[]
}

/** The cells by the setting of all factors but those left free, in the plan's order. */
export function combinations({ factors, cells }: ExperimentAnswer, ...free: readonly number[]): Combination[] {
  const found = new Map<string, { setting: Record<string, number>; cells: ExperimentCell[] }>()
  for (const cell of cells) {
    const setting = Object.fromEntries(factors.flatMap(({ name }, factor) => (free.includes(factor) ? [] : [[name, cell.levels[factor]!] as const])))
    const key = JSON.stringify(setting)
    const combination = found.get(key) ?? { setting, cells: [] }
    combination.cells.push(cell)
    found.set(key, combination)
  }
  return [...found.values()]
}

const UNITS: Readonly<Record<string, QuantityUnit>> = { us: 'micros', bytes: 'octets', '/s': 'perSecond', share: 'share' }

/** Units without a name of their own are numbers of things. */
export function responseText({ unit }: Response, value: number): string {
  return quantity(value, UNITS[unit] ?? 'count')
}

/** A quantity of a factor: its level's name where it is one, else rounded; octets as such. */
export function quantityText({ factors }: ExperimentAnswer, factor: number, value: number): string {
  const levels = factors[factor]?.levels ?? []
  const named = levels.find((level) => level.value === value)
  if (named !== undefined) return named.name
  return levels.some(({ name }) => /\d\s*(B|[kKMG]i?B)$/.test(name)) ? octets(Math.round(value)) : String(Number(value.toPrecision(3)))
}
