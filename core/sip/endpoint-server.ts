/**
 * The server half of an endpoint: requests received, matched to their transactions, answered (RFC 3261 sections 17.2,
 * 18.2, 9.2 and 8.2.2.2). Knows what the server tables' actions mean on the wire; the tables and timers are elsewhere.
 */
import { hashText } from '../kit/entropy.js'
import { assert } from '../kit/assert.js'
import { ChurnMap } from '../kit/churn-map.js'
import type { Endpoint } from '../kit/network.js'
import type { Now } from '../kit/time.js'
import type { Hop, ServerTransaction, SipEndpointOptions, TransactionUser } from './endpoint-contract.js'
import { CarriedMessage } from './carried-message.js'
import type { Flow, Parcel } from './endpoint-flows.js'
import type { Wire } from './endpoint-wire.js'
import { Header } from './header-names.js'
import { composed } from './header-text.js'
import { SipMessage } from './message.js'
import { tagOf } from './name-addr.js'
import { paramOf } from './params.js'
import { ACTION_BIT, type Compiled, eventNumber } from './transaction-table.js'
import { Transaction, type TransactionOwner, type TransactionRunner } from './transaction-runner.js'
import { inviteServer, nonInviteServer } from './transaction-tables.js'
import { validateRequest } from './validate.js'
import { cseqNumber } from './values.js'
import { BRANCH_COOKIE, type Via, alignVias, markReceived, parseVia, rportOf } from './via.js'
import { responseTo } from './write.js'

/** Server transactions alive at once; a request beyond is answered 503. */
export const SERVER_TRANSACTIONS_MAX = 1_000_000
/** What such a 503 asks for. */
const RETRY_AFTER_SECONDS = 5

const INVITE_REQUEST = eventNumber(inviteServer, 'request')
const INVITE_ACK = eventNumber(inviteServer, 'ACK')
const INVITE_CANCEL = eventNumber(inviteServer, 'CANCEL')
const INVITE_UNANSWERED = eventNumber(inviteServer, 'unanswered')
const INVITE_1XX = eventNumber(inviteServer, 'respond 1xx')
const INVITE_2XX = eventNumber(inviteServer, 'respond 2xx')
const INVITE_REFUSED = eventNumber(inviteServer, 'respond 300-699')
const REQUEST = eventNumber(nonInviteServer, 'request')
const UNANSWERED = eventNumber(nonInviteServer, 'unanswered')
const RESPOND_1XX = eventNumber(nonInviteServer, 'respond 1xx')
const RESPOND_408 = eventNumber(nonInviteServer, 'respond 408')
const RESPOND = eventNumber(nonInviteServer, 'respond 200-699')

const FORGOTTEN = new SipMessage({ method: 'FORGOTTEN' })

/** Where a request came from: a flow, with the peer of a datagram. */
export interface Origin {
  readonly flow: Flow
  readonly hop: Hop
}

class ServerRecord extends Transaction implements ServerTransaction {
  context: unknown = undefined
  /** The last response, kept while a repeated request is answered with it; octets as text, since a small Buffer holds a whole slab of them. */
  lastResponse: string | CarriedMessage | undefined = undefined
  /** Has any response been sent? */
  isAnswered = false
  isCancelled = false
  mergedKey: string | undefined = undefined

  constructor(
    override readonly owner: ServerHalf,
    machine: Compiled,
    public request: SipMessage,
    readonly source: Hop,
    readonly key: string,
    readonly flow: Flow,
    /** Where responses go: over UDP always there; over a stream only when the flow is gone. */
    readonly returnTo: Endpoint,
  ) {
    super(machine, source.transport !== 'udp')
  }
}

export class ServerHalf implements TransactionOwner<ServerRecord> {
  private readonly byKey: ChurnMap<ServerRecord>
  /** For a UAS core: transactions by what a merged request shares with the first one. */
  private readonly byMergedKey: ChurnMap<ServerRecord> | undefined
  private readonly user: TransactionUser
  /** Makes the tags of stateless answers: unguessable, yet the same for every repeat of a request (RFC 3261 section 8.2.7). */
  private readonly tagSecret: string

  constructor(private readonly wire: Wire, private readonly runner: TransactionRunner, options: SipEndpointOptions) {
    this.user = options.user
    this.tagSecret = options.entropy.token(80)
    const seed = Math.floor(options.entropy.unit() * 2 ** 32)
    this.byKey = new ChurnMap(seed)
    this.byMergedKey = options.refuseMerged === true ? new ChurnMap(seed) : undefined
  }

  get size(): number {
    return this.byKey.size
  }

