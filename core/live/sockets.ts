/**
 * Real UDP, TCP and TLS sockets as the flows of core/kit/network.ts: binds and listens, connects with a time limit,
 * gathers what a machine transmits within one event-loop turn into one write per flow, and keeps credit.
 * It knows bytes and addresses, never what they mean. A TLS flow is up when its handshake is done.
 *
 * Every flow-up is followed by exactly one flow-down, whoever ended the flow (also after the machine's own `close`),
 * except when `close()` ends everything: from then on nothing is reported.
 */
import { connect as netConnect, createServer, type Server, type Socket } from 'node:net'
import { connect as tlsConnect, createServer as createTlsServer, TLSSocket, type ConnectionOptions } from 'node:tls'
import { CONNECT_TIMEOUT_MICROS, type Endpoint, type FlowId, type NetworkIn, type NetworkOut, type Transport } from '../kit/network.js'
import type { PeerCertificate, TlsTrust } from '../kit/peer-certificate.js'
import { MICROS_PER_MILLI } from '../kit/time.js'
import { bindDatagrams, type DatagramFlow } from './datagrams.js'
import { mediaClientOptions, mediaServerOptions, peerCertificate, type MediaTls } from './media-tls.js'
import { StreamFlow } from './stream-flow.js'
import { clientOptions, serverOptions, type TlsMaterial } from './tls.js'

/** How many TCP and TLS connections, accepted and opened together, one driver holds. */
export const CONNECTIONS_MAX = 16_384

type StreamTransport = Exclude<Transport, 'udp'>
type Connect = Extract<NetworkOut, { type: 'connect' }>

const NO_CERTIFICATE = 'TLS is asked for, but no certificate is configured'

/** How many free ports are tried where UDP and TCP must share one number. */
const PORT_TRIES_MAX = 16

/** Running totals; lost datagrams are counted where they can be seen. */
export interface SocketCounters {
  /** Gauge: TCP and TLS connections that are up. */
  connections: number
  /** Accepted and dropped at once, or not opened, because CONNECTIONS_MAX was reached. */
  connectionsRefused: number
  /** TLS handshakes of who connected here that failed or took too long. */
  handshakesFailed: number
  bytesIn: number
  bytesOut: number
  datagramsIn: number
  datagramsOut: number
  /** Given by the machine and not taken by the system, or failed in receipt. */
  datagramsFailed: number
  /** `transmit` on a flow that was already down. */
  transmitsLate: number
}

export class Sockets {
  readonly counters: SocketCounters = {
    connections: 0, connectionsRefused: 0, handshakesFailed: 0, bytesIn: 0, bytesOut: 0, datagramsIn: 0, datagramsOut: 0, datagramsFailed: 0, transmitsLate: 0,
  }
  private readonly streams = new Map<FlowId, StreamFlow>()
  private readonly datagrams = new Map<FlowId, DatagramFlow>()
  /** On the way up: being connected, or accepted and shaking hands. */
  private readonly connecting = new Set<Socket>()
  private readonly servers: Server[] = []
  private readonly dirty: StreamFlow[] = []
  private flowLast: FlowId = 0
  private closed = false

  /**
   * @param report takes what happens on the network; called from socket callbacks and from within `output`
   * @param tls what TLS flows are made with whose peers are judged by authorities; without it there are none
   * @param media the same for peers that the machine judges by their fingerprint
   */
  constructor(private readonly report: (input: NetworkIn) => void, private readonly tls?: TlsMaterial, private readonly media?: MediaTls) {}

  /** What the machine wants of the network. TCP bytes are written by the next `flush`, datagrams leave at once. */
  output(output: NetworkOut): void {
    switch (output.type) {
      case 'transmit': {
        const stream = this.streams.get(output.flow)
        if (stream !== undefined) stream.transmit(output.bytes)
        else if (output.to !== undefined && this.datagrams.has(output.flow)) this.datagrams.get(output.flow)!.transmit(output.bytes, output.to)
        else this.counters.transmitsLate += 1
        return
      }
      case 'connect':
        this.connect(output)
        return
      case 'close':
        this.streams.get(output.flow)?.finish('closed by this side')
        this.datagrams.get(output.flow)?.close('closed by this side')
        return
    }
  }

