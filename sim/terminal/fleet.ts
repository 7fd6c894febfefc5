/**
 * Thousands of terminals as one machine: it gives each request to the terminal it is for, sends the REGISTERs they ask
 * for over a few shared flows, keeps all their timers in one heap, and takes note of what happens. Only what an input
 * or a timer touches is looked at. Knows terminals and SIP messages; sockets and files are the driver's.
 */
import type { Crypto } from '../../core/kit/crypto.js'
import type { Entropy } from '../../core/kit/entropy.js'
import { Fifo } from '../../core/kit/fifo.js'
import { DeadlineHeap } from '../../core/kit/heap.js'
import type { Machine } from '../../core/kit/machine.js'
import type { FlowId } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { SipEndpoint } from '../../core/sip/endpoint.js'
import type { ClientTransaction, ServerTransaction, TransactionUser } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import { LateAnswer, capabilities, methodNotAllowed, refusal, rejection, targetOf } from './answering.js'
import { draw } from './behaviour.js'
import { credentials, noteChallenge } from './digest-session.js'
import type { FleetCounters, FleetIn, FleetOut, FleetSettings } from './fleet-contract.js'
import { FleetFlows, FlowSlot } from './fleet-flows.js'
import { judge } from './judgement.js'
import type { Population } from './population.js'
import { Cycle } from './presence.js'
import { RecentPushIds } from './push-ids.js'
import { buildRegister, noteAnswer, placeOfContact } from './register.js'
import type { TerminalState } from './registration-table.js'
import { Roster } from './roster.js'
import { Terminal, type BackoffSettings, type TerminalHost } from './terminal.js'
import { Wave } from './wave.js'

/** REGISTERs of a wave that may be unanswered at once: a registrar slower than the pace is not flooded until requests fail. */
export const REGISTERS_PENDING_MAX = 1_000

export class Fleet implements Machine<FleetIn, FleetOut>, TransactionUser, TerminalHost {
  readonly counters: FleetCounters
  readonly roster: Roster
  readonly backoff: BackoffSettings
  private readonly endpoint: SipEndpoint
  private readonly flows: FleetFlows
  /** Wakes terminals, cycles, late answers, flow slots and the wave. */
  private readonly heap = new DeadlineHeap<object>()
  private readonly out = new Fifo<FleetOut>()
  private cycles: Cycle[] = []
  private wave: Wave | undefined
  /** Tags are a random prefix and a running number: unguessable and unique (RFC 3261 section 19.3) at little cost. */
  private readonly tagPrefix: string
  private tags = 0

  constructor(private readonly settings: FleetSettings, private readonly population: Population, readonly entropy: Entropy, private readonly crypto: Crypto) {
    this.backoff = settings.backoff
    this.tagPrefix = entropy.token(60)
    this.roster = new Roster(population, settings)
    this.counters = {
      devices: this.roster.terminals.length, registered: 0, flows: 0, registersSent: 0, registersAccepted: 0, registersChallenged: 0, registersPending: 0,
      registersRefused: 0, registersFailed: 0, received: 0, repeats: 0, refused: 0, rejectedByCheck: 0, unheard: 0, strays: 0,
    }
    this.flows = new FleetFlows(settings, entropy, (out) => this.out.push(out), (slot, at) => { this.heap.arm(at, slot) })
    this.endpoint = new SipEndpoint({ sentBy: () => this.flows.sentBy, entropy, user: this, emit: (out) => this.out.push(out) })
  }

  handle(now: Now, input: FleetIn): void {
    switch (input.type) {
      case 'tick':
        this.endpoint.tick(now)
        for (let sleeper = this.heap.popDue(now.mono); sleeper !== undefined; sleeper = this.heap.popDue(now.mono)) this.wake(now, sleeper)
        return
      case 'register':
      case 'deregister':
        this.beginWave(now, new Wave(input.type, input.ticket, input.perSecond, input.withinMicros, now))
        return
      case 'switch':
        for (const terminal of this.roster.ofSubscriber(input.subscriber)) {
          if (input.ordinal !== undefined && terminal.device.ordinal !== input.ordinal) continue
          terminal.fire(now, input.to === 'on' ? 'switch-on' : input.to === 'off' ? 'switch-off' : 'vanish', this)
        }
        return
      case 'flow-up':
        this.flows.up(input)
        this.counters.flows = this.flows.upCount
        break
      case 'connect-failed':
        this.flows.connectFailed(now, input.ticket)
        break
    }
    this.endpoint.input(now, input)
  }

