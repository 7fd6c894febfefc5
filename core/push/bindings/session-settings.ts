/** What an operator decides about session mode: how many sessions, how long one is kept, what goes in it. Plain data. */
import type { Micros } from '../../kit/time.js'

export interface SessionSettings {
  /** Sessions at one time, those being set up or ended included; pushes beyond wait. 0: no session mode. */
  readonly max: number
  /** Sessions to one Request-URI at one time. */
  readonly perDevice: number
  /** Messages on their way in one session at one time; pushes beyond wait for their turn. */
  readonly parallel: number
  /** How long a session without a message on its way is kept for the next push; 0: one session for each push. */
  readonly keepMicros: Micros
  /** Messages after which a session is ended all the same. */
  readonly messagesMax: number
  /** Octets from which a content is offered as a file (RFC 5547), which its receiver may refuse before an octet of it is sent. */
  readonly fileFromOctets: number
  /** How long a device may take to answer an INVITE, from its 100 or 180 on too. */
  readonly answerMicros: Micros
}

export const DEFAULT_SESSIONS: SessionSettings = {
  max: 2_000,
  perDevice: 4,
  parallel: 8,
  keepMicros: 30_000_000,
  messagesMax: 1_000,
  fileFromOctets: 64 * 1024 + 1,
  answerMicros: 60_000_000,
}
