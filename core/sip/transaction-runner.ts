/**
 * Runs transactions by their compiled tables: looks up the cell, has the owner send and tell, keeps the timers.
 * One heap serves all transactions of an endpoint, with at most one armed entry for each, moved only when it must
 * fire earlier. Knows states, events and time; not what a message is.
 */
import { assert, bug } from '../kit/assert.js'
import { DeadlineHeap, type Deadline } from '../kit/heap.js'
import type { Micros, Now } from '../kit/time.js'
import type { Hop, SipEndpointOptions, SipTimerValues } from './endpoint-contract.js'
import type { SipMessage } from './message.js'
import { TIMERS, doubled, doubledToT2, lengthMicros } from './timers.js'
import { ACTION_BIT, BUG, FIRST_START, type Action, type Compiled } from './transaction-table.js'

/** What only the endpoint's client and server halves can do for their transactions. `bits` are those of `ACTION_BIT`. */
export interface TransactionOwner<Of> {
  /** The sending actions of a cell. Must not dispatch; a failure to send is noted with `TransactionRunner.fail`. */
  send(now: Now, transaction: Of, bits: number, message: SipMessage | undefined): void
  /** A stand-in that takes the transaction's place with only what its last state needs. */
  release(transaction: Of): Of
  /** Tells the user; `event` is the machine's number of what happened. May dispatch. */
  tell(now: Now, transaction: Of, event: number, message: SipMessage | undefined): void
  /** The transaction is over: forget it. */
  ended(transaction: Of): void
}

/** What every transaction is to the runner. */
export abstract class Transaction {
  state = 0
  /** Armed in the heap, perhaps earlier than needed. */
  armed: Deadline<Transaction> | undefined = undefined
  /** The timer that makes it send again: when, the event it raises, and the interval it was set with. */
  againAt: Micros = Infinity
  againEvent = -1
  gap: Micros = 0
  /** The timer that ends what it waits for. */
  endAt: Micros = Infinity
  endEvent = -1
  /** Runs on the timers of the endpoint's leg apart. */
  onLeg = false
  /** Sending failed; the transaction is to hear `transport error` on the next tick. */
  broken = false

  abstract readonly owner: TransactionOwner<Transaction>

  constructor(readonly machine: Compiled, public reliable: boolean) {}

  get isTerminated(): boolean {
    return this.state === this.machine.terminated
  }
}

const bits = (...actions: Action[]): number => actions.reduce((all, action) => all | ACTION_BIT[action], 0)
const SEND = bits('send request', 'send ACK', 'send CANCEL', 'remember CANCEL', 'send response', 'send 100', 'resend response')
const AGAIN = bits('double A', 'double E', 'double G', 'set E to T2')
const START = TIMERS.reduce((all, { name }) => all | ACTION_BIT[`start ${name}`], 0)
const { 'stop timers': STOP, release: RELEASE, tell: TELL, 'double A': DOUBLE_A, 'set E to T2': SET_T2 } = ACTION_BIT

/** Lengths by timer, over UDP and over reliable transports. */
class Lengths {
  readonly udp: Float64Array
  readonly reliable: Float64Array

  constructor(readonly values: SipTimerValues) {
    this.udp = Float64Array.from(TIMERS, ({ udp }) => lengthMicros(udp, values))
    this.reliable = Float64Array.from(TIMERS, ({ reliable }) => lengthMicros(reliable, values))
  }
}

export class TransactionRunner {
  private readonly heap = new DeadlineHeap<Transaction>()
  private readonly usual: Lengths
  private readonly ofLeg: Lengths

  constructor(values: SipTimerValues, private readonly leg: SipEndpointOptions['leg'] = undefined) {
    this.usual = new Lengths(values)
    this.ofLeg = leg === undefined ? this.usual : new Lengths(leg.timers)
  }

  /** Told of a new transaction, once, where it leads or came from. */
  place(transaction: Transaction, hop: Hop): void {
    if (this.leg !== undefined) transaction.onLeg = this.leg.includes(hop)
  }

  deadline(): Micros {
    return this.heap.next()
  }