  poll(): FleetOut | undefined {
    return this.out.shift()
  }

  deadline(): Micros {
    return Math.min(this.heap.next(), this.endpoint.deadline())
  }

  private wake(now: Now, sleeper: object): void {
    if (sleeper instanceof Terminal) {
      sleeper.timer = undefined
      sleeper.fire(now, 'timer', this)
    } else if (sleeper instanceof LateAnswer) {
      // A device that was switched off meanwhile answers no more.
      if (sleeper.terminal.state !== 'off') this.endpoint.respond(now, sleeper.transaction, sleeper.response)
      else this.endpoint.abandon(sleeper.transaction)
    } else if (sleeper instanceof Cycle) {
      sleeper.timer = this.heap.arm(sleeper.turn(now, this), sleeper)
    } else if (sleeper instanceof FlowSlot) this.flows.connect(sleeper)
    else if (sleeper === this.wave) this.advance(now, this.wave)
  }

  // Requests

  onRequest(now: Now, transaction: ServerTransaction): void {
    const { request } = transaction
    const terminal = this.roster.at(placeOfContact(request.requestUri))
    if (terminal === undefined) {
      this.counters.strays += 1
      this.endpoint.respond(now, transaction, responseTo(request, 404, undefined, this.newTag()))
    } else if (terminal.state === 'off') {
      this.counters.unheard += 1
      this.endpoint.abandon(transaction)
    } else if (request.method === 'MESSAGE') {
      this.answerPush(now, transaction, terminal)
    } else {
      const response = request.method === 'OPTIONS' ? capabilities(request, terminal, this.newTag()) : methodNotAllowed(request, this.newTag())
      this.endpoint.respond(now, transaction, response)
    }
  }

  private answerPush(now: Now, transaction: ServerTransaction, terminal: Terminal): void {
    const { request, source } = transaction
    const response = this.answerOf(request, terminal, this.flows.isFromProxy(this.flows.slots[terminal.flowSlot]!, source))
    const delay = draw(terminal.device.behaviour.answerDelay, this.entropy)
    if (delay > 0) this.heap.arm(now.mono + delay, new LateAnswer(terminal, transaction, response))
    else this.endpoint.respond(now, transaction, response)
  }

  private answerOf(request: SipMessage, terminal: Terminal, fromProxy: boolean): SipMessage {
    const { counters } = this
    const { group, device } = terminal
    const pushId = request.get(Header.XPushId) ?? ''
    const rejected = judge(request, device.applications, terminal.types, fromProxy)
    if (rejected !== 0) {
      counters.rejectedByCheck += 1
      group.rejectedByCheck += 1
      this.noteReceived(request, terminal, pushId, rejected, false)
      return rejection(request, rejected, terminal, this.newTag())
    }
    if (device.behaviour.refusal !== undefined) {
      counters.refused += 1
      group.refused += 1
      this.noteReceived(request, terminal, pushId, device.behaviour.refusal.status, false)
      return refusal(request, device.behaviour.refusal, this.newTag())
    }
    terminal.pushIds ??= new RecentPushIds()
    const isRepeat = pushId !== '' && terminal.pushIds.isRepeat(pushId)
    if (isRepeat) {
      counters.repeats += 1
      group.repeats += 1
    } else {
      counters.received += 1
      group.received += 1
    }
    this.noteReceived(request, terminal, pushId, 200, isRepeat)
    return responseTo(request, 200, undefined, this.newTag())
  }

  private noteReceived(request: SipMessage, terminal: Terminal, pushId: string, status: number, isRepeat: boolean): void {
    const details = [targetOf(request), terminal.device.instance, String(status), isRepeat ? 'repeat' : 'first']
    this.out.push({ type: 'journal', event: 'received', pushId, address: '', details })
  }

  onAck(): void {}

  onCancel(now: Now, transaction: ServerTransaction): void {
    this.endpoint.respond(now, transaction, responseTo(transaction.request, 487, undefined, this.newTag()))
  }

  private newTag(): string {
    return this.tagPrefix + (this.tags++).toString(36)
  }

  // Registrations

