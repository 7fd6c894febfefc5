/**
 * One attempt: the MESSAGE goes to the next hop, and what comes back (a final response, a timeout, a broken transport)
 * is looked up in the table of outcomes and acted on. Knows SIP and the table; when attempts happen is deliveries.ts.
 */
import type { Micros, Now } from '../kit/time.js'
import { MICROS_PER_SECOND } from '../kit/time.js'
import { MessageBuilder } from '../ota/message.js'
import { codeName } from '../pap/codes.js'
import type { ClientFailure, ClientTransaction, SipEndpointContract } from '../sip/endpoint-contract.js'
import { Header } from '../sip/header-names.js'
import type { SipMessage } from '../sip/message.js'
import { nameAddrs } from '../sip/name-addr.js'
import { reasonPhrase } from '../sip/write.js'
import type { SubmissionRecord } from '../store/records.js'
import type { GatewayContext } from './context.js'
import type { Delivery } from './delivery.js'
import type { Deliveries, Sender } from './deliveries.js'
import { UNREACHABLE_REST_MICROS, type Hops } from './hops.js'
import type { Identities } from './identities.js'
import { outcomeOf, type OutcomeRow, type Silence } from './outcomes.js'
import type { Recipients } from './recipients.js'
import { targetOf, type Target } from './target.js'

const RETRY_AFTER_SECONDS_MAX = 86_400
/** CSeq grows with time, so that a retry after a restart, which knows no count, is higher all the same. */
const CSEQ_PER_MILLIS = 100
const CSEQ_MAX = 2_000_000_000
const FROM_TAG_BITS = 64

export class Attempts implements Sender {
  private readonly messages: MessageBuilder

  constructor(
    private readonly context: GatewayContext,
    private readonly endpoint: SipEndpointContract,
    private readonly deliveries: Deliveries,
    private readonly recipients: Recipients,
    private readonly identities: Identities,
    private readonly hops: Hops,
  ) {
    this.messages = new MessageBuilder(context.settings)
  }

  send(now: Now, delivery: Delivery, submission: SubmissionRecord): void {
    const { context, deliveries } = this
    const { target } = delivery.queue
    if (this.lacksApplication(now, delivery, submission)) {
      const code = submission.statesCapabilities ? 2005 : 2006
      return deliveries.end(now, delivery, { state: 'undeliverable', code, desc: `${codeName(code)}: no registered device of the recipient has the application ${submission.featureTag}` })
    }
    const hop = this.hops.pick(now)
    if (hop === undefined) {
      delivery.probe = true
      return deliveries.again(now, delivery)
    }
    const sinceAccepted = Math.floor(Math.max(0, now.wall - submission.acceptedAt) / CSEQ_PER_MILLIS)
    delivery.cseq = Math.max(delivery.cseq, Math.min(sinceAccepted, CSEQ_MAX)) + 1
    const message = this.messages.build(now.wall, {
      submission, recipient: delivery.recipient, requestUri: target.uri, isGruu: target.gruu !== 'none',
      cseq: delivery.cseq, fromTag: context.entropy.token(FROM_TAG_BITS), route: hop.route,
    })
    context.counters.sipRequests++
    if (delivery.tries > 0) context.counters.sipRetries++
    context.out.journal('sip-out', submission.pushId, submission.recipients[delivery.recipient]!.literal, target.uri)
    this.endpoint.request(now, message, hop.hop, delivery)
  }

  /** Known before sending: every device that could take it told its features, and none named this application. */
  private lacksApplication(now: Now, delivery: Delivery, submission: SubmissionRecord): boolean {
    const { target, recipient } = delivery.queue
    const devices = recipient.devicesNow(now.wall)
    if (devices === undefined || devices.length === 0) return false
    const tag = submission.featureTag.toLowerCase()
    if (target.gruu !== 'none') {
      const device = this.recipients.deviceOf(target)
      return device?.applications !== undefined && !device.applications.includes(tag)
    }
    for (const device of devices) if (device.applications === undefined || device.applications.includes(tag)) return false
    return true
  }

  responded(now: Now, transaction: ClientTransaction, response: SipMessage): void {
    if (response.status < 200) return
    this.ended(now, transaction, response.status, response)
  }

