/**
 * The client half of an endpoint: requests sent, their responses matched (RFC 3261 sections 17.1, 18.1 and 9.1).
 * Knows what the client tables' actions mean on the wire; the tables and timers are elsewhere.
 */
import { assert } from '../kit/assert.js'
import { ChurnMap } from '../kit/churn-map.js'
import type { Now } from '../kit/time.js'
import type { ClientTransaction, Hop, TransactionUser } from './endpoint-contract.js'
import { type Flow, type Parcel, type Rider, leave } from './endpoint-flows.js'
import { UDP_REQUEST_BYTES_MAX, type Wire, overTcp } from './endpoint-wire.js'
import { Header } from './header-names.js'
import { type HeaderText, composed } from './header-text.js'
import { SipMessage } from './message.js'
import { ACTION_BIT, type Compiled, eventNumber } from './transaction-table.js'
import { Transaction, type TransactionOwner, type TransactionRunner } from './transaction-runner.js'
import { inviteClient, nonInviteClient } from './transaction-tables.js'
import { validateResponse } from './validate.js'
import { cseqNumber } from './values.js'
import { parseVia } from './via.js'

/** Client transactions alive at once; a request beyond fails as `transport`. */
export const CLIENT_TRANSACTIONS_MAX = 1_000_000

const INVITE_REQUEST = eventNumber(inviteClient, 'request')
const INVITE_1XX = eventNumber(inviteClient, '1xx')
const INVITE_2XX = eventNumber(inviteClient, '2xx')
const INVITE_REFUSED = eventNumber(inviteClient, '300-699')
const INVITE_CANCEL = eventNumber(inviteClient, 'cancel')
const REQUEST = eventNumber(nonInviteClient, 'request')
const PROVISIONAL = eventNumber(nonInviteClient, '1xx')
const FINAL = eventNumber(nonInviteClient, '200-699')

const FORGOTTEN = new SipMessage({ method: 'FORGOTTEN' })

class ClientRecord extends Transaction implements ClientTransaction, Rider {
  before: Rider | undefined = undefined
  after: Rider | undefined = undefined
  flow: Flow | undefined = undefined
  /** What goes out, kept while it may have to go out again. */
  parcel: Parcel | undefined = undefined
  isCancelled = false
  cancelWaits = false
  /** A CANCEL of ours, whose outcome is nobody's business. */
  isSilent = false

  constructor(
    override readonly owner: ClientHalf,
    machine: Compiled,
    reliable: boolean,
    public request: SipMessage,
    public hop: Hop,
    readonly branch: string,
    readonly method: string,
    /** Our Via as sent. */
    public via: HeaderText,
    public context: unknown,
  ) {
    super(machine, reliable)
  }

  get key(): string {
    return keyOf(this.branch, this.method)
  }
}

/** CANCEL shares the branch of what it cancels and is a transaction of its own (RFC 3261 section 9.1). */
function keyOf(branch: string, method: string): string {
  return method === 'CANCEL' ? `${branch} CANCEL` : branch
}

export class ClientHalf implements TransactionOwner<ClientRecord> {
  /** Its keys are our own random branches, so no peer can choose them. */
  private readonly byBranch = new ChurnMap<ClientRecord>(0)

  constructor(private readonly wire: Wire, private readonly runner: TransactionRunner, private readonly user: TransactionUser) {}

  get size(): number {
    return this.byBranch.size
  }

  request(now: Now, request: SipMessage, hop: Hop, context: unknown): ClientTransaction {
    const branch = this.wire.vias.newBranch()
    const via = this.wire.vias.text(hop.transport, branch)
    request.prepend(Header.Via, via)
    return this.begin(now, request, hop, branch, via, context, false)
  }

  private begin(now: Now, request: SipMessage, hop: Hop, branch: string, via: HeaderText, context: unknown, isSilent: boolean): ClientRecord {
    const machine = request.method === 'INVITE' ? inviteClient : nonInviteClient
    const record = new ClientRecord(this, machine, hop.transport !== 'udp', request, hop, branch, request.method, via, context)
    record.isSilent = isSilent
    this.runner.place(record, hop)
    const isFull = this.byBranch.size >= CLIENT_TRANSACTIONS_MAX
    this.byBranch.set(record.key, record)
    if (!isFull) this.route(record)
    this.runner.dispatch(now, record, machine === inviteClient ? INVITE_REQUEST : REQUEST)
    return record
  }

  /** Chooses the flow, and how it takes the message. RFC 3261 18.1.1: what is too large for UDP goes over TCP, and never falls back. */
  private route(record: ClientRecord): void {
    let flow = this.wire.flows.towards(record.hop)
    let parcel = this.wire.packed(flow, record.request)
    if (record.hop.transport === 'udp' && parcel.length > UDP_REQUEST_BYTES_MAX) {
      record.hop = overTcp(record.hop)
      record.reliable = true
      record.via = this.wire.vias.text('tcp', record.branch)
      record.request.replaceFirst(Header.Via, record.via)
      flow = this.wire.flows.towards(record.hop)
      parcel = this.wire.packed(flow, record.request)
    }
    record.parcel = parcel
    flow?.board(record)
  }

  /** A response whose top Via is `line`. One that matches nothing is dropped (RFC 3261 sections 17.1.3 and 18.1.2). */
  response(now: Now, response: SipMessage): void {
    const index = response.ids.indexOf(Header.Via)
    if (index < 0) return
    const line = response.values[index]!
    const record = this.find(line, response.method)
    // RFC 3261 17.1.3: branch and CSeq method must both match.
    if (record === undefined || record.method !== response.method || hasStrayVias(record, response, index)) return
    if (validateResponse(response) !== undefined) return
    const { status } = response
    if (record.machine === nonInviteClient) this.runner.dispatch(now, record, status < 200 ? PROVISIONAL : FINAL, response)
    else this.inviteResponse(now, record, response)
  }

