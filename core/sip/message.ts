/**
 * A SIP message as a start line, an ordered list of header lines and a body, cheap to copy and to edit.
 * Values are the raw text of the wire (one character per octet, RFC 3261's UTF-8 left undecoded), unfolded and
 * trimmed; they are understood only when asked for. Knows order and names, not grammar: parse.ts and the value
 * modules do that, write.ts puts it back on the wire.
 *
 * A value put into a message must be a `HeaderText`: text that cannot hold CR, LF or NUL. It comes from the
 * parser or from the builders in header-text.ts, so a header cannot be injected through data.
 */
import { HEADER_NAMES, Header, type HeaderId } from './header-names.js'
import type { HeaderText } from './header-text.js'
import { trimSpace } from './scan.js'

const NO_BODY = Buffer.alloc(0)

/** A body that becomes octets only when somebody asks for them. It never changes. */
export interface ComposedBody {
  /** Octets it has. */
  readonly length: number
  write(): Buffer
}

export class SipMessage {
  /** Start line of a request; for a response `method` is the method of its CSeq, filled in by the parser or by `responseTo`. */
  method: string
  /** The Request-URI as written; empty in a response. */
  requestUri: string
  /** The status code; 0 in a request. */
  status: number
  reason: string
  private lineIds: HeaderId[]
  private lineValues: HeaderText[]
  /** Another message may hold the same two arrays, so they are copied before the first change. */
  private areShared = false
  /** The body is held as octets, as what they will be made of or, where it only passes through, as the text it was decoded to: one character per octet. */
  private octets: Buffer | undefined
  private octetText = ''
  private composed: ComposedBody | undefined = undefined

  constructor(start: { method: string; requestUri?: string; status?: number; reason?: string }, ids: HeaderId[] = [], values: HeaderText[] = [], body: Buffer = NO_BODY) {
    this.method = start.method
    this.requestUri = start.requestUri ?? ''
    this.status = start.status ?? 0
    this.reason = start.reason ?? ''
    this.lineIds = ids
    this.lineValues = values
    this.octets = body
  }

  /** Header lines in wire order. Same index, same line. */
  get ids(): readonly HeaderId[] {
    return this.lineIds
  }

  /** An `Other` line's value is its whole text, name included. */
  get values(): readonly HeaderText[] {
    return this.lineValues
  }

  get body(): Buffer {
    return (this.octets ??= this.composed?.write() ?? Buffer.from(this.octetText, 'latin1'))
  }

  set body(body: Buffer) {
    this.octets = body
    this.octetText = ''
    this.composed = undefined
  }

  /** Octets of the body, which need not be made for it. */
  get bodyLength(): number {
    return this.octets?.length ?? this.composed?.length ?? this.octetText.length
  }

  /** What the body is made of, when that is how it was set. */
  get composedBody(): ComposedBody | undefined {
    return this.composed
  }

  setComposedBody(body: ComposedBody): void {
    this.octets = undefined
    this.octetText = ''
    this.composed = body
  }

  /** The body one character per octet, when that is how it is held; undefined when only `body` has it. */
  get bodyText(): string | undefined {
    return this.octetText === '' ? undefined : this.octetText
  }

  /** Sets a body that was decoded as latin1, without making octets of it until somebody asks. */
  setBodyText(text: string): void {
    this.octets = text === '' ? NO_BODY : undefined
    this.octetText = text
    this.composed = undefined
  }

  get isRequest(): boolean {
    return this.status === 0
  }

  /** The first line with this id, or undefined. A line may hold several comma-joined values: see `splitValues` in values.ts. */
  get(id: HeaderId): HeaderText | undefined {
    const index = this.ids.indexOf(id)
    return index < 0 ? undefined : this.values[index]
  }

  /** Every line with this id, in order. */
  getAll(id: HeaderId): HeaderText[] {
    const found: HeaderText[] = []
    for (let index = 0; index < this.ids.length; index++) if (this.ids[index] === id) found.push(this.values[index]!)
    return found
  }

