/**
 * The push initiators of the world: they submit what was planned, read the answers, acknowledge result notifications, and
 * write the initiator's journal. Documents cross as octets or unwritten; both say the same. Knows PAP, no push.
 */
import type { JournalEventName } from '../../core/kit/journal.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { decodePap } from '../../core/pap/decode.js'
import type { PapMessage } from '../../core/pap/documents.js'
import type { Submission } from '../../core/pap/submission.js'
import type { GatewayIn, GatewayOut, PapReply } from '../../core/push/contract.js'

/** One submission an initiator is to make. */
export interface PlannedSubmission {
  readonly attempt: number
  readonly row: string
  readonly pushId: string
  readonly address: string
  /** Its deliver-before as the journal has it; absent where it has none. */
  readonly deliverBeforeAt?: Micros
  readonly contentType: string
  readonly body: Buffer
  /** What `body` would say, in its place. */
  readonly submission?: Submission
}

export type HttpWay = 'submit' | 'answer' | 'notify' | 'acknowledge'

/** What surrounds the initiators. */
export interface InitiatorsHost {
  /** One way over an HTTP connection that is already open; the push it is about is named where it is known. */
  overHttp(now: Now, way: HttpWay, pushId: string, act: (then: Now) => void): void
  gatewayAlive(): boolean
  toGateway(input: Extract<GatewayIn, { type: 'pap-request' | 'notified' }>): void
  journal(now: Now, event: JournalEventName, pushId: string, address: string, details: readonly string[]): void
}

type Notify = Extract<GatewayOut, { type: 'notify' }>

const NO_OCTETS = Buffer.alloc(0)

export class Initiators {
  private readonly exchanges = new Map<number, PlannedSubmission>()
  private nextExchange = 0

  constructor(private readonly host: InitiatorsHost) {}

  submit(now: Now, submission: PlannedSubmission): void {
    const { pushId, address, row, attempt, deliverBeforeAt, contentType } = submission
    const number = String(attempt)
    this.host.journal(now, 'planned', pushId, address, deliverBeforeAt === undefined ? [row, number] : [row, number, String(deliverBeforeAt)])
    this.host.journal(now, 'sent', pushId, address, [number])
    const id = this.nextExchange++
    this.exchanges.set(id, submission)
    this.host.overHttp(now, 'submit', pushId, (then) => {
      if (!this.host.gatewayAlive()) this.unanswered(then, id, 'connection refused')
      else if (submission.submission === undefined) this.host.toGateway({ type: 'pap-request', id, initiator: 'anonymous', contentType, body: submission.body })
      else this.host.toGateway({ type: 'pap-request', id, initiator: 'anonymous', contentType, body: NO_OCTETS, submission: submission.submission })
    })
  }

  /** The gateway answers. */
  replied(now: Now, reply: PapReply): void {
    this.host.overHttp(now, 'answer', this.exchanges.get(reply.id)?.pushId ?? '', (then) => this.answered(then, reply))
  }

  /** The gateway posts a result notification. */
  notified(now: Now, notify: Notify): void {
    this.host.overHttp(now, 'notify', notify.document?.type === 'resultnotification-message' ? notify.document.pushId : '', (then) => this.taken(then, notify))
  }

  private answered(now: Now, { id, status, body, document }: PapReply): void {
    const exchange = this.exchanges.get(id)
    if (exchange === undefined) return
    this.exchanges.delete(id)
    const message = document ?? (status === 202 ? read(body) : undefined)
    const code = message?.type === 'push-response' ? String(message.result.code) : `http-${status}`
    this.host.journal(now, 'answered', exchange.pushId, exchange.address, [code, String(exchange.attempt)])
  }

  private taken(now: Now, { ticket, body, document }: Notify): void {
    const message = document ?? read(body)
    if (message?.type === 'resultnotification-message') {
      const { pushId, address, messageState, code, qualityOfService } = message
      const method = qualityOfService?.deliveryMethod
      this.host.journal(now, 'notified', pushId, address, [messageState, String(code), method === 'confirmed' || method === 'unconfirmed' ? method : '-'])
    }
    this.host.overHttp(now, 'acknowledge', '', () => this.host.toGateway({ type: 'notified', ticket, status: 202, body: '' }))
  }

  /** The gateway's connections are gone, and with them the answers that were awaited. */
  cutOff(now: Now): void {
    for (const id of [...this.exchanges.keys()]) this.unanswered(now, id, 'connection reset')
  }

  private unanswered(now: Now, id: number, reason: string): void {
    const exchange = this.exchanges.get(id)
    if (exchange === undefined) return
    this.exchanges.delete(id)
    this.host.journal(now, 'unanswered', exchange.pushId, exchange.address, [reason, String(exchange.attempt)])
  }
}

function read(body: string): PapMessage | undefined {
  const document = decodePap(body)
  return document.ok ? document.message : undefined
}
