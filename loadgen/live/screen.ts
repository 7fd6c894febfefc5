/**
 * Watchers of a run on standard error: a picture redrawn in place on a terminal, a line per second elsewhere, or
 * nothing but notes. Standard output is left for results.
 */
import { Course, Rates } from './course.js'
import { Keys, type KeysUser } from './keys.js'
import { intervalLine, liveLines } from './live-view.js'
import type { Phase, Progress, Steering, Watcher } from './progress.js'
import { erase, redraw } from './redraw.js'
import { changeFor, wordsOf } from './steering.js'

const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'

/** Colours are for terminals, and for those who did not ask to be spared (https://no-color.org). */
export function coloursFor(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb'
}

/** @param keyboard where keys that steer the load come from; without it none is listened to */
export function watcherFor(quiet: boolean, stream: NodeJS.WriteStream, keyboard?: NodeJS.ReadStream): Watcher {
  if (quiet) return new NotesOnly(stream)
  return stream.isTTY && process.env['TERM'] !== 'dumb' ? new Picture(stream, keyboard) : new Lines(stream)
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
    const at = progress.runSeconds
    this.rates.look(progress)
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

/** How long the answer to a key is shown. */
const ANSWER_SECONDS = 4

class Picture implements Watcher, KeysUser {
  private readonly course = new Course()
  private readonly took = new Map<Phase, number>()
  private readonly keys: Keys | undefined
  private shown: readonly string[] = []
  private phase: Phase | undefined
  private phaseFrom = 0
  private last: Progress | undefined
  private steering: Steering | undefined
  private answer = { words: '', until: 0 }
  private readonly restore = (): void => { this.stream.write(SHOW_CURSOR) }

  constructor(private readonly stream: NodeJS.WriteStream, keyboard: NodeJS.ReadStream | undefined) {
    stream.write(HIDE_CURSOR)
    process.once('exit', this.restore)
    stream.on('resize', this.resized)
    this.keys = keyboard === undefined ? undefined : Keys.listen(keyboard, this)
  }

  progress(progress: Progress): void {
    this.course.look(progress)
    if (progress.phase !== this.phase) {
      if (this.phase !== undefined) this.took.set(this.phase, progress.runSeconds - this.phaseFrom)
      this.phase = progress.phase
      this.phaseFrom = progress.runSeconds
    }
    this.last = progress
    this.draw()
  }

  steer(steering: Steering): void {
    this.steering = steering
  }

  note(text: string): void {
    this.clear()
    this.stream.write(`${text}\n`)
    this.draw()
  }

  /** The picture goes: the result takes its place. */
  end(): void {
    this.clear()
    this.stream.off('resize', this.resized)
    this.keys?.close()
    this.restore()
    process.off('exit', this.restore)
  }

  private draw(): void {
    const { course, last: progress, stream, took } = this
    if (progress === undefined) return
    // A terminal that does not tell its size has none.
    const lines = liveLines({ progress, course, took, hint: this.hint(progress) }, { columns: stream.columns || 80, rows: stream.rows || 24, colour: coloursFor(stream) })
    const text = redraw(this.shown, lines)
    if (text !== '') stream.write(text)
    this.shown = lines
  }

  private clear(): void {
    const text = erase(this.shown, this.stream.columns || 80)
    if (text !== '') this.stream.write(text)
    this.shown = []
  }

  private readonly resized = (): void => {
    this.clear()
    this.draw()
  }

  private hint({ held, runSeconds, wantedPerSecond }: Progress): string {
    if (runSeconds < this.answer.until) return this.answer.words
    if (this.keys === undefined || wantedPerSecond === undefined) return 'Ctrl-C ends the load'
    return `+ faster   - slower   space ${held ? 'lets go' : 'holds'}   Ctrl-C ends the load`
  }

  stopped(): void {
    this.clear()
    this.restore()
  }

  resumed(): void {
    this.stream.write(HIDE_CURSOR)
    this.draw()
  }

  pressed(key: string): void {
    const { last, steering } = this
    const change = last === undefined ? undefined : changeFor(key, last.held)
    if (last === undefined || change === undefined) return
    this.answer = { words: steering === undefined ? 'There is no load under way yet.' : wordsOf(steering(change)), until: last.runSeconds + ANSWER_SECONDS }
    this.draw()
  }
}
