/**
 * What was seen of one attempt, by whatever binding, is looked up in the table of outcomes and carried out: the one place
 * where an answer, a silence or an MSRP status becomes a verb of deliveries.ts. Knows SIP responses and the table; sends nothing.
 */
import type { Micros, Now } from '../../kit/time.js'
import { MICROS_PER_SECOND } from '../../kit/time.js'
import { codeName } from '../../pap/codes.js'
import type { Hop } from '../../sip/endpoint-contract.js'
import { Header } from '../../sip/header-names.js'
import type { SipMessage } from '../../sip/message.js'
import { nameAddrs } from '../../sip/name-addr.js'
import { retryAfterSeconds } from '../../sip/values.js'
import { reasonPhrase } from '../../sip/write.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { BindingName } from '../bindings/binding.js'
import type { GatewayContext } from '../context.js'
import type { Delivery } from './delivery.js'
import type { Deliveries } from './deliveries.js'
import { UNREACHABLE_REST_MICROS, type Hops } from './hops.js'
import type { Identities } from '../admission/identities.js'
import { outcomeOf, type OutcomeRow, type Sight } from './outcomes.js'
import type { Recipients } from './recipients.js'
import { targetOf, type Target } from './target.js'

const RETRY_AFTER_SECONDS_MAX = 86_400

/** How one attempt ended, as its binding saw it. */
export interface SeenAnswer {
  readonly binding: BindingName
  /** A final SIP status (200 to 699), a silence, or what MSRP said of the content once the session was up. */
  readonly status: Sight
  /** The final response, when one came: its Retry-After and Contact are heeded. */
  readonly response: SipMessage | undefined
  /** The next hop the request went to; undefined within a dialog or session. */
  readonly hop: Hop | undefined
}

export class Verdicts {
  constructor(
    private readonly context: GatewayContext,
    private readonly deliveries: Deliveries,
    private readonly recipients: Recipients,
    private readonly identities: Identities,
    private readonly hops: Hops,
  ) {}

  /** Ends the attempt. The delivery must be `attempting`; a binding that may hear answers late looks before it calls. */
  act(now: Now, delivery: Delivery, submission: SubmissionRecord, seen: SeenAnswer): void {
    const { status, response } = seen
    const { target } = delivery.queue
    const redirect = response !== undefined && response.status < 400 && response.status >= 300 ? redirectTarget(response) : undefined
    const resolved = status === 404 && target.gruu === 'temporary' && !delivery.resolved ? this.presentGruu(target) : undefined
    const row = outcomeOf({
      binding: seen.binding, status, deliveryMethod: submission.deliveryMethod, retryAfterSeconds: response === undefined ? undefined : retryAfterSeconds(response),
      redirections: delivery.redirections, redirectWithinDomain: redirect !== undefined && this.identities.serves(redirect), resolvable: resolved !== undefined,
    })
    delivery.sipStatus = sipStatusOf(status)
    delivery.lifetimeCode = row.lifetimeCode
    if (target.gruu !== 'none') this.context.out.journal('device', submission.pushId, submission.recipients[delivery.recipient]!.literal, target.uri, String(status), seen.binding)
    this.carryOut(now, delivery, submission, row, seen, redirect ?? resolved)
  }

