/**
 * Texts shared by many bindings (feature sets, Path vectors) with what was parsed from them, kept as long as somebody
 * uses them.
 */
import { owned } from '../../core/kit/own-text.js'

/** One shared text. Give it back with `Pool.release`. */
export interface Shared<Value> {
  readonly text: string
  readonly value: Value
}

interface Counted<Value> extends Shared<Value> {
  uses: number
}

export class Pool<Value> {
  private readonly entries = new Map<string, Counted<Value>>()

  constructor(private readonly make: (text: string) => Value) {}

  acquire(text: string): Shared<Value> {
    let entry = this.entries.get(text)
    if (entry === undefined) {
      const kept = owned(text)
      entry = { text: kept, value: this.make(kept), uses: 0 }
      this.entries.set(kept, entry)
    }
    entry.uses += 1
    return entry
  }

  release(shared: Shared<Value>): void {
    const entry = shared as Counted<Value>
    entry.uses -= 1
    if (entry.uses === 0) this.entries.delete(entry.text)
  }
}
