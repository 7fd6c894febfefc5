/**
 * The door of an HTTP server: opened on the wanted port, or on a free one where that is taken; shut to new connections, and
 * closed when what is under way has had a moment. Knows no request.
 */
import type { AddressInfo, Server } from 'node:net'
import type { Endpoint } from '../kit/network.js'

const BACKLOG = 1_024

/** What HTTP's servers, with and without TLS and whatever their messages are, have in common. */
type HttpServer = Server & { closeIdleConnections(): void; closeAllConnections(): void }

export class HttpDoor {
  private closed: Promise<void> | undefined

  constructor(private readonly server: HttpServer) {}

  /** Once true, a connection is not kept beyond the answer it waits for. */
  get isShut(): boolean {
    return this.closed !== undefined
  }

  /** Listens on the wanted port, or on a free one where that is taken (or 0). Rejects where the address cannot be bound. */
  async listen(wanted: Endpoint): Promise<Endpoint> {
    try {
      return await this.bind(wanted)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      return this.bind({ address: wanted.address, port: 0 })
    }
  }

  /** Takes no new connection; those with an exchange on them stay. */
  shut(): void {
    if (this.closed !== undefined) return
    this.closed = new Promise((resolve) => { this.server.close(() => resolve()) })
    this.server.closeIdleConnections()
  }

  /** Ends everything; what is still open after so long is cut. */
  async close(patienceMillis: number): Promise<void> {
    this.shut()
    this.server.closeIdleConnections()
    const cut = setTimeout(() => this.server.closeAllConnections(), patienceMillis)
    await this.closed
    clearTimeout(cut)
  }

  private bind(wanted: Endpoint): Promise<Endpoint> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen({ host: wanted.address, port: wanted.port, backlog: BACKLOG }, () => {
        this.server.off('error', reject)
        this.server.on('error', () => {})
        resolve({ address: wanted.address, port: (this.server.address() as AddressInfo).port })
      })
    })
  }
}