  /** Writes what was gathered since the last call; the pump calls it at the end of each turn. */
  flush(): void {
    for (const flow of this.dirty) flow.flush()
    this.dirty.length = 0
  }

  /**
   * Binds one port for all `transports`, the wanted one or, where that is taken (or 0), a free one. TCP and TLS cannot share one.
   * Rejects when the address itself cannot be bound, or where TLS is asked for and this driver was given none.
   */
  async listen(transports: readonly Transport[], wanted: Endpoint, trust: TlsTrust = 'authority'): Promise<Endpoint> {
    for (let tries = 0, port = wanted.port; ; tries++, port = 0) {
      const held: { close(): void }[] = []
      try {
        // TCP first: the system's free TCP port is then asked for over UDP.
        for (const transport of [...transports].sort()) {
          const bound = transport === 'udp' ? await this.bindUdp(wanted.address, port) : await this.listenStream(transport, wanted.address, port, trust)
          held.push(bound)
          port = bound.port
        }
        return { address: wanted.address, port }
      } catch (error) {
        for (const bound of held) bound.close()
        const code = (error as NodeJS.ErrnoException).code
        if (code !== 'EADDRINUSE' || tries === PORT_TRIES_MAX) throw error
      }
    }
  }

  /** Datagrams the system dropped because a receive buffer was full, where the system tells (Linux); else 0. */
  datagramsDropped(): number {
    let total = 0
    for (const flow of this.datagrams.values()) total += flow.dropped()
    return total
  }

