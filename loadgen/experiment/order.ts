/**
 * In which order the trials of a block are performed. What drifts in the machine then falls on all cells alike instead of on those that come
 * last (R. A. Fisher, "The design of experiments", 1935, chapter IV). Knows indices and a seed.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'

/**
 * The cells of a block, each once, in an order drawn from the seed. Of two cells every second block is the one before it turned
 * around (ABBA), so that a steady drift cancels within each pair of blocks.
 *
 * @param block from 1
 */
export function blockOrder(cells: number, block: number, seed: number): number[] {
  if (cells === 2) {
    const pair = Math.ceil(block / 2)
    const first = new SeededEntropy(seed, `pair ${pair}`).below(2)
    return block % 2 === 1 ? [first, 1 - first] : [1 - first, first]
  }
  const entropy = new SeededEntropy(seed, `block ${block}`)
  const order = Array.from({ length: cells }, (_, cell) => cell)
  for (let last = cells - 1; last > 0; last--) {
    const other = entropy.below(last + 1)
    const cell = order[last]!
    order[last] = order[other]!
    order[other] = cell
  }
  return order
}
