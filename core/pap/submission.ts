/**
 * One POST from a push initiator: its multipart body taken apart and its control entity decoded (WAP-247 section 7), the
 * operation it is instead, or the PAP document that answers it. Also the way back, from a push-message and its content to the body of a POST.
 */
import { formatContentType, mediaTypeOf, parseContentType } from '../mime/content-type.js'
import { splitMultipart } from '../mime/multipart.js'
import { headerValue, type MimeHeader, type MimePart } from '../mime/part.js'
import { decodeTransfer } from '../mime/transfer-encoding.js'
import { boundaryFor, headerLines } from '../mime/write.js'
import { answerToFault, fragmentOf } from './answers.js'
import { decodePap, type PapDocument, type PapFault } from './decode.js'
import type { CancelMessage, CapabilitiesQuery, PapMessage, PushMessage, StatusQuery } from './documents.js'
import { encodePap } from './encode.js'
import type { PapForm } from './versions.js'

/** What is pushed: the content entity of a submission (section 7.2). */
export interface PushContent {
  /** The Content-Type header's value as sent. */
  readonly contentType: string
  /** The other headers of the entity, as sent, without Content-Length and the transfer encoding that `body` no longer has. */
  readonly headers: readonly MimeHeader[]
  readonly body: Buffer
}

export interface Submission {
  readonly ok: true
  readonly form: PapForm
  readonly productName: string | undefined
  readonly control: PushMessage
  readonly content: PushContent
  /** The assumed capabilities of the client as UAProf RDF (section 7.3), not looked into. */
  readonly capabilities: Buffer | undefined
}

/** `answer` is ready to be encoded in `form`; `desc` says the same for people. */
export interface RefusedSubmission {
  readonly ok: false
  readonly form: PapForm
  readonly answer: PapMessage
  readonly desc: string
  readonly operation?: undefined
}

/** A valid message about an earlier push, or about a client: no submission, for whoever serves it. */
export interface OperationRequest {
  readonly ok: false
  readonly form: PapForm
  readonly operation: CancelMessage | StatusQuery | CapabilitiesQuery
  readonly desc: string
}

const XML_TYPES: ReadonlySet<string> = new Set(['application/xml', 'text/xml'])

/**
 * Decodes a POST's body; `contentType` is the HTTP header's value. Never throws for what was sent.
 * @param contentFault what was wrong with a content that submission-stream.ts took out of the body
 */
export function decodeSubmission(contentType: string, body: Buffer, contentFault?: string): Submission | OperationRequest | RefusedSubmission {
  const type = parseContentType(contentType)
  if (type !== undefined && XML_TYPES.has(type.mediaType)) return decodeBare(body)
  if (type?.mediaType !== 'multipart/related') {
    const found = `Content-Type is "${contentType.slice(0, 100)}"`
    return refuse(body, `${found}; a push submission is multipart/related, any other message application/xml`)
  }
  const boundary = type.parameters.get('boundary')
  if (boundary === undefined) return refuse(body, 'Content-Type multipart/related has no boundary')
  const multipart = splitMultipart(body, boundary)
  const first = multipart.parts[0]
  if (first === undefined) return refuse(body, multipart.ok ? 'the body has no part' : multipart.message)
  const control = controlOf(first)
  if (!control.ok) return refuse(first.body, control.message)
  const document = decodePap(control.body)
  if (!document.ok) return { ok: false, form: document.form, answer: answerToFault(document, control.body), desc: document.desc }
  const problem = multipart.ok ? startProblem(type.parameters.get('start'), first) : multipart.message
  return compose(document, multipart.parts, problem ?? (contentFault === undefined ? undefined : `part 2, the content: ${contentFault}`), control.body)
}

/** Any message but a push-message travels without multipart (section 7). */
function decodeBare(body: Buffer): OperationRequest | RefusedSubmission {
  const document = decodePap(body)
  if (!document.ok) return { ok: false, form: document.form, answer: answerToFault(document, body), desc: document.desc }
  return refuseDocument(document, body, 'the submission has no content: it is not multipart/related')
}

