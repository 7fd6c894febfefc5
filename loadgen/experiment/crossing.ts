/**
 * Where a difference that is measured at several quantities changes its sign, and what the trials do not exclude. The difference is taken
 * within blocks and runs straight between neighbouring quantities, on a logarithmic scale where all of them are above 0.
 * Knows numbers, not what they are of.
 */
import { mean } from '../../reports/statistics/location.js'
import { studentQuantile } from '../../reports/statistics/distributions.js'

/** The differences measured at one quantity, by block. */
export interface CrossingPoint {
  readonly quantity: number
  readonly differences: ReadonlyMap<number, number>
}

export interface Crossing {
  readonly outcome: 'found' | 'none' | 'undecided'
  /** Where the sign changes first, if that was found. */
  readonly quantity?: number
  /** Bounds of what is not excluded; an end that is absent lies outside of the range. */
  readonly low?: number
  readonly high?: number
  /** Whether a change within the range is not excluded all the same. */
  readonly notExcluded?: boolean
  /** The sign before the change, or over the whole range; 0 when every mean is. */
  readonly sign: number
  readonly further: number
}

/** Places looked at between two neighbouring quantities. */
const STEPS = 128

/**
 * The interval inverts Student's test: a place is excluded as the crossing when the blocks' differences there have a mean other than 0 (E. Fieller,
 * "Some problems in interval estimation", JRSS B 1954). A bootstrap of the crossing itself covers far too little with a handful of blocks, and
 * has no answer for those of its samples that do not cross.
 *
 * @param points by ascending quantity, at least two, each with two blocks or more, and neighbours with two in common
 */
export function crossingOf(points: readonly CrossingPoint[], level: number): Crossing {
  const isLog = points.every(({ quantity }) => quantity > 0)
  const scale = isLog ? Math.log : (value: number): number => value
  const unscale = isLog ? Math.exp : (value: number): number => value
  const means = points.map(({ differences }) => mean([...differences.values()]))
  const changes = changesOf(means)
  const sign = Math.sign(means.find((value) => value !== 0) ?? 0)
  const open = openPlaces(points.map(({ quantity, differences }) => ({ at: scale(quantity), differences })), level)
  const [first] = changes
  if (first === undefined) return { outcome: 'none', sign, further: 0, notExcluded: open !== undefined, ...(open === undefined ? {} : bounds(points, open, unscale)) }
  const from = scale(points[first.from]!.quantity)
  const to = scale(points[first.to]!.quantity)
  const below = means[first.from]!
  const above = means[first.to]!
  const at = from + (to - from) * below / (below - above)
  // Exactly 0 at a quantity is within any interval; a place between those looked at may be the only one that is not excluded.
  const around = open === undefined ? { low: at, high: at } : { ...open, low: Math.min(open.low, at), high: Math.max(open.high, at) }
  const interval = bounds(points, around, unscale)
  // Means change sides by chance, too: a place that may as well be any other, or none, has not been found.
  if (interval.low === undefined && interval.high === undefined) return { outcome: 'undecided', sign: 0, further: 0, notExcluded: true }
  return { outcome: 'found', quantity: unscale(at), sign, further: changes.length - 1, ...interval }
}

/** Neighbouring means of opposite sign; means of 0 between them are passed over. */
function changesOf(means: readonly number[]): { readonly from: number; readonly to: number }[] {
  const changes: { from: number; to: number }[] = []
  let last: number | undefined
  means.forEach((value, index) => {
    if (value === 0) return
    if (last !== undefined && Math.sign(means[last]!) !== Math.sign(value)) changes.push({ from: last, to: index })
    last = index
  })
  return changes
}

interface Open {
  readonly low: number
  readonly high: number
}

/** The hull of the places at which the mean difference may be 0. */
function openPlaces(points: readonly { readonly at: number; readonly differences: ReadonlyMap<number, number> }[], level: number): Open | undefined {
  let low = Infinity
  let high = -Infinity
  for (let segment = 1; segment < points.length; segment++) {
    const before = points[segment - 1]!
    const after = points[segment]!
    const common = [...before.differences.keys()].filter((block) => after.differences.has(block))
    const here = common.map((block) => before.differences.get(block)!)
    const there = common.map((block) => after.differences.get(block)!)
    const bound = studentQuantile((1 + level) / 2, common.length - 1) ** 2
    for (let step = 0; step <= STEPS; step++) {
      const part = step / STEPS
      const values = here.map((value, index) => (1 - part) * value + part * there[index]!)
      const centre = mean(values)
      const square = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1) / values.length
      if (centre ** 2 > bound * square) continue
      const at = before.at + part * (after.at - before.at)
      low = Math.min(low, at)
      high = Math.max(high, at)
    }
  }
  return low === Infinity ? undefined : { low, high }
}

function bounds(points: readonly CrossingPoint[], { low, high }: Open, unscale: (value: number) => number): { low?: number; high?: number } {
  const from = points[0]!.quantity
  const to = points[points.length - 1]!.quantity
  // Where the first or the last quantity is not excluded itself, neither is what lies beyond it.
  const atLow = unscale(low)
  const atHigh = unscale(high)
  return { ...(atLow <= from * (1 + 1e-9) ? {} : { low: atLow }), ...(atHigh >= to * (1 - 1e-9) ? {} : { high: atHigh }) }
}