  /** Flushes, ends every connection, closes every socket; bounded by the linger time of stream-flow.ts. */
  async close(): Promise<void> {
    this.flush()
    this.closed = true
    for (const socket of this.connecting) socket.destroy()
    for (const flow of this.datagrams.values()) flow.close('the driver is closed')
    const ends = [...this.streams.values()].map((flow) => flow.finish('the driver is closed'))
    ends.push(...this.servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
    await Promise.all(ends)
  }

  private tell(input: NetworkIn): void {
    if (!this.closed) this.report(input)
  }

  private async bindUdp(address: string, port: number): Promise<{ port: number; close(): void }> {
    const id = ++this.flowLast
    const flow = await bindDatagrams({ address, port }, id, this.counters, (input) => {
      if (input.type === 'flow-down') this.datagrams.delete(id)
      this.tell(input)
    })
    this.datagrams.set(id, flow)
    this.tell({ type: 'flow-up', flow: id, transport: 'udp', local: flow.local, remote: undefined, ticket: undefined })
    return { port: flow.local.port, close: () => flow.close('the port was given back') }
  }

  private listenStream(transport: StreamTransport, address: string, port: number, trust: TlsTrust): Promise<{ port: number; close(): void }> {
    const server = transport === 'tcp' ? createServer({ noDelay: true }, (socket) => { if (this.admits(socket)) this.up(socket, 'tcp', undefined, undefined) }) : this.tlsServer(trust)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: address, port }, () => {
        server.off('error', reject)
        // After listening a server only errs on accept (no descriptor left): the peer sees a refused connection, we count it.
        server.on('error', () => { this.counters.connectionsRefused += 1 })
        this.servers.push(server)
        resolve({ port: portOf(server), close: () => { server.close() } })
      })
    })
  }

  private tlsServer(trust: TlsTrust): Server {
    const options = trust === 'fingerprint' ? this.media && mediaServerOptions(this.media) : this.tls && serverOptions(this.tls)
    if (options === undefined) throw new Error(NO_CERTIFICATE)
    // A TLS server gives out its sockets only after the handshake; until then the connection beneath is what there is to hold.
    const shaking = new Map<string, Socket>()
    const server = createTlsServer(options, (socket) => {
      const raw = shaking.get(peerOf(socket))
      if (raw !== undefined) this.connecting.delete(raw)
      shaking.delete(peerOf(socket))
      this.up(socket, 'tls', undefined, trust === 'fingerprint' ? peerCertificate(socket) : undefined)
    })
    server.on('connection', (raw: Socket) => {
      if (!this.admits(raw)) return
      const peer = peerOf(raw)
      shaking.set(peer, raw)
      this.connecting.add(raw)
      raw.once('close', () => {
        this.connecting.delete(raw)
        if (shaking.get(peer) === raw) shaking.delete(peer)
      })
    })
    server.on('tlsClientError', (_error, socket) => {
      this.counters.handshakesFailed += 1
      socket.destroy()
    })
    return server
  }

  /** False for one connection too many, which is gone then. */
  private admits(socket: Socket): boolean {
    if (this.streams.size + this.connecting.size < CONNECTIONS_MAX) return true
    this.counters.connectionsRefused += 1
    socket.destroy()
    return false
  }

  private connect({ ticket, transport, remote, trust }: Connect): void {
    if (this.closed) return
    if (this.streams.size + this.connecting.size >= CONNECTIONS_MAX) {
      this.counters.connectionsRefused += 1
      this.tell({ type: 'connect-failed', ticket, reason: `${CONNECTIONS_MAX} connections are open, which is the most this driver holds` })
      return
    }
    const secure = transport === 'tls' ? this.towards(remote, trust) : undefined
    if (transport === 'tls' && secure === undefined) {
      this.tell({ type: 'connect-failed', ticket, reason: NO_CERTIFICATE })
      return
    }
    let failure = 'the connection was closed before it was open'
    const socket = secure === undefined ? netConnect({ host: remote.address, port: remote.port }) : tlsConnect(secure)
    socket.setNoDelay(true)
    let shakes = false
    if (secure !== undefined) socket.once('connect', () => { shakes = true })
    const giveUp = (): void => {
      if (!this.connecting.has(socket)) return
      failure = `no ${shakes ? 'TLS handshake' : 'answer'} from ${remote.address}:${remote.port} within ${CONNECT_TIMEOUT_MICROS / 1_000_000} s`
      socket.destroy()
    }
    // Not at once: a process that was busy for so long has not yet heard of the answers that came meanwhile, which timers overtake.
    const timer = setTimeout(() => { setImmediate(giveUp) }, CONNECT_TIMEOUT_MICROS / MICROS_PER_MILLI)
    const onError = (error: Error): void => { failure = error.message }
    const onClose = (): void => {
      clearTimeout(timer)
      this.connecting.delete(socket)
      this.tell({ type: 'connect-failed', ticket, reason: failure, ...(shakes ? { handshake: true as const } : {}) })
    }
    this.connecting.add(socket)
    socket.on('error', onError)
    socket.once('close', onClose)
    socket.once(secure === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer)
      this.connecting.delete(socket)
      socket.off('close', onClose)
      this.up(socket, transport, ticket, trust === 'fingerprint' && socket instanceof TLSSocket ? peerCertificate(socket) : undefined)
      socket.off('error', onError)
    })
  }

  private towards(remote: Endpoint, trust: TlsTrust = 'authority'): ConnectionOptions | undefined {
    return trust === 'fingerprint' ? this.media && mediaClientOptions(this.media, remote) : this.tls && clientOptions(this.tls, remote)
  }

  private up(socket: Socket, transport: StreamTransport, ticket: number | undefined, certificate: PeerCertificate | undefined): void {
    const id = ++this.flowLast
    const flow = new StreamFlow(socket, id, this.counters, this.dirty, (input) => {
      if (input.type === 'flow-down') {
        this.streams.delete(id)
        this.counters.connections -= 1
      }
      this.tell(input)
    })
    this.streams.set(id, flow)
    this.counters.connections += 1
    this.tell({ type: 'flow-up', flow: id, transport, local: flow.local, remote: flow.remote, ticket, ...(certificate === undefined ? {} : { certificate }) })
  }
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`
}
