/**
 * Device records as the gateway keeps them for days: texts of their own, since one cut out of a message holds the whole message
 * in memory, and one copy of each list for all the devices that have it alike. Knows texts, not what they say.
 */
import type { DeviceRecord } from '../../store/records.js'

/** The network can send any list, so the table is bounded. */
const LISTS_MAX = 256
const lists = new Map<string, readonly string[]>()
const scratch = Buffer.allocUnsafe(1_024)

export function keptDevice({ instance, publicGruu, temporaryGruu, applications, methods, registeredAt }: DeviceRecord): DeviceRecord {
  return {
    instance: own(instance), publicGruu: own(publicGruu), temporaryGruu: own(temporaryGruu), applications: applications === undefined ? undefined : shared(applications),
    ...(methods === undefined ? {} : { methods: shared(methods) }), ...(registeredAt === undefined ? {} : { registeredAt }),
  }
}

/** Header octets are latin1. */
function own(text: string): string {
  if (text.length > scratch.length) return Buffer.from(text, 'latin1').toString('latin1')
  return scratch.toString('latin1', 0, scratch.write(text, 0, 'latin1'))
}

function shared(list: readonly string[]): readonly string[] {
  const key = list.join(' ')
  const known = lists.get(key)
  if (known !== undefined) return known
  if (lists.size >= LISTS_MAX) lists.clear()
  const kept = list.map(own)
  lists.set(own(key), kept)
  return kept
}
