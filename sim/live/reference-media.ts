/**
 * MSRP for the reference terminals: one endpoint on sockets of its own, and the description handler by which sip.js answers an
 * INVITE with it. The SIP side is that library's; what comes over MSRP is counted and checked as the fleet does it.
 */
import type { BodyAndContentType, SessionDescriptionHandler } from 'sip.js'
import type { Machine, Tick } from '../../core/kit/machine.js'
import type { NetworkIn, NetworkOut } from '../../core/kit/network.js'
import { Fifo } from '../../core/kit/fifo.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { SystemEntropy } from '../../core/live/entropy.js'
import type { MediaTls } from '../../core/live/media-tls.js'
import { Pump } from '../../core/live/pump.js'
import { Sockets } from '../../core/live/sockets.js'
import type { IncomingMessage, MsrpSession, MsrpUser } from '../../core/msrp/contract.js'
import { MsrpEndpoint } from '../../core/msrp/endpoint.js'
import { answerTo, lineFault, shareType } from '../../core/sdp/answer.js'
import { DISCARD_PORT, type Description, type MsrpMedia, SDP_TYPE } from '../../core/sdp/msrp-media.js'
import { parseDescription } from '../../core/sdp/parse.js'
import { descriptionText } from '../../core/sdp/write.js'
import { Receipt } from '../terminal/receipt.js'

type MediaIn = Tick | NetworkIn | { readonly type: 'do'; act(endpoint: MsrpEndpoint, now: Now): void }

/** What a session was opened for. */
export interface ReferenceUse {
  readonly types: readonly string[]
  /** Told of each content that came; '' when the message names no push. */
  received(pushId: string, status: number): void
}

/** The context of an MSRP session. */
interface Opened {
  readonly use: ReferenceUse
  readonly line: MsrpMedia
}

class MediaMachine implements Machine<MediaIn, NetworkOut> {
  readonly endpoint: MsrpEndpoint
  private readonly out = new Fifo<NetworkOut>()

  constructor(user: MsrpUser) {
    this.endpoint = new MsrpEndpoint({ ours: () => 'reference.invalid:9', accepts: () => false, entropy: new SystemEntropy(), user, emit: (out) => this.out.push(out) })
  }

  handle(now: Now, input: MediaIn): void {
    if (input.type === 'tick') this.endpoint.tick(now)
    else if (input.type === 'do') input.act(this.endpoint, now)
    else this.endpoint.input(now, input)
  }

  poll(): NetworkOut | undefined {
    return this.out.shift()
  }

  deadline(): Micros {
    return this.endpoint.deadline()
  }
}

export class ReferenceMedia {
  private readonly machine = new MediaMachine(userOf())
  private readonly sockets: Sockets
  private readonly pump: Pump<MediaIn, NetworkOut> = new Pump(this.machine, (out) => this.sockets.output(out), () => this.sockets.flush())

  /** @param tls what it shows in sessions over TLS; undefined where it speaks none */
  constructor(private readonly localAddress: string, private readonly tls: MediaTls | undefined) {
    this.sockets = new Sockets((input) => this.pump.input(input), undefined, tls)
    this.pump.start()
  }

  get openSessions(): number {
    return this.machine.endpoint.openSessions
  }

  /** The offer's first line that can be taken, by its place; -1 when there is none. */
  lineOf(offer: Description, types: readonly string[]): number {
    const transports = this.tls === undefined ? ['tcp'] as const : ['tcp', 'tls'] as const
    return offer.media.findIndex((line) => line.kind === 'msrp' && lineFault(line, transports, false) === undefined && shareType(types, line.acceptTypes))
  }

  /** Opens the line and gives the session with the answer; undefined when its path leads nowhere. */
  open(offer: Description, index: number, use: ReferenceUse): { readonly session: MsrpSession; readonly answer: Description } | undefined {
    const line = offer.media[index] as MsrpMedia
    let session: MsrpSession | undefined
    this.pump.input({
      type: 'do',
      act: (endpoint, now) => {
        const made = endpoint.session({ transport: line.transport, authority: `${this.localAddress}:${DISCARD_PORT}`, acceptTypes: use.types, context: { use, line } satisfies Opened })
        if (made.start(now, 'active', line.path.join(' '), line.fingerprints)) session = made
        else made.close(now)
      },
    })
    if (session === undefined) return undefined
    const ours = offer.media.map((_, place) => (place !== index ? 'refused' as const
      : { path: [session!.uri], port: DISCARD_PORT, acceptTypes: use.types, maxSize: undefined, setup: 'active' as const, fingerprint: this.tls?.fingerprint, direction: 'recvonly' as const }))
    return { session, answer: answerTo(offer, ours, { username: 'reference', sessionId: String(Date.now()), version: 1, host: this.localAddress }) }
  }

  close(session: MsrpSession): void {
    this.pump.input({ type: 'do', act: (_endpoint, now) => session.close(now) })
  }

  async stop(): Promise<void> {
    this.pump.stop()
    await this.sockets.close()
  }
}

function userOf(): MsrpUser {
  const openedOf = (message: IncomingMessage): Opened => message.session.context as Opened
  return {
    onBound: () => {},
    onDown: () => {},
    onMessage: (_now, message) => {
      message.context = new Receipt(openedOf(message).line.file?.selector, systemCrypto)
      return 'take'
    },
    onBytes: (_now, message, offset, bytes) => { (message.context as Receipt).add(offset, bytes) },
    onComplete: (_now, message, totalBytes) => {
      const { use } = openedOf(message)
      const status = (message.context as Receipt).isAsAnnounced(totalBytes) ? 200 : 400
      use.received(message.headers.find(({ name }) => name.toLowerCase() === 'x-push-id')?.value ?? '', status)
      return status
    },
    onAborted: () => {},
    onOutcome: () => {},
  }
}

/** How sip.js asks for the answer to an offer; a later offer is answered by a session of its own. */
export class ReferenceDescriptions implements SessionDescriptionHandler {
  private session: MsrpSession | undefined
  private answer = ''

  constructor(private readonly media: ReferenceMedia, private readonly use: ReferenceUse) {}

  close(): void {
    if (this.session !== undefined) this.media.close(this.session)
    this.session = undefined
  }

  hasDescription(contentType: string): boolean {
    return contentType === SDP_TYPE
  }

  setDescription(sdp: string): Promise<void> {
    this.close()
    const { description } = parseDescription(sdp)
    const index = description === undefined ? -1 : this.media.lineOf(description, this.use.types)
    const opened = index < 0 ? undefined : this.media.open(description!, index, this.use)
    if (opened === undefined) return Promise.reject(new Error('no line of the offer can be taken'))
    this.session = opened.session
    this.answer = descriptionText(opened.answer)
    return Promise.resolve()
  }

  getDescription(): Promise<BodyAndContentType> {
    return Promise.resolve({ body: this.answer, contentType: SDP_TYPE })
  }

  sendDtmf(): boolean {
    return false
  }
}
