/**
 * One device: what it is, and what it knows besides its registration over its first flow, which it is itself. Its further
 * flows (RFC 5626 section 4.2) are registrations of their own; what is true of the device is what is true of one of them.
 */
import type { Now } from '../../core/kit/time.js'
import type { Usim } from '../../core/sip/aka.js'
import { FlowRegistration, type Grant, type TerminalHost } from './flow-registration.js'
import type { Device } from './population.js'
import type { RecentPushIds } from './push-ids.js'
import type { TerminalState } from './registration-table.js'

export class Terminal extends FlowRegistration {
  /** A wave of the fleet waits for it. */
  isAwaited = false
  /** One Call-ID for each time it is switched on, whatever the flow (RFC 3261 section 10.2); '' while off. */
  callId = ''
  /** Of its last REGISTER over any flow. */
  cseq = 0
  pushIds: RecentPushIds | undefined = undefined

  /** Which network it is in: 0 is home. */
  network = 0
  /** Its flows from reg-id 2 on; undefined when it registers without outbound. */
  further: readonly FurtherFlow[] | undefined = undefined
  /** It is authenticated by AKA. Outlives being switched off. */
  usim: Usim | undefined = undefined

  /** @param types media types it takes; @param group where its class is counted */
  constructor(readonly device: Device, readonly types: ReadonlySet<string>, flowSlot: number, readonly group: TerminalGroup) {
    super(flowSlot)
  }

  get terminal(): Terminal {
    return this
  }

  get regId(): number {
    return this.further === undefined ? 0 : 1
  }

  /** It registers by RFC 5626, with a reg-id. */
  get isOutbound(): boolean {
    return this.further !== undefined
  }

  /** Does it hear what is sent to it? */
  get isOn(): boolean {
    return this.state !== 'off' || this.further?.some(({ state }) => state !== 'off') === true
  }

  /** It can be reached over one of its flows; told to the journal. */
  get isUp(): boolean {
    return this.isBound || this.isUpBesides(this)
  }

  /** It can be reached over another flow than this one. */
  isUpBesides(flow: FlowRegistration): boolean {
    if (this.further === undefined) return false
    return (flow !== this && this.isBound) || this.further.some((other) => other !== flow && other.isBound)
  }

  /** The state of the device as a whole: an end only when all its flows have come to one. */
  get deviceState(): TerminalState {
    let state = this.state
    for (const other of this.further ?? []) if (ENDS.indexOf(other.state) < ENDS.indexOf(state)) ({ state } = other)
    return state
  }

  /** What a registration over any of its flows has granted. */
  get granted(): Grant | undefined {
    return this.grant ?? this.further?.find(({ grant }) => grant !== undefined)?.grant
  }

  /** Its user switches it; a further flow begins when the first has been tried. */
  switch(now: Now, to: 'switch-on' | 'switch-off' | 'vanish', host: TerminalHost): void {
    this.fire(now, to, host)
    if (to !== 'switch-on') for (const flow of this.further ?? []) flow.fire(now, to, host)
  }

  /** Whichever flow went last takes the Call-ID with it. */
  flowIsOff(): void {
    if (this.isOn) return
    this.callId = ''
    this.cseq = 0
  }
}

/** A further flow of a device. */
export class FurtherFlow extends FlowRegistration {
  constructor(readonly terminal: Terminal, readonly regId: number, flowSlot: number) {
    super(flowSlot)
  }
}

/** States in which nothing is under way, the last to be looked at first; any other stands before them. */
const ENDS: readonly TerminalState[] = ['registered', 'refused', 'off']

/** What is counted for each class of subscribers. */
export interface TerminalGroup {
  devices: number
  received: number
  repeats: number
  /** Refused as its user behaves. */
  refused: number
  /** Refused because a check failed. */
  rejectedByCheck: number
}
