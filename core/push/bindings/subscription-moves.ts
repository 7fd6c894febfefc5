/**
 * Moves terminals to another push server (draft-mdolly-dispatch-oma-push-00, section 11.4): a REFER asks each to subscribe
 * there, and its subscription here ends when it has gone, or a while after it said it would. Knows REFER, and what came of
 * each; what stands is subscriptions.ts. An operator's action, so it takes its time: few at once.
 */
import { DeadlineHeap, type Deadline } from '../../kit/heap.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../kit/time.js'
import { AcceptContacts } from '../../ota/accept-contact.js'
import { MAX_FORWARDS, disposition } from '../../ota/identity.js'
import type { ClientTransaction, SipEndpointContract } from '../../sip/endpoint-contract.js'
import { OMA_PUSH } from '../../sip/event.js'
import { Header } from '../../sip/header-names.js'
import { composed, textOf, type HeaderText } from '../../sip/header-text.js'
import { SipMessage } from '../../sip/message.js'
import { pushMoveText } from '../../sip/refer.js'
import type { NotifierEnd } from '../../sip/subscription-contract.js'
import { parseUri, uriParam } from '../../sip/uri.js'
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
const SERVER_OCTETS_MAX = 1_024

/** What came of a move so far: `subscriptions` is the sum of all the others. */
export interface MoveReport {
  readonly server: string
  /** Those that stood when the move was asked for and were not being moved already. */
  readonly subscriptions: number
  /** Agreed, and the terminal has ended its subscription here. */
  readonly moved: number
  /** Agreed, and ended from here, since the terminal did not in 32 s. */
  readonly ended: number
  /** Refused, unanswered, or out of reach: the subscription here stands as before. */
  readonly failed: number
  /** Over for another reason: ran out, or their terminal was not there any more. */
  readonly gone: number
  /** Not asked yet, not answered yet, or on their way. */
  readonly pending: number
}

export class SubscriptionMoves {
  private readonly acceptContacts = new AcceptContacts()
  private readonly going = new DeadlineHeap<Asked>()
  /** From the REFER until what came of it is known. */
  private readonly asked = new Map<Standing, Asked>()
  private waiting: Standing[] = []
  private move: Move | undefined = undefined
  private open = 0
  private blockedUntil: Micros = Infinity

  constructor(private readonly context: GatewayContext, private readonly endpoint: SipEndpointContract, private readonly hops: Hops, private readonly subscriptions: Subscriptions) {
    subscriptions.watcher = this
  }

  /** Of the latest move; undefined before the first since the start, which forgets. */
  get report(): MoveReport | undefined {
    return this.move?.report()
  }

  /** Asks every terminal that is subscribed now. A second call takes over what the first had not asked yet. */
  begin(now: Now, server: string): void {
    this.waiting = [...this.subscriptions.all()].filter((standing) => !this.asked.has(standing))
    this.move = new Move(server, this.waiting.length)
    this.pump(now)
  }

  deadline(): Micros {
    return Math.min(this.going.next(), this.blockedUntil)
  }

  /** Who agreed and is still here has gone without a word. */
  tick(now: Now): void {
    for (let asked = this.going.popDue(now.mono); asked !== undefined; asked = this.going.popDue(now.mono)) this.subscriptions.terminate(now, asked.standing, 'noresource')
    if (this.blockedUntil <= now.mono) this.pump(now)
  }

  answered(now: Now, asked: Asked, agreed: boolean): void {
    const { move, standing } = asked
    const stands = this.subscriptions.stands(standing)
    this.open--
    if (agreed && stands) asked.deadline = this.going.arm(now.mono + GOING_MICROS, asked)
    else {
      this.asked.delete(standing)
      if (agreed) move.moved++
      else if (stands) move.failed++
      else move.gone++
    }
    this.pump(now)
  }

  /** A subscription is over, for whatever reason. */
  ended(standing: Standing, end: NotifierEnd): void {
    const asked = this.asked.get(standing)
    // What has not answered yet is counted when it does.
    if (asked?.deadline === undefined) return
    this.going.cancel(asked.deadline)
    this.asked.delete(standing)
    if (end === 'unsubscribed') asked.move.moved++
    else if (end === 'terminated') asked.move.ended++
    else asked.move.gone++
  }

  private pump(now: Now): void {
    this.blockedUntil = Infinity
    const { move } = this
    while (move !== undefined && this.open < REFERS_OPEN_MAX && this.waiting.length > 0) {
      const hop = this.hops.pick(now)
      if (hop === undefined) {
        this.blockedUntil = this.hops.deadline(now)
        return
      }
      const standing = this.waiting.pop()!
      const refer = this.subscriptions.stands(standing) ? this.refer(standing, move.server, hop.route) : 'gone'
      if (refer === 'gone') move.gone++
      else if (refer === undefined) move.failed++
      else {
        const asked = new Asked(this, move, standing)
        this.asked.set(standing, asked)
        this.open++
        this.endpoint.request(now, refer, hop.hop, asked)
      }
    }
  }

  /** To the device's GRUU; a terminal without one is asked at its user's address (draft section 11.4). */
  private refer(standing: Standing, server: string, route: HeaderText): SipMessage | undefined {
    const { identity, entropy } = this.context
    const { applications, contact, aor, subscription: { dialog } } = standing
    const requestUri = (targetOf(contact)?.gruu ?? 'none') === 'none' ? aor : contact
    const replaces = { callId: dialog.callId, toTag: dialog.remoteTag, fromTag: dialog.localTag, earlyOnly: false }
    const referTo = pushMoveText(server, { package: OMA_PUSH, applications }, replaces)
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

/** One word of an operator, and how many came to what. */
class Move {
  moved = 0
  ended = 0
  failed = 0
  gone = 0

  constructor(readonly server: string, private readonly subscriptions: number) {}

  report(): MoveReport {
    const { server, subscriptions, moved, ended, failed, gone } = this
    return { server, subscriptions, moved, ended, failed, gone, pending: subscriptions - moved - ended - failed - gone }
  }
}

class Asked implements Requester {
  /** When it is ended from here; undefined until it agreed. */
  deadline: Deadline<Asked> | undefined = undefined

  constructor(private readonly moves: SubscriptionMoves, readonly move: Move, readonly standing: Standing) {}

  responded(now: Now, _transaction: ClientTransaction, response: SipMessage): void {
    if (response.status >= 200) this.moves.answered(now, this, response.status < 300)
  }

  failed(now: Now): void {
    this.moves.answered(now, this, false)
  }
}

/**
 * Why terminals cannot be asked to subscribe there, for people; undefined where they can.
 * @param server what an operator wrote
 * @param identity the gateway's own
 */
export function moveProblem(server: string, identity: string): string | undefined {
  const uri = server.length > SERVER_OCTETS_MAX || textOf(server) === undefined ? undefined : parseUri(server)
  if (uri === undefined || uri.scheme === 'tel') return `"${server.slice(0, 100)}" is no SIP URI: write that of the other push server, such as sip:push@other.example`
  // RFC 3261 section 19.1.1: both would be part of the request that the terminals are asked to make.
  if (uri.headers !== '' || uriParam(uri, 'method') !== undefined) return `"${server}" has headers or a method, which the terminals' SUBSCRIBE is to have from the gateway: write the plain URI`
  const own = parseUri(identity)
  if (own !== undefined && own.user === uri.user && own.host.toLowerCase() === uri.host.toLowerCase() && own.port === uri.port) return `"${server}" is this gateway itself`
  return undefined
}
