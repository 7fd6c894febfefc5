/**
 * The one table of outcomes for SIP MESSAGE: what the gateway sees of one attempt, and what follows for the recipient.
 * Data only, first matching row wins; docs/outcomes.md is printed from it. Knows no queue, clock or store: the
 * delivery machine reads the row and acts. SIP semantics: RFC 3261 section 21, RFC 3428 sections 4 and 7.
 */
import { bug } from '../kit/assert.js'
import type { DeliveryMethod, MessageState } from '../store/records.js'

/** A state in which nothing more happens to a recipient. */
export type FinalState = Exclude<MessageState, 'pending'>

/** An attempt's end without a final answer: timer F, or the transport (RFC 3261 section 8.1.3.1). */
export type Silence = 'timeout' | 'transport'

/** What the table is asked with. */
export interface Seen {
  /** A final SIP status (200 to 699), or why there was none. */
  readonly status: number | Silence
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
  readonly seen: readonly (number | Silence)[]
  readonly when?: When
  readonly action: Action
  /** The code in the result when the lifetime ends while this was the last thing seen: 4001 for a busy service, else 4000. */
  readonly lifetimeCode: 4000 | 4001
  readonly because: string
}

const end = (state: FinalState, code: number): Action => ({ do: 'end', state, code })

export const OUTCOMES: readonly OutcomeRow[] = [
  { seen: [200], action: { do: 'deliver', confirmed: true }, lifetimeCode: 4000, because: 'reached the receiving user agent (RFC 3428 section 7)' },
  { seen: [202], when: 'confirmed-required', action: { do: 'hold', state: 'unknown', code: 4000 }, lifetimeCode: 4000, because: 'a store took it; no proof will come in a MESSAGE (RFC 3428 section 4)' },
  { seen: [202], action: { do: 'deliver', confirmed: false }, lifetimeCode: 4000, because: 'a store or gateway took it (RFC 3428 section 4)' },
  { seen: [300], when: 'redirectable', action: { do: 'redirect' }, lifetimeCode: 4000, because: 'followed within our own domain, twice at most (RFC 3261 section 8.1.3.4)' },
  { seen: [300], action: end('undeliverable', 2002), lifetimeCode: 4000, because: 'a redirection out of the domain, without end, or without a target' },
  { seen: [401, 407], action: end('undeliverable', 2001), lifetimeCode: 4000, because: 'an application server in the trust domain has no credentials to answer with' },
  { seen: [402, 403], action: end('undeliverable', 2001), lifetimeCode: 4000, because: 'refused by policy' },
  { seen: [404], when: 'resolvable', action: { do: 'resolve' }, lifetimeCode: 4000, because: 'a temporary GRUU died (RFC 5627 section 5.1): its device has another' },
  { seen: [404], action: end('undeliverable', 2002), lifetimeCode: 4000, because: 'no such user or GRUU' },
  { seen: [410, 484, 604], action: { do: 'end', state: 'undeliverable', code: 2002, forgetDevice: true }, lifetimeCode: 4000, because: 'gone, incomplete, or known nowhere' },
  { seen: [405, 501], action: end('undeliverable', 3007), lifetimeCode: 4000, because: 'no MESSAGE at that user agent, and this gateway has no other binding' },
  { seen: [406, 415], action: end('undeliverable', 2006), lifetimeCode: 4000, because: 'the content type is not taken, and there is no other form of it' },
  { seen: [413, 513], action: end('undeliverable', 2006), lifetimeCode: 4000, because: 'too large for the device' },
  { seen: [488, 580], action: end('undeliverable', 2006), lifetimeCode: 4000, because: 'not acceptable there' },
  { seen: [408, 'timeout', 'transport'], action: { do: 'retry' }, lifetimeCode: 4000, because: 'fate unknown: same Call-ID, higher CSeq (RFC 3261 section 8.1.3.1)' },
  { seen: [430], action: { do: 'retry' }, lifetimeCode: 4000, because: 'flow failed (RFC 5626 section 5.3); the S-CSCF had tried the other one' },
  { seen: [480], action: { do: 'await-registration' }, lifetimeCode: 4000, because: 'not registered, or no device with this application (RFC 3841 section 7.2)' },
  { seen: [486, 600], action: { do: 'retry' }, lifetimeCode: 4001, because: 'busy' },
  { seen: [503], when: 'retry-after', action: { do: 'pause-hop' }, lifetimeCode: 4001, because: 'overload of the next hop (RFC 3261 section 21.5.4)' },
  { seen: [503], action: { do: 'retry' }, lifetimeCode: 4001, because: 'without Retry-After as 500 (RFC 3261 section 21.5.4)' },
  { seen: [500, 502, 504], action: { do: 'retry' }, lifetimeCode: 4000, because: 'trouble in a server' },
  { seen: [505], action: end('undeliverable', 4000), lifetimeCode: 4000, because: 'SIP version refused' },
  { seen: [603], action: end('aborted', 5235), lifetimeCode: 4000, because: 'reached the user and was declined (RFC 3428 section 7)' },
  { seen: [606], action: end('aborted', 5238), lifetimeCode: 4000, because: 'reached the user, content refused' },
  { seen: [400], action: end('undeliverable', 4000), lifetimeCode: 4000, because: 'our request or the route was at fault; asking again would not help' },
]

/** Statuses with a row of their own; any other counts as x00 of its class (RFC 3261 section 8.1.3.2). */
const ROWS: ReadonlyMap<number | Silence, readonly OutcomeRow[]> = rowsBySeen()

function rowsBySeen(): Map<number | Silence, OutcomeRow[]> {
  const rows = new Map<number | Silence, OutcomeRow[]>()
  for (const row of OUTCOMES) {
    for (const seen of row.seen) {
      const same = rows.get(seen)
      if (same === undefined) rows.set(seen, [row])
      else same.push(row)
    }
  }
  return rows
}

/** The row that speaks for what was seen. Defined for every final status and every silence. */
export function outcomeOf(seen: Seen): OutcomeRow {
  const rows = ROWS.get(seen.status) ?? ROWS.get(Math.floor(Number(seen.status) / 100) * 100) ?? []
  for (const row of rows) if (row.when === undefined || holds(row.when, seen)) return row
  return bug(`no outcome for ${seen.status}`)
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
