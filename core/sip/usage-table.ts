/**
 * One step of a dialog usage's table (invite-tables.ts, subscription-tables.ts). They have the shape of the transaction
 * tables, but run seldom enough to be looked up as they are written.
 */
import { bug } from '../kit/assert.js'
import type { Machine } from './transaction-table.js'

/** The next state and what to do on the way; undefined where the event is ignored. A cell marked `bug` throws: no remote input can raise such an event. */
export function step<State extends string, Event extends string, Does extends string>(
  machine: Machine<State, Event, Does>, state: State, event: Event,
): readonly [to: State, ...actions: Does[]] | undefined {
  const cell = machine.rows[state][event]
  if (cell === 'ignore') return undefined
  return cell === 'bug' ? bug(`${machine.name}: ${event} in state ${state}`) : cell
}
