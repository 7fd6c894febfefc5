/**
 * What each attempt is: which row of the traffic set, aimed at whom, under which push-id. Drawn ahead from the seed,
 * one table for the whole run. Knows pools of addresses, not who lives behind them.
 */
import { assert } from '../core/kit/assert.js'
import type { SeededEntropy } from '../core/kit/entropy.js'
import { MICROS_PER_SECOND, type Micros } from '../core/kit/time.js'
import { ROWS, type RowName, type Scenario } from './scenario.js'

/** The addresses (PAP address values) a row can be aimed at. Computed when asked for, so a large pool costs nothing. */
export interface AddressPool {
  readonly size: number
  address(index: number): string
}

/** Every row but `duplicate`, which repeats an attempt of another row. */
export type Recipients = Readonly<Record<Exclude<RowName, 'duplicate'>, AddressPool>>

/** A repeated push-id follows its original at least this much later, so that the original is surely taken. */
export const REPEAT_AFTER_MICROS: Micros = MICROS_PER_SECOND

const DUPLICATE = ROWS.indexOf('duplicate')

/** The weight of each row. */
export function sharesOf(traffic: Scenario['traffic']): Record<RowName, number> {
  return Object.fromEntries(ROWS.map((row) => [row, traffic[row].share])) as Record<RowName, number>
}

/** How long pushes live, in the rows whose pushes end by themselves. */
export type Lifetimes = Readonly<Partial<Record<RowName, Micros>>>

export function lifetimesOf({ expires, anyone, misbehaving }: Scenario['traffic']): Lifetimes {
  return { expires: expires.lifetime, anyone: anyone.lifetime, misbehaving: misbehaving.lifetime }
}

export class TrafficPlan {
  /** Index into ROWS by attempt. */
  readonly rows: Uint8Array
  /** Index into the row's pool; for `duplicate` the attempt that is repeated. */
  private readonly picks: Int32Array

  /**
   * @param offsets planned times, ascending
   * @param shares weight of each row; those with a share need a pool that is not empty
   * @param runId makes push-ids unique across runs, since the gateway remembers them for days
   * @param inARow so many attempts go to the recipient of the first of them
   */
  constructor(
    offsets: Float64Array, shares: Readonly<Record<RowName, number>>, private readonly recipients: Recipients, entropy: SeededEntropy, private readonly runId: string, inARow = 1,
  ) {
    this.rows = new Uint8Array(offsets.length)
    this.picks = new Int32Array(offsets.length)
    const rowEntropy = entropy.fork('row')
    const pickEntropy = entropy.fork('recipient')
    const limits = cumulative(ROWS.map((row) => shares[row]))
    let repeatable = 0
    let repeated = 0
    for (let attempt = 0; attempt < offsets.length; attempt++) {
      while (offsets[repeatable]! + REPEAT_AFTER_MICROS <= offsets[attempt]!) repeatable++
      const first = attempt - attempt % inARow
      if (attempt !== first && this.rows[first] !== DUPLICATE) {
        this.rows[attempt] = this.rows[first]!
        this.picks[attempt] = this.picks[first]!
        continue
      }
      let row = pickRow(limits, rowEntropy.unit())
      if (row === DUPLICATE) {
        const original = this.originalFor(repeated, repeatable)
        if (original === undefined) {
          // Nothing is old enough to be repeated yet: the first moments of a run.
          row = firstWithShare(shares)
        } else {
          repeated = original + 1
          this.picks[attempt] = original
        }
      }
      this.rows[attempt] = row
      if (row !== DUPLICATE) this.picks[attempt] = pickEntropy.below(this.pool(row).size)
    }
  }

  get length(): number {
    return this.rows.length
  }

  row(attempt: number): RowName {
    return ROWS[this.rows[attempt]!]!
  }

  pushId(attempt: number): string {
    const named = this.rows[attempt] === DUPLICATE ? this.picks[attempt]! : attempt
    return `${this.runId}-${named}@pushbench.example`
  }

  address(attempt: number): string {
    const row = this.rows[attempt]!
    return row === DUPLICATE ? this.address(this.picks[attempt]!) : this.pool(row).address(this.picks[attempt]!)
  }

  /** Whom it is aimed at: an index into the pool of its row, or of the row of the attempt it repeats. */
  recipient(attempt: number): { readonly row: Exclude<RowName, 'duplicate'>; readonly index: number } {
    const row = this.row(attempt)
    return row === 'duplicate' ? this.recipient(this.picks[attempt]!) : { row, index: this.picks[attempt]! }
  }

  /** The attempt whose push-id this one repeats; undefined for a push of its own. */
  original(attempt: number): number | undefined {
    return this.rows[attempt] === DUPLICATE ? this.picks[attempt] : undefined
  }

  /** The earliest attempt that is old enough and was not repeated yet, a repeat never being repeated itself. */
  private originalFor(from: number, to: number): number | undefined {
    for (let attempt = from; attempt < to; attempt++) if (this.rows[attempt] !== DUPLICATE) return attempt
    return undefined
  }

  private pool(row: number): AddressPool {
    const name = ROWS[row]!
    assert(name !== 'duplicate', 'a repeat has no pool of its own')
    return this.recipients[name]
  }
}

function cumulative(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  assert(total > 0, 'a traffic set needs a row with a share')
  let sum = 0
  return weights.map((weight) => (sum += weight / total))
}

function pickRow(limits: readonly number[], unit: number): number {
  for (let row = 0; row < limits.length; row++) if (unit < limits[row]!) return row
  // Rounding may leave the last limit a hair below 1: the last row that has a share.
  return limits.findIndex((limit) => limit === limits[limits.length - 1])
}

function firstWithShare(shares: Readonly<Record<RowName, number>>): number {
  const row = ROWS.findIndex((name) => name !== 'duplicate' && shares[name] > 0)
  assert(row >= 0, 'duplicate cannot be the only row')
  return row
}

/**
 * How many recipients a row needs so that pushes rarely wait for one another: RFC 3428 section 8 allows one pending
 * MESSAGE per Request-URI, so by Little's law `rate x held` recipients are busy at once, and at most one in ten may be.
 */
export function identitiesNeeded(ratePerSecond: number, heldMicros: Micros): number {
  return Math.max(1, Math.ceil(10 * ratePerSecond * heldMicros / MICROS_PER_SECOND))
}
