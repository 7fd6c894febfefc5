/**
 * One terminal's registration as a table in which every cell is filled: where an event leads and what is done on the
 * way. Decides nothing else; terminal.ts carries the actions out, and the diagrams are printed from here.
 */

export const TERMINAL_STATES = [
  'off', 'registering', 'challenged', 'registered', 'refreshing', 'backoff', 'refused', 'leaving', 'deregistering', 'returning',
] as const
/**
 * - off: switched off, or gone without a word
 * - registering: a REGISTER is pending, no binding is known to be in force
 * - challenged: the same, answering a 401 or 407
 * - registered: a binding is in force
 * - refreshing: as registered, with a REGISTER pending
 * - backoff: on, waiting to try again
 * - refused: on, and told that trying again is of no use
 * - leaving: switched off while a REGISTER was pending; RFC 3261 section 10.2 wants its answer first
 * - deregistering: a REGISTER that ends the binding is pending
 * - returning: the same, and meanwhile switched on again
 */
export type TerminalState = (typeof TERMINAL_STATES)[number]

export const TERMINAL_EVENTS = ['switch-on', 'switch-off', 'vanish', 'accepted', 'challenge', 'too-brief', 'refused', 'failed', 'flow-lost', 'moved', 'timer'] as const
/**
 * - switch-on, switch-off: by its user, politely; vanish: off without a word
 * - accepted: 2xx
 * - challenge: 401 or 407 that can be answered with other credentials than those just refused
 * - too-brief: 423 with a Min-Expires above what was asked
 * - refused: a final answer that will not change by asking again (a challenge that cannot be met included)
 * - failed: 408, 430, 480, 5xx, no answer, transport
 * - flow-lost: the flow the terminal registered over went down
 * - moved: it is in another network, where its binding does not lead
 * - timer: time to refresh, or to try again
 */
export type TerminalEvent = (typeof TERMINAL_EVENTS)[number]

/**
 * - register: send a REGISTER; deregister: send one with expiry 0
 * - answer-challenge: repeat the last REGISTER with credentials for the challenge
 * - adopt: keep what the 2xx grants and arm the refresh
 * - wait: arm the retry; drop: nothing is pending or armed any more
 * - none: the state alone changes
 */
export type TerminalAction = 'register' | 'deregister' | 'answer-challenge' | 'adopt' | 'wait' | 'drop' | 'none'

export interface Transition {
  readonly action: TerminalAction
  readonly next: TerminalState
}

/** `ignore`: it may happen and changes nothing. `bug`: it cannot happen unless this code is wrong. */
export type Cell = Transition | 'ignore' | 'bug'

function go(action: TerminalAction, next: TerminalState): Transition {
  return { action, next }
}

/** No request is pending in these states, so no answer to one can come. */
const UNASKED = { accepted: 'bug', challenge: 'bug', 'too-brief': 'bug', refused: 'bug', failed: 'bug' } as const

/** While a REGISTER of its own is pending; a flow that goes down has already failed that request. */
const ASKED = {
  'switch-on': 'ignore',
  'switch-off': go('none', 'leaving'),
  vanish: go('drop', 'off'),
  accepted: go('adopt', 'registered'),
  challenge: go('answer-challenge', 'challenged'),
  refused: go('drop', 'refused'),
  failed: go('wait', 'backoff'),
  'flow-lost': 'ignore',
  // What was asked in the old network is not waited for.
  moved: go('register', 'registering'),
  timer: 'bug',
} as const

const GONE = go('drop', 'off')

export const TERMINAL_TABLE: Readonly<Record<TerminalState, Readonly<Record<TerminalEvent, Cell>>>> = {
  off: { ...UNASKED, 'switch-on': go('register', 'registering'), 'switch-off': 'ignore', vanish: 'ignore', 'flow-lost': 'ignore', moved: 'ignore', timer: 'bug' },
  registering: { ...ASKED, 'too-brief': go('register', 'registering') },
  challenged: { ...ASKED, 'too-brief': go('register', 'registering') },
  registered: {
    ...UNASKED,
    'switch-on': 'ignore',
    'switch-off': go('deregister', 'deregistering'),
    vanish: GONE,
    // RFC 5626 section 4.2.1: a flow that fails is replaced by a registration over a new one, after the wait of section 4.5.
    'flow-lost': go('wait', 'backoff'),
    // The binding in force takes nothing here, but it is there until the new one takes its place.
    moved: go('register', 'refreshing'),
    timer: go('register', 'refreshing'),
  },
  refreshing: { ...ASKED, challenge: go('answer-challenge', 'refreshing'), 'too-brief': go('register', 'refreshing'), moved: go('register', 'refreshing') },
  backoff: { ...UNASKED, 'switch-on': 'ignore', 'switch-off': GONE, vanish: GONE, 'flow-lost': 'ignore', moved: go('register', 'registering'), timer: go('register', 'registering') },
  // Another network may not refuse it.
  refused: { ...UNASKED, 'switch-on': 'ignore', 'switch-off': GONE, vanish: GONE, 'flow-lost': 'ignore', moved: go('register', 'registering'), timer: 'bug' },
  leaving: {
    'switch-on': go('none', 'registering'),
    'switch-off': 'ignore',
    vanish: GONE,
    accepted: go('deregister', 'deregistering'),
    // The request that was challenged changed nothing, but an older binding may be in force.
    challenge: go('deregister', 'deregistering'),
    'too-brief': go('deregister', 'deregistering'),
    refused: GONE,
    failed: GONE,
    'flow-lost': 'ignore',
    moved: 'bug',
    timer: 'bug',
  },
  deregistering: {
    'switch-on': go('none', 'returning'),
    'switch-off': 'ignore',
    vanish: GONE,
    accepted: GONE,
    challenge: go('answer-challenge', 'deregistering'),
    'too-brief': GONE,
    refused: GONE,
    failed: GONE,
    'flow-lost': 'ignore',
    moved: 'bug',
    timer: 'bug',
  },
  returning: {
    'switch-on': 'ignore',
    'switch-off': go('none', 'deregistering'),
    vanish: GONE,
    accepted: go('register', 'registering'),
    challenge: go('answer-challenge', 'returning'),
    'too-brief': go('register', 'registering'),
    refused: go('register', 'registering'),
    failed: go('wait', 'backoff'),
    'flow-lost': 'ignore',
    moved: 'bug',
    timer: 'bug',
  },
}

/** Does a terminal in this state hear what is sent to it? */
export function isOn(state: TerminalState): boolean {
  return state !== 'off'
}
