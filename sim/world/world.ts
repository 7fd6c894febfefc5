/**
 * Virtual time: the second driver. One heap of events in order of (time, sequence) moves the clock; each node is a
 * machine behind a run queue, served one input at a time for as long as that kind of input costs, so that a node
 * saturates here as it does in life. Knows machines and their inputs; the network, the store and the actors are
 * nodes' surroundings (network.ts, store.ts) and not its business.
 */
import { Fifo } from '../../core/kit/fifo.js'
import { DeadlineHeap, type Deadline } from '../../core/kit/heap.js'
import { TICK, type Machine, type Tick } from '../../core/kit/machine.js'
import type { Micros, Now, WallMillis } from '../../core/kit/time.js'
import { Trace } from './trace.js'

/** Something that happens at an instant: an input reaches a node, or a surrounding acts. */
export interface WorldEvent {
  happen(now: Now): void
}

export interface NodeOptions<In, Out> {
  readonly name: string
  readonly machine: Machine<In | Tick, Out>
  /** How long an input of this kind keeps the node busy that it begins with now, microseconds. Calibrated from measured runs, or chosen by a test. */
  readonly serviceMicros: (input: In | Tick, now: Micros) => Micros
  /** Takes each output at the instant the node has finished the input that caused it. */
  readonly output: (now: Now, output: Out) => void
}

export class World {
  readonly trace = new Trace()
  private readonly events = new DeadlineHeap<WorldEvent>()
  private mono: Micros = 0
  private reading: Now

  /** @param isTraced whether every input is folded into the trace, which costs more than many inputs do */
  constructor(private readonly startWall: WallMillis, readonly isTraced = true) {
    this.reading = { mono: 0, wall: startWall }
  }

  get now(): Now {
    // One reading for all that happens at one instant.
    if (this.reading.mono !== this.mono) this.reading = { mono: this.mono, wall: this.startWall + Math.floor(this.mono / 1_000) }
    return this.reading
  }

  at(instant: Micros, event: WorldEvent): Deadline<WorldEvent> {
    return this.events.arm(Math.max(instant, this.mono), event)
  }

  cancel(armed: Deadline<WorldEvent>): void {
    this.events.cancel(armed)
  }

  node<In extends { readonly type: string }, Out>(options: NodeOptions<In, Out>): WorldNode<In, Out> {
    return new WorldNode(this, options)
  }

  /** Lets time pass until `until`, or until `done` says so after an event. Returns the number of events. */
  run(until: Micros, done: () => boolean = () => false): number {
    let count = 0
    while (this.events.next() <= until) {
      this.mono = this.events.next()
      this.events.popDue(this.mono)!.happen(this.now)
      count += 1
      if (done()) return count
    }
    this.mono = Math.max(this.mono, until)
    return count
  }
}

/** A machine in the world. Its inputs wait in order while it is busy. */
export class WorldNode<In extends { readonly type: string }, Out> implements WorldEvent {
  private machine: Machine<In | Tick, Out> | undefined
  private readonly waiting = new Fifo<In | Tick>()
  private armed: Deadline<WorldEvent> | undefined
  private wake: Deadline<WorldEvent> | undefined
  private readonly wakeEvent: WorldEvent = { happen: () => this.give(TICK) }
  private busyMicros: Micros = 0

  constructor(private readonly world: World, private readonly options: NodeOptions<In, Out>) {
    this.machine = options.machine
  }

  get name(): string {
    return this.options.name
  }

  /** Inputs that wait or are being served. */
  get queueLength(): number {
    return this.waiting.length
  }

  /** Time this node has spent serving since the world began, microseconds. */
  get servedMicros(): Micros {
    return this.busyMicros
  }

  get alive(): boolean {
    return this.machine !== undefined
  }

  /** An input arrives now. A node that crashed does not hear it. */
  give(input: In | Tick): void {
    if (this.machine === undefined) return
    this.waiting.push(input)
    if (this.armed === undefined) this.serveNext()
  }

  /** The process dies between two inputs: what waited is gone, and nothing more comes out until `restart`. */
  crash(): void {
    this.machine = undefined
    while (this.waiting.shift() !== undefined) continue
    for (const armed of [this.armed, this.wake]) if (armed !== undefined) this.world.cancel(armed)
    this.armed = undefined
    this.wake = undefined
  }

  restart(machine: Machine<In | Tick, Out>): void {
    this.machine = machine
    this.give(TICK)
  }

  /** The input at the head of the queue has been served for its time. */
  happen(now: Now): void {
    this.armed = undefined
    const input = this.waiting.shift()!
    const machine = this.machine!
    if (this.world.isTraced) this.world.trace.record(now.mono, this.options.name, input)
    machine.handle(now, input)
    for (let output = machine.poll(); output !== undefined; output = machine.poll()) {
      this.options.output(now, output)
      if (this.machine !== machine) return
    }
    this.armWake(machine)
    if (this.armed === undefined && this.waiting.length > 0) this.serveNext()
  }

  private serveNext(): void {
    const { mono } = this.world.now
    const service = this.options.serviceMicros(this.waiting.peek()!, mono)
    this.busyMicros += service
    this.armed = this.world.at(mono + service, this)
  }

  private armWake(machine: Machine<In | Tick, Out>): void {
    const deadline = machine.deadline()
    if (this.wake !== undefined) {
      if (this.wake.at === deadline) return
      this.world.cancel(this.wake)
      this.wake = undefined
    }
    if (deadline !== Infinity) this.wake = this.world.at(deadline, this.wakeEvent)
  }
}
