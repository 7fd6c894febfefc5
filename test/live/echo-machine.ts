/** A small machine for tests of the driver: sends back what it hears, opens a connection when told, keeps a log and an alarm. */
import type { Machine, Tick } from '../../core/kit/machine.js'
import type { NetworkIn, NetworkOut } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'

export type EchoIn = Tick | NetworkIn | { readonly type: 'order'; readonly order: NetworkOut } | { readonly type: 'alarm'; readonly at: Micros }

export class EchoMachine implements Machine<EchoIn, NetworkOut> {
  readonly log: (NetworkIn | { readonly type: 'rang'; readonly late: Micros })[] = []
  ticks = 0
  private readonly outputs: NetworkOut[] = []
  private alarm: Micros = Infinity
  private watchers: { until(log: EchoMachine['log']): boolean; resolve(): void }[] = []

  constructor(private readonly echo: boolean) {}

  handle(now: Now, input: EchoIn): void {
    if (input.type === 'order') this.outputs.push(input.order)
    else if (input.type === 'alarm') this.alarm = input.at
    else if (input.type === 'tick') {
      this.ticks += 1
      if (this.alarm <= now.mono) {
        this.log.push({ type: 'rang', late: now.mono - this.alarm })
        this.alarm = Infinity
      }
    } else if (input.type === 'bytes') {
      const bytes = Buffer.from(input.bytes)
      this.log.push({ ...input, bytes })
      if (this.echo) this.outputs.push({ type: 'transmit', flow: input.flow, bytes, ...(input.from === undefined ? {} : { to: input.from }) })
    } else this.log.push(input)
    this.watchers = this.watchers.filter((watcher) => {
      if (!watcher.until(this.log)) return true
      watcher.resolve()
      return false
    })
  }

  poll(): NetworkOut | undefined {
    return this.outputs.shift()
  }

  deadline(): Micros {
    return this.alarm
  }

  /** Resolves when the log satisfies `until`. */
  saw(until: (log: EchoMachine['log']) => boolean): Promise<void> {
    if (until(this.log)) return Promise.resolve()
    return new Promise((resolve) => this.watchers.push({ until, resolve }))
  }

  all<Type extends NetworkIn['type']>(type: Type): Extract<NetworkIn, { type: Type }>[] {
    return this.log.filter((entry): entry is Extract<NetworkIn, { type: Type }> => entry.type === type)
  }
}
