/**
 * The one table of outcomes: what the gateway sees of one attempt by one binding, and what follows for the recipient.
 * Data only, first matching row wins; docs/outcomes.md is printed from it. Knows no queue, clock or store: verdicts.ts
 * reads the row and acts. RFC 3261 section 21, RFC 3428 sections 4 and 7, RFC 6665 section 4.2.2, RFC 4975 section 10.
 */
import { bug } from '../../kit/assert.js'
import type { PeerFault } from '../../msrp/contract.js'
import type { DeliveryMethod, MessageState } from '../../store/records.js'
import type { BindingName } from '../bindings/binding.js'

/** A state in which nothing more happens to a recipient. */
export type FinalState = Exclude<MessageState, 'pending'>

/** An attempt's end without a final answer: timer F, or the transport (RFC 3261 section 8.1.3.1). */
export type Silence = 'timeout' | 'transport'

/**
 * What MSRP said once a session was up: `msrp-report` a success report over every octet, `msrp-sent` a 200 to each SEND where
 * no report was asked for, `msrp-declined` an answer that took the session but not this file (RFC 5547 section 8.3.1), a word of
 * PeerFault why nothing was sent over TLS to whoever was there, else the status that refused the content (RFC 4975 section 10).
 */
export type MsrpSight = 'msrp-report' | 'msrp-sent' | 'msrp-declined' | `msrp-${PeerFault}` | `msrp-${number}`

/** A final SIP status (200 to 699), why there was none, or the word of MSRP. */
export type Sight = number | Silence | MsrpSight

/** What the table is asked with. */
export interface Seen {
  readonly binding: BindingName
  readonly status: Sight
  readonly deliveryMethod: DeliveryMethod
  readonly retryAfterSeconds: number | undefined
  /** How many times this recipient was already redirected (3xx). */
  readonly redirections: number
  /** Whether the target of a 3xx lies in a domain of ours. */
  readonly redirectWithinDomain: boolean
  /** Whether the Request-URI is a temporary GRUU that was not resolved again yet and can be. */
  readonly resolvable: boolean
}

export type When = 'confirmed-required' | 'retry-after' | 'redirectable' | 'resolvable'

export type Action =
  /** Delivered; `confirmed` unless the method was unconfirmed (a request only, but always reported so: WAP-247_100). */
  | { readonly do: 'deliver'; readonly confirmed: boolean }
  | { readonly do: 'end'; readonly state: FinalState; readonly code: number; readonly forgetDevice?: true }
  /** By another binding that is left for it; when none is, this end. */
  | { readonly do: 'elsewhere'; readonly state: FinalState; readonly code: number }
  /** Again after a growing wait (at least Retry-After) within the lifetime. */
  | { readonly do: 'retry' }
  /** When the recipient registers; with Retry-After also then. */
  | { readonly do: 'await-registration' }
  /** Nothing more is sent; the lifetime's end settles it. */
  | { readonly do: 'hold'; readonly state: FinalState; readonly code: number }
  /** The next hop rests for Retry-After; this recipient goes by another hop, or waits for this one. */
  | { readonly do: 'pause-hop' }
  | { readonly do: 'redirect' }
  /** The device's present GRUU in place of a temporary one. */
  | { readonly do: 'resolve' }

export interface OutcomeRow {
  readonly seen: readonly Sight[]
  /** The bindings it speaks for; absent: all. */
  readonly by?: readonly BindingName[]
  readonly when?: When
  readonly action: Action
  /** The code in the result when the lifetime ends while this was the last thing seen: 4001 for a busy service, else 4000. */
  readonly lifetimeCode: 4000 | 4001
  readonly because: string
}

const end = (state: FinalState, code: number): Action => ({ do: 'end', state, code })
const elsewhere = (code: number): Action => ({ do: 'elsewhere', state: 'undeliverable', code })

