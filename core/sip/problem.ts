/**
 * What is wrong with a message that came in, as the parser, the framer and the validator say it: to people in words,
 * to the sender as a status. Knows no grammar and sends nothing.
 */
import type { SipMessage } from './message.js'

export interface SipProblem {
  /** A malformed response is dropped, never answered (RFC 3261 section 18.1.2); so is an ACK. */
  readonly of: 'request' | 'response'
  /** What was found, where, and what would be right. */
  readonly what: string
  /** The status to answer a request with; 0 for a response. */
  readonly status: number
  /** As much as could be read, when it holds a Via to send the answer along; undefined when nothing can be answered. */
  readonly message: SipMessage | undefined
}

/** The outcome of reading one message: exactly one of the two. */
export type ParseResult =
  | { readonly message: SipMessage; readonly problem: undefined }
  | { readonly message: undefined; readonly problem: SipProblem }
