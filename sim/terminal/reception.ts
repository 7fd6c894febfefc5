/**
 * What became of each push at a terminal, whichever way it came: counted for the fleet and its class, and written to the
 * journal, a second copy as such. Knows push-ids and counters, not messages.
 */
import type { BindingName } from './capabilities.js'
import type { FleetCounters, FleetOut } from './fleet-contract.js'
import { RecentPushIds } from './push-ids.js'
import type { Terminal } from './terminal.js'

export class Reception {
  constructor(private readonly counters: FleetCounters, private readonly emit: (out: FleetOut) => void) {}

  /** The content is there. */
  taken(terminal: Terminal, target: string, pushId: string, binding: BindingName): void {
    terminal.pushIds ??= new RecentPushIds()
    const isRepeat = pushId !== '' && terminal.pushIds.isRepeat(pushId)
    if (isRepeat) {
      this.counters.repeats += 1
      terminal.group.repeats += 1
    } else {
      this.counters.received += 1
      terminal.group.received += 1
    }
    this.note(terminal, target, pushId, 200, isRepeat, binding)
  }

  /** A check failed, before or after it was answered. */
  rejected(terminal: Terminal, target: string, pushId: string, status: number, binding: BindingName): void {
    this.counters.rejectedByCheck += 1
    terminal.group.rejectedByCheck += 1
    this.note(terminal, target, pushId, status, false, binding)
  }

  /** Refused as its user behaves. */
  refused(terminal: Terminal, target: string, pushId: string, status: number, binding: BindingName): void {
    this.counters.refused += 1
    terminal.group.refused += 1
    this.note(terminal, target, pushId, status, false, binding)
  }

  private note(terminal: Terminal, target: string, pushId: string, status: number, isRepeat: boolean, binding: BindingName): void {
    const details = [target, terminal.device.instance, String(status), isRepeat ? 'repeat' : 'first', binding]
    this.emit({ type: 'journal', event: 'received', pushId, address: '', details })
  }
}
