/**
 * Back-to-back load with a fixed window: as many exchanges under way as the window allows, the next begun when one ends.
 * It says when all are done, and gives up when nothing ends any more. It knows no protocol.
 */
import { monoMicros } from '../../../core/live/clock.js'

const STALL_MILLIS = 10_000

export interface LoopResult {
  readonly count: number
  /** From the first exchange's begin to the last one's end. */
  readonly micros: number
}

export class ClosedLoop {
  /** Resolves when every exchange has ended. */
  readonly finished: Promise<LoopResult>
  private begun = 0
  private ended = 0
  private endedAtCheck = -1
  private readonly startedAt = monoMicros()
  private readonly check: NodeJS.Timeout
  private resolve!: (result: LoopResult) => void

  constructor(private readonly count: number, private readonly begin: (index: number) => void) {
    let reject!: (error: Error) => void
    this.finished = new Promise((resolve, refuse) => {
      this.resolve = resolve
      reject = refuse
    })
    this.check = setInterval(() => {
      if (this.ended === this.endedAtCheck) {
        clearInterval(this.check)
        reject(new Error(`nothing came back for ${STALL_MILLIS / 1_000} s: ${this.begun} begun, ${this.ended} ended, of ${count}`))
      }
      this.endedAtCheck = this.ended
    }, STALL_MILLIS)
  }

  start(window: number): void {
    for (let index = 0; index < window; index++) this.next()
  }

  /** One exchange has ended. */
  end(): void {
    if (++this.ended === this.count) {
      clearInterval(this.check)
      this.resolve({ count: this.count, micros: monoMicros() - this.startedAt })
    } else this.next()
  }

  private next(): void {
    if (this.begun < this.count) this.begin(this.begun++)
  }
}
