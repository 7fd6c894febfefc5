/**
 * Device records as the gateway keeps them for days: texts of their own, since one cut out of a message holds the whole message
 * in memory, and one copy of each list for all the devices that have it alike. Knows texts, not what they say.
 */
import type { WallMillis } from '../../kit/time.js'
import type { DeviceRecord } from '../../store/records.js'

/** The network can send any list, so the table is bounded. */
const LISTS_MAX = 256
const scratch = Buffer.allocUnsafe(1_024)

/** Lists by how they are written: devices of one make write theirs alike, so that each is read once and kept once. */
export class KeptLists {
  private readonly lists = new Map<string, readonly string[]>()

  constructor(private readonly read: (written: string) => readonly string[]) {}

  of(written: string): readonly string[] {
    const known = this.lists.get(written)
    if (known !== undefined) return known
    if (this.lists.size >= LISTS_MAX) this.lists.clear()
    const list = this.read(written).map(own)
    this.lists.set(own(written), list)
    return list
  }
}

/** @param registeredAt when its own registration was last heard of, if it ever was */
export function keptDevice({ instance, publicGruu, temporaryGruu, applications, methods }: DeviceRecord, registeredAt: WallMillis | undefined): DeviceRecord {
  return { instance: own(instance), publicGruu: own(publicGruu), temporaryGruu: own(temporaryGruu), applications, methods, registeredAt }
}

/** Header octets are latin1. */
function own(text: string): string {
  if (text.length > scratch.length) return Buffer.from(text, 'latin1').toString('latin1')
  return scratch.toString('latin1', 0, scratch.write(text, 0, 'latin1'))
}
