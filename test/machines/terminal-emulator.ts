/** A terminal as far as a picture redrawn in place needs one: text, line ends, cursor up and down, erasing. Knows nothing of colours but that they take no room. */
export class Terminal {
  /** Sequences that were asked for, such as `?25l`; those of colours are passed over. */
  readonly modes: string[] = []
  private readonly cells: string[][]
  private row = 0
  private column = 0

  constructor(private readonly columns: number, private readonly rows: number) {
    this.cells = Array.from({ length: rows }, () => [])
  }

  write(text: string): void {
    // eslint-disable-next-line no-control-regex -- escapes are what is read
    for (const [token] of text.matchAll(/\x1b\[[?\d;]*[A-Za-z]|[\s\S]/gu)) {
      if (token.length > 1 && token[0] === '\x1b') this.escape(token.slice(2, -1), token.at(-1)!)
      else if (token === '\n') this.feed()
      else if (token === '\r') this.column = 0
      else this.put(token)
    }
  }

  /** What is seen, without blanks at the ends of lines and of the screen. */
  text(): string {
    return this.cells.map((cells) => Array.from(cells, (cell) => cell ?? ' ').join('').trimEnd()).join('\n').trimEnd()
  }

  private put(character: string): void {
    if (this.column === this.columns) {
      this.column = 0
      this.feed()
    }
    this.cells[this.row]![this.column++] = character
  }

  private feed(): void {
    if (++this.row < this.rows) return
    this.row--
    this.cells.shift()
    this.cells.push([])
  }

  private escape(parameters: string, letter: string): void {
    const times = Number(parameters === '' ? 1 : parameters)
    if (letter === 'A') this.row = Math.max(0, this.row - times)
    else if (letter === 'B') this.row = Math.min(this.rows - 1, this.row + times)
    else if (letter === 'K') this.cells[this.row]!.length = Math.min(this.cells[this.row]!.length, this.column)
    else if (letter === 'J') {
      this.cells[this.row]!.length = Math.min(this.cells[this.row]!.length, this.column)
      for (let row = this.row + 1; row < this.rows; row++) this.cells[row] = []
    } else if (letter === 'h' || letter === 'l') this.modes.push(parameters + letter)
    else if (letter !== 'm') throw new Error(`a picture needs no escape sequence ${parameters}${letter}`)
  }
}
