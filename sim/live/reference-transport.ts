/**
 * A TCP or TLS connection to the P-CSCF as the transport sip.js asks for: whole messages in, text out. It knows what that stack
 * cannot take and takes it away; it never changes what a message means.
 */
import { connect, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { EmitterImpl, type Transport, TransportState } from 'sip.js'
import { clientOptions, type TlsMaterial } from '../../core/live/tls.js'
import { parseChallenge } from '../../core/sip/digest.js'
import { StreamFramer } from '../../core/sip/framing.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { writeMessage } from '../../core/sip/write.js'

export interface ReferenceTransportOptions {
  readonly proxy: { readonly address: string; readonly port: number }
  readonly localAddress: string
  /** TLS with these; TCP without. */
  readonly tls: TlsMaterial | undefined
  /** What its SUBSCRIBEs to oma-push ask for. */
  readonly subscribedApplications?: readonly string[]
}

/** The answer to a keep-alive (RFC 5626 section 4.4.1). */
const PONG = '\r\n'

export class ReferenceTransport implements Transport {
  /** Written into Via. */
  get protocol(): string {
    return this.options.tls === undefined ? 'TCP' : 'TLS'
  }

  readonly stateChange = new EmitterImpl<TransportState>()
  state = TransportState.Disconnected
  onConnect: (() => void) | undefined
  onDisconnect: ((error?: Error) => void) | undefined
  onMessage: ((message: string) => void) | undefined
  private socket: Socket | undefined

  constructor(_logger: unknown, private readonly options: ReferenceTransportOptions) {}

  isConnected(): boolean {
    return this.state === TransportState.Connected
  }

  connect(): Promise<void> {
    if (this.socket !== undefined) return Promise.resolve()
    const { proxy, localAddress, tls } = this.options
    this.enter(TransportState.Connecting)
    const raw = connect({ host: proxy.address, port: proxy.port, localAddress, noDelay: true })
    const socket = tls === undefined ? raw : tlsConnect({ ...clientOptions(tls, proxy), socket: raw })
    if (socket !== raw) raw.on('error', (error) => { socket.destroy(error) })
    const framer = new StreamFramer()
    this.socket = socket
    return new Promise((resolve, reject) => {
      let failure: Error | undefined
      socket.on('error', (error) => { failure = error })
      socket.on('data', (bytes) => this.receive(socket, framer, bytes))
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
        this.enter(TransportState.Connected)
        this.onConnect?.()
        resolve()
      })
      socket.once('close', () => {
        const wasUp = this.isConnected()
        this.socket = undefined
        this.enter(TransportState.Disconnected)
        const lost = failure ?? new Error('the P-CSCF closed the connection')
        reject(lost)
        if (wasUp) this.onDisconnect?.(lost)
      })
    })
  }

  disconnect(): Promise<void> {
    const { socket } = this
    if (socket === undefined) return Promise.resolve()
    // From here on its end is no loss.
    this.enter(TransportState.Disconnecting)
    return new Promise((resolve) => {
      socket.once('close', () => resolve())
      socket.destroySoon()
    })
  }

  dispose(): Promise<void> {
    return this.disconnect()
  }

  send(message: string): Promise<void> {
    if (this.socket === undefined) return Promise.reject(new Error('the connection to the P-CSCF is down'))
    this.socket.write(this.withApplications(message), 'utf8')
    return Promise.resolve()
  }

  /** sip.js compares the whole Event it wrote with the package of a NOTIFY's, so it cannot be told of parameters. */
  private withApplications(message: string): string {
    const { subscribedApplications } = this.options
    if (subscribedApplications === undefined || !message.startsWith('SUBSCRIBE ')) return message
    return message.replace(/^Event: oma-push\r$/m, `Event: oma-push;event-app-id="${subscribedApplications.join(',')}"\r`)
  }

  private receive(socket: Socket, framer: StreamFramer, bytes: Buffer): void {
    framer.push(bytes)
    for (let result = framer.next(); result !== undefined; result = framer.next()) {
      if (result.message !== undefined) this.onMessage?.(writeMessage(answerable(result.message)).toString('utf8'))
    }
    for (; framer.pings > 0; framer.pings--) socket.write(PONG)
    if (framer.fatal !== undefined) socket.destroy()
  }

  private enter(state: TransportState): void {
    if (this.state === state) return
    this.state = state
    this.stateChange.emit(state)
  }
}

/**
 * RFC 8760 section 2.4: of several challenges a client answers the first it can. sip.js looks at the first only and knows
 * MD5 only, so others are taken out where an MD5 one stands beside them.
 */
function answerable(message: SipMessage): SipMessage {
  if (message.status !== 401) return message
  const known = message.getAll(Header.WwwAuthenticate).find((line) => parseChallenge(line)?.algorithm === 'MD5')
  return known === undefined ? message : message.set(Header.WwwAuthenticate, known)
}
