/** The traffic set: shares, recipients and repeated push-ids follow from the seed. */
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { schedule } from '../../loadgen/pacing.js'
import { steady } from '../../loadgen/rate-curve.js'
import { ROWS, type RowName } from '../../loadgen/scenario.js'
import { REPEAT_AFTER_MICROS, TrafficPlan, identitiesNeeded, type AddressPool, type Recipients } from '../../loadgen/traffic.js'

const pool = (name: string, size: number): AddressPool => ({ size, address: (index) => `${name}-${index}` })
const recipients: Recipients = { online: pool('online', 500), fanOut: pool('several', 100), gruu: pool('gruu', 100), offlineReturns: pool('away', 50), expires: pool('absent', 20), anyone: pool('anyone', 500), misbehaving: pool('bad', 20) }
const shares: Record<RowName, number> = { online: 0.5, fanOut: 0.2, gruu: 0.1, offlineReturns: 0.1, expires: 0.05, anyone: 0, duplicate: 0.05, misbehaving: 0 }
const offsets = schedule('poisson', steady(1_000, 20_000_000), new SeededEntropy(5))
const plan = (seed = 9): TrafficPlan => new TrafficPlan(offsets, shares, recipients, new SeededEntropy(seed), 'r1')

describe('the traffic set', () => {
  it('gives every row its share', () => {
    const planned = plan()
    for (const row of ROWS) {
      const share = Array.from({ length: planned.length }, (_, attempt) => planned.row(attempt)).filter((each) => each === row).length / planned.length
      expect(Math.abs(share - shares[row]), row).toBeLessThan(0.02)
    }
  })

  it('aims each row at its own recipients and spreads over all of them', () => {
    const planned = plan()
    const seen = new Map<RowName, Set<string>>(ROWS.map((row) => [row, new Set()]))
    for (let attempt = 0; attempt < planned.length; attempt++) seen.get(planned.row(attempt))!.add(planned.address(attempt))
    expect([...seen.get('gruu')!].every((address) => address.startsWith('gruu-'))).toBe(true)
    expect(seen.get('gruu')!.size).toBe(100)
    expect([...seen.get('expires')!].every((address) => address.startsWith('absent-'))).toBe(true)
  })

  it('repeats a push-id at the same address, once, and only when the original is old enough', () => {
    const planned = plan()
    const repeated = new Set<number>()
    for (let attempt = 0; attempt < planned.length; attempt++) {
      const original = planned.original(attempt)
      if (original === undefined) continue
      expect(planned.original(original)).toBeUndefined()
      expect(planned.pushId(attempt)).toBe(planned.pushId(original))
      expect(planned.address(attempt)).toBe(planned.address(original))
      expect(offsets[attempt]! - offsets[original]!).toBeGreaterThanOrEqual(REPEAT_AFTER_MICROS)
      expect(repeated.has(original)).toBe(false)
      repeated.add(original)
    }
    expect(repeated.size).toBeGreaterThan(500)
  })

  it('sends bursts to one recipient in a row, each push under an id of its own', () => {
    const planned = new TrafficPlan(offsets, { ...shares, duplicate: 0 }, recipients, new SeededEntropy(9), 'r1', { inARow: 5 })
    const addresses = Array.from({ length: planned.length }, (_, attempt) => planned.address(attempt))
    for (let attempt = 0; attempt < planned.length; attempt++) expect(addresses[attempt]).toBe(addresses[attempt - attempt % 5])
    expect(new Set(addresses.filter((_, attempt) => attempt % 5 === 0)).size).toBeGreaterThan(500)
    expect(new Set(Array.from({ length: planned.length }, (_, attempt) => planned.pushId(attempt))).size).toBe(planned.length)
  })

  it('repeats no push-id within a burst, whose other pushes are drawn each by itself', () => {
    const planned = new TrafficPlan(offsets, shares, recipients, new SeededEntropy(9), 'r1', { inARow: 5 })
    const originals = Array.from({ length: planned.length }, (_, attempt) => planned.original(attempt)).filter((original) => original !== undefined)
    expect(new Set(originals).size).toBe(originals.length)
  })

  it('gives every other attempt a push-id of its own', () => {
    const planned = plan()
    const own = Array.from({ length: planned.length }, (_, attempt) => attempt).filter((attempt) => planned.original(attempt) === undefined)
    expect(new Set(own.map((attempt) => planned.pushId(attempt))).size).toBe(own.length)
  })

  it('is the same for the same seed', () => {
    const addresses = (planned: TrafficPlan) => Array.from({ length: 200 }, (_, attempt) => planned.address(attempt))
    expect(addresses(plan(9))).toEqual(addresses(plan(9)))
    expect(addresses(plan(9))).not.toEqual(addresses(plan(10)))
  })

  it('asks for enough recipients that one pending MESSAGE per Request-URI (RFC 3428 section 8) seldom makes a push wait', () => {
    expect(identitiesNeeded(200, 50_000)).toBe(100)
    expect(identitiesNeeded(0, 50_000)).toBe(1)
  })
})
