/**
 * Thousands of terminals as one machine: it gives each request to the terminal it is for, sends the REGISTERs they ask
 * for over a few shared flows, keeps all their timers in one heap, and takes note of what happens. Only what an input
 * or a timer touches is looked at. Knows terminals and SIP messages; sockets and files are the driver's.
 */
import type { Crypto } from '../../core/kit/crypto.js'
import type { Entropy } from '../../core/kit/entropy.js'
import { Fifo } from '../../core/kit/fifo.js'
import { DeadlineHeap, type Deadline } from '../../core/kit/heap.js'
import type { Machine } from '../../core/kit/machine.js'
import type { FlowId, NetworkIn } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { SipEndpoint } from '../../core/sip/endpoint.js'
import type { ClientFailure, ClientTransaction, Hop, ServerTransaction, TransactionUser } from '../../core/sip/endpoint-contract.js'
import { type HeaderText, composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { isStun } from '../../core/sip/stun.js'
import { responseTo } from '../../core/sip/write.js'
import { LateAnswer } from './answering.js'
import { Answers } from './answers.js'
import { credentials, noteChallenge } from './digest-session.js'
import { countersOf } from './counters.js'
import { FlowRegistration, type BackoffSettings } from './flow-registration.js'
import type { FleetCounters, FleetIn, FleetOut, FleetSettings } from './fleet-contract.js'
import { Alarm, type UsageHost } from './host.js'
import type { Population } from './population.js'
import { Cycle } from './presence.js'
import { Reception } from './reception.js'
import { buildRegister, contactUri, noteAnswer, outboundOf, placeOfContact } from './register.js'
import type { TerminalEvent, TerminalState } from './registration-table.js'
import { Roster } from './roster.js'
import type { Terminal } from './terminal.js'
import { Usages } from './usages.js'
import { Wave } from './wave.js'
import { Ways, type WaysHost } from './ways.js'

/** REGISTERs of a wave that may be unanswered at once: a registrar slower than the pace is not flooded until requests fail. */
export const REGISTERS_PENDING_MAX = 1_000
/**
 * Connections of their own that terminals of a wave may be opening at once. A handshake of TLS costs both ends milliseconds of CPU:
 * started faster than the machine carries them out they all end late, and beyond the time limit of a connection attempt they all fail.
 */
export const OPENING_MAX = 100

export class Fleet implements Machine<FleetIn, FleetOut>, TransactionUser, WaysHost, UsageHost {
  readonly counters: FleetCounters
  readonly roster: Roster
  readonly backoff: BackoffSettings
  readonly endpoint: SipEndpoint
  readonly reception: Reception
  readonly fingerprint: string | undefined
  private readonly ways: Ways
  /** Wakes terminals, cycles, late answers, flow slots, keep-alives and the wave. */
  private readonly heap = new DeadlineHeap<object>()
  private readonly out = new Fifo<FleetOut>()
  private readonly answers: Answers
  /** Made when a terminal first needs it. */
  private usages: Usages | undefined
  private cycles: Cycle[] = []
  private wave: Wave | undefined
  /** Tags are a random prefix and a running number: unguessable and unique (RFC 3261 section 19.3) at little cost. */
  private readonly tagPrefix: string
  private tags = 0

  constructor(private readonly settings: FleetSettings, readonly population: Population, readonly entropy: Entropy, readonly crypto: Crypto) {
    this.backoff = settings.backoff
    this.fingerprint = settings.fingerprint
    this.tagPrefix = entropy.token(60)
    this.roster = new Roster(population, settings)
    this.counters = countersOf(this.roster.terminals.length, () => this.ways.upCount, () => this.usages, () => this.endpoint.openTransactions)
    this.reception = new Reception(this.counters, (out) => this.emit(out))
    this.answers = new Answers(this, this.heap, () => this.used().contents)
    this.ways = new Ways(settings, this)
    this.endpoint = new SipEndpoint({
      sentBy: () => this.ways.sentBy, entropy, user: this, emit: (out) => this.out.push(out), ...(settings.timers === undefined ? {} : { timers: settings.timers }),
    })
  }

  handle(now: Now, input: FleetIn): void {
    switch (input.type) {
      case 'tick':
        this.endpoint.tick(now)
        this.usages?.tick(now)
        for (let sleeper = this.heap.popDue(now.mono); sleeper !== undefined; sleeper = this.heap.popDue(now.mono)) this.wake(now, sleeper)
        return
      case 'register':
      case 'deregister':
        this.beginWave(now, new Wave(input.type, input.ticket, input.perSecond, input.withinMicros, now))
        return
      case 'switch':
        for (const terminal of this.named(input)) terminal.switch(now, input.to === 'on' ? 'switch-on' : input.to === 'off' ? 'switch-off' : 'vanish', this)
        return
      case 'move':
        for (const terminal of this.named(input)) this.ways.move(now, terminal, input.network)
        return
      case 'fetched':
      case 'fetch-failed':
        this.usages?.fetches.ended(input)
        return
      default:
        if (this.usages?.network(now, input) === true) return
        this.network(now, input)
    }
  }

  private network(now: Now, input: NetworkIn): void {
    switch (input.type) {
      case 'flow-up':
        this.endpoint.input(now, input)
        this.ways.up(now, input)
        return
      case 'connect-failed':
        this.ways.connectFailed(now, input.ticket)
        break
      case 'bytes':
        if (input.from !== undefined && isStun(input.bytes)) return this.ways.stun(now, input.flow, input.bytes, input.from)
        this.ways.heard(now, input.flow)
        break
    }
    this.endpoint.input(now, input)
  }

  private named({ subscriber, ordinal }: { readonly subscriber: number; readonly ordinal?: number }): readonly Terminal[] {
    const devices = this.roster.ofSubscriber(subscriber)
    return ordinal === undefined ? devices : devices.filter(({ device }) => device.ordinal === ordinal)
  }

  poll(): FleetOut | undefined {
    return this.out.shift()
  }

  deadline(): Micros {
    return Math.min(this.heap.next(), this.endpoint.deadline(), this.usages?.deadline() ?? Infinity)
  }

  private used(): Usages {
    return (this.usages ??= new Usages(this))
  }

  private wake(now: Now, sleeper: object): void {
    if (sleeper instanceof FlowRegistration) {
      sleeper.timer = undefined
      sleeper.fire(now, 'timer', this)
    } else if (sleeper instanceof LateAnswer) {
      // A device that was switched off meanwhile answers no more.
      if (!sleeper.terminal.isOn) this.endpoint.abandon(sleeper.transaction)
      else if (sleeper.terminal.device.behaviour.misbehaviour === 'answers-late') this.endpoint.respond(now, sleeper.transaction, sleeper.response)
      else this.answers.give(now, sleeper.terminal, sleeper.transaction, sleeper.response)
    } else if (sleeper instanceof Alarm) {
      sleeper.ring(now)
    } else if (sleeper instanceof Cycle) {
      sleeper.timer = this.heap.arm(sleeper.turn(now, this), sleeper)
    } else if (!this.ways.wake(now, sleeper) && sleeper === this.wave) this.advance(now, this.wave)
  }

  // Requests

  onRequest(now: Now, transaction: ServerTransaction): void {
    const { request } = transaction
    if (request.method !== 'MESSAGE' && this.usages?.inDialog(now, transaction) === true) return
    const terminal = this.roster.at(placeOfContact(request.requestUri))
    if (terminal === undefined) {
      this.counters.strays += 1
      this.endpoint.respond(now, transaction, responseTo(request, 404, undefined, this.newTag()))
    } else if (!terminal.isOn || this.ways.isFromElsewhere(terminal, transaction.source)) {
      this.counters.unheard += 1
      this.endpoint.abandon(transaction)
    } else if (request.method === 'MESSAGE') this.answers.push(now, terminal, transaction)
    else this.used().request(now, terminal, transaction)
  }

  onAck(now: Now, ack: SipMessage): void {
    this.usages?.sessions.onAck(now, ack)
  }

  onCancel(now: Now, transaction: ServerTransaction): void {
    if (this.usages?.onCancel(now, transaction) !== true) this.endpoint.respond(now, transaction, responseTo(transaction.request, 487, undefined, this.newTag()))
  }

  // What the usages ask of the fleet

  hopOf(terminal: Terminal): Hop | undefined {
    return terminal.isOn ? this.ways.best(terminal).hop : undefined
  }

  stillUp(terminal: Terminal, way: Hop | undefined): Hop | undefined {
    return terminal.isOn && way?.flow !== undefined && this.ways.isUp(way.flow) ? way : undefined
  }

  isFromProxy(terminal: Terminal, source: Hop): boolean {
    return this.ways.isFromProxy(terminal, source)
  }

  localOf(terminal: Terminal): string {
    return this.ways.best(terminal).contactHost
  }

  contactOf(terminal: Terminal): HeaderText {
    return composed(`<${terminal.granted?.publicGruu ?? contactUri(terminal.device, this.localOf(terminal), this.settings.transport)}>`)
  }

  newTag(): string {
    return this.tagPrefix + (this.tags++).toString(36)
  }

  answer(now: Now, terminal: Terminal, transaction: ServerTransaction, response: SipMessage): void {
    this.answers.give(now, terminal, transaction, response)
  }

  armAlarm(at: Micros, alarm: Alarm): Deadline<object> {
    return this.heap.arm(at, alarm)
  }

  disarmAlarm(deadline: Deadline<object> | undefined): void {
    if (deadline !== undefined) this.heap.cancel(deadline)
  }

  emit(out: FleetOut): void {
    this.out.push(out)
  }

  // Registrations

  sendRegister(now: Now, registration: FlowRegistration, expirySeconds: number): void {
    const { terminal } = registration
    // TS 24.229 section 5.1.1.6: what it has open ends before its registration does.
    if (expirySeconds === 0) this.usages?.leave(now, terminal)
    const hop = this.ways.toRegister(registration, expirySeconds)
    if (hop === 'later') {
      // What waits for its flow takes the place of what was pending over another.
      registration.pending = undefined
      return
    }
    if (hop === undefined) {
      this.counters.registersFailed += 1
      registration.fire(now, 'failed', this)
      return
    }
    const { subscriber } = terminal.device
    const { domain } = this.population.settings.identity
    const request = buildRegister(registration, {
      impu: this.population.impu(subscriber),
      domain,
      contactHost: this.ways.of(registration).contactHost,
      transport: this.settings.transport,
      fromTag: this.newTag(),
      expirySeconds,
      authorization: credentials(registration, this.population.credentials(subscriber), domain, this.crypto, this.entropy),
      isProxys: registration.digest?.isProxys ?? false,
    })
    this.counters.registersSent += 1
    this.counters.registersPending += 1
    registration.pending = this.endpoint.request(now, request, hop, registration)
  }

  onResponse(now: Now, transaction: ClientTransaction, response: SipMessage): void {
    const registration = transaction.context
    if (!(registration instanceof FlowRegistration)) return this.usages?.onResponse(now, registration, response)
    if (response.status < 200) return
    this.counters.registersPending -= 1
    if (registration.pending !== transaction) return
    if (response.status === 401 || response.status === 407) {
      this.counters.registersChallenged += 1
      registration.fire(now, noteChallenge(registration, response, this.crypto) ? 'challenge' : 'refused', this)
      return
    }
    const event = noteAnswer(registration, response)
    if (event === 'accepted') this.accepted(now, registration, response)
    else if (event === 'failed') this.counters.registersFailed += 1
    else if (event === 'refused') this.counters.registersRefused += 1
    registration.fire(now, event, this)
  }

  onFailure(now: Now, transaction: ClientTransaction, failure: ClientFailure): void {
    const registration = transaction.context
    if (!(registration instanceof FlowRegistration)) return this.usages?.onFailure(now, registration, failure)
    this.counters.registersPending -= 1
    if (registration.pending === transaction) this.cannotRegister(now, registration)
  }

  onFlowDown(now: Now, flow: FlowId): void {
    this.ways.down(now, flow)
  }

  private accepted(now: Now, registration: FlowRegistration, response: SipMessage): void {
    this.counters.registersAccepted += 1
    const { terminal } = registration
    const outbound = terminal.isOutbound && STAYING.has(registration.state) ? outboundOf(response) : undefined
    if (outbound === undefined) return
    // RFC 5626 sections 4.2.1 and 4.4: further flows, and keep-alive, where the registrar said that it takes part.
    this.ways.keepAlive(now, registration, outbound.flowTimerSeconds)
    if (registration === terminal) this.beginFurther(now, terminal)
  }

  private beginFurther(now: Now, terminal: Terminal): void {
    for (const flow of terminal.further ?? []) flow.fire(now, 'switch-on', this)
  }

  // What the ways ask of the fleet

  wakeAt(sleeper: object, at: Micros): void {
    this.heap.arm(at, sleeper)
  }

  flowLost(now: Now, terminal: Terminal, flow: FlowId | undefined): void {
    this.usages?.flowLost(now, terminal, flow)
  }

  cannotRegister(now: Now, registration: FlowRegistration): void {
    this.counters.registersFailed += 1
    registration.retryAfterSeconds = 0
    registration.fire(now, 'failed', this)
  }

  arm(registration: FlowRegistration, at: Micros): void {
    this.disarm(registration)
    registration.timer = this.heap.arm(at, registration)
  }

  disarm(registration: FlowRegistration): void {
    if (registration.timer !== undefined) this.heap.cancel(registration.timer)
    registration.timer = undefined
  }

  stateChanged(now: Now, registration: FlowRegistration, event: TerminalEvent): void {
    const { terminal, state } = registration
    const wasUp = terminal.isUp
    registration.isBound = state === 'registered' || (registration.isBound && BOUND.has(state))
    const { isUp } = terminal
    if (isUp !== wasUp) {
      this.counters.registered += isUp ? 1 : -1
      this.out.push({ type: 'journal', event: isUp ? 'device-up' : 'device-down', pushId: '', address: '', details: [terminal.device.instance] })
    }
    if (state === 'off') this.ways.off(registration, event)
    if (!terminal.isOn) this.usages?.gone(now, terminal)
    else if (state === 'registered' && terminal.device.capabilities.subscribes) this.used().subscriptions.registered(now, terminal)
    // A P-CSCF that cannot be reached keeps nobody from another one.
    if (state === 'backoff' && registration === terminal) this.beginFurther(now, terminal)
    if (terminal.isAwaited) this.settle(terminal)
  }

  // Waves

  private beginWave(now: Now, wave: Wave): void {
    if (this.wave !== undefined) this.endWave(this.wave)
    for (const terminal of this.roster.terminals) terminal.isAwaited = false
    for (const cycle of this.cycles) if (cycle.timer !== undefined) this.heap.cancel(cycle.timer)
    this.cycles = []
    this.wave = wave
    this.advance(now, wave)
  }

  private advance(now: Now, wave: Wave): void {
    const { terminals } = this.roster
    if (this.ways.areUp) {
      const due = Math.min(wave.due(now), REGISTERS_PENDING_MAX - this.counters.registersPending, OPENING_MAX - this.ways.openingCount)
      for (let started = 0; started < due && wave.cursor < terminals.length;) if (this.start(now, wave, terminals[wave.cursor++]!)) started++
    }
    // The last device may have ended the wave from within.
    if (this.wave !== wave) return
    if (wave.isLate(now) || (wave.cursor === terminals.length && wave.pending === 0)) this.endWave(wave)
    else wave.timer = this.heap.arm(wave.nextLook(now, this.ways.areUp, wave.cursor < terminals.length), wave)
  }

  /** Begins with one device; false when the wave is not about it. */
  private start(now: Now, wave: Wave, terminal: Terminal): boolean {
    const { behaviour } = terminal.device
    if (wave.kind === 'register' ? behaviour.absent || !this.isOnAtStart(now, terminal) : !terminal.isOn) return false
    wave.noteStarted()
    terminal.isAwaited = true
    terminal.switch(now, wave.kind === 'register' ? 'switch-on' : 'switch-off', this)
    // A device that was there already changed no state.
    if (terminal.isAwaited) this.settle(terminal)
    return true
  }

  private isOnAtStart(now: Now, terminal: Terminal): boolean {
    const { cycle: behaviour } = terminal.device.behaviour
    if (behaviour === undefined) return true
    const isOn = this.entropy.unit() >= behaviour.offAtStartShare
    const cycle = new Cycle(terminal, behaviour, isOn)
    cycle.timer = this.heap.arm(cycle.nextTurn(now, this), cycle)
    this.cycles.push(cycle)
    return isOn
  }

  /** Counts a device the wave waits for when it has come to an end. */
  private settle(terminal: Terminal): void {
    const wave = this.wave!
    if (!wave.noteState(terminal.deviceState)) return
    terminal.isAwaited = false
    if (wave.pending === 0 && wave.cursor === this.roster.terminals.length) this.endWave(wave)
  }

  private endWave(wave: Wave): void {
    if (wave.timer !== undefined) this.heap.cancel(wave.timer)
    const { terminals } = this.roster
    // Those whose turn did not come are missing like those that have no answer yet.
    for (const { device: { behaviour } } of terminals.slice(wave.cursor)) if (wave.kind === 'register' && !behaviour.absent && behaviour.cycle === undefined) wave.wanted += 1
    for (const terminal of terminals) terminal.isAwaited = false
    this.wave = undefined
    this.out.push(wave.settled())
  }
}

/** States in which a REGISTER is pending that asks to stay. */
const STAYING: ReadonlySet<TerminalState> = new Set(['registering', 'challenged', 'refreshing'])
/** States in which a binding that was in force still is. */
const BOUND: ReadonlySet<TerminalState> = new Set(['registered', 'refreshing', 'leaving', 'deregistering', 'returning'])
