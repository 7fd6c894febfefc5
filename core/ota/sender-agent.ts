/**
 * The Push Sender Agent alone: a SIP application that pushes without a gateway (seeds of SIP Push: a trusted application
 * server is its own sender agent). Pager mode only; it keeps RFC 3428 section 8 (one MESSAGE pending to a Request-URI) and
 * says what became of each push. It stores nothing, retries nothing and knows no PAP: who needs that wants the gateway.
 */
import type { Entropy } from '../kit/entropy.js'
import { Fifo } from '../kit/fifo.js'
import type { Machine, Tick } from '../kit/machine.js'
import type { NetworkIn, NetworkOut, Transport } from '../kit/network.js'
import type { Micros, Now } from '../kit/time.js'
import { parseApplicationId } from '../pap/application-ids.js'
import { SipEndpoint } from '../sip/endpoint.js'
import type { ClientFailure, ClientTransaction, Hop, ServerTransaction, SipTimerValues } from '../sip/endpoint-contract.js'
import { Header } from '../sip/header-names.js'
import { type HeaderText, composed, textOf } from '../sip/header-text.js'
import type { SipMessage } from '../sip/message.js'
import { gruuOf, parseUri } from '../sip/uri.js'
import { reasonPhrase, responseTo } from '../sip/write.js'
import type { Priority, SubmissionRecord } from '../store/records.js'
import { Identity, type IdentitySettings } from './identity.js'
import { MessageBuilder } from './message.js'

export interface SenderAgentSettings extends IdentitySettings {
  /** The entry point of the core network, by a literal address. */
  readonly nextHop: { readonly transport: Transport; readonly address: string; readonly port: number }
  /** RFC 3261 appendix A when absent. */
  readonly timers?: SipTimerValues
}

/** What is pushed, and to whom. */
export interface AgentPush {
  readonly type: 'push'
  /** Names the push in its answer. */
  readonly ticket: number
  /** A SIP URI: an address of record, or the GRUU of one device. */
  readonly to: string
  /** As in X-Wap-Application-Id: a URI such as `x-wap-application:mms.ua`, or a registered code. */
  readonly application: string
  readonly contentType: string
  readonly content: Buffer
  /** Lets a terminal drop a second copy; made up when absent. */
  readonly pushId?: string
  readonly priority?: Priority
}

/**
 * `delivered`: a device took it (200). `stored`: a relay took it (202), no proof will come. `refused`: a final status said no.
 * `unanswered`: nobody knows (timer F, or the transport). `invalid`: it was not sent.
 */
export type AgentResult = 'delivered' | 'stored' | 'refused' | 'unanswered' | 'invalid'

export interface AgentAnswer {
  readonly type: 'pushed'
  readonly ticket: number
  readonly result: AgentResult
  /** The final SIP status; 0 when there was none. */
  readonly status: number
  /** For people. */
  readonly reason: string
}

export type SenderAgentIn = Tick | NetworkIn | AgentPush
export type SenderAgentOut = NetworkOut | AgentAnswer

const TOKEN_BITS = 100
const TAG_BITS = 64

/** The pushes to one Request-URI: the first is pending. */
type Line = Fifo<AgentPush>

export class SenderAgent implements Machine<SenderAgentIn, SenderAgentOut> {
  private readonly out = new Fifo<SenderAgentOut>()
  private readonly lines = new Map<string, Line>()
  private readonly messages: MessageBuilder
  private readonly endpoint: SipEndpoint
  private readonly route: HeaderText
  private readonly hop: Hop

  constructor(settings: SenderAgentSettings, private readonly entropy: Entropy) {
    const { transport, address, port } = settings.nextHop
    this.messages = new MessageBuilder(new Identity(settings))
    this.hop = { transport, address, port }
    this.route = composed(`<sip:${address.includes(':') ? `[${address}]` : address}:${port}${transport === 'udp' ? '' : `;transport=${transport}`};lr>`)
    this.endpoint = new SipEndpoint({
      sentBy: () => settings.sipAddress,
      entropy,
      emit: (out) => this.out.push(out),
      ...(settings.timers === undefined ? {} : { timers: settings.timers }),
      user: {
        onRequest: (now, transaction) => this.decline(now, transaction),
        onResponse: (now, transaction, response) => { if (response.status >= 200) this.ended(now, transaction, response) },
        onFailure: (now, transaction, failure) => this.ended(now, transaction, failure),
        onAck: () => {},
        onCancel: () => {},
        onFlowDown: () => {},
      },
    })
  }