  request(now: Now, request: SipMessage, origin: Origin): void {
    const line = request.get(Header.Via)
    const via = line === undefined ? undefined : parseVia(line)
    // Without a Via that can be read there is nobody to answer.
    if (via === undefined) return
    const key = keyOf(request, via, request.method === 'ACK' ? 'INVITE' : request.method)
    const record = this.byKey.get(key)
    if (request.method === 'ACK') {
      if (record !== undefined) this.runner.dispatch(now, record, INVITE_ACK, request)
      else if (validateRequest(request) === undefined) this.user.onAck(now, request, origin.hop)
    } else if (record !== undefined) this.runner.dispatch(now, record, record.machine === inviteServer ? INVITE_REQUEST : REQUEST)
    else this.newRequest(now, request, via, key, origin)
  }

  private newRequest(now: Now, request: SipMessage, via: Via, key: string, origin: Origin): void {
    noteSource(request, via, origin.hop)
    const problem = validateRequest(request)
    if (problem !== undefined) return this.answer(request, problem.status, origin, via)
    if (request.method === 'CANCEL') return this.cancelled(now, request, via, origin)
    if (this.byKey.size >= SERVER_TRANSACTIONS_MAX) return this.answer(request, 503, origin, via)
    const mergedKey = this.byMergedKey === undefined ? undefined : mergedKeyOf(request)
    // RFC 3261 8.2.2.2: the same request again, by another way.
    if (mergedKey !== undefined && this.byMergedKey!.has(mergedKey)) return this.answer(request, 482, origin, via)
    const machine = request.method === 'INVITE' ? inviteServer : nonInviteServer
    const record = new ServerRecord(this, machine, request, origin.hop, key, origin.flow, returnAddress(via, origin.hop))
    this.runner.place(record, origin.hop)
    this.byKey.set(key, record)
    if (mergedKey !== undefined) {
      record.mergedKey = mergedKey
      this.byMergedKey!.set(mergedKey, record)
    }
    this.runner.dispatch(now, record, machine === inviteServer ? INVITE_REQUEST : REQUEST, request)
    if (!record.isAnswered && !record.isTerminated) this.runner.dispatch(now, record, machine === inviteServer ? INVITE_UNANSWERED : UNANSWERED)
  }

  /** RFC 3261 9.2. The answer needs no transaction of its own: repeating it does no harm. */
  private cancelled(now: Now, cancel: SipMessage, via: Via, origin: Origin): void {
    const record = this.byKey.get(keyOf(cancel, via, 'INVITE'))
    this.answer(cancel, record === undefined ? 481 : 200, origin, via)
    if (record === undefined || record.isCancelled) return
    record.isCancelled = true
    this.runner.dispatch(now, record, INVITE_CANCEL, cancel)
  }

  /** Answers without a transaction (RFC 3261 section 8.2.7). The request's top Via says already where it came from. */
  answer(request: SipMessage, status: number, origin: Origin, via: Via): void {
    const tag = hashText(`${this.tagSecret} ${via.branch} ${request.get(Header.CallId) ?? ''}`).toString(36)
    const response = responseTo(request, status, undefined, tag)
    if (status === 503) response.append(Header.RetryAfter, composed(String(RETRY_AFTER_SECONDS)))
    this.wire.write(origin.flow, this.wire.packed(origin.flow, response), returnAddress(via, origin.hop))
  }

  /** For a request that could not be read wholly; silent where it names nobody to answer. */
  answerUnreadable(request: SipMessage, status: number, origin: Origin): void {
    const line = request.get(Header.Via)
    const via = line === undefined ? undefined : parseVia(line)
    if (via === undefined || request.method === 'ACK') return
    noteSource(request, via, origin.hop)
    this.answer(request, status, origin, via)
  }

  respond(now: Now, transaction: ServerTransaction, response: SipMessage): void {
    assert(transaction instanceof ServerRecord, 'a server transaction of this endpoint')
    const { status } = response
    let event: number
    if (transaction.machine === inviteServer) event = status < 200 ? INVITE_1XX : status < 300 ? INVITE_2XX : INVITE_REFUSED
    else event = status < 200 ? RESPOND_1XX : status === 408 ? RESPOND_408 : RESPOND
    this.runner.dispatch(now, transaction, event, response)
  }

  abandon(transaction: ServerTransaction): void {
    assert(transaction instanceof ServerRecord, 'a server transaction of this endpoint')
    if (!transaction.isTerminated) this.runner.abandon(transaction)
  }

  send(_now: Now, record: ServerRecord, bits: number, response: SipMessage | undefined): void {
    if ((bits & ACTION_BIT['send response']) !== 0) this.sendResponse(record, response!)
    else if ((bits & ACTION_BIT['send 100']) !== 0) this.sendResponse(record, responseTo(record.request, 100))
    else if (record.lastResponse !== undefined) this.transmit(record, typeof record.lastResponse === 'string' ? Buffer.from(record.lastResponse, 'latin1') : record.lastResponse)
  }