function compose(document: PapDocument, parts: readonly MimePart[], problem: string | undefined, entity: Buffer): Submission | OperationRequest | RefusedSubmission {
  const { form, productName, message } = document
  if (message.type !== 'push-message') return refuseDocument(document, entity, `${message.type} is not sent as multipart`)
  if (problem !== undefined) return refuseDocument(document, entity, problem)
  const part = parts[1]
  if (part === undefined) return refuseDocument(document, entity, 'the submission has no content: part 2 is missing')
  const contentType = headerValue(part.headers, 'content-type')
  // WAP-251 section 5.2: the one header a push message must have.
  if (contentType === undefined) return refuseDocument(document, entity, 'part 2, the content, has no Content-Type')
  if (mediaTypeOf(contentType) === undefined) return refuseDocument(document, entity, 'part 2, the content, has a malformed Content-Type')
  const transferred = decodeTransfer(part.body, headerValue(part.headers, 'content-transfer-encoding'))
  if (!transferred.ok) return refuseDocument(document, entity, `part 2, the content: ${transferred.message}`)
  const content = { contentType, headers: part.headers.filter(isPushHeader), body: transferred.body }
  return { ok: true, form, productName, control: message, content, capabilities: parts[2]?.body }
}

function isPushHeader(header: MimeHeader): boolean {
  switch (header.name.toLowerCase()) {
    case 'content-type':
    case 'content-length':
    case 'content-transfer-encoding':
      return false
    default:
      return true
  }
}

/** The control entity, which must be first and XML (section 7.1). */
function controlOf(part: MimePart) {
  const contentType = headerValue(part.headers, 'content-type')
  const mediaType = contentType === undefined ? 'application/xml' : mediaTypeOf(contentType)
  if (mediaType === undefined || !XML_TYPES.has(mediaType)) {
    return { ok: false as const, message: `part 1 is "${String(contentType).slice(0, 100)}" and must be the control entity, application/xml` }
  }
  const transferred = decodeTransfer(part.body, headerValue(part.headers, 'content-transfer-encoding'))
  return transferred.ok ? transferred : { ok: false as const, message: `part 1, the control entity: ${transferred.message}` }
}

/** RFC 2387 section 3.2: `start` names the root; in PAP the root is the first part. */
function startProblem(start: string | undefined, first: MimePart): string | undefined {
  if (start === undefined || start === headerValue(first.headers, 'content-id')?.trim()) return undefined
  return 'the start parameter does not name the first part, which is the control entity'
}

function refuse(entity: Buffer, desc: string): RefusedSubmission {
  const answer: PapMessage = { type: 'badmessage-response', code: 2000, desc, badMessageFragment: fragmentOf(entity) }
  return { ok: false, form: '2.0', answer, desc }
}

/** What a valid document is that is not a whole push submission. */
function refuseDocument(document: PapDocument, entity: Buffer, desc: string): OperationRequest | RefusedSubmission {
  const { form, message } = document
  switch (message.type) {
    case 'cancel-message':
    case 'statusquery-message':
    case 'ccq-message':
      return { ok: false, form, operation: message, desc: `${message.type} is no submission` }
    default: {
      const isPush = message.type === 'push-message'
      const why = isPush ? desc : `${message.type} is not a request to a push proxy gateway`
      const about = isPush ? { type: message.type, pushId: message.pushId, queryId: undefined, address: undefined } : undefined
      const fault: PapFault = { ok: false, form, code: 2000, desc: why, about }
      return { ok: false, form, answer: answerToFault(fault, entity), desc: why }
    }
  }
}

/** The body of a POST that submits `content`, and the POST's Content-Type. */
export function encodeSubmission(control: PushMessage, content: PushContent): { readonly contentType: string; readonly body: Buffer } {
  const boundary = boundaryFor([content])
  const head = `--${boundary}\r\nContent-Type: application/xml\r\n\r\n${encodePap(control, '2.0')}\r\n--${boundary}\r\n` +
    `${headerLines([{ name: 'Content-Type', value: content.contentType }, ...content.headers])}\r\n`
  const tail = `\r\n--${boundary}--\r\n`
  const headLength = Buffer.byteLength(head)
  const body = Buffer.allocUnsafe(headLength + content.body.length + tail.length)
  body.write(head, 0, 'utf8')
  content.body.copy(body, headLength)
  body.write(tail, headLength + content.body.length, 'latin1')
  return { contentType: formatContentType('multipart/related', { boundary, type: 'application/xml' }), body }
}
