/**
 * MSRP requests, responses and reports as text (RFC 4975 section 9). Writes what it is given: that paths, identifiers and
 * headers are well formed was seen to before. Knows no session.
 */
import type { ContentHeader, FailureReport } from './contract.js'
import type { ContinuationFlag } from './end-line.js'

/** RFC 4975 section 10. */
const COMMENTS: Readonly<Record<number, string>> = {
  200: 'OK', 400: 'Bad Request', 403: 'Forbidden', 408: 'Request Timeout', 413: 'Stop Sending', 415: 'Unsupported Media Type', 423: 'Parameter Out of Bounds',
  481: 'No Such Session', 501: 'Unknown Method', 506: 'Session Already Bound',
}

/** ` OK` for 200; nothing for a status without a name. */
function commentOf(status: number): string {
  const comment = COMMENTS[status]
  return comment === undefined ? '' : ` ${comment}`
}

export function endLine(transactionId: string, flag: ContinuationFlag): string {
  return `-------${transactionId}${flag}\r\n`
}

/** What every SEND of one message has in common, made once: all between the transact-id and the Byte-Range, and all behind it. */
export interface SendText {
  readonly before: string
  readonly after: string
}

export function sendText(
  toPath: string, fromPath: string, messageId: string, successReport: boolean, failureReport: FailureReport, contentType: string, headers: readonly ContentHeader[],
): SendText {
  // Section 7.1.1: an absent Success-Report is no, an absent Failure-Report yes.
  const reports = `${successReport ? 'Success-Report: yes\r\n' : ''}${failureReport === 'yes' ? '' : `Failure-Report: ${failureReport}\r\n`}`
  let mime = ''
  for (const { name, value } of headers) mime += `${name}: ${value}\r\n`
  return {
    before: ` SEND\r\nTo-Path: ${toPath}\r\nFrom-Path: ${fromPath}\r\nMessage-ID: ${messageId}\r\n${reports}Byte-Range: `,
    after: `\r\n${mime}Content-Type: ${contentType}\r\n\r\n`,
  }
}

/** Everything before the content. @param range as `1-*\/5000` */
export function sendHead(transactionId: string, { before, after }: SendText, range: string): string {
  return `MSRP ${transactionId}${before}${range}${after}`
}

/** A SEND without content, which binds a connection to a session (RFC 4975 section 5.4). */
export function bodilessSend(transactionId: string, toPath: string, fromPath: string, messageId: string): string {
  return `MSRP ${transactionId} SEND\r\nTo-Path: ${toPath}\r\nFrom-Path: ${fromPath}\r\nMessage-ID: ${messageId}\r\n${endLine(transactionId, '$')}`
}

export function response(transactionId: string, status: number, toPath: string, fromPath: string): string {
  return `MSRP ${transactionId} ${status}${commentOf(status)}\r\nTo-Path: ${toPath}\r\nFrom-Path: ${fromPath}\r\n${endLine(transactionId, '$')}`
}

/** RFC 4975 section 7.1.2. @param range as `1-61/61` */
export function report(transactionId: string, toPath: string, fromPath: string, messageId: string, range: string, status: number): string {
  return `MSRP ${transactionId} REPORT\r\nTo-Path: ${toPath}\r\nFrom-Path: ${fromPath}\r\nMessage-ID: ${messageId}\r\nByte-Range: ${range}\r\n`
    + `Status: 000 ${status}${commentOf(status)}\r\n${endLine(transactionId, '$')}`
}
