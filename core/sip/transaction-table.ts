/**
 * What a transaction table is: for every state and every event a cell, and no cell may be missing (the compiler
 * refuses it). Compiles a table to two small arrays for the runner. Knows the words a cell may use, not what
 * any of the four machines does with them (transaction-tables.ts) nor how they are carried out (transaction-runner.ts).
 */
import { bug } from '../kit/assert.js'
import { TIMERS, type TimerName } from './timers.js'

const SENDING = ['stop timers', 'send request', 'send ACK', 'send CANCEL', 'remember CANCEL', 'send response', 'send 100', 'resend response'] as const
/** `release`: over UDP, keep of the transaction only what its last state needs, so that the messages can be freed. */
const TIMING = ['release', 'double A', 'double E', 'double G', 'set E to T2'] as const

export type Action = (typeof SENDING)[number] | (typeof TIMING)[number] | `start ${TimerName}` | 'tell'

/**
 * What a cell can ask for. A cell's actions are carried out in the order of this list; telling the user comes last,
 * when the transaction is already in its new state.
 */
export const ACTIONS: readonly Action[] = [...SENDING, ...TIMING, ...TIMERS.map(({ name }) => `start ${name}` as const), 'tell']

/** One bit of a compiled cell, by action. */
export const ACTION_BIT = Object.fromEntries(ACTIONS.map((action, index) => [action, 1 << index])) as Readonly<Record<Action, number>>

/** The bit of `start A`; those of the other timers follow in the order of `TIMERS`. */
export const FIRST_START = ACTIONS.indexOf('start A')

/** A transition; or `ignore`: legal and without effect; or `bug`: cannot happen unless this project is wrong. */
export type Cell<State extends string, Does extends string = Action> = readonly [to: State, ...actions: Does[]] | 'ignore' | 'bug'

export type Rows<State extends string, Event extends string, Does extends string = Action> = {
  readonly [S in State]: { readonly [E in Event]: Cell<State, Does> }
}

/** The first state is where a transaction begins, the last where it is forgotten. `Does`: the words its cells may use; a transaction's by default. */
export interface Machine<State extends string, Event extends string, Does extends string = Action> {
  readonly name: string
  readonly source: string
  readonly states: readonly State[]
  readonly events: readonly Event[]
  readonly rows: Rows<State, Event, Does>
}

export const BUG = 255

/** A machine as arrays: index = state * events + event. */
export interface Compiled {
  readonly name: string
  readonly states: readonly string[]
  readonly events: readonly string[]
  /** The next state, or `BUG`. */
  readonly next: Uint8Array
  /** Bits of `ACTION_BIT`; 0 in ignored cells. */
  readonly actions: Int32Array
  /** The state in which the transaction is forgotten. */
  readonly terminated: number
  /** The event each timer raises, by its index in `TIMERS`; -1 for those this machine does not know. */
  readonly timerEvents: Int8Array
  /** The event `transport error`, or -1. */
  readonly transportError: number
}

export function compile<State extends string, Event extends string>(machine: Machine<State, Event>): Compiled {
  const { states, events, rows } = machine
  const next = new Uint8Array(states.length * events.length)
  const actions = new Int32Array(next.length)
  states.forEach((state, stateIndex) => events.forEach((event, eventIndex) => {
    const cell = rows[state][event]
    const index = stateIndex * events.length + eventIndex
    next[index] = cell === 'bug' ? BUG : states.indexOf(cell === 'ignore' ? state : cell[0])
    actions[index] = typeof cell === 'string' ? 0 : (cell.slice(1) as Action[]).reduce((bits, action) => bits | ACTION_BIT[action], 0)
  }))
  const numberOf = (event: string): number => (events as readonly string[]).indexOf(event)
  return {
    name: machine.name, states, events, next, actions, terminated: states.length - 1,
    timerEvents: Int8Array.from(TIMERS, ({ name }) => numberOf(`timer ${name}`)), transportError: numberOf('transport error'),
  }
}

/** The number of an event in a compiled machine; looked up once, when the modules load. */
export function eventNumber(machine: Compiled, event: string): number {
  const index = machine.events.indexOf(event)
  return index < 0 ? bug(`the ${machine.name} transaction has no event ${event}`) : index
}
