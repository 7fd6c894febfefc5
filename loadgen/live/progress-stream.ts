/** The course of a run for programs: one JSON object a line. Knows progress and lines, not who reads them. */
import type { Phase, Progress, Watcher } from './progress.js'

/** The least seconds between two lines of one phase. */
const EVERY_SECONDS = 1

export class ProgressStream implements Watcher {
  private phase: Phase | undefined
  private lastAt = -Infinity

  constructor(private readonly stream: NodeJS.WritableStream) {}

  progress(progress: Progress): void {
    if (progress.phase === this.phase && progress.runSeconds - this.lastAt < EVERY_SECONDS) return
    this.phase = progress.phase
    this.lastAt = progress.runSeconds
    this.write('progress', progress)
  }

  note(text: string): void {
    this.write('note', { text })
  }

  end(): void {}

  private write(type: string, content: object): void {
    this.stream.write(`${JSON.stringify({ type, ...content })}\n`)
  }
}
