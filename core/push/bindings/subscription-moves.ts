/**
 * Moves terminals to another push server (draft-mdolly-dispatch-oma-push-00, section 11.4): a REFER asks each to subscribe
 * there, and its subscription here ends when it has gone, or a while after it said it would. Knows REFER; what stands is
 * subscriptions.ts. An operator's action, so it takes its time: few at once.
 */
import { DeadlineHeap } from '../../kit/heap.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../kit/time.js'
import { AcceptContacts } from '../../ota/accept-contact.js'
import { MAX_FORWARDS, disposition } from '../../ota/identity.js'
import type { ClientTransaction, SipEndpointContract } from '../../sip/endpoint-contract.js'
import { OMA_PUSH } from '../../sip/event.js'
import { Header } from '../../sip/header-names.js'
import { composed, textOf, type HeaderText } from '../../sip/header-text.js'
import { SipMessage } from '../../sip/message.js'
import { pushMoveText } from '../../sip/refer.js'
import type { GatewayContext } from '../context.js'
import type { Hops } from '../delivery/hops.js'
import type { Requester } from '../sip-user.js'
import { tagOfApplication, type Standing } from './standing.js'
import type { Subscriptions } from './subscriptions.js'
import { targetOf } from '../delivery/target.js'

const REFERS_OPEN_MAX = 64
const TAG_BITS = 64
/** 64 T1: as long as the terminal's SUBSCRIBE to the other server may take. */
const GOING_MICROS: Micros = 32 * MICROS_PER_SECOND
/** RFC 4488: nobody waits for word of what came of it. */
const NO_REFER_SUBSCRIPTION = composed('false')
const NOREFERSUB = composed('norefersub')

export class SubscriptionMoves {
  readonly counters = { asked: 0, agreed: 0, refused: 0 }
  private readonly acceptContacts = new AcceptContacts()
  private readonly going = new DeadlineHeap<Standing>()
  private waiting: Standing[] = []
  private server = ''
  private open = 0

  constructor(private readonly context: GatewayContext, private readonly endpoint: SipEndpointContract, private readonly hops: Hops, private readonly subscriptions: Subscriptions) {}

  /** Asks every terminal that is subscribed now. A second call takes over what the first had not asked yet. */
  begin(now: Now, server: string): void {
    this.server = server
    this.waiting = [...this.subscriptions.all()]
    this.pump(now)
  }

  deadline(): Micros {
    return this.going.next()
  }

  /** Who agreed and is still here has gone without a word. */
  tick(now: Now): void {
    for (let standing = this.going.popDue(now.mono); standing !== undefined; standing = this.going.popDue(now.mono)) this.subscriptions.terminate(now, standing, 'noresource')
  }

  answered(now: Now, standing: Standing, agreed: boolean): void {
    this.open--
    if (agreed) {
      this.counters.agreed++
      this.going.arm(now.mono + GOING_MICROS, standing)
    } else this.counters.refused++
    this.pump(now)
  }

  private pump(now: Now): void {
    while (this.open < REFERS_OPEN_MAX && this.waiting.length > 0) {
      const standing = this.waiting.pop()!
      if (!this.subscriptions.stands(standing)) continue
      const hop = this.hops.pick(now)
      const refer = hop === undefined ? undefined : this.refer(standing, hop.route)
      if (hop === undefined || refer === undefined) {
        this.counters.refused++
        continue
      }
      this.counters.asked++
      this.open++
      this.endpoint.request(now, refer, hop.hop, new Asked(this, standing))
    }
  }

  /** To the device's GRUU; a terminal without one is asked at its user's address (draft section 11.4). */
  private refer(standing: Standing, route: HeaderText): SipMessage | undefined {
    const { identity, entropy } = this.context
    const { applications, contact, aor, subscription: { dialog } } = standing
    const requestUri = (targetOf(contact)?.gruu ?? 'none') === 'none' ? aor : contact
    const replaces = { callId: dialog.callId, toTag: dialog.remoteTag, fromTag: dialog.localTag, earlyOnly: false }
    const referTo = pushMoveText(this.server, { package: OMA_PUSH, applications }, replaces)
    const target = textOf(requestUri)
    if (referTo === undefined || target === undefined) return undefined
    return new SipMessage({ method: 'REFER', requestUri: target })
      .append(Header.Route, route).append(Header.MaxForwards, MAX_FORWARDS)
      .append(Header.From, identity.from(entropy.token(TAG_BITS))).append(Header.To, composed(`<${target}>`))
      .append(Header.CallId, identity.callId(entropy.token(TAG_BITS))).append(Header.CSeq, composed('1 REFER'))
      .append(Header.Contact, identity.contact).append(Header.PAssertedIdentity, identity.asserted)
      .append(Header.AcceptContact, this.acceptContacts.of(tagOfApplication(applications[0]!))).append(Header.RequestDisposition, disposition(true))
      .append(Header.ReferTo, referTo).append(Header.ReferSub, NO_REFER_SUBSCRIPTION).append(Header.Supported, NOREFERSUB)
  }
}

class Asked implements Requester {
  constructor(private readonly moves: SubscriptionMoves, private readonly standing: Standing) {}

  responded(now: Now, _transaction: ClientTransaction, response: SipMessage): void {
    if (response.status >= 200) this.moves.answered(now, this.standing, response.status < 300)
  }

  failed(now: Now): void {
    this.moves.answered(now, this.standing, false)
  }
}
