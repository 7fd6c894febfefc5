/**
 * What the terminals' main thread and its workers say to each other: few, small, typed messages; the data plane never
 * passes here. Types only.
 */
import type { Settled } from '../terminal/fleet-contract.js'
import type { TerminalsConfig } from './terminals-config.js'

/** What a fleet worker is born with. */
export interface FleetWorkerData {
  readonly config: TerminalsConfig
  readonly shard: { readonly index: number; readonly count: number }
  readonly journalPath: string | undefined
}

/** What the reference panel's worker is born with. */
export interface ReferenceWorkerData {
  readonly config: TerminalsConfig
  readonly journalPath: string | undefined
}

export type ToWorker =
  | { readonly type: 'register'; readonly ticket: number; readonly perSecond: number; readonly withinMicros: number }
  | { readonly type: 'deregister'; readonly ticket: number; readonly perSecond: number; readonly withinMicros: number }
  | { readonly type: 'switch'; readonly subscriber: number; readonly ordinal?: number; readonly to: 'on' | 'off' | 'vanished' }
  | { readonly type: 'move'; readonly subscriber: number; readonly ordinal?: number; readonly network: string | undefined }
  /** Answered by `counted` at once. */
  | { readonly type: 'count' }
  | { readonly type: 'stop' }

export type FromWorker =
  | { readonly type: 'ready' }
  | Settled
  /** Sent on `count`, on `settled` and about twice a second. `groups` are counted apart, under their names. */
  | { readonly type: 'counted'; readonly counters: Counts; readonly groups: Readonly<Record<string, Counts>> }
  /** Busy share of the thread's event loop since the last of these, 0 to 1; at least twice a second. */
  | { readonly type: 'busy'; readonly utilisation: number }
  | { readonly type: 'stopped' }

export type Counts = Readonly<Record<string, number>>
