/**
 * A first-in first-out queue whose push and shift cost the same at any length and allocate nothing: a ring, doubled when it is full.
 * It never shrinks: what once waited at the same time may do so again.
 */
const PLACES_MIN = 16

export class Fifo<Item> {
  /** None, or as many as a power of two. */
  private places: (Item | undefined)[] = []
  private head = 0
  private count = 0

  get length(): number {
    return this.count
  }

  push(item: Item): void {
    if (this.count === this.places.length) this.grow()
    this.places[(this.head + this.count) & (this.places.length - 1)] = item
    this.count += 1
  }

  peek(): Item | undefined {
    return this.places[this.head]
  }

  shift(): Item | undefined {
    if (this.count === 0) return undefined
    const item = this.places[this.head]
    this.places[this.head] = undefined
    this.head = (this.head + 1) & (this.places.length - 1)
    this.count -= 1
    return item
  }

  private grow(): void {
    const places = new Array<Item | undefined>(Math.max(PLACES_MIN, 2 * this.count)).fill(undefined)
    for (let index = 0; index < this.count; index++) places[index] = this.places[(this.head + index) & (this.places.length - 1)]
    this.places = places
    this.head = 0
  }
}