  /** One event for one transaction. A cell marked `bug` throws: no remote input can raise such an event. */
  dispatch(now: Now, transaction: Transaction, event: number, message?: SipMessage): void {
    const { machine, owner } = transaction
    const cell = transaction.state * machine.events.length + event
    const next = machine.next[cell]!
    if (next === BUG) bug(`${machine.name} transaction: ${machine.events[event]} in state ${machine.states[transaction.state]}`)
    const actions = machine.actions[cell]!
    transaction.state = next
    if (actions === 0) return
    if ((actions & STOP) !== 0) stop(transaction)
    if ((actions & SEND) !== 0) owner.send(now, transaction, actions, message)
    let timed = transaction
    if ((actions & RELEASE) !== 0 && !transaction.reliable) {
      timed = owner.release(transaction)
      timed.state = next
      timed.onLeg = transaction.onLeg
      this.disarm(transaction)
      transaction.state = machine.terminated
    }
    if ((actions & (START | AGAIN)) !== 0) this.setTimers(now, timed, actions)
    if (timed.isTerminated) {
      this.disarm(timed)
      owner.ended(timed)
    } else this.arm(now, timed)
    if ((actions & TELL) !== 0) owner.tell(now, transaction, event, message)
  }

  /** Notes that sending failed; the transaction hears of it on the next tick, never in the middle of a call. */
  fail(now: Now, transaction: Transaction): void {
    transaction.broken = true
    this.arm(now, transaction)
  }

  /** Ends a transaction from outside, without any event of its table. */
  abandon(transaction: Transaction): void {
    stop(transaction)
    this.disarm(transaction)
    transaction.state = transaction.machine.terminated
    transaction.owner.ended(transaction)
  }

  tick(now: Now): void {
    for (let transaction = this.heap.popDue(now.mono); transaction !== undefined; transaction = this.heap.popDue(now.mono)) {
      transaction.armed = undefined
      this.fire(now, transaction)
    }
  }

  private fire(now: Now, transaction: Transaction): void {
    if (transaction.broken) {
      transaction.broken = false
      this.dispatch(now, transaction, transaction.machine.transportError)
    } else if (transaction.endAt <= now.mono) {
      const event = transaction.endEvent
      transaction.endAt = Infinity
      this.dispatch(now, transaction, event)
    } else if (transaction.againAt <= now.mono) {
      transaction.againAt = Infinity
      this.dispatch(now, transaction, transaction.againEvent)
    }
    if (!transaction.isTerminated) this.arm(now, transaction)
  }

  private setTimers(now: Now, transaction: Transaction, actions: number): void {
    const leg = transaction.onLeg ? this.ofLeg : this.usual
    if ((actions & AGAIN) !== 0) {
      const { gap } = transaction
      transaction.gap = (actions & SET_T2) !== 0 ? leg.values.t2 : (actions & DOUBLE_A) !== 0 ? doubled(gap) : doubledToT2(gap, leg.values)
      transaction.againAt = now.mono + transaction.gap
    }
    const lengths = transaction.reliable ? leg.reliable : leg.udp
    for (let starting = (actions & START) >>> FIRST_START; starting !== 0; starting &= starting - 1) {
      this.start(now, transaction, 31 - Math.clz32(starting & -starting), lengths)
    }
  }

  private start(now: Now, transaction: Transaction, timer: number, lengths: Float64Array): void {
    const length = lengths[timer]!
    const event = transaction.machine.timerEvents[timer]!
    if (length === 0) {
      // A state whose timer is zero is left as it is entered; such cells do nothing but end the transaction.
      const { machine } = transaction
      transaction.state = machine.next[transaction.state * machine.events.length + event]!
      assert(transaction.isTerminated, 'a timer of zero ends its transaction')
    } else if (length !== Infinity) {
      if (TIMERS[timer]!.slot === 'again') {
        transaction.againAt = now.mono + length
        transaction.againEvent = event
        transaction.gap = length
      } else {
        transaction.endAt = now.mono + length
        transaction.endEvent = event
      }
    }
  }

  private arm(now: Now, transaction: Transaction): void {
    const at = transaction.broken ? now.mono : Math.min(transaction.againAt, transaction.endAt)
    const { armed } = transaction
    if (armed === undefined) {
      if (at !== Infinity) transaction.armed = this.heap.arm(at, transaction)
    } else if (at < armed.at) {
      this.heap.cancel(armed)
      transaction.armed = this.heap.arm(at, transaction)
    }
  }

  private disarm(transaction: Transaction): void {
    if (transaction.armed === undefined) return
    this.heap.cancel(transaction.armed)
    transaction.armed = undefined
  }
}

function stop(transaction: Transaction): void {
  transaction.againAt = Infinity
  transaction.endAt = Infinity
}
