/** Columns that grow: what is known of millions of attempts, one number per attempt and question. Knows nothing of the questions. */

/** Numbers by index; what was never set is NaN. */
export class NumberColumn {
  private values = new Float64Array(1024).fill(NaN)

  get(index: number): number {
    return index < this.values.length ? this.values[index]! : NaN
  }

  has(index: number): boolean {
    return !Number.isNaN(this.get(index))
  }

  set(index: number, value: number): void {
    if (index >= this.values.length) this.grow(index)
    this.values[index] = value
  }

  setIfEarlier(index: number, value: number): void {
    if (!(this.get(index) <= value)) this.set(index, value)
  }

  setIfLater(index: number, value: number): void {
    if (!(this.get(index) >= value)) this.set(index, value)
  }

  increment(index: number): number {
    const value = this.has(index) ? this.get(index) + 1 : 1
    this.set(index, value)
    return value
  }

  private grow(index: number): void {
    const longer = new Float64Array(Math.max(this.values.length * 2, index + 1)).fill(NaN, this.values.length)
    longer.set(this.values)
    this.values = longer
  }
}

/** Repeated texts as small numbers. */
export class Names {
  readonly list: string[] = []
  private readonly numbers = new Map<string, number>()

  number(name: string): number {
    let number = this.numbers.get(name)
    if (number === undefined) {
      number = this.list.length
      this.list.push(name)
      this.numbers.set(name, number)
    }
    return number
  }

  find(name: string): number | undefined {
    return this.numbers.get(name)
  }

  name(number: number): string {
    return this.list[number] ?? ''
  }
}
