/**
 * The head of one MSRP request or response (RFC 4975 sections 7 and 9), read line by line as it comes. What cannot be read is
 * kept as a fault with the status that answers it. Knows text; neither content nor end-lines, sessions or connections.
 */
import type { ContentHeader, FailureReport } from './contract.js'

/** Header lines in one head; one more cannot be read. */
const HEADERS_MAX = 64
/** Largest number read in a Byte-Range, far above any content and far below what a double cannot count. */
const NUMBER = '\\d{1,15}'

const IDENT = /^[A-Za-z0-9][A-Za-z0-9.+%=-]{3,31}$/
const START = /^MSRP ([A-Za-z0-9][A-Za-z0-9.+%=-]{3,31}) (?:([A-Z]+)|(\d{3})(?: (.*))?)$/
const BYTE_RANGE = new RegExp(`^(${NUMBER})-(${NUMBER}|\\*)/(${NUMBER}|\\*)$`)
const REPORT_STATUS = /^(\d{3}) (\d{3})(?: (.*))?$/
const PATH = /^msrps?:[\x21-\x7e]+(?: [\x21-\x7e]+)*$/i
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
const CONTENT_TYPE = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+\/[A-Za-z0-9!#$%&'*+.^_`|~-]+\s*(?:;[^\r\n]*)?$/

const NO_HEADERS: readonly ContentHeader[] = Object.freeze([])
/** Stands for `*` in a Byte-Range. */
export const OPEN = -1

/** Is this a Message-ID or transact-id (RFC 4975 section 9, `ident`)? */
export function isIdent(text: string): boolean {
  return IDENT.test(text)
}

/** Can this be written as a MIME header of its own? */
export function isHeader(name: string, value: string): boolean {
  return HEADER_NAME.test(name) && !/[\r\n\0]/.test(value)
}

/** type/subtype with any parameters. */
export function isContentType(text: string): boolean {
  return CONTENT_TYPE.test(text) && !text.includes('\0')
}

export interface MsrpFault {
  readonly status: number
  readonly what: string
}

/** One head; the fields are absent (as told) until their line was read. */
export class MsrpMessage {
  toPath = ''
  fromPath = ''
  /** '' when absent. */
  messageId = ''
  /** 1 or more; 0 when there is no Byte-Range. */
  rangeStart = 0
  /** OPEN for `*`; `rangeStart - 1` for nothing. */
  rangeEnd = OPEN
  total = OPEN
  successReport = false
  failureReport: FailureReport = 'yes'
  /** Of a REPORT: 0 when absent, or of a namespace that is not ours to read. */
  reportStatus = 0
  reportComment = ''
  /** '' when absent. */
  contentType = ''
  /** MIME and other headers that RFC 4975 gives no meaning. */
  headers: readonly ContentHeader[] = NO_HEADERS
  /** The first thing wrong with it. */
  fault: MsrpFault | undefined = undefined
  private lines = 0
  private seen = 0

  constructor(
    readonly transactionId: string,
    /** '' for a response. */
    readonly method: string,
    /** 0 for a request. */
    readonly status: number,
    readonly comment: string,
  ) {}

  /** One header line without its line break. */
  addLine(line: string): void {
    if (++this.lines > HEADERS_MAX) return this.wrong(`more than ${HEADERS_MAX} headers`)
    const colon = line.indexOf(':')
    const name = colon < 0 ? '' : line.slice(0, colon)
    if (!HEADER_NAME.test(name)) return this.wrong(`"${line.slice(0, 40)}" is no header`)
    const value = line.slice(colon + 1).trim()
    // Section 9: To-Path and From-Path come first, in this order.
    if (this.lines === 1) return lowered(name, 'to-path') ? this.path(value, true) : this.wrong('To-Path is not the first header')
    if (this.lines === 2) return lowered(name, 'from-path') ? this.path(value, false) : this.wrong('From-Path is not the second header')
    this.header(name, value)
  }

  /** The head is whole: what must be there is looked for. */
  finish(): void {
    if (this.lines < 2) this.wrong('To-Path and From-Path are missing')
  }

  wrong(what: string): void {
    this.fault ??= { status: 400, what }
  }

  private path(value: string, to: boolean): void {
    // It is written into answers: whatever a URI cannot hold stays out.
    if (!PATH.test(value)) return this.wrong(`${to ? 'To-Path' : 'From-Path'} is no list of URIs`)
    if (to) this.toPath = value
    else this.fromPath = value
  }

  private header(name: string, value: string): void {
    switch (name.toLowerCase()) {
      case 'message-id':
        this.once(1, name)
        if (!isIdent(value)) return this.wrong('Message-ID is not 4 to 32 characters of letters, digits and .-+%=')
        this.messageId = value
        return
      case 'byte-range':
        this.once(2, name)
        return this.byteRange(value)
      case 'success-report':
        this.once(4, name)
        if (value !== 'yes' && value !== 'no') return this.wrong('Success-Report is neither yes nor no')
        this.successReport = value === 'yes'
        return
      case 'failure-report':
        this.once(8, name)
        if (value !== 'yes' && value !== 'no' && value !== 'partial') return this.wrong('Failure-Report is neither yes, no nor partial')
        this.failureReport = value
        return
      case 'status':
        this.once(16, name)
        return this.reportOf(value)
      case 'content-type':
        this.once(32, name)
        if (!isContentType(value)) return this.wrong('Content-Type is not type/subtype')
        this.contentType = value
        return
      case 'to-path': case 'from-path':
        return this.wrong(`${name} a second time`)
      default:
        this.headers = [...this.headers, { name, value }]
    }
  }

  private once(bit: number, name: string): void {
    if ((this.seen & bit) !== 0) this.wrong(`${name} a second time`)
    this.seen |= bit
  }

  private byteRange(value: string): void {
    const match = BYTE_RANGE.exec(value)
    if (match === null) return this.wrong('Byte-Range is not start-end/total')
    const start = Number(match[1])
    const end = match[2] === '*' ? OPEN : Number(match[2])
    // Section 7.1.1: the first octet is 1; `1-0/0` is the range of nothing.
    if (start < 1 || (end !== OPEN && end < start - 1)) return this.wrong('Byte-Range begins before 1 or ends before it begins')
    this.rangeStart = start
    this.rangeEnd = end
    this.total = match[3] === '*' ? OPEN : Number(match[3])
  }

  private reportOf(value: string): void {
    const match = REPORT_STATUS.exec(value)
    if (match === null) return this.wrong('Status is not a namespace and a code')
    // Section 7.1.2: namespace 000 is that of the response codes; no other is defined.
    if (match[1] !== '000') return
    this.reportStatus = Number(match[2])
    this.reportComment = match[3] ?? ''
  }
}

/** The message a start line begins; undefined when nobody can say what it is. */
export function parseStartLine(line: string): MsrpMessage | undefined {
  const match = START.exec(line)
  if (match === null) return undefined
  return new MsrpMessage(match[1]!, match[2] ?? '', match[3] === undefined ? 0 : Number(match[3]), match[4] ?? '')
}

function lowered(name: string, expected: string): boolean {
  return name.length === expected.length && name.toLowerCase() === expected
}
