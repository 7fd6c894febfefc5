/**
 * How long pushes take while a run goes on: over the last second, and over the measured window so far. Measures what the
 * initiator itself sees; what the terminals saw is in their journals, and in the record when the run is over.
 */
import type { Micros } from '../../core/kit/time.js'
import type { RowName, Scenario } from '../scenario.js'
import type { Delays } from './progress.js'
import { Recorder } from './recorder.js'

/** Rows whose recipients are online when pushed to, as in the record's stages of the whole run. */
const ONLINE: ReadonlySet<RowName> = new Set(['online', 'fanOut', 'gruu'])
const NONE: Delays = { count: 0, p50Us: 0, p90Us: 0, p99Us: 0, maxUs: 0 }

export class LiveDelays {
  answered = NONE
  /** Over the last second. */
  answeredNow = NONE
  result = NONE
  resultNow = NONE
  private readonly answers = new Recorder()
  private readonly results = new Recorder()
  private readonly resultsNow = new Recorder()

  constructor(private readonly load: Pick<Scenario['load'], 'warmUp' | 'duration'>) {}

  /** @param offset planned time from the begin of the load on: of the measured window is what was planned in it */
  takeResult(row: RowName, offset: Micros, micros: Micros): void {
    if (!ONLINE.has(row)) return
    this.resultsNow.record(micros)
    if (offset >= this.load.warmUp && offset < this.load.warmUp + this.load.duration) this.results.record(micros)
  }

  /** @param answers from planned time to answer, of this second; it is emptied */
  endSecond(answers: Recorder, isMeasured: boolean): void {
    if (isMeasured) this.answers.histogram.add(answers.histogram)
    this.answeredNow = delaysOf(answers)
    this.answered = delaysOf(this.answers)
    this.resultNow = delaysOf(this.resultsNow)
    this.result = delaysOf(this.results)
    answers.reset()
    this.resultsNow.reset()
  }
}

function delaysOf(recorder: Recorder): Delays {
  if (recorder.count === 0) return NONE
  const { count, p50Us, p90Us, p99Us, maxUs } = recorder.summary()
  return { count, p50Us, p90Us, p99Us, maxUs }
}
