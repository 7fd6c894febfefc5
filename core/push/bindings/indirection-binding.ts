/**
 * Content indirection as a binding (RFC 4483): the content is hosted, a MESSAGE carries its reference, or a NOTIFY. What proves the
 * delivery is the operator's choice: the 200 to that MESSAGE, or the fetch of every octet, which may come before it.
 * Knows MESSAGEs and fetches; hosting is hosting.ts, what an answer means verdicts.ts.
 */
import { ChurnMap } from '../../kit/churn-map.js'
import { hashText } from '../../kit/entropy.js'
import { DeadlineHeap, type Deadline } from '../../kit/heap.js'
import { MICROS_PER_SECOND, monoOfWall, type Micros, type Now } from '../../kit/time.js'
import { referring } from '../../ota/indirection.js'
import type { ClientFailure, ClientTransaction, Hop } from '../../sip/endpoint-contract.js'
import type { SipMessage } from '../../sip/message.js'
import type { HostedRecord } from '../../store/hosted.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { AttemptStart } from '../delivery/attempt-start.js'
import { bitOf, type Binding } from './binding.js'
import { placeOfToken, type ContentPlace } from './content-token.js'
import type { GatewayContext } from '../context.js'
import type { Delivery } from '../delivery/delivery.js'
import type { Deliveries } from '../delivery/deliveries.js'
import type { End } from '../delivery/roles.js'
import type { EventBinding, EventCarrier } from './event-binding.js'
import type { Hosting, HostingWaiter } from './hosting.js'
import type { MessageSender } from './message-sender.js'
import type { Silence } from '../delivery/outcomes.js'
import type { Requester } from '../sip-user.js'
import type { Verdicts } from '../delivery/verdicts.js'

const FULL_STORE_RETRY_MICROS: Micros = MICROS_PER_SECOND
const FETCHED: End = { state: 'delivered', code: 1000, confirmed: true }

export class IndirectionBinding implements Binding {
  readonly name = 'indirection'
  /** Whose fetch proves something, by who fetches; from the first attempt until the end. */
  private readonly carriages = new ChurnMap<Carriage>(0)
  private readonly ends = new DeadlineHeap<Carriage>()

  constructor(
    private readonly context: GatewayContext,
    private readonly messages: MessageSender,
    private readonly starts: AttemptStart,
    private readonly verdicts: Verdicts,
    private readonly deliveries: Deliveries,
    private readonly hosting: Hosting,
    private readonly confirmation: 'carried' | 'fetched',
    private readonly events: EventBinding,
  ) {}

  /** Deliveries whose fetch is waited for or was seen. */
  get waiting(): number {
    return this.carriages.size
  }

  send(now: Now, delivery: Delivery, submission: SubmissionRecord): void {
    // Unconfirmed counts at any 2xx; and which of several devices fetched, a token does not tell.
    const carriage = this.confirmation === 'carried' || delivery.fork !== undefined || submission.deliveryMethod === 'unconfirmed' ? new Carriage('', delivery) : this.carriageOf(now, delivery)
    // The answer to an earlier attempt was lost, the content was not.
    if (carriage.isFetched) return this.prove(now, carriage)
    this.hosting.host(delivery.sequence, submission, new Attempt(this, carriage, submission))
  }

  hosted(now: Now, attempt: Attempt, record: HostedRecord): void {
    const { carriage: { delivery }, submission } = attempt
    const reference = referring(submission, this.hosting.reference(placeOf(delivery), record))
    const { preferEvent } = this.context.settings.selection
    if ((preferEvent || submission.bearer === 'event') && this.events.canSend(now, delivery, submission)) return this.events.carry(now, delivery, submission, reference, attempt)
    const hop = this.starts.hop(now, delivery)
    if (hop !== undefined) this.messages.send(now, delivery, reference, this.starts.begin(now, delivery, submission), hop, attempt)
  }

  notHosted(now: Now, { carriage: { delivery } }: Attempt): void {
    this.deliveries.later(now, delivery, FULL_STORE_RETRY_MICROS)
  }

  ended(now: Now, { carriage, submission }: Attempt, hop: Hop | undefined, status: number | Silence, response: SipMessage | undefined): void {
    const { delivery } = carriage
    if (typeof status === 'number' && status < 300 && carriage.key !== '') {
      delivery.sipStatus = status
      if (carriage.isFetched) return this.prove(now, carriage)
      return this.deliveries.awaitProof(now, delivery)
    }
    this.verdicts.act(now, delivery, submission, { binding: 'indirection', status, response, hop })
    if (delivery.state === 'ending' || (delivery.excluded & bitOf('indirection')) !== 0) this.forget(carriage)
  }

  /** Every octet of a content went out to the one who was told this token. */
  fetched(token: string): void {
    const place = placeOfToken(token)
    const carriage = place === undefined ? undefined : this.carriages.get(keyOf(place))
    if (carriage === undefined) return
    carriage.isFetched = true
    if (carriage.delivery.state !== 'proving') return
    this.forget(carriage)
    this.deliveries.proved(carriage.delivery, FETCHED)
  }

  deadline(): Micros {
    return this.ends.next()
  }

  /** A delivery's lifetime is over: nothing proves it any more. */
  tick(now: Now): void {
    for (let carriage = this.ends.popDue(now.mono); carriage !== undefined; carriage = this.ends.popDue(now.mono)) this.carriages.delete(carriage.key)
  }

  private prove(now: Now, carriage: Carriage): void {
    this.forget(carriage)
    this.deliveries.end(now, carriage.delivery, FETCHED)
  }

  private carriageOf(now: Now, delivery: Delivery): Carriage {
    const key = keyOf(placeOf(delivery))
    const known = this.carriages.get(key)
    if (known !== undefined) return known
    const carriage = new Carriage(key, delivery)
    this.carriages.set(key, carriage)
    carriage.end = this.ends.arm(monoOfWall(now, delivery.expiresAt), carriage)
    return carriage
  }

  private forget(carriage: Carriage): void {
    if (carriage.end !== undefined) this.ends.cancel(carriage.end)
    this.carriages.delete(carriage.key)
  }
}

/** One delivery by reference, through all its attempts. */
class Carriage {
  isFetched = false
  end: Deadline<Carriage> | undefined = undefined

  /** @param key empty where no fetch proves anything */
  constructor(readonly key: string, readonly delivery: Delivery) {}
}

/** The reference's way out, and its answer's way back. */
class Attempt implements HostingWaiter, Requester, EventCarrier {
  constructor(private readonly binding: IndirectionBinding, readonly carriage: Carriage, readonly submission: SubmissionRecord) {}

  hosted(now: Now, record: HostedRecord): void {
    this.binding.hosted(now, this, record)
  }

  notHosted(now: Now): void {
    this.binding.notHosted(now, this)
  }

  responded(now: Now, transaction: ClientTransaction, response: SipMessage): void {
    if (response.status >= 200) this.binding.ended(now, this, transaction.hop, response.status, response)
  }

  failed(now: Now, transaction: ClientTransaction, failure: ClientFailure): void {
    this.binding.ended(now, this, transaction.hop, failure, undefined)
  }

  carried(now: Now, status: number | Silence, response: SipMessage | undefined): void {
    this.binding.ended(now, this, undefined, status, response)
  }
}

function placeOf({ expiresAt, sequence, recipient, device }: Delivery): ContentPlace {
  return { expiresAt, sequence, recipient, device: hashText(device) }
}

function keyOf({ sequence, recipient, device }: ContentPlace): string {
  return `${sequence} ${recipient} ${device}`
}
