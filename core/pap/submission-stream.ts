/**
 * A push submission as it comes (WAP-247 section 7), too large to be held: its content is handed on piece by piece, without
 * its transfer encoding, and everything else is kept as a body in which the content is empty, for submission.ts to decode.
 */
import { MultipartStream, type MultipartVisitor } from '../mime/multipart-stream.js'
import { PART_HEADERS_BYTES_MAX, headerValue } from '../mime/part.js'
import { readPartHeaders } from '../mime/part-headers.js'
import { transferStream, type TransferPiece, type TransferStream } from '../mime/transfer-stream.js'

/** Delimiters seen when the content's part begins: the control entity has passed. */
const CONTENT_PART = 2
/** When so much of the content's part has come, its headers are whole or too long. */
const HEADERS_DECIDED = PART_HEADERS_BYTES_MAX + 2

export class SubmissionStream implements MultipartVisitor {
  private readonly multipart: MultipartStream
  private readonly kept: Buffer[] = []
  private keptOctets = 0
  private delimiters = 0
  /** The beginning of the content's part, until its headers are read. */
  private beginning: Buffer | undefined
  private transfer: TransferStream | undefined
  private problem: string | undefined

  /** @param content takes the content's octets in order; a slice, valid until the return */
  constructor(boundary: string, private readonly content: (bytes: Buffer) => void) {
    this.multipart = new MultipartStream(boundary, this)
  }

  /** Octets kept so far: the control entity, headers, and whatever else is no content. */
  get octetsKept(): number {
    return this.keptOctets + (this.beginning?.length ?? 0)
  }

  push(bytes: Buffer): void {
    this.multipart.push(bytes)
  }

  /** The submission without its content, and what is wrong with the content's encoding, for people. */
  end(): { readonly body: Buffer; readonly contentFault: string | undefined } {
    this.multipart.end()
    if (this.beginning !== undefined) this.readHeaders(this.beginning)
    return { body: Buffer.concat(this.kept), contentFault: this.problem }
  }

  delimiter(line: Buffer): void {
    if (this.beginning !== undefined) this.readHeaders(this.beginning)
    if (this.delimiters === CONTENT_PART && this.transfer !== undefined) this.take(this.transfer.end())
    this.keep(line)
    this.delimiters += 1
    this.beginning = this.delimiters === CONTENT_PART ? Buffer.alloc(0) : undefined
  }

  octets(bytes: Buffer): void {
    if (this.delimiters !== CONTENT_PART) return this.keep(bytes)
    if (this.beginning === undefined) return this.decode(bytes)
    this.beginning = Buffer.concat([this.beginning, bytes])
    if (this.beginning.length >= HEADERS_DECIDED) this.readHeaders(this.beginning)
  }

  private readHeaders(part: Buffer): void {
    this.beginning = undefined
    const block = readPartHeaders(part, 0, part.length)
    // Headers that cannot be read are refused when the rest is decoded, so they are kept; what follows them is of no use.
    const bodyStart = block.ok ? block.bodyStart : Math.min(part.length, HEADERS_DECIDED)
    this.keep(part.subarray(0, bodyStart))
    this.transfer = block.ok ? transferStream(headerValue(block.headers, 'content-transfer-encoding')) : undefined
    this.decode(part.subarray(bodyStart))
  }

  private decode(bytes: Buffer): void {
    if (bytes.length === 0) return
    if (this.transfer === undefined) this.content(bytes)
    else if (this.problem === undefined) this.take(this.transfer.push(bytes))
  }

  private take(piece: TransferPiece): void {
    if (!piece.ok) this.problem ??= piece.message
    else if (piece.body.length > 0) this.content(piece.body)
  }

  private keep(bytes: Buffer): void {
    this.kept.push(Buffer.from(bytes))
    this.keptOctets += bytes.length
  }
}
