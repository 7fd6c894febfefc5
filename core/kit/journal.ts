/**
 * The journal each part writes of what it saw: one line per event, tab-separated, so that the ledger can be
 * reconciled afterwards by set difference over push-ids. Text codec only; files belong to the live rooms.
 *
 *   <mono> TAB <event> TAB <push-id> TAB <address> [TAB <detail>]...
 *
 * `mono` is the host's monotonic clock in microseconds, the same for every process of the host.
 */
import type { Micros } from './time.js'

/**
 * Who writes what, and what `details` hold:
 * - initiator: `planned` [row of the traffic set, attempt, deliver-before as `mono` where the row has one], `sent` [attempt, microseconds for which it waited for a connection; absent where there are none], `answered` [PAP code or `http-<status>`, attempt], `unanswered` [reason, attempt],
 *   `notified` [message-state, code, confirmed|unconfirmed|-]. `attempt` is a number from 0, unique in the run: a repeated push-id is a second attempt.
 * - gateway: `accepted` [], `refused` [code], `sip-out` [target URI, binding] (the first request of an attempt), `outcome` [message-state, code, confirmed|unconfirmed|-, last SIP status or -], `device` [target URI, status or -, binding] for every answer of a GRUU, and with [state, code] behind it for the outcome of one device of several,
 *   `in-flight` [] once at a clean stop for every recipient it still holds without an outcome (so that lost is a set difference, too)
 * - ims: `fork` [target URI, number of branches], `branch` [contact URI, status]
 * - terminal: `received` [target URI (the To), instance, answered status, first|repeat, binding (message|session|event|indirection)], `device-up` / `device-down` [instance] with empty push-id
 * `address` is the PAP address literal where the writer knows it, else empty.
 */
export const JOURNAL_EVENTS = [
  'planned', 'sent', 'answered', 'unanswered', 'notified',
  'accepted', 'refused', 'sip-out', 'outcome', 'device', 'in-flight',
  'fork', 'branch',
  'received', 'device-up', 'device-down',
] as const

export type JournalEventName = (typeof JOURNAL_EVENTS)[number]

export interface JournalEvent {
  readonly mono: Micros
  readonly event: JournalEventName
  readonly pushId: string
  readonly address: string
  readonly details: readonly string[]
}

/** One line, with its newline. */
export function journalLine(mono: Micros, event: JournalEventName, pushId: string, address: string, ...details: string[]): string {
  let line = `${mono}\t${event}\t${field(pushId)}\t${field(address)}`
  for (const detail of details) line += `\t${field(detail)}`
  return `${line}\n`
}

/** Undefined for a line that is not a whole journal line (a torn last line after a crash, or a foreign file). */
export function parseJournalLine(line: string): JournalEvent | undefined {
  const fields = line.split('\t')
  const mono = Number(fields[0])
  const event = fields[1] as JournalEventName
  if (fields.length < 4 || !Number.isInteger(mono) || !EVENT_NAMES.has(event)) return undefined
  return { mono, event, pushId: unfield(fields[2]!), address: unfield(fields[3]!), details: fields.slice(4).map(unfield) }
}

const EVENT_NAMES: ReadonlySet<string> = new Set(JOURNAL_EVENTS)
const SPECIAL = /[%\t\r\n]/
const SPECIALS = /[%\t\r\n]/g

function field(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIALS, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`) : text
}

function unfield(text: string): string {
  return text.includes('%') ? text.replace(/%(25|09|0d|0a)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))) : text
}