export const OUTCOMES: readonly OutcomeRow[] = [
  { seen: ['msrp-report'], action: { do: 'deliver', confirmed: true }, lifetimeCode: 4000, because: 'the success report covers every octet (RFC 4975 section 7.1.2)' },
  { seen: ['msrp-sent'], action: { do: 'deliver', confirmed: false }, lifetimeCode: 4000, because: 'each SEND was answered 200, and no report was asked for (RFC 4975 section 7.2)' },
  { seen: ['msrp-declined'], action: end('aborted', 5235), lifetimeCode: 4000, because: 'the file is not wanted (RFC 5547 section 8.3.1)' },
  { seen: ['msrp-handshake'], action: elsewhere(3007), lifetimeCode: 4000, because: 'the device was reached, and TLS with it did not come about' },
  { seen: ['msrp-uncertified', 'msrp-fingerprint'], action: elsewhere(3007), lifetimeCode: 4000, because: 'who was there did not show the certificate that the device’s answer names (RFC 8122 section 6.2)' },
  { seen: ['msrp-expired'], action: elsewhere(3007), lifetimeCode: 4000, because: 'the device’s certificate is outside of its validity' },
  { seen: ['msrp-413'], action: end('aborted', 5235), lifetimeCode: 4000, because: 'the receiver wants no more of it (RFC 4975 section 10.5)' },
  { seen: ['msrp-415'], action: end('undeliverable', 2006), lifetimeCode: 4000, because: 'the media type is not taken (RFC 4975 section 10.6)' },
  { seen: ['msrp-403'], action: end('undeliverable', 2001), lifetimeCode: 4000, because: 'refused by policy (RFC 4975 section 10.3)' },
  { seen: ['msrp-408', 'msrp-481', 'msrp-506'], action: { do: 'retry' }, lifetimeCode: 4000, because: 'the session is gone or bound elsewhere: a new one, same Message-ID' },
  { seen: ['msrp-501'], action: elsewhere(3007), lifetimeCode: 4000, because: 'no SEND at that peer (RFC 4975 section 10.9)' },
  { seen: ['msrp-400', 'msrp-423'], action: end('undeliverable', 4000), lifetimeCode: 4000, because: 'our MSRP request was at fault; asking again would not help' },
  { seen: [200], by: ['session'], action: elsewhere(3007), lifetimeCode: 4000, because: 'answered, but by an answer no session can be made of' },
  { seen: [200], action: { do: 'deliver', confirmed: true }, lifetimeCode: 4000, because: 'reached the receiving user agent (RFC 3428 section 7)' },
  { seen: [202], by: ['session'], action: elsewhere(3007), lifetimeCode: 4000, because: 'as 200' },
  { seen: [202], when: 'confirmed-required', action: { do: 'hold', state: 'unknown', code: 4000 }, lifetimeCode: 4000, because: 'a store took it; no proof will come in a MESSAGE (RFC 3428 section 4)' },
  { seen: [202], action: { do: 'deliver', confirmed: false }, lifetimeCode: 4000, because: 'a store or gateway took it (RFC 3428 section 4)' },
  { seen: [300], when: 'redirectable', action: { do: 'redirect' }, lifetimeCode: 4000, because: 'followed within our own domain, twice at most (RFC 3261 section 8.1.3.4)' },
  { seen: [300], action: end('undeliverable', 2002), lifetimeCode: 4000, because: 'a redirection out of the domain, without end, or without a target' },
  { seen: [401, 407], action: end('undeliverable', 2001), lifetimeCode: 4000, because: 'an application server in the trust domain has no credentials to answer with' },
  { seen: [402, 403], action: end('undeliverable', 2001), lifetimeCode: 4000, because: 'refused by policy' },
  { seen: [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604], by: ['event'], action: elsewhere(3007), lifetimeCode: 4000, because: 'ends the subscription (RFC 6665 section 4.2.2)' },
  { seen: [404], when: 'resolvable', action: { do: 'resolve' }, lifetimeCode: 4000, because: 'a temporary GRUU died (RFC 5627 section 5.1): its device has another' },
  { seen: [404], action: end('undeliverable', 2002), lifetimeCode: 4000, because: 'no such user or GRUU' },
  { seen: [410, 484, 604], action: { do: 'end', state: 'undeliverable', code: 2002, forgetDevice: true }, lifetimeCode: 4000, because: 'gone, incomplete, or known nowhere' },
  { seen: [405, 501], action: elsewhere(3007), lifetimeCode: 4000, because: 'the user agent does not know the method' },
  { seen: [406, 415], by: ['indirection'], action: elsewhere(2006), lifetimeCode: 4000, because: 'no references there (RFC 4483 section 5)' },
  { seen: [406, 415], action: end('undeliverable', 2006), lifetimeCode: 4000, because: 'the content type is not taken, and there is no other form of it' },
  { seen: [413, 513], action: elsewhere(2006), lifetimeCode: 4000, because: 'too large to come this way' },
  { seen: [488, 580], by: ['session'], action: elsewhere(3007), lifetimeCode: 4000, because: 'no such session there (RFC 3261 section 21.4.26)' },
  { seen: [488, 580], action: end('undeliverable', 2006), lifetimeCode: 4000, because: 'not acceptable there' },
  { seen: [487], by: ['session'], action: end('cancelled', 1000), lifetimeCode: 4000, because: 'our CANCEL (RFC 3261 section 9.1)' },
  { seen: [481, 491], by: ['session'], action: { do: 'retry' }, lifetimeCode: 4000, because: 'the dialog is gone or busy: a new INVITE, same Message-ID' },
  { seen: [408, 'timeout', 'transport'], action: { do: 'retry' }, lifetimeCode: 4000, because: 'fate unknown: same Call-ID, higher CSeq (RFC 3261 section 8.1.3.1)' },
  { seen: [430], action: { do: 'retry' }, lifetimeCode: 4000, because: 'flow failed (RFC 5626 section 5.3); the S-CSCF had tried the other one' },
  { seen: [480], action: { do: 'await-registration' }, lifetimeCode: 4000, because: 'not registered, or no device with this application (RFC 3841 section 7.2)' },
  { seen: [486, 600], action: { do: 'retry' }, lifetimeCode: 4001, because: 'busy' },
  { seen: [503], when: 'retry-after', action: { do: 'pause-hop' }, lifetimeCode: 4001, because: 'overload of the next hop (RFC 3261 section 21.5.4)' },
  { seen: [503], action: { do: 'retry' }, lifetimeCode: 4001, because: 'without Retry-After as 500 (RFC 3261 section 21.5.4)' },
  { seen: [500, 502, 504], action: { do: 'retry' }, lifetimeCode: 4000, because: 'trouble in a server' },
  { seen: [505], action: end('undeliverable', 4000), lifetimeCode: 4000, because: 'SIP version refused' },
  { seen: [603], action: end('aborted', 5235), lifetimeCode: 4000, because: 'reached the user and was declined (RFC 3428 section 7)' },
  { seen: [606], by: ['session'], action: { do: 'elsewhere', state: 'aborted', code: 5238 }, lifetimeCode: 4000, because: 'other media once' },
  { seen: [606], action: end('aborted', 5238), lifetimeCode: 4000, because: 'reached the user, content refused' },
  { seen: [400], action: end('undeliverable', 4000), lifetimeCode: 4000, because: 'our request or the route was at fault; asking again would not help' },
]

