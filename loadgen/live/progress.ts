/** How far a run is: what the live view, the interval lines and anybody else watching are told. Types only. */

export const PHASES = ['start', 'register', 'warm-up', 'load', 'drain', 'report'] as const
export type Phase = (typeof PHASES)[number]

export interface Progress {
  readonly scenario: string
  readonly phase: Phase
  /** Seconds since the phase began, and how long it is expected to last; undefined where nobody can tell. */
  readonly elapsedSeconds: number
  readonly expectedSeconds: number | undefined
  /** Until the end of the load, or of the drain at its longest; undefined where nobody can tell. */
  readonly leftSeconds: number | undefined
  readonly registered: number
  /** Those that stay off included. */
  readonly devices: number
  readonly planned: number
  readonly sent: number
  readonly accepted: number
  readonly refused: number
  readonly unanswered: number
  readonly dropped: number
  readonly delivered: number
  /** Final outcomes other than delivered. */
  readonly otherOutcomes: number
  readonly inFlight: number
  readonly waiting: number
  readonly notified: number
  /** Planned time to answer over the last second, microseconds. */
  readonly submitP50Us: number
  readonly submitP99Us: number
  readonly submitMaxUs: number
}

export interface Watcher {
  progress(progress: Progress): void
  /** Something a user should know now, such as a moved port. */
  note(text: string): void
  /** No more progress comes: leave the terminal in order. */
  end(): void
}
