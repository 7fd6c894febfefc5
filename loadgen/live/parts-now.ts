/** What each part uses just now, between its last two reports. For people who watch; the record has its own sums. */
import { MICROS_PER_SECOND, type Micros } from '../../core/kit/time.js'
import type { Resources } from '../../core/live/control.js'
import type { PartNow } from './progress.js'

interface Seen extends PartNow {
  readonly at: Micros
  readonly cpuSeconds: number
}

export class PartsNow {
  private readonly parts = new Map<string, Seen>()

  note(name: string, { cpuSeconds, loopUtilisation, rssBytesMax }: Resources, at: Micros): void {
    const before = this.parts.get(name)
    const seconds = before === undefined ? 0 : (at - before.at) / MICROS_PER_SECOND
    const cores = before === undefined || seconds <= 0 ? 0 : (cpuSeconds - before.cpuSeconds) / seconds
    this.parts.set(name, { name, at, cpuSeconds, cores, busy: loopUtilisation, rssBytesMax })
  }

  list(): PartNow[] {
    return [...this.parts.values()].map(({ name, busy, cores, rssBytesMax }) => ({ name, busy, cores, rssBytesMax }))
  }
}
