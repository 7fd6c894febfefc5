/**
 * A over B: how many times larger a statistic is over the trials of A than over those of B, with its intervals. A ratio needs no unit
 * and compares across metrics. Trials, not samples: see bootstrap.ts.
 */
import { type BootstrapIntervals, demandResampling, intervalsOf, leaveOneOut, type Resampling } from './bootstrap.js'
import { drawAgain } from './chance.js'
import type { Statistic } from './location.js'
import { demand, demandValues } from './misuse.js'

/** Trials that ran close in time, to be drawn again together: `{ a: [x1, x4], b: [x2, x3] }` of an ABBA, or one of each. */
export interface Block {
  readonly a: readonly number[]
  readonly b: readonly number[]
}

/**
 * The ratio of `statistic` over trials A to that over trials B, each side drawn again by itself (Efron and Tibshirani 1993, chapter 8,
 * two samples). For plans in random order. At least two trials a side, none negative, those of B above 0.
 */
export function ratioOf(a: readonly number[], b: readonly number[], statistic: Statistic, resampling: Resampling): BootstrapIntervals {
  demandSides(a, b, 2)
  demandResampling(resampling)
  const valuesA = Float64Array.from(a)
  const valuesB = Float64Array.from(b)
  const drawnA = new Float64Array(valuesA.length)
  const drawnB = new Float64Array(valuesB.length)
  const replicates = new Float64Array(resampling.resamples)
  for (let index = 0; index < replicates.length; index++) {
    drawAgain(valuesA, drawnA, resampling.unit)
    drawAgain(valuesB, drawnB, resampling.unit)
    replicates[index] = statistic(drawnA) / statistic(drawnB)
  }
  drawnA.set(valuesA)
  drawnB.set(valuesB)
  const ofA = statistic(drawnA)
  const ofB = statistic(drawnB)
  const strata = [leaveOneOut(valuesA, statistic).map((without) => without / ofB), leaveOneOut(valuesB, statistic).map((without) => ofA / without)]
  return intervalsOf(ofA / ofB, replicates, strata, resampling.level)
}

/**
 * The same for an interleaved plan: whole blocks are drawn again, so that what the machine did to both sides of a block at that time
 * cancels instead of widening the interval. With ABBA blocks a linear drift cancels as well. At least two blocks, all of one shape.
 */
export function blockedRatioOf(blocks: readonly Block[], statistic: Statistic, resampling: Resampling): BootstrapIntervals {
  demand(blocks.length >= 2, `the plan must hold at least 2 blocks; there are ${blocks.length}`)
  for (const { a, b } of blocks) {
    demandSides(a, b, 1)
    demand(a.length === blocks[0]!.a.length && b.length === blocks[0]!.b.length, 'every block must hold as many trials of A, and of B, as the first')
  }
  demandResampling(resampling)
  const all = Float64Array.from(blocks, (_, index) => index)
  const which = new Float64Array(blocks.length)
  const ratio = ratioOfBlocks(blocks, statistic)
  const replicates = new Float64Array(resampling.resamples)
  for (let index = 0; index < replicates.length; index++) {
    drawAgain(all, which, resampling.unit)
    replicates[index] = ratio(which)
  }
  return intervalsOf(ratio(all), replicates, [leaveOneOut(all, ratioOfBlocks(blocks, statistic))], resampling.level)
}

/** The ratio as a statistic of block numbers. */
function ratioOfBlocks(blocks: readonly Block[], statistic: Statistic): Statistic {
  const a = Float64Array.from(blocks.flatMap((block) => block.a))
  const b = Float64Array.from(blocks.flatMap((block) => block.b))
  const perBlockA = a.length / blocks.length
  const perBlockB = b.length / blocks.length
  const drawnA = new Float64Array(a.length)
  const drawnB = new Float64Array(b.length)
  return (which) => {
    for (let slot = 0; slot < which.length; slot++) {
      const block = which[slot]!
      for (let index = 0; index < perBlockA; index++) drawnA[slot * perBlockA + index] = a[block * perBlockA + index]!
      for (let index = 0; index < perBlockB; index++) drawnB[slot * perBlockB + index] = b[block * perBlockB + index]!
    }
    return statistic(drawnA.subarray(0, which.length * perBlockA)) / statistic(drawnB.subarray(0, which.length * perBlockB))
  }
}

function demandSides(a: readonly number[], b: readonly number[], least: number): void {
  demandValues(a, least, 'the trials of A')
  demandValues(b, least, 'the trials of B')
  demand(a.every((value) => value >= 0), 'the trials of A must not be negative, or their ratio to B says nothing')
  demand(b.every((value) => value > 0), 'the trials of B must be above 0, or nothing can be divided by them')
}
