/**
 * What each attempt is: which row of the traffic set, aimed at whom, under which push-id. Drawn from the seed in the order of
 * the attempts, one table for the whole run. Knows pools of addresses, not who lives behind them.
 */
import { assert } from '../core/kit/assert.js'
import type { SeededEntropy } from '../core/kit/entropy.js'
import { MICROS_PER_SECOND, type Micros } from '../core/kit/time.js'
import { ROWS, type RowName, type Scenario } from './scenario.js'
import { NO_ROW } from './trace.js'

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

/** What decides of attempts besides the shares. */
export interface PlanSettings {
  /** Attempts in a row that go to the recipient of the first of them; 1 when absent. */
  readonly inARow?: number
  /** Index into ROWS by attempt, NO_ROW where the shares decide: a trace's. */
  readonly rows?: Uint8Array
  /** From this attempt on nobody is pushed to twice: a campaign's. How many attempts that is decides of each row's share exactly. */
  readonly once?: { readonly from: number; readonly attempts: number }
}

export class TrafficPlan {
  /** Index into ROWS by attempt. */
  private rows: Uint8Array
  /** Index into the row's pool; for `duplicate` the attempt that is repeated. */
  private picks: Int32Array
  private offsets: Float64Array
  private drawn = 0
  private readonly rowEntropy: SeededEntropy
  private readonly pickEntropy: SeededEntropy
  private readonly limits: readonly number[]
  private readonly inARow: number
  private readonly once: Once | undefined
  /** Attempts before this one are old enough to be repeated. */
  private repeatable = 0
  /** Those before this one were, or never will be. */
  private repeated = 0

  /**
   * @param offsets planned times of the attempts that are known ahead, ascending; more are drawn one by one
   * @param shares weight of each row; those with a share need a pool that is not empty
   * @param runId makes push-ids unique across runs, since the gateway remembers them for days
   */
  constructor(
    offsets: Float64Array, private readonly shares: Readonly<Record<RowName, number>>, private readonly recipients: Recipients, entropy: SeededEntropy, private readonly runId: string,
    private readonly settings: PlanSettings = {},
  ) {
    this.rows = new Uint8Array(offsets.length)
    this.picks = new Int32Array(offsets.length)
    this.offsets = new Float64Array(offsets.length)
    this.rowEntropy = entropy.fork('row')
    this.pickEntropy = entropy.fork('recipient')
    this.limits = cumulative(ROWS.map((row) => shares[row]))
    this.inARow = settings.inARow ?? 1
    this.once = settings.once === undefined ? undefined : new Once(settings.once, shares, recipients, entropy)
    for (const offset of offsets) this.draw(offset)
  }

  /** Decides of the next attempt, planned no sooner than the one before it. The same attempts, whether drawn ahead or one by one. */
  draw(offset: Micros): void {
    const attempt = this.drawn++
    if (attempt === this.rows.length) this.grow()
    this.offsets[attempt] = offset
    while (this.offsets[this.repeatable]! + REPEAT_AFTER_MICROS <= offset) this.repeatable++
    const first = attempt - attempt % this.inARow
    if (attempt !== first && this.rows[first] !== DUPLICATE) {
      this.rows[attempt] = this.rows[first]!
      this.picks[attempt] = this.picks[first]!
      return
    }
    if (this.once !== undefined && attempt >= this.once.from) {
      this.rows[attempt] = this.once.row(attempt)
      this.picks[attempt] = this.once.pick(this.rows[attempt]!)
      return
    }
    const given = this.settings.rows?.[attempt] ?? NO_ROW
    let row = given === NO_ROW ? pickRow(this.limits, this.rowEntropy.unit()) : given
    if (row === DUPLICATE) {
      const original = this.originalFor(this.repeated, this.repeatable)
      if (original === undefined) {
        // Nothing is old enough to be repeated yet: the first moments of a run.
        row = firstWithShare(this.shares)
      } else {
        this.repeated = original + 1
        this.picks[attempt] = original
      }
    }
    this.rows[attempt] = row
    if (row !== DUPLICATE) this.picks[attempt] = this.pickEntropy.below(this.pool(row).size)
  }

  /** Attempts that were decided of. */
  get length(): number {
    return this.drawn
  }

  row(attempt: number): RowName {
    return ROWS[this.rows[attempt]!]!
  }

  pushId(attempt: number): string {
    const named = this.rows[attempt] === DUPLICATE ? this.picks[attempt]! : attempt
    return `${this.runId}-${named}@pushbench.example`
  }

  /** The attempt that a push-id was first used by; undefined for one that is not of this run. */
  attemptOf(pushId: string): number | undefined {
    const before = this.runId.length + 1
    const attempt = pushId.startsWith(this.runId) && pushId[before - 1] === '-' ? Number.parseInt(pushId.slice(before), 10) : NaN
    return attempt >= 0 && attempt < this.drawn ? attempt : undefined
  }

  /** Its planned time, from the begin of the load. */
  offset(attempt: number): Micros {
    return this.offsets[attempt]!
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
    return poolOf(this.recipients, row)
  }

  private grow(): void {
    const length = Math.max(1_024, 2 * this.rows.length)
    const rows = new Uint8Array(length)
    const picks = new Int32Array(length)
    const offsets = new Float64Array(length)
    rows.set(this.rows)
    picks.set(this.picks)
    offsets.set(this.offsets)
    Object.assign(this, { rows, picks, offsets })
  }
}

/** Recipients without repetition: each row has exactly its share of the attempts, in random order, and each recipient of a row its turn once. */
class Once {
  readonly from: number
  private readonly rows: Uint8Array
  private readonly pickEntropy: SeededEntropy
  /** By row: recipients not yet taken, in front of those that were. */
  private readonly left = new Map<number, { readonly order: Int32Array; count: number }>()

  constructor({ from, attempts }: NonNullable<PlanSettings['once']>, shares: Readonly<Record<RowName, number>>, private readonly recipients: Recipients, entropy: SeededEntropy) {
    this.from = from
    this.pickEntropy = entropy.fork('once')
    this.rows = new Uint8Array(attempts)
    const limits = cumulative(ROWS.map((row) => shares[row]))
    for (let attempt = 0; attempt < attempts; attempt++) this.rows[attempt] = pickRow(limits, (attempt + 0.5) / attempts)
    shuffle(this.rows, entropy.fork('order'))
  }

  row(attempt: number): number {
    return this.rows[attempt - this.from]!
  }

  pick(row: number): number {
    let left = this.left.get(row)
    if (left === undefined) {
      const { size } = poolOf(this.recipients, row)
      this.left.set(row, (left = { order: Int32Array.from({ length: size }, (_unused, index) => index), count: size }))
    }
    assert(left.count > 0, 'a campaign has as many recipients in each row as it pushes to')
    const at = this.pickEntropy.below(left.count--)
    const pick = left.order[at]!
    left.order[at] = left.order[left.count]!
    return pick
  }
}

function shuffle(rows: Uint8Array, entropy: SeededEntropy): void {
  for (let index = rows.length - 1; index > 0; index--) {
    const other = entropy.below(index + 1)
    const row = rows[index]!
    rows[index] = rows[other]!
    rows[other] = row
  }
}

function poolOf(recipients: Recipients, row: number): AddressPool {
  const name = ROWS[row]!
  assert(name !== 'duplicate', 'a repeat has no pool of its own')
  return recipients[name]
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
