/**
 * Durations recorded as a run records them, and beside it the bare cost: the same whole numbers given to the histogram itself.
 * Values are prepared, so that only the recording is timed.
 */
import { SeededEntropy } from '../../../core/kit/entropy.js'
import { newHistogram, Recorder } from '../../../loadgen/live/recorder.js'
import { serve } from './serve.js'

const VALUES = 65_536
const ROUND = 4_000_000
/** About a push's: a few milliseconds, some of them far later. */
const MEAN_MICROS = 4_000

const entropy = new SeededEntropy(1)
const fractions = Float64Array.from({ length: VALUES }, () => entropy.exponential(MEAN_MICROS))
const wholes = fractions.map(Math.round)

const recorder = new Recorder()
const histogram = newHistogram()

/** Nanoseconds of processor time a sample. */
function timed(record: (index: number) => void): number {
  const before = process.cpuUsage()
  for (let index = 0; index < ROUND; index++) record(index & (VALUES - 1))
  const { user, system } = process.cpuUsage(before)
  return 1_000 * (user + system) / ROUND
}

serve({
  record: () => timed((index) => recorder.record(fractions[index]!)),
  bare: () => timed((index) => histogram.recordValue(wholes[index]!)),
})
