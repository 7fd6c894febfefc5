/**
 * One registration of a device over one flow: what it knows of it, and how the table's actions are carried out. It asks its
 * host (the fleet) to send, to arm its one timer and to take note; it knows nothing of sockets, and of the device's other
 * flows only whether one is left.
 */
import { bug } from '../../core/kit/assert.js'
import type { Entropy } from '../../core/kit/entropy.js'
import type { Deadline } from '../../core/kit/heap.js'
import { owned } from '../../core/kit/own-text.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../core/kit/time.js'
import type { DigestSession } from './digest-session.js'
import { TERMINAL_TABLE, type TerminalAction, type TerminalEvent, type TerminalState } from './registration-table.js'
import type { Terminal } from './terminal.js'

/** TS 24.229 section 5.1.1.2.1: what a terminal asks for at first. */
export const EXPIRY_ASKED_SECONDS = 600_000

/** RFC 5626 section 4.5: the wait after the n-th failure in a row is drawn from half to all of min(maximum, base * 2^n). */
export interface BackoffSettings {
  /** With no other flow left; three times as long with one, as are the section's own 30 and 90 s. */
  readonly baseMicros: Micros
  readonly maxMicros: Micros
}
/** The values RFC 5626 section 4.5 recommends. */
export const BACKOFF: BackoffSettings = { baseMicros: 30 * MICROS_PER_SECOND, maxMicros: 1_800 * MICROS_PER_SECOND }
const BASE_WITH_OTHER_FLOW = 3

/** What a registration asks of whoever holds it. */
export interface TerminalHost {
  readonly entropy: Entropy
  readonly backoff: BackoffSettings
  /** Sends a REGISTER with this expiry; may fire `failed` from within when there is no way to send. */
  sendRegister(now: Now, registration: FlowRegistration, expirySeconds: number): void
  /** Replaces the registration's timer. */
  arm(registration: FlowRegistration, at: Micros): void
  disarm(registration: FlowRegistration): void
  /** @param event what led to its state */
  stateChanged(now: Now, registration: FlowRegistration, event: TerminalEvent): void
}

/** What the registrar granted; texts are the terminal's own copies. */
export interface Grant {
  readonly expirySeconds: number
  readonly publicGruu: string | undefined
  readonly temporaryGruu: string | undefined
  /** Service-Route as one line (RFC 3608); '' when there was none. */
  readonly serviceRoute: string
  /** P-Associated-URI as one line (RFC 7315 section 4.1); '' when there was none. */
  readonly associated: string
}

export abstract class FlowRegistration {
  /** The device, which for its first flow is this object itself. */
  abstract readonly terminal: Terminal
  /** RFC 5626 section 4.2: the flow's number, the same when another flow takes its place; 0 without outbound. */
  abstract readonly regId: number

  state: TerminalState = 'off'
  /** Its binding is in force as far as it knows. */
  isBound = false
  timer: Deadline<object> | undefined = undefined
  /** The request whose answer it waits for; an answer to any other is stale. */
  pending: unknown = undefined
  expiryAskedSeconds = EXPIRY_ASKED_SECONDS
  /** Challenges answered for the request at hand, and failures in a row. */
  challenges = 0
  failures = 0
  /** Said by the last failure's Retry-After; 0 when it said nothing. */
  retryAfterSeconds = 0
  digest: DigestSession | undefined = undefined
  grant: Grant | undefined = undefined

  /** @param flowSlot which of the host's flows it registers over */
  constructor(public flowSlot: number) {}

  /** Looks up the cell and carries it out. A cell marked `bug` throws: no remote input can raise such an event. */
  fire(now: Now, event: TerminalEvent, host: TerminalHost): void {
    const before = this.state
    const cell = TERMINAL_TABLE[before][event]
    if (cell === 'ignore') return
    if (cell === 'bug') bug(`terminal ${this.terminal.device.instance}: ${event} in state ${before}`)
    this.state = cell.next
    this.carryOut(now, cell.action, host)
    // An action that fails at once has fired again and told of the later state itself.
    if (this.state === cell.next && before !== cell.next) host.stateChanged(now, this, event)
  }

  private carryOut(now: Now, action: TerminalAction, host: TerminalHost): void {
    switch (action) {
      case 'register':
        this.challenges = 0
        this.send(now, this.expiryAskedSeconds, host)
        return
      case 'deregister':
        this.challenges = 0
        this.send(now, 0, host)
        return
      case 'answer-challenge':
        this.challenges += 1
        this.send(now, this.state === 'deregistering' || this.state === 'returning' ? 0 : this.expiryAskedSeconds, host)
        return
      case 'adopt':
        this.pending = undefined
        this.failures = 0
        host.arm(this, now.mono + refreshDelaySeconds(this.grant?.expirySeconds ?? 0) * MICROS_PER_SECOND)
        return
      case 'wait':
        this.pending = undefined
        host.arm(this, now.mono + this.retryDelayMicros(host))
        this.failures += 1
        return
      case 'drop':
        this.pending = undefined
        host.disarm(this)
        if (this.state === 'off') this.forget()
        return
      case 'none':
        return
    }
  }

  private send(now: Now, expirySeconds: number, host: TerminalHost): void {
    const { terminal } = this
    if (terminal.callId === '') terminal.callId = owned(host.entropy.token(100))
    terminal.cseq += 1
    host.disarm(this)
    host.sendRegister(now, this, expirySeconds)
  }

  private retryDelayMicros(host: TerminalHost): Micros {
    // RFC 3261 section 10.2.7 and 20.33: not before the time the registrar names.
    if (this.retryAfterSeconds > 0) return this.retryAfterSeconds * MICROS_PER_SECOND
    const { baseMicros, maxMicros } = host.backoff
    const base = this.terminal.isUpBesides(this) ? BASE_WITH_OTHER_FLOW * baseMicros : baseMicros
    const upper = Math.min(maxMicros, base * 2 ** this.failures)
    return Math.round(upper * (0.5 + host.entropy.unit() / 2))
  }

  /** What does not survive being switched off. */
  private forget(): void {
    this.failures = 0
    this.expiryAskedSeconds = EXPIRY_ASKED_SECONDS
    this.digest = undefined
    this.grant = undefined
    this.terminal.flowIsOff()
  }
}

/** TS 24.229 section 5.1.1.4.1: 600 s before the end when more than 1,200 s were granted, else after half. It keeps RFC 5627 section 4.2, too. */
export function refreshDelaySeconds(expirySeconds: number): number {
  return expirySeconds > 1_200 ? expirySeconds - 600 : expirySeconds / 2
}
