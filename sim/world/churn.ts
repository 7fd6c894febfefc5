/**
 * Subscribers who come and go for good within a stretch of time: who, and when, from the seed, and a directory that knows only
 * those who are subscribed at the moment. Computed whenever asked and never stored. Knows numbers of subscribers, no SIP.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { Micros } from '../../core/kit/time.js'
import type { Subscriber, SubscriberDirectory } from '../ims/subscribers.js'

export class Churn {
  private startsAt: Micros = Infinity

  /** @param share of the subscribers who leave within `micros`; as many others come */
  constructor(private readonly seed: number, private readonly share: number, private readonly micros: Micros) {}

  /** The stretch begins; until then nobody has left and the new ones are not there yet. */
  begin(at: Micros): void {
    this.startsAt = at
  }

  /** Offset from the begin at which this subscriber leaves; `Infinity` for one who stays. */
  leavesAt(subscriber: number): Micros {
    const unit = this.unit(subscriber)
    return unit < this.share ? Math.floor(unit / this.share * this.micros) : Infinity
  }

  /** Offset at which this subscriber comes; 0 for one who was always there. */
  comesAt(subscriber: number): Micros {
    const unit = 1 - this.unit(subscriber)
    return unit <= this.share ? Math.floor(unit / this.share * this.micros) : 0
  }

  /** Is he a subscriber at this instant? One who leaves is, for a minute more: his devices say goodbye first. */
  isThere(now: Micros, subscriber: number): boolean {
    const elapsed = this.startsAt === Infinity ? 0 : now - this.startsAt
    return elapsed >= this.comesAt(subscriber) && elapsed < this.leavesAt(subscriber) + GOODBYE_MICROS
  }

  private unit(subscriber: number): number {
    return new SeededEntropy(this.seed, `churn/${subscriber}`).unit()
  }
}

const GOODBYE_MICROS: Micros = 60_000_000

export class ChurningDirectory implements SubscriberDirectory {
  constructor(
    private readonly all: SubscriberDirectory,
    private readonly churn: Churn,
    private readonly numberOf: (impu: string) => number | undefined,
    private readonly now: () => Micros,
  ) {}

  find(impu: string): Subscriber | undefined {
    const number = this.numberOf(impu)
    return number !== undefined && this.churn.isThere(this.now(), number) ? this.all.find(impu) : undefined
  }
}