  private sendResponse(record: ServerRecord, response: SipMessage): void {
    record.isAnswered = true
    alignVias(record.request, response)
    const flow = this.flowBack(record)
    const parcel = this.wire.packed(flow, response)
    const isInvite = record.machine === inviteServer
    // RFC 6026 7.1: a 2xx to INVITE is repeated by its user alone, until the ACK (RFC 3261 13.3.1.4); for 64*T1 nothing but its room would be taken here.
    const isKept = isInvite ? response.status < 200 || response.status >= 300 : !record.reliable
    record.lastResponse = !isKept ? undefined : parcel instanceof CarriedMessage ? parcel : parcel.toString('latin1')
    this.wire.write(flow, parcel, record.returnTo)
  }

  private transmit(record: ServerRecord, parcel: Parcel): void {
    this.wire.write(this.flowBack(record), parcel, record.returnTo)
  }

  /** RFC 3261 18.2.2: back over the connection the request came on; when that is gone, over a new one to received and sent-by port. */
  private flowBack(record: ServerRecord): Flow | undefined {
    const { flow } = record
    return flow.isUp || !record.reliable ? flow : this.wire.flows.towards({ transport: record.source.transport, ...record.returnTo })
  }

  release(record: ServerRecord): ServerRecord {
    const rest = new ServerRecord(this, record.machine, FORGOTTEN, record.source, record.key, record.flow, record.returnTo)
    rest.lastResponse = record.lastResponse
    rest.isAnswered = true
    rest.mergedKey = record.mergedKey
    this.byKey.set(rest.key, rest)
    if (rest.mergedKey !== undefined) this.byMergedKey!.set(rest.mergedKey, rest)
    return rest
  }

  ended(record: ServerRecord): void {
    this.byKey.delete(record.key)
    if (record.mergedKey !== undefined) this.byMergedKey!.delete(record.mergedKey)
  }

  tell(now: Now, record: ServerRecord, event: number, message: SipMessage | undefined): void {
    if (record.machine === nonInviteServer || event === INVITE_REQUEST) this.user.onRequest(now, record)
    else if (event === INVITE_CANCEL) this.user.onCancel(now, record)
    // It was matched by its Via alone.
    else if (validateRequest(message!) === undefined) this.user.onAck(now, message!, record.source)
  }
}

/** RFC 3261 17.2.3: branch, sent-by and method, INVITE standing for its ACK. */
function keyOf(request: SipMessage, via: Via, method: string): string {
  if (via.branch.length > BRANCH_COOKIE.length && via.branch.startsWith(BRANCH_COOKIE)) return `${via.branch} ${via.host.toLowerCase()}:${via.port} ${method}`
  // An RFC 2543 peer. To is left out: in an ACK it holds the tag of our response, and nothing else tells two such requests apart by it.
  const line = request.get(Header.Via)!
  return `${request.requestUri} ${tagOf(request, Header.From)} ${request.get(Header.CallId)} ${cseqNumber(request.get(Header.CSeq) ?? '')} ${line.slice(0, via.end)} ${method}`
}

/**
 * RFC 3261 8.2.2.2: From tag, Call-ID and CSeq, where To has no tag. The Request-URI is added because one endpoint can be
 * many user agents, and a fork to two of them is no merge.
 */
function mergedKeyOf(request: SipMessage): string | undefined {
  if (tagOf(request, Header.To) !== '') return undefined
  return `${tagOf(request, Header.From)} ${request.get(Header.CallId)} ${request.get(Header.CSeq)} ${request.requestUri}`
}

/** RFC 3261 18.2.1 and RFC 3581 4: `received` and `rport` where they say something. */
function noteSource(request: SipMessage, via: Via, source: Hop): void {
  if (via.host !== source.address || rportOf(via) !== undefined) markReceived(request, source.address, source.port)
}

/** Where responses go by RFC 3261 18.2.2 and RFC 3581 4; the source address is what `received` says. */
function returnAddress(via: Via, source: Hop): Endpoint {
  if (source.transport === 'udp') {
    const maddr = paramOf(via.params, 'maddr')
    // Only a literal address: the endpoint resolves no names.
    if (maddr !== undefined && /^[\d.]+$/.test(maddr)) return { address: maddr, port: via.port === 0 ? 5060 : via.port }
    if (rportOf(via) !== undefined) return source
  }
  return { address: source.address, port: via.port !== 0 ? via.port : source.transport === 'tls' ? 5061 : 5060 }
}
