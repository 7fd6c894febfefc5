/** Abort rules at work: they watch a run beside whoever else does, and end its load through the signal that the run has for it. Decides nothing. */
import { MICROS_PER_SECOND } from '../../core/kit/time.js'
import { AbortRules } from '../thresholds/abort.js'
import { judgedThresholds } from '../thresholds/judge.js'
import type { RunRecord } from '../../reports/record.js'
import type { RunOptions } from './run.js'
import { allOf } from './watchers.js'

export class Promises {
  /** The run's options, with the scenario's rules watching. */
  readonly options: RunOptions
  private readonly rules: AbortRules

  constructor(given: RunOptions) {
    const { abortWhen, abortAfter } = given.scenario
    this.rules = new AbortRules(abortWhen, abortAfter / MICROS_PER_SECOND)
    if (abortWhen.length === 0) {
      this.options = given
      return
    }
    const abort = new AbortController()
    const watcher = allOf([given.watcher, {
      progress: (progress) => {
        const reason = this.rules.look(progress)
        if (reason === undefined) return
        given.watcher.note(`Ending the load early, ${reason}.`)
        abort.abort(reason)
      },
      note: () => {},
      end: () => {},
    }])
    this.options = { ...given, watcher, enough: given.enough === undefined ? abort.signal : AbortSignal.any([given.enough, abort.signal]) }
  }

  /** The record with what became of the scenario's own promises, and of the rule that ended it. */
  judge(record: RunRecord): RunRecord {
    const { crossed } = this.rules
    const own = [...judgedThresholds(this.options.scenario.thresholds, record), ...(crossed === undefined ? [] : [crossed])]
    return own.length === 0 ? record : { ...record, thresholds: [...(record.thresholds ?? []), ...own] }
  }
}