  has(id: HeaderId): boolean {
    return this.ids.includes(id)
  }

  /** The value of a header outside the table, by name without regard to case; undefined when absent. */
  getOther(name: string): string | undefined {
    const wanted = name.toLowerCase()
    for (let index = 0; index < this.ids.length; index++) {
      if (this.ids[index] !== Header.Other) continue
      const line = this.values[index]!
      const colon = line.indexOf(':')
      if (trimSpace(line.slice(0, colon)).toLowerCase() === wanted) return trimSpace(line.slice(colon + 1))
    }
    return undefined
  }

  append(id: HeaderId, value: HeaderText): this {
    this.own()
    this.lineIds.push(id)
    this.lineValues.push(value)
    return this
  }

  /** Adds the line above every line of the same name, or first of all when there is none (Via, Route, Path, Record-Route). */
  prepend(id: HeaderId, value: HeaderText): this {
    this.own()
    const { lineIds: ids, lineValues: values } = this
    const index = Math.max(0, ids.indexOf(id))
    // Moved by hand: splice makes an array of what it removed, and every hop inserts and removes lines.
    ids.push(id)
    values.push(value)
    for (let at = ids.length - 1; at > index; at--) {
      ids[at] = ids[at - 1]!
      values[at] = values[at - 1]!
    }
    ids[index] = id
    values[index] = value
    return this
  }

  /** Replaces the first line with this id and drops the others, or appends one. */
  set(id: HeaderId, value: HeaderText): this {
    const index = this.ids.indexOf(id)
    if (index < 0) return this.append(id, value)
    this.replaceAt(index, value)
    for (let later = this.ids.length - 1; later > index; later--) if (this.ids[later] === id) this.removeAt(later)
    return this
  }

  /** Replaces the first line with this id in place; the others stay. */
  replaceFirst(id: HeaderId, value: HeaderText): this {
    const index = this.ids.indexOf(id)
    if (index >= 0) this.replaceAt(index, value)
    return this
  }

  replaceAt(index: number, value: HeaderText): void {
    if (this.lineValues[index] === value) return
    this.own()
    this.lineValues[index] = value
  }

  removeFirst(id: HeaderId): void {
    const index = this.ids.indexOf(id)
    if (index >= 0) this.removeAt(index)
  }

  removeAll(id: HeaderId): void {
    for (let index = this.ids.length - 1; index >= 0; index--) if (this.ids[index] === id) this.removeAt(index)
  }

  /**
   * An independent copy; header texts and the body's octets are shared, since neither ever changes, and the lists of lines
   * until one of the two changes its own: most copies are only read.
   */
  clone(): SipMessage {
    const copy = new SipMessage(this, this.lineIds, this.lineValues, NO_BODY)
    this.areShared = true
    copy.areShared = true
    copy.octets = this.octets
    copy.octetText = this.octetText
    copy.composed = this.composed
    return copy
  }

  removeAt(index: number): void {
    this.own()
    const { lineIds: ids, lineValues: values } = this
    for (let at = index + 1; at < ids.length; at++) {
      ids[at - 1] = ids[at]!
      values[at - 1] = values[at]!
    }
    ids.pop()
    values.pop()
  }

  private own(): void {
    if (!this.areShared) return
    this.lineIds = this.lineIds.slice()
    this.lineValues = this.lineValues.slice()
    this.areShared = false
  }
}

/** For people and logs: the first line as it would be written. */
export function startLine(message: SipMessage): string {
  return message.isRequest ? `${message.method} ${message.requestUri} SIP/2.0` : `SIP/2.0 ${message.status} ${message.reason}`
}

/** The name under which a header line is known, for error texts. */
export function headerName(id: HeaderId): string {
  return HEADER_NAMES[id] ?? ''
}
