/**
 * Real UDP and TCP sockets as the flows of core/kit/network.ts: binds and listens, connects with a time limit,
 * gathers what a machine transmits within one event-loop turn into one write per flow, and keeps credit.
 * It knows bytes and addresses, never what they mean. TLS is refused here for now.
 *
 * Every flow-up is followed by exactly one flow-down, whoever ended the flow (also after the machine's own `close`),
 * except when `close()` ends everything: from then on nothing is reported.
 */
import { connect as netConnect, createServer, type Server, type Socket } from 'node:net'
import { CONNECT_TIMEOUT_MICROS, type Endpoint, type FlowId, type NetworkIn, type NetworkOut } from '../kit/network.js'
import { MICROS_PER_MILLI } from '../kit/time.js'
import { bindDatagrams, type DatagramFlow } from './datagrams.js'
import { StreamFlow } from './stream-flow.js'

/** How many TCP connections, accepted and opened together, one driver holds. */
export const CONNECTIONS_MAX = 16_384

/** How many free ports are tried where UDP and TCP must share one number. */
const PORT_TRIES_MAX = 16

/** Running totals; lost datagrams are counted where they can be seen. */
export interface SocketCounters {
  /** Gauge: TCP connections that are up. */
  connections: number
  /** Accepted and dropped at once, or not opened, because CONNECTIONS_MAX was reached. */
  connectionsRefused: number
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
    connections: 0, connectionsRefused: 0, bytesIn: 0, bytesOut: 0, datagramsIn: 0, datagramsOut: 0, datagramsFailed: 0, transmitsLate: 0,
  }
  private readonly streams = new Map<FlowId, StreamFlow>()
  private readonly datagrams = new Map<FlowId, DatagramFlow>()
  private readonly connecting = new Set<Socket>()
  private readonly servers: Server[] = []
  private readonly dirty: StreamFlow[] = []
  private flowLast: FlowId = 0
  private closed = false

  /** @param report takes what happens on the network; called from socket callbacks and from within `output` */
  constructor(private readonly report: (input: NetworkIn) => void) {}

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
        if (output.transport === 'tls') this.report({ type: 'connect-failed', ticket: output.ticket, reason: 'TLS is not offered by this driver' })
        else this.connect(output.ticket, output.remote)
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
   * Binds one port for all `transports`, the wanted one or, where that is taken (or 0), a free one.
   * Rejects when the address itself cannot be bound.
   */
  async listen(transports: readonly ('udp' | 'tcp')[], wanted: Endpoint): Promise<Endpoint> {
    for (let tries = 0, port = wanted.port; ; tries++, port = 0) {
      const held: { close(): void }[] = []
      try {
        // TCP first: the system's free TCP port is then asked for over UDP.
        for (const transport of [...transports].sort()) {
          const bound = transport === 'tcp' ? await this.listenTcp(wanted.address, port) : await this.bindUdp(wanted.address, port)
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

  private listenTcp(address: string, port: number): Promise<{ port: number; close(): void }> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true }, (socket) => {
        if (this.streams.size + this.connecting.size >= CONNECTIONS_MAX) {
          this.counters.connectionsRefused += 1
          socket.destroy()
          return
        }
        this.up(socket, undefined)
      })
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

  private connect(ticket: number, remote: Endpoint): void {
    if (this.closed) return
    if (this.streams.size + this.connecting.size >= CONNECTIONS_MAX) {
      this.counters.connectionsRefused += 1
      this.tell({ type: 'connect-failed', ticket, reason: `${CONNECTIONS_MAX} connections are open, which is the most this driver holds` })
      return
    }
    let failure = 'the connection was closed before it was open'
    const socket = netConnect({ host: remote.address, port: remote.port, noDelay: true })
    const timer = setTimeout(() => {
      failure = `no answer from ${remote.address}:${remote.port} within ${CONNECT_TIMEOUT_MICROS / 1_000_000} s`
      socket.destroy()
    }, CONNECT_TIMEOUT_MICROS / MICROS_PER_MILLI)
    const onError = (error: Error): void => { failure = error.message }
    const onClose = (): void => {
      clearTimeout(timer)
      this.connecting.delete(socket)
      this.tell({ type: 'connect-failed', ticket, reason: failure })
    }
    this.connecting.add(socket)
    socket.on('error', onError)
    socket.once('close', onClose)
    socket.once('connect', () => {
      clearTimeout(timer)
      this.connecting.delete(socket)
      socket.off('close', onClose)
      this.up(socket, ticket)
      socket.off('error', onError)
    })
  }

  private up(socket: Socket, ticket: number | undefined): void {
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
    this.tell({ type: 'flow-up', flow: id, transport: 'tcp', local: flow.local, remote: flow.remote, ticket })
  }
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
