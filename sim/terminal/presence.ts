/**
 * When devices with on and off cycles are switched on and off, drawn from their behaviour. Knows nothing of how a
 * terminal registers: it fires the three events a user can cause.
 */
import type { Deadline } from '../../core/kit/heap.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { draw, type CycleBehaviour } from './behaviour.js'
import type { TerminalHost } from './flow-registration.js'
import type { Terminal } from './terminal.js'

/** One cycling device; what the fleet's heap wakes at its next switch. */
export class Cycle {
  timer: Deadline<object> | undefined = undefined

  constructor(readonly terminal: Terminal, private readonly behaviour: CycleBehaviour, private isOn: boolean) {}

  /** Switches the device and returns when to switch it next. */
  turn(now: Now, host: TerminalHost): Micros {
    this.isOn = !this.isOn
    const { entropy } = host
    if (this.isOn) this.terminal.switch(now, 'switch-on', host)
    else this.terminal.switch(now, entropy.unit() < this.behaviour.silentShare ? 'vanish' : 'switch-off', host)
    return this.nextTurn(now, host)
  }

  nextTurn(now: Now, host: TerminalHost): Micros {
    return now.mono + Math.max(1, draw(this.isOn ? this.behaviour.on : this.behaviour.off, host.entropy))
  }
}