  /** Pushes without an answer. */
  get underWay(): number {
    let count = 0
    for (const line of this.lines.values()) count += line.length
    return count
  }

  handle(now: Now, input: SenderAgentIn): void {
    if (input.type === 'push') this.push(now, input)
    else if (input.type === 'tick') this.endpoint.tick(now)
    else this.endpoint.input(now, input)
  }

  poll(): SenderAgentOut | undefined {
    return this.out.shift()
  }

  deadline(): Micros {
    return this.endpoint.deadline()
  }

  private push(now: Now, push: AgentPush): void {
    const problem = problemOf(push)
    if (problem !== undefined) return this.answer(push, 'invalid', 0, problem)
    const line = this.lines.get(push.to)
    if (line !== undefined) {
      line.push(push)
      return
    }
    const first: Line = new Fifo()
    first.push(push)
    this.lines.set(push.to, first)
    this.send(now, push)
  }

  private send(now: Now, push: AgentPush): void {
    const message = this.messages.build(now.wall, {
      submission: this.submissionOf(now, push), recipient: 0, requestUri: push.to, isGruu: gruuOf(parseUri(push.to)!) !== undefined,
      cseq: 1, fromTag: this.entropy.token(TAG_BITS), route: this.route,
    })
    this.endpoint.request(now, message, this.hop, push)
  }

  private ended(now: Now, { context }: ClientTransaction, seen: SipMessage | ClientFailure): void {
    const push = context as AgentPush
    if (typeof seen === 'string') this.answer(push, 'unanswered', 0, seen === 'timeout' ? 'no final answer came (timer F)' : 'the transport failed')
    else this.answer(push, resultOf(seen.status), seen.status, `${seen.status} ${seen.reason === '' ? reasonPhrase(seen.status) : seen.reason}`)
    const line = this.lines.get(push.to)
    line?.shift()
    const next = line?.peek()
    if (next === undefined) this.lines.delete(push.to)
    else this.send(now, next)
  }

  private answer({ ticket }: AgentPush, result: AgentResult, status: number, reason: string): void {
    this.out.push({ type: 'pushed', ticket, result, status, reason })
  }

  /** Nothing is offered to others (RFC 3261 section 8.2.1). */
  private decline(now: Now, transaction: ServerTransaction): void {
    const response = responseTo(transaction.request, 405, undefined, this.entropy.token(TAG_BITS))
    this.endpoint.respond(now, transaction, response.append(Header.Allow, composed('')))
  }

  private submissionOf(now: Now, push: AgentPush): SubmissionRecord {
    const application = parseApplicationId(push.application)!
    const token = this.entropy.token(TOKEN_BITS)
    return {
      acceptedAt: now.wall, deliverAfter: 0, expiresAt: now.wall, hasDeliverBefore: false, priority: push.priority ?? 'medium', deliveryMethod: 'notspecified',
      hasQualityOfService: false, statesCapabilities: false, papForm: '', initiator: '', pushId: push.pushId ?? token, notifyUrl: '', token,
      applicationId: application.uri, featureTag: application.featureTag, recipients: [{ literal: push.to, uri: push.to }],
      contentType: push.contentType, contentHeaders: [], content: push.content,
    }
  }
}

function resultOf(status: number): AgentResult {
  if (status === 202) return 'stored'
  return status < 300 ? 'delivered' : 'refused'
}

/** What is wrong with a push before it is sent, in words. */
function problemOf({ to, application, contentType, pushId }: AgentPush): string | undefined {
  const uri = parseUri(to)
  if (uri === undefined || uri.scheme === 'tel' || uri.user === '' || uri.headers !== '') return `"${to}" is no SIP URI with a user: write such as sip:alice@ims.example`
  if (parseApplicationId(application) === undefined) return `"${application}" names no push application: write such as x-wap-application:mms.ua`
  if (!/^[\w.+-]+\/[\w.+-]+(\s*;.*)?$/.test(contentType) || textOf(contentType) === undefined) return `"${contentType}" is no content type: write such as text/plain`
  if (pushId !== undefined && (pushId === '' || textOf(pushId) === undefined)) return 'the push-id is empty or holds a line break'
  return undefined
}