  sendRegister(now: Now, terminal: Terminal, expirySeconds: number): void {
    const slot = this.flows.slots[terminal.flowSlot]!
    if (slot.hop === undefined) {
      this.counters.registersFailed += 1
      terminal.fire(now, 'failed', this)
      return
    }
    const { subscriber } = terminal.device
    const { domain } = this.population.settings.identity
    const request = buildRegister(terminal, {
      impu: this.population.impu(subscriber),
      domain,
      contactHost: slot.contactHost,
      transport: this.settings.transport,
      fromTag: this.newTag(),
      expirySeconds,
      authorization: credentials(terminal.digest, this.population.credentials(subscriber), domain, this.crypto, this.entropy),
      isProxys: terminal.digest?.isProxys ?? false,
    })
    this.counters.registersSent += 1
    this.counters.registersPending += 1
    terminal.pending = this.endpoint.request(now, request, slot.hop, terminal)
  }

  onResponse(now: Now, transaction: ClientTransaction, response: SipMessage): void {
    const terminal = transaction.context
    if (!(terminal instanceof Terminal) || response.status < 200) return
    this.counters.registersPending -= 1
    if (terminal.pending !== transaction) return
    if (response.status === 401 || response.status === 407) {
      this.counters.registersChallenged += 1
      terminal.fire(now, noteChallenge(terminal, response) ? 'challenge' : 'refused', this)
      return
    }
    const event = noteAnswer(terminal, response)
    if (event === 'accepted') this.counters.registersAccepted += 1
    else if (event === 'failed') this.counters.registersFailed += 1
    else if (event === 'refused') this.counters.registersRefused += 1
    terminal.fire(now, event, this)
  }

  onFailure(now: Now, transaction: ClientTransaction): void {
    const terminal = transaction.context
    if (!(terminal instanceof Terminal)) return
    this.counters.registersPending -= 1
    if (terminal.pending !== transaction) return
    this.counters.registersFailed += 1
    terminal.retryAfterSeconds = 0
    terminal.fire(now, 'failed', this)
  }

  onFlowDown(now: Now, flow: FlowId): void {
    const slot = this.flows.down(now, flow)
    if (slot === undefined) return
    this.counters.flows = this.flows.upCount
    for (const terminal of this.roster.terminals) if (terminal.flowSlot === slot.index) terminal.fire(now, 'flow-lost', this)
  }

  arm(terminal: Terminal, at: Micros): void {
    this.disarm(terminal)
    terminal.timer = this.heap.arm(at, terminal)
  }

  disarm(terminal: Terminal): void {
    if (terminal.timer !== undefined) this.heap.cancel(terminal.timer)
    terminal.timer = undefined
  }

  stateChanged(_now: Now, terminal: Terminal): void {
    const isUp = terminal.state === 'registered' || (terminal.isUp && BOUND.has(terminal.state))
    if (isUp !== terminal.isUp) {
      terminal.isUp = isUp
      this.counters.registered += isUp ? 1 : -1
      this.out.push({ type: 'journal', event: isUp ? 'device-up' : 'device-down', pushId: '', address: '', details: [terminal.device.instance] })
    }
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
    if (this.flows.areUp) {
      const due = Math.min(wave.due(now), REGISTERS_PENDING_MAX - this.counters.registersPending)
      for (let started = 0; started < due && wave.cursor < terminals.length;) if (this.start(now, wave, terminals[wave.cursor++]!)) started++
    }
    // The last device may have ended the wave from within.
    if (this.wave !== wave) return
    if (wave.isLate(now) || (wave.cursor === terminals.length && wave.pending === 0)) this.endWave(wave)
    else wave.timer = this.heap.arm(wave.nextLook(now, this.flows.areUp, wave.cursor < terminals.length), wave)
  }

  /** Begins with one device; false when the wave is not about it. */
  private start(now: Now, wave: Wave, terminal: Terminal): boolean {
    const { behaviour } = terminal.device
    if (wave.kind === 'register' ? behaviour.absent || !this.isOnAtStart(now, terminal) : terminal.state === 'off') return false
    wave.noteStarted()
    terminal.isAwaited = true
    terminal.fire(now, wave.kind === 'register' ? 'switch-on' : 'switch-off', this)
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
    if (!wave.noteState(terminal.state)) return
    terminal.isAwaited = false
    if (wave.pending === 0 && wave.cursor === this.roster.terminals.length) this.endWave(wave)
  }

  private endWave(wave: Wave): void {
    if (wave.timer !== undefined) this.heap.cancel(wave.timer)
    for (const terminal of this.roster.terminals) terminal.isAwaited = false
    this.wave = undefined
    this.out.push(wave.settled())
  }
}

/** States in which a binding that was in force still is. */
const BOUND: ReadonlySet<TerminalState> = new Set(['registered', 'refreshing', 'leaving', 'deregistering', 'returning'])
