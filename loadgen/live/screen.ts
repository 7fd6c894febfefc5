/**
 * Watchers of a run on standard error: a picture redrawn in place on a terminal, a line per second elsewhere, or
 * nothing but notes. Standard output is left for results.
 */
import { intervalLine, liveLines, Rates } from './live-view.js'
import type { Phase, Progress, Watcher } from './progress.js'

const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'
const SYNC_BEGIN = '\x1b[?2026h'
const SYNC_END = '\x1b[?2026l'

/** Colours are for terminals, and for those who did not ask to be spared (https://no-color.org). */
export function coloursFor(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb'
}

export function watcherFor(quiet: boolean, stream: NodeJS.WriteStream): Watcher {
  if (quiet) return new NotesOnly(stream)
  return stream.isTTY && process.env['TERM'] !== 'dumb' ? new Picture(stream) : new Lines(stream)
}

class NotesOnly implements Watcher {
  constructor(private readonly stream: NodeJS.WriteStream) {}
  progress(): void {}
  note(text: string): void { this.stream.write(`${text}\n`) }
  end(): void {}
}

class Lines implements Watcher {
  private readonly rates = new Rates()
  private phase: Phase | undefined
  private lastAt = 0

  constructor(private readonly stream: NodeJS.WriteStream) {}

  progress(progress: Progress): void {
    const at = performance.now() / 1_000
    this.rates.look(at, progress)
    if (progress.phase === this.phase && at - this.lastAt < 1) return
    // The first second of a phase has nothing to tell yet; the phases without figures are told once.
    const told = progress.phase === this.phase ? progress.phase !== 'start' && progress.phase !== 'report' : progress.phase === 'start' || progress.phase === 'report'
    this.phase = progress.phase
    this.lastAt = at
    if (told) this.stream.write(`${intervalLine(progress, this.rates)}\n`)
  }

  note(text: string): void { this.stream.write(`${text}\n`) }
  end(): void {}
}

class Picture implements Watcher {
  private readonly rates = new Rates()
  private readonly took = new Map<Phase, number>()
  private shown: string[] = []
  private phase: Phase | undefined
  private phaseFrom = 0
  private last: Progress | undefined
  private readonly restore = (): void => { this.stream.write(SHOW_CURSOR) }

  constructor(private readonly stream: NodeJS.WriteStream) {
    stream.write(HIDE_CURSOR)
    process.once('exit', this.restore)
  }

  progress(progress: Progress): void {
    const at = performance.now() / 1_000
    this.rates.look(at, progress)
    if (progress.phase !== this.phase) {
      if (this.phase !== undefined) this.took.set(this.phase, at - this.phaseFrom)
      this.phase = progress.phase
      this.phaseFrom = at
    }
    this.last = progress
    this.draw(liveLines(progress, this.took, this.rates, coloursFor(this.stream)))
  }

  note(text: string): void {
    this.erase()
    this.stream.write(`${text}\n`)
    if (this.last !== undefined) this.draw(liveLines(this.last, this.took, this.rates, coloursFor(this.stream)))
  }

  /** The picture goes: the result takes its place. */
  end(): void {
    this.erase()
    this.restore()
    process.off('exit', this.restore)
  }

  /** Rewrites only the lines that changed, in one write, so that nothing flickers. */
  private draw(lines: readonly string[]): void {
    let text = this.shown.length === 0 ? '' : `\x1b[${this.shown.length}A`
    for (let index = 0; index < Math.max(lines.length, this.shown.length); index++) {
      const line = lines[index] ?? ''
      text += line === this.shown[index] ? '\n' : `\r\x1b[K${this.cut(line)}\n`
    }
    this.stream.write(SYNC_BEGIN + text + SYNC_END)
    this.shown = [...lines, ...Array.from({ length: Math.max(0, this.shown.length - lines.length) }, () => '')]
  }

  private erase(): void {
    if (this.shown.length > 0) this.stream.write(`\x1b[${this.shown.length}A\x1b[J`)
    this.shown = []
  }

  /** A line that wrapped would break the count of lines to go up. */
  private cut(line: string): string {
    const columns = this.stream.columns ?? 80
    let shown = 0
    let index = 0
    while (index < line.length && shown < columns) {
      if (line[index] === '\x1b') {
        index = line.indexOf('m', index) + 1
        continue
      }
      shown++
      index++
    }
    return index < line.length ? `${line.slice(0, index)}\x1b[0m` : line
  }
}
