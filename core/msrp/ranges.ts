/**
 * Which octets of a content are there, as runs in order that neither touch nor overlap. Numbers only: it holds no octets.
 * From 0, ends exclusive.
 */
export class Ranges {
  /** from, to, from, to, ... */
  private runs: number[] = []

  /** How many separate runs there are. */
  get count(): number {
    return this.runs.length / 2
  }

  add(from: number, to: number): void {
    if (to <= from) return
    const { runs } = this
    const last = runs.length - 1
    // Mostly it is the next piece of the last run.
    if (last > 0 && from === runs[last]) {
      runs[last] = to
      return
    }
    let first = 0
    while (first < runs.length && runs[first + 1]! < from) first += 2
    let behind = first
    while (behind < runs.length && runs[behind]! <= to) behind += 2
    if (behind > first) {
      from = Math.min(from, runs[first]!)
      to = Math.max(to, runs[behind - 1]!)
    }
    runs.splice(first, behind - first, from, to)
  }

  /** Is everything before `to` there? */
  coversTo(to: number): boolean {
    return to === 0 || (this.runs.length > 0 && this.runs[0] === 0 && this.runs[1]! >= to)
  }
}