  private inviteResponse(now: Now, record: ClientRecord, response: SipMessage): void {
    const { status } = response
    this.runner.dispatch(now, record, status < 200 ? INVITE_1XX : status < 300 ? INVITE_2XX : INVITE_REFUSED, response)
    // RFC 3261 9.1: the CANCEL that had to wait for a provisional response.
    if (status >= 200 || !record.cancelWaits) return
    record.cancelWaits = false
    this.runner.dispatch(now, record, INVITE_CANCEL)
  }

  private find(line: string, method: string): ClientRecord | undefined {
    // Almost every peer sends our Via back as it was, perhaps with its own parameters behind it: no need to parse it.
    const branch = this.wire.vias.branchOf(line)
    const record = branch === undefined ? undefined : this.byBranch.get(keyOf(branch, method))
    if (record !== undefined && (line === record.via || line.startsWith(record.via))) return record
    const via = parseVia(line)
    return via !== undefined && this.wire.vias.isOurs(via.transport, via.host, via.port) ? this.byBranch.get(keyOf(via.branch, method)) : undefined
  }

  cancel(now: Now, transaction: ClientTransaction): void {
    assert(transaction instanceof ClientRecord && transaction.machine === inviteClient, 'only an INVITE can be cancelled (RFC 3261 section 9.1)')
    if (transaction.isCancelled) return
    transaction.isCancelled = true
    this.runner.dispatch(now, transaction, INVITE_CANCEL)
  }

  /** The flow is gone, or never came up: everything that was sent on it or waits for it has failed. */
  flowDown(now: Now, flow: Flow): void {
    for (let rider = flow.firstRider; rider !== undefined; rider = flow.firstRider) {
      leave(rider)
      const record = rider as ClientRecord
      this.runner.dispatch(now, record, record.machine.transportError)
    }
  }

  send(now: Now, record: ClientRecord, bits: number, response: SipMessage | undefined): void {
    if ((bits & ACTION_BIT['send request']) !== 0) this.sendRequest(now, record)
    if ((bits & ACTION_BIT['send ACK']) !== 0) this.sendBare(record, ackFor(record, response!))
    if ((bits & ACTION_BIT['remember CANCEL']) !== 0) record.cancelWaits = true
    if ((bits & ACTION_BIT['send CANCEL']) !== 0) this.sendCancel(now, record)
  }

  private sendRequest(now: Now, record: ClientRecord): void {
    const { parcel } = record
    if (parcel === undefined || !this.wire.write(record.flow, parcel, record.hop)) this.runner.fail(now, record)
    else if (record.reliable) record.parcel = undefined
  }

  /** An ACK goes where its INVITE went (RFC 3261 section 17.1.1.2). */
  private sendBare(record: ClientRecord, message: SipMessage): void {
    this.wire.write(record.flow, this.wire.packed(record.flow, message), record.hop)
  }

  private sendCancel(now: Now, record: ClientRecord): void {
    const cancel = bareRequest(record, 'CANCEL', record.request.get(Header.To))
    this.begin(now, cancel, record.hop, record.branch, record.via, undefined, true)
  }

  release(record: ClientRecord): ClientRecord {
    const rest = new ClientRecord(this, record.machine, record.reliable, FORGOTTEN, record.hop, record.branch, record.method, record.via, undefined)
    leave(record)
    this.byBranch.set(rest.key, rest)
    return rest
  }

  ended(record: ClientRecord): void {
    leave(record)
    record.parcel = undefined
    this.byBranch.delete(record.key)
  }

  tell(now: Now, record: ClientRecord, event: number, response: SipMessage | undefined): void {
    if (record.isSilent) return
    if (response === undefined) this.user.onFailure(now, record, event === record.machine.transportError ? 'transport' : 'timeout')
    else if (response.status !== 100) this.user.onResponse(now, record, response)
  }
}

/** RFC 3261 8.1.3.3: where our Via was the only one, a response with more is not for us. */
function hasStrayVias(record: ClientRecord, response: SipMessage, index: number): boolean {
  const { ids } = record.request
  if (ids.indexOf(Header.Via, ids.indexOf(Header.Via) + 1) >= 0) return false
  return response.ids.indexOf(Header.Via, index + 1) >= 0 || response.values[index]!.includes(',')
}

/** RFC 3261 17.1.1.3: To with the response's tag, the INVITE's other fields, its top Via alone. */
function ackFor(record: ClientRecord, response: SipMessage): SipMessage {
  return bareRequest(record, 'ACK', response.get(Header.To))
}

/** An ACK or CANCEL of this request (RFC 3261 sections 17.1.1.3 and 9.1). */
function bareRequest({ request, via }: ClientRecord, method: 'ACK' | 'CANCEL', to: HeaderText | undefined): SipMessage {
  const bare = new SipMessage({ method, requestUri: request.requestUri })
  bare.append(Header.Via, via)
  for (const route of request.getAll(Header.Route)) bare.append(Header.Route, route)
  bare.append(Header.MaxForwards, composed('70'))
  const from = request.get(Header.From)
  const callId = request.get(Header.CallId)
  const cseq = request.get(Header.CSeq)
  assert(from !== undefined && to !== undefined && callId !== undefined && cseq !== undefined, 'a request has From, To, Call-ID and CSeq')
  return bare.append(Header.From, from).append(Header.To, to).append(Header.CallId, callId).append(Header.CSeq, composed(`${cseqNumber(cseq)} ${method}`))
}
