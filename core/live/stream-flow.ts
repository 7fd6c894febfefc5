/**
 * One TCP or TLS connection as a flow: gathers transmits until `flush`, tells `full` and `writable`, and goes down exactly
 * once whatever the socket emits (end, error, close, in any order). It knows nothing of how the connection came about.
 */
import type { Socket } from 'node:net'
import { FLOW_BYTES_MAX, type Endpoint, type FlowId, type NetworkIn } from '../kit/network.js'
import type { SocketCounters } from './sockets.js'

/** How long a finished connection may still write out what it holds before it is cut. */
const LINGER_MILLIS = 2_000

/** From here on a copy costs more than a piece of its own in a write. */
const LARGE_BYTES = 16_384

export class StreamFlow {
  readonly local: Endpoint
  readonly remote: Endpoint
  private gathered: Buffer[] = []
  private gatheredBytes = 0
  private gatheredLarge = false
  private full = false
  private down = false
  private failure = 'the connection was closed'
  private readonly closed: Promise<void>

  constructor(
    private readonly socket: Socket,
    private readonly id: FlowId,
    private readonly counters: SocketCounters,
    private readonly dirty: StreamFlow[],
    private readonly report: (input: NetworkIn) => void,
  ) {
    this.local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 }
    this.remote = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    socket.on('data', this.onData)
    socket.on('drain', this.onDrain)
    socket.on('end', () => { void this.finish('the peer closed the connection') })
    socket.on('error', (error) => {
      this.failure = error.message
      this.goDown(error.message)
    })
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.goDown(this.failure)
        resolve()
      })
    })
  }

  transmit(bytes: Buffer): void {
    if (this.gathered.push(bytes) === 1) this.dirty.push(this)
    this.gatheredBytes += bytes.length
    if (bytes.length >= LARGE_BYTES) this.gatheredLarge = true
    if (!this.full && this.gatheredBytes + this.socket.writableLength > FLOW_BYTES_MAX) {
      this.full = true
      this.report({ type: 'full', flow: this.id })
    }
  }

  /** One write for all that was gathered: copying together costs less than a request object per message, up to a size. */
  flush(): void {
    const gathered = this.gathered
    if (gathered.length === 0 || this.socket.destroyed) return
    this.counters.bytesOut += this.gatheredBytes
    if (this.gatheredLarge) this.writeUncopied(gathered)
    else this.socket.write(joined(gathered))
    this.gathered = []
    this.gatheredBytes = 0
    this.gatheredLarge = false
  }

  /** Still one system call: a corked socket writes all its pieces at once. What is short is copied together all the same. */
  private writeUncopied(gathered: readonly Buffer[]): void {
    this.socket.cork()
    let first = 0
    for (let index = 0; index < gathered.length; index++) {
      if (gathered[index]!.length < LARGE_BYTES) continue
      if (index > first) this.socket.write(joined(gathered.slice(first, index)))
      this.socket.write(gathered[index]!)
      first = index + 1
    }
    if (first < gathered.length) this.socket.write(joined(gathered.slice(first)))
    this.socket.uncork()
  }

  /** Writes out what is held, then closes; cuts the connection when the peer does not take it. Resolves when the socket is gone. */
  finish(reason: string): Promise<void> {
    this.flush()
    this.goDown(reason)
    this.socket.destroySoon()
    if (!this.socket.destroyed) {
      const timer = setTimeout(() => this.socket.destroy(), LINGER_MILLIS)
      this.socket.once('close', () => clearTimeout(timer))
    }
    return this.closed
  }

  private goDown(reason: string): void {
    if (this.down) return
    this.down = true
    this.report({ type: 'flow-down', flow: this.id, reason })
  }

  private readonly onData = (bytes: Buffer): void => {
    if (this.down) return
    this.counters.bytesIn += bytes.length
    this.report({ type: 'bytes', flow: this.id, bytes })
  }

  // `drain` comes when the socket's own buffer is empty; what was gathered since makes it full again by itself.
  private readonly onDrain = (): void => {
    if (!this.full || this.down) return
    this.full = false
    this.report({ type: 'writable', flow: this.id })
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}