/** Statuses with a row of their own; any other counts as x00 of its class (RFC 3261 section 8.1.3.2). */
const ROWS: ReadonlyMap<Sight, readonly OutcomeRow[]> = rowsBySeen()

function rowsBySeen(): Map<Sight, OutcomeRow[]> {
  const rows = new Map<Sight, OutcomeRow[]>()
  for (const row of OUTCOMES) {
    for (const seen of row.seen) {
      const same = rows.get(seen)
      if (same === undefined) rows.set(seen, [row])
      else same.push(row)
    }
  }
  return rows
}

/** The row that speaks for what was seen. Defined for every final status, every silence and every MSRP status. */
export function outcomeOf(seen: Seen): OutcomeRow {
  const { status } = seen
  const whole = typeof status === 'number' ? Math.floor(status / 100) * 100 : 'msrp-400'
  return firstOf(ROWS.get(status), seen) ?? firstOf(ROWS.get(whole), seen) ?? bug(`no outcome for ${status}`)
}

function firstOf(rows: readonly OutcomeRow[] | undefined, seen: Seen): OutcomeRow | undefined {
  if (rows === undefined) return undefined
  for (const row of rows) if ((row.by === undefined || row.by.includes(seen.binding)) && (row.when === undefined || holds(row.when, seen))) return row
  return undefined
}

function holds(when: When, seen: Seen): boolean {
  switch (when) {
    case 'confirmed-required': return seen.deliveryMethod === 'confirmed'
    case 'retry-after': return seen.retryAfterSeconds !== undefined
    case 'redirectable': return seen.redirectWithinDomain && seen.redirections < 2
    case 'resolvable': return seen.resolvable
  }
}

/** How a lifetime that ends without delivery is told: expired if the initiator set its end, else timeout. */
export function lifetimeEnd(hasDeliverBefore: boolean, code: 4000 | 4001): { readonly state: FinalState; readonly code: number } {
  return { state: hasDeliverBefore ? 'expired' : 'timeout', code }
}
