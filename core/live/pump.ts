/**
 * The live driver of one machine: it takes an input, reads the clocks once, drains the outputs, and keeps one
 * timer armed for the machine's deadline. It decides nothing and knows neither sockets nor stores: outputs go to
 * one callback, and a second callback tells at the end of an event-loop turn that what was gathered may be written.
 */
import { Fifo } from '../kit/fifo.js'
import { TICK, type Machine, type Tick } from '../kit/machine.js'
import { MICROS_PER_MILLI, type Micros } from '../kit/time.js'
import { monoMicros, readNow } from './clock.js'

/** setTimeout cannot wait longer than 2^31 - 1 ms; a later deadline is simply looked at again. */
const TIMER_MILLIS_MAX = 86_400_000

export class Pump<In, Out> {
  private readonly waiting = new Fifo<In | Tick>()
  private running = false
  private turnEnds = false
  private stopped = false
  private timer: NodeJS.Timeout | undefined
  private timerAt: Micros = Infinity

  /**
   * @param machine who decides; the pump alone calls it from now on
   * @param onOutput one output, in order; may call `input` again (the input waits its turn)
   * @param onTurnEnd once per event-loop turn that had inputs, after all of them: write what was gathered
   */
  constructor(
    private readonly machine: Machine<In | Tick, Out>,
    private readonly onOutput: (output: Out) => void,
    private readonly onTurnEnd: () => void,
  ) {}

  /** Hands one input to the machine. An exception of the machine is our own mistake and passes through. */
  input(input: In | Tick): void {
    if (this.stopped) return
    if (this.running) {
      this.waiting.push(input)
      return
    }
    this.running = true
    for (let next: In | Tick | undefined = input; next !== undefined; next = this.waiting.shift()) {
      this.machine.handle(readNow(), next)
      for (let output = this.machine.poll(); output !== undefined; output = this.machine.poll()) this.onOutput(output)
    }
    this.running = false
    if (!this.turnEnds) {
      this.turnEnds = true
      setImmediate(this.endTurn)
    }
  }

  /** Looks at the machine for the first time: outputs it queued at birth, and its deadline. */
  start(): void {
    this.input(TICK)
  }

  /** No input is taken and no timer fires any more. */
  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
    this.timer = undefined
  }

  // setImmediate and not a microtask: Node drains microtasks after every single socket callback, while the check
  // phase comes once after all callbacks of a poll, so one turn's writes to a flow become one system call.
  private readonly endTurn = (): void => {
    this.turnEnds = false
    if (this.stopped) return
    this.onTurnEnd()
    this.arm()
  }

  /** A timer that is too early costs one look at the deadline; moving it later at every input would cost more. */
  private arm(): void {
    const at = this.machine.deadline()
    if (at >= this.timerAt || at === Infinity) return
    clearTimeout(this.timer)
    this.timerAt = at
    // Rounded up and never 0: a deadline below the timer's resolution is met late, not by spinning.
    const millis = Math.ceil((at - monoMicros()) / MICROS_PER_MILLI)
    this.timer = setTimeout(this.onTimer, Math.min(Math.max(millis, 1), TIMER_MILLIS_MAX))
  }

  private readonly onTimer = (): void => {
    this.timerAt = Infinity
    this.timer = undefined
    if (this.machine.deadline() <= monoMicros()) this.input(TICK)
    else this.arm()
  }
}
