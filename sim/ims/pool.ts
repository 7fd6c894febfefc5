/**
 * Texts shared by many bindings (feature sets, Path vectors) with what was parsed from them, kept as long as somebody
 * uses them. Also the copy that lets a short text outlive the large message it was cut from.
 */

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

/** A copy with storage of its own: a text cut out of a message keeps the whole message alive (header octets are latin1). */
export function owned<Text extends string>(text: Text): Text {
  return Buffer.from(text, 'latin1').toString('latin1') as Text
}
