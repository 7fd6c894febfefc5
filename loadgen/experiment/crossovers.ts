/**
 * Along each factor of quantities, where the better of two ways changes: the first level of a factor that is no quantity against each other
 * one, for every response and every combination of what else was varied. Knows the table and the crossing, not what is shown.
 */
import { type ExperimentCrossover } from '../../reports/answers/experiment.js'
import { crossingOf, type CrossingPoint } from './crossing.js'
import { RESPONSE_ROWS } from './measures.js'
import { combinationsWithout, withLevel, type MeasuredTable } from './table.js'

/** Fewer blocks say nothing about how sure a place is. */
const BLOCKS_MIN = 2

export function crossoversOf(table: MeasuredTable, level: number): ExperimentCrossover[] {
  const { factors } = table.design
  return factors.flatMap(({ levels: quantities }, along) => {
    if (!quantities.every(({ value }) => value !== undefined)) return []
    return factors.flatMap(({ levels: ways }, factor) => {
      if (factor === along || ways.every(({ value }) => value !== undefined)) return []
      const places = distinctPlaces(combinationsWithout(table.design, factor).map((place) => withLevel(place, along, 0)))
      return places.flatMap((place) => ways.slice(1).flatMap((_, index) => ofPair(table, { factor, along, place, other: index + 1 }, level)))
    })
  })
}

interface Pair {
  readonly factor: number
  readonly along: number
  readonly place: readonly number[]
  /** Compared with level 0. */
  readonly other: number
}

function ofPair(table: MeasuredTable, pair: Pair, level: number): ExperimentCrossover[] {
  const { factor, along, place, other } = pair
  const { factors } = table.design
  const quantities = factors[along]!.levels.map(({ value }, index) => ({ value: value!, index })).sort((a, b) => a.value - b.value)
  const cells = quantities.flatMap(({ value, index }) => {
    const first = table.cell(withLevel(withLevel(place, along, index), factor, 0))
    const second = table.cell(withLevel(withLevel(place, along, index), factor, other))
    return first === undefined || second === undefined ? [] : [{ value, first, second }]
  })
  const measurable = cells.filter(({ first, second }) => first.infeasible === undefined && second.infeasible === undefined)
  // Of a design that varies one thing at a time there are places with a single quantity.
  if (measurable.length < 2) return []
  const beyond = cells.find(({ value }) => value > measurable[measurable.length - 1]!.value)
  const bounded = beyond === undefined ? undefined : (beyond.first.infeasible ?? beyond.second.infeasible)!
  const at = Object.fromEntries(factors.flatMap(({ name }, index) => (index === factor || index === along ? [] : [[name, place[index]!]])))
  return RESPONSE_ROWS.flatMap(({ name: response, better }): ExperimentCrossover[] => {
    const points = measurable.map(({ value, first, second }): CrossingPoint => ({ quantity: value, differences: table.logRatios(response, second, first) })).filter(({ differences }) => differences.size >= BLOCKS_MIN)
    // Never above 0 with one of the two: there is nothing to overtake.
    if (points.length === 0 && table.blocks.length >= BLOCKS_MIN) return []
    const base = { response, factor, levels: [0, other] as const, along, at, ...(bounded === undefined ? {} : { bounded: `${bounded.rule}: ${bounded.words}` }) }
    const blocks = points.length === 0 ? 0 : Math.min(...points.map(({ differences }) => differences.size))
    if (points.length < 2 || !points.every((point, index) => index === 0 || common(points[index - 1]!, point) >= BLOCKS_MIN)) return [{ ...base, blocks, outcome: 'unmeasured' }]
    const { sign, ...crossing } = crossingOf(points, level)
    const range = { from: points[0]!.quantity, to: points[points.length - 1]!.quantity }
    if (sign === 0) return [{ ...base, range, blocks, ...crossing }]
    // Above 0 the second has more of it.
    const first = sign > 0 === (better === 'lower') ? 0 : other
    return [{ ...base, range, blocks, ...crossing, first }]
  })
}

function common(a: CrossingPoint, b: CrossingPoint): number {
  return [...a.differences.keys()].filter((block) => b.differences.has(block)).length
}

function distinctPlaces(places: readonly number[][]): number[][] {
  return [...new Map(places.map((place) => [place.join(), place])).values()]
}
