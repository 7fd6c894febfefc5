/**
 * Content that comes in pieces over a constrained bearer: message/partial put together again (RFC 2046 section 5.2.2), in
 * any order, bounded in octets, pieces and time. Knows the pieces; whose they are is a key to it.
 */
import type { Deadline } from '../../core/kit/heap.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../core/kit/time.js'
import { parseContentType } from '../../core/mime/content-type.js'
import { readPartHeaders } from '../../core/mime/part-headers.js'
import { headerValue } from '../../core/mime/part.js'
import { Alarm, type UsageHost } from './host.js'
import type { Terminal } from './terminal.js'

/** Pieces of one content; octets of all pieces of one content; contents that may be half there in one fleet. */
export const PIECES_MAX = 256
export const ASSEMBLY_BYTES_MAX = 1_048_576
export const ASSEMBLIES_MAX = 10_000
/** How long a content may take from its first piece to its last; then what there is of it is dropped. */
export const ASSEMBLY_MICROS: Micros = 120 * MICROS_PER_SECOND

/** What a whole entity begins with: its own header lines, of which the first piece brings them (RFC 2046 section 5.2.2.1). */
export interface Assembled {
  readonly contentType: string | undefined
  readonly bytes: Buffer
}

class Assembly {
  readonly pieces = new Map<number, Buffer>()
  /** As the piece says that says so; the last one must. */
  total: number | undefined = undefined
  bytes = 0
  timeout: Deadline<object> | undefined = undefined
}

export class Segments {
  private readonly assemblies = new Map<string, Assembly>()

  constructor(private readonly host: UsageHost) {}

  get size(): number {
    return this.assemblies.size
  }

  /** One more piece: the whole when it was the last to come, a status when it cannot be taken, undefined while more are to come. */
  add(now: Now, terminal: Terminal, contentType: string, body: Buffer): Assembled | number | undefined {
    const { id, number, total } = numbersOf(contentType)
    if (id === undefined || number === undefined || (total !== undefined && number > total)) return 400
    if (number > PIECES_MAX || (total ?? 0) > PIECES_MAX) return 413
    const key = `${terminal.device.instance} ${id}`
    const assembly = this.assemblies.get(key) ?? this.begin(now, key)
    if (assembly === undefined) return 486
    if (total !== undefined && assembly.total !== undefined && total !== assembly.total) return this.give(key, assembly, 400)
    assembly.total ??= total
    // The same piece again: the first answer was lost.
    if (assembly.pieces.has(number)) return undefined
    assembly.bytes += body.length
    if (assembly.bytes > Math.min(ASSEMBLY_BYTES_MAX, terminal.device.capabilities.sizeMax)) return this.give(key, assembly, 413)
    assembly.pieces.set(number, Buffer.from(body))
    if (assembly.total === undefined || assembly.pieces.size < assembly.total) return undefined
    return this.give(key, assembly, whole(assembly, assembly.total))
  }

  /** The terminal is switched off: what it had in pieces is lost. */
  drop(terminal: Terminal): void {
    const prefix = `${terminal.device.instance} `
    for (const [key, assembly] of this.assemblies) {
      if (!key.startsWith(prefix)) continue
      this.give(key, assembly, undefined)
      this.host.counters.segmentsLost += 1
    }
  }

  private begin(now: Now, key: string): Assembly | undefined {
    if (this.assemblies.size >= ASSEMBLIES_MAX) return undefined
    const assembly = new Assembly()
    this.assemblies.set(key, assembly)
    assembly.timeout = this.host.armAlarm(now.mono + ASSEMBLY_MICROS, new Alarm(() => {
      this.assemblies.delete(key)
      this.host.counters.segmentsLost += 1
    }))
    return assembly
  }

  private give<Result>(key: string, assembly: Assembly, result: Result): Result {
    this.host.disarmAlarm(assembly.timeout)
    this.assemblies.delete(key)
    return result
  }
}

/** Undefined where a number is missing or none. */
function numbersOf(contentType: string): { id: string | undefined; number: number | undefined; total: number | undefined } {
  const parameters = parseContentType(contentType)?.parameters
  const read = (name: string): number | undefined => {
    const text = parameters?.get(name)
    return text !== undefined && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined
  }
  const id = parameters?.get('id')
  const isWhole = parameters?.has('total') !== true || read('total') !== undefined
  return { id: id === '' || !isWhole ? undefined : id, number: read('number'), total: read('total') }
}

/** Every piece from 1 on must be there, which their number and bound make sure of; 400 when a number beyond the total was among them. */
function whole({ pieces }: Assembly, total: number): Assembled | number {
  const parts: Buffer[] = []
  for (let number = 1; number <= total; number++) {
    const piece = pieces.get(number)
    if (piece === undefined) return 400
    parts.push(piece)
  }
  const entity = Buffer.concat(parts)
  const head = readPartHeaders(entity, 0, entity.length)
  if (!head.ok) return 400
  return { contentType: headerValue(head.headers, 'content-type'), bytes: entity.subarray(head.bodyStart) }
}