  private carryOut(now: Now, delivery: Delivery, submission: SubmissionRecord, row: OutcomeRow, seen: SeenAnswer, target: Target | undefined): void {
    const { deliveries } = this
    const { response, hop } = seen
    const retryAfter = response === undefined ? undefined : retryAfterMicros(response)
    switch (row.action.do) {
      case 'deliver':
        return deliveries.end(now, delivery, { state: 'delivered', code: 1000, confirmed: row.action.confirmed && submission.deliveryMethod !== 'unconfirmed' })
      case 'end':
        if (row.action.forgetDevice === true) this.recipients.forgetDevice(delivery.queue.target)
        return deliveries.end(now, delivery, { state: row.action.state, code: row.action.code, desc: describe(row.action.code, seen, row) })
      case 'elsewhere':
        return deliveries.elsewhere(now, delivery, { state: row.action.state, code: row.action.code, desc: describe(row.action.code, seen, row) })
      case 'retry': {
        delivery.tries++
        delivery.probe = true
        if (deliveries.passOver(now, delivery, Math.max(this.backoff(delivery), retryAfter ?? 0))) return
        if (response === undefined && hop !== undefined && this.failedOver(now, delivery, hop, seen.status)) return deliveries.again(now, delivery)
        return deliveries.later(now, delivery, Math.max(this.backoff(delivery), retryAfter ?? 0))
      }
      case 'await-registration':
        delivery.tries++
        if (deliveries.passOver(now, delivery, retryAfter ?? this.backoff(delivery))) return
        return deliveries.awaitRegistration(now, delivery, retryAfter)
      case 'hold':
        return deliveries.hold(now, delivery)
      case 'pause-hop':
        if (hop !== undefined) this.hops.rest(now, hop, retryAfter ?? 0)
        delivery.tries++
        delivery.probe = true
        return hop === undefined ? deliveries.later(now, delivery, retryAfter ?? 0) : deliveries.again(now, delivery)
      case 'redirect':
        delivery.redirections++
        return deliveries.move(now, delivery, target!)
      case 'resolve':
        delivery.resolved = true
        return deliveries.move(now, delivery, target!)
    }
  }

  /** A hop that could not be reached rests a moment; while another is awake each of them gets its chance before any wait. */
  private failedOver(now: Now, delivery: Delivery, hop: Hop, status: Sight): boolean {
    if (status === 'transport') this.hops.rest(now, hop, UNREACHABLE_REST_MICROS)
    else this.hops.restUnlessLast(now, hop, UNREACHABLE_REST_MICROS)
    return delivery.tries < this.hops.count && this.hops.anyAwake(now)
  }

  private backoff(delivery: Delivery): Micros {
    const { firstMicros, maxMicros } = this.context.settings.backoff
    const whole = Math.min(maxMicros, firstMicros * 2 ** Math.min(delivery.tries - 1, 40))
    return Math.round(whole * (0.5 + this.context.entropy.unit() / 2))
  }

  /** The GRUU by which the device behind a dead temporary GRUU is reached now (RFC 5627 section 5.1). */
  private presentGruu(dead: Target): Target | undefined {
    const device = this.recipients.deviceOf(dead)
    if (device === undefined) return undefined
    for (const gruu of [device.publicGruu, device.temporaryGruu]) {
      const target = gruu === '' ? undefined : targetOf(gruu)
      if (target !== undefined && target.aor !== dead.aor) return target
    }
    return undefined
  }
}

function redirectTarget(response: SipMessage): Target | undefined {
  const first = nameAddrs(response, Header.Contact)?.[0]
  return first === undefined ? undefined : targetOf(first.uri)
}

/** At least one second, so that a peer that says 0 is not asked in a loop. */
function retryAfterMicros(response: SipMessage): Micros | undefined {
  const seconds = retryAfterSeconds(response)
  return seconds === undefined ? undefined : Math.min(Math.max(1, seconds), RETRY_AFTER_SECONDS_MAX) * MICROS_PER_SECOND
}

/** What the outcome's journal line tells; MSRP speaks only after the INVITE's 200. */
function sipStatusOf(status: Sight): number {
  if (typeof status === 'number') return status
  return status === 'timeout' || status === 'transport' ? 0 : 200
}

function describe(code: number, { status, response }: SeenAnswer, row: OutcomeRow): string {
  if (response !== undefined) return `${codeName(code)}: SIP ${response.status} ${reasonPhrase(response.status)}, ${row.because}`
  return typeof status === 'string' && status.startsWith('msrp-') ? `${codeName(code)}: MSRP ${status.slice(5)}, ${row.because}` : row.because
}
