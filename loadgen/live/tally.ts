/** How often each of a few kinds of things happened. Bounded, since what tells the kinds apart may come from elsewhere. */

const KINDS_MAX = 64
export const OTHERS = 'others'

export class Tally {
  private readonly counts = new Map<string, number>()

  add(kind: string): void {
    const name = this.counts.has(kind) || this.counts.size < KINDS_MAX ? kind : OTHERS
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
  }

  entries(): IterableIterator<[string, number]> {
    return this.counts.entries()
  }
}