  failed(now: Now, transaction: ClientTransaction, failure: ClientFailure): void {
    this.ended(now, transaction, failure, undefined)
  }

  private ended(now: Now, transaction: ClientTransaction, status: number | Silence, response: SipMessage | undefined): void {
    const delivery = transaction.context as Delivery
    const submission = delivery.submission
    if (delivery.state !== 'attempting' || submission === undefined) return
    const { target } = delivery.queue
    const redirect = response !== undefined && response.status < 400 && response.status >= 300 ? redirectTarget(response) : undefined
    const resolved = status === 404 && target.gruu === 'temporary' && !delivery.resolved ? this.presentGruu(target) : undefined
    const row = outcomeOf({
      status, deliveryMethod: submission.deliveryMethod, retryAfterSeconds: response === undefined ? undefined : retryAfterSeconds(response),
      redirections: delivery.redirections, redirectWithinDomain: redirect !== undefined && this.identities.serves(redirect), resolvable: resolved !== undefined,
    })
    delivery.sipStatus = typeof status === 'number' ? status : 0
    delivery.lifetimeCode = row.lifetimeCode
    if (target.gruu !== 'none') this.context.out.journal('device', submission.pushId, submission.recipients[delivery.recipient]!.literal, target.uri, String(status))
    this.act(now, delivery, submission, row, transaction, response, redirect ?? resolved)
  }

  private act(now: Now, delivery: Delivery, submission: SubmissionRecord, row: OutcomeRow, transaction: ClientTransaction, response: SipMessage | undefined, target: Target | undefined): void {
    const { deliveries, hops } = this
    const retryAfter = response === undefined ? undefined : retryAfterMicros(response)
    switch (row.action.do) {
      case 'deliver':
        return deliveries.end(now, delivery, { state: 'delivered', code: 1000, confirmed: row.action.confirmed && submission.deliveryMethod !== 'unconfirmed' })
      case 'end':
        if (row.action.forgetDevice === true) this.recipients.forgetDevice(delivery.queue.target)
        return deliveries.end(now, delivery, { state: row.action.state, code: row.action.code, desc: describe(row.action.code, response, row) })
      case 'retry': {
        delivery.tries++
        delivery.probe = true
        if (response === undefined && this.failedOver(now, delivery, transaction)) return deliveries.again(now, delivery)
        return deliveries.later(now, delivery, Math.max(this.backoff(delivery), retryAfter ?? 0))
      }
      case 'await-registration':
        delivery.tries++
        return deliveries.awaitRegistration(now, delivery, retryAfter)
      case 'hold':
        return deliveries.hold(now, delivery)
      case 'pause-hop':
        hops.rest(now, transaction.hop, retryAfter ?? 0)
        delivery.tries++
        delivery.probe = true
        return deliveries.again(now, delivery)
      case 'redirect':
        delivery.redirections++
        return deliveries.move(now, delivery, target!)
      case 'resolve':
        delivery.resolved = true
        return deliveries.move(now, delivery, target!)
    }
  }

  /** A hop that could not be reached rests a moment; while another is awake each of them gets its chance before any wait. */
  private failedOver(now: Now, delivery: Delivery, transaction: ClientTransaction): boolean {
    this.hops.rest(now, transaction.hop, UNREACHABLE_REST_MICROS)
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

/** RFC 3261 section 20.33; the comment and parameters behind the number are for people. */
function retryAfterSeconds(response: SipMessage): number | undefined {
  const digits = /^\d{1,9}/.exec(response.get(Header.RetryAfter) ?? '')
  return digits === null ? undefined : Math.min(Number(digits[0]), RETRY_AFTER_SECONDS_MAX)
}

/** At least one second, so that a peer that says 0 is not asked in a loop. */
function retryAfterMicros(response: SipMessage): Micros | undefined {
  const seconds = retryAfterSeconds(response)
  return seconds === undefined ? undefined : Math.max(1, seconds) * MICROS_PER_SECOND
}

function describe(code: number, response: SipMessage | undefined, row: OutcomeRow): string {
  return response === undefined ? row.because : `${codeName(code)}: SIP ${response.status} ${reasonPhrase(response.status)}, ${row.because}`
}
