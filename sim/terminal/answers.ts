/**
 * How terminals answer: a MESSAGE by its checks and the behaviour of its user, any request as late or as badly as the device
 * is made to. Knows one request at a time; the usages that answer within dialogs ask it, too.
 */
import type { DeadlineHeap } from '../../core/kit/heap.js'
import type { Now } from '../../core/kit/time.js'
import type { ServerTransaction } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import { LateAnswer, refusal, refusalOf, rejection, targetOf } from './answering.js'
import { draw } from './behaviour.js'
import type { Contents } from './contents.js'
import { pushIdOf } from './contents.js'
import type { UsageHost } from './host.js'
import { judge } from './judgement.js'
import type { Terminal } from './terminal.js'

export class Answers {
  /** @param contents asked for only when a body is not the content itself */
  constructor(private readonly host: UsageHost, private readonly heap: DeadlineHeap<object>, private readonly contents: () => Contents) {}

  /** A MESSAGE to a terminal that is on. */
  push(now: Now, terminal: Terminal, transaction: ServerTransaction): void {
    const { behaviour } = terminal.device
    if (behaviour.misbehaviour === 'never-answers') return this.host.endpoint.abandon(transaction)
    const response = this.toPush(now, transaction.request, terminal, this.host.isFromProxy(terminal, transaction.source))
    const delay = draw(behaviour.answerDelay, this.host.entropy)
    if (delay > 0) this.heap.arm(now.mono + delay, new LateAnswer(terminal, transaction, response))
    else this.give(now, terminal, transaction, response)
  }

  private toPush(now: Now, request: SipMessage, terminal: Terminal, fromProxy: boolean): SipMessage {
    const { reception } = this.host
    const { device } = terminal
    const { behaviour } = device
    const rejected = judge(request, device.applications, terminal.types, fromProxy)
    if (rejected !== 0) {
      reception.rejected(terminal, targetOf(request), pushIdOf(request), rejected, 'message')
      return rejection(request, rejected, terminal, this.host.newTag())
    }
    const refused = refusalOf(behaviour)
    if (refused !== undefined) {
      reception.refused(terminal, targetOf(request), pushIdOf(request), refused.status, 'message')
      return refusal(request, refused, this.host.newTag())
    }
    if (standsForContent(request) || device.capabilities.sizeMax < MESSAGE_BYTES_MAX) {
      const status = this.contents().take(now, terminal, request, 'message')
      if (status !== 0) return rejection(request, status, terminal, this.host.newTag())
    } else reception.taken(terminal, targetOf(request), pushIdOf(request), 'message')
    return responseTo(request, 200, undefined, this.host.newTag())
  }

  /** The final answer to any request, as the device behaves: at once, late, twice, or not at all. */
  give(now: Now, terminal: Terminal, transaction: ServerTransaction, response: SipMessage): void {
    const { endpoint } = this.host
    const { misbehaviour, lateMicros } = terminal.device.behaviour
    if (misbehaviour === 'never-answers') return endpoint.abandon(transaction)
    if (misbehaviour === 'answers-late') {
      this.heap.arm(now.mono + lateMicros, new LateAnswer(terminal, transaction, response))
      return
    }
    const second = misbehaviour === 'answers-twice' ? withAnotherTag(transaction.request, response, this.host.newTag()) : undefined
    endpoint.respond(now, transaction, response)
    if (second !== undefined) endpoint.send(now, second, transaction.source)
  }
}

/** A MESSAGE cannot be larger (RFC 3261 section 18.1.1: 65,535 octets with its headers over UDP; the gateway sends none over TCP either). */
const MESSAGE_BYTES_MAX = 65_536

/** message/external-body and message/partial; the name is written in lower case by everyone who is not testing us. */
function standsForContent(request: SipMessage): boolean {
  const type = request.get(Header.ContentType)
  return type !== undefined && (type.charCodeAt(0) | 32) === 109 && type.slice(0, 8).toLowerCase() === 'message/'
}

/** The same answer as another device would give it. */
function withAnotherTag(request: SipMessage, response: SipMessage, tag: string): SipMessage {
  const to = request.get(Header.To)!
  const other = response.clone()
  return to === response.get(Header.To) ? other : other.set(Header.To, composed(`${to};tag=${tag}`))
}
