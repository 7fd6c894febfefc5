/** When a load is hopeless: what is in flight and how long an answer takes both grow. One of the two alone, or chance, ends nothing. */
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { OverSaturation } from '../../loadgen/capacity/over-saturation.js'

/** What a watch says over so many seconds, told four times in each. */
function watched(seconds: number, inFlight: (second: number) => number, p99: (second: number) => number): { second: number; reason: string } | undefined {
  const watch = new OverSaturation()
  for (let quarter = 0; quarter < 4 * seconds; quarter++) {
    const second = Math.floor(quarter / 4)
    const reason = watch.look({ phase: quarter < 4 ? 'warm-up' : 'load', elapsedSeconds: quarter / 4, inFlight: inFlight(second), submitP99Us: p99(second) })
    if (reason !== undefined) return { second, reason }
  }
  return undefined
}

describe('over-saturation', () => {
  it('is seen within a dozen seconds where both grow', () => {
    const seen = watched(60, (second) => 100 * second, (second) => 5_000 + 20_000 * second)
    expect(seen?.second).toBeLessThanOrEqual(12)
    expect(seen?.reason).toMatch(/^over-saturated after 1\d s: in flight from \d+ to \d+, time to an answer \(p99\) from \d+ ms to \d+ ms, both growing$/)
  })

  it('is not seen where only one of the two grows', () => {
    expect(watched(60, (second) => 100 * second, () => 5_000)).toBeUndefined()
    expect(watched(60, () => 100, (second) => 5_000 + 20_000 * second)).toBeUndefined()
  })

  it('is not seen in chance: of 200 steady runs of a minute none is ended', () => {
    for (let seed = 0; seed < 200; seed++) {
      const entropy = new SeededEntropy(seed)
      expect(watched(60, () => 50 + Math.round(50 * entropy.unit()), () => 4_000 + entropy.exponential(4_000)), `seed ${seed}`).toBeUndefined()
    }
  })

  it('is not looked for in the warm-up, and a pause between two looks counts as one second', () => {
    const watch = new OverSaturation()
    for (let second = 0; second < 60; second++) expect(watch.look({ phase: 'warm-up', elapsedSeconds: second, inFlight: 100 * second, submitP99Us: 10_000 * second })).toBeUndefined()
  })
})
