/**
 * What capacity searches, experiments and plans have in common: they ask for one trial after another and end with an
 * answer. A trial is one complete fresh set of gateway, core network and terminals, and the unit of statistics.
 * A planner decides and knows no process; who performs its trials (on real sockets, in virtual time, or a model in a
 * test) is not its business.
 */
import type { RunRecord } from '../reports/record.js'
import type { Scenario } from './scenario.js'

export interface Trial {
  /** Unique within the planner's work; the name of the trial's folder and the key by which finished trials are found after a stop. */
  readonly id: string
  /** What the trial is, in a few words for progress. */
  readonly words: string
  /** Resolved, its own seed in it. */
  readonly scenario: Scenario
}

export type TrialStep<Answer> =
  | { readonly type: 'trial'; readonly trial: Trial }
  | { readonly type: 'answer'; readonly answer: Answer }

export interface TrialPlanner<Answer> {
  /** The same step until its trial is told. */
  next(): TrialStep<Answer>
  /** What a trial came to; an invalid run is told too, and the planner decides what it is worth. */
  tell(trial: Trial, record: RunRecord): void
  /** Trials told, and how many there will be at most. */
  progress(): { readonly done: number; readonly atMost: number }
}
