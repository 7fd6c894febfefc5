/**
 * An MSRP endpoint (RFC 4975): sessions over connections it opens or accepts, for one machine that owns it. Tells its own flows
 * from others', hands them what the network brings, and passes time on. What a message means is the owner's.
 */
import { assert } from '../kit/assert.js'
import type { FlowId, FlowUp, NetworkIn } from '../kit/network.js'
import type { Micros, Now } from '../kit/time.js'
import { Connection, type ConnectionOwner } from './connection.js'
import { MSRP_TICKET_FIRST, type MsrpEndpointContract, type MsrpEndpointOptions, type MsrpSession, type SessionOptions } from './contract.js'
import { Core } from './core.js'
import { Session } from './session.js'
import { parseUri } from './uri.js'

/** Connections an endpoint keeps open, or is opening, by its own doing. */
export const CONNECTIONS_OPENED_MAX = 16_384

export class MsrpEndpoint implements MsrpEndpointContract, ConnectionOwner {
  private readonly core: Core
  private readonly byFlow = new Map<FlowId, Connection>()
  private readonly byTicket = new Map<number, Connection>()
  /** Connections opened from here, by transport, address, port and lane: shared by all sessions that lead there (RFC 4975 section 5.4). */
  private readonly pool = new Map<string, Connection>()
  private nextTicket = MSRP_TICKET_FIRST
  private sessionCount = 0

  constructor(private readonly options: MsrpEndpointOptions) {
    this.core = new Core(options)
  }

  get openSessions(): number {
    return this.core.sessions.size
  }

  get connections(): number {
    return this.byFlow.size + this.byTicket.size
  }

  /** Requests and responses that came and that went, each chunk counted by itself. */
  get messages(): { readonly in: number; readonly out: number } {
    return { in: this.core.messagesIn, out: this.core.messagesOut }
  }

  deadline(): Micros {
    return this.core.deadline()
  }

  tick(now: Now): void {
    this.core.enter()
    this.core.tick(now)
    this.core.leave(now)
  }

  session(options: SessionOptions): MsrpSession {
    const { transport, authority = this.options.ours(transport) } = options
    const text = `${transport === 'tls' ? 'msrps' : 'msrp'}://${authority}/${this.core.newSessionId()};tcp`
    const uri = parseUri(text)
    assert(uri?.sessionId !== undefined, `"${authority}" cannot stand in an MSRP URI as host:port`)
    const session = new Session(this.core, this.connectionTo, ++this.sessionCount, uri, options)
    this.core.sessions.set(uri.sessionId, session)
    return session
  }

  input(now: Now, input: NetworkIn): void {
    if (input.type === 'flow-up') {
      this.core.enter()
      this.up(now, input)
    } else if (input.type === 'connect-failed') {
      const connection = this.byTicket.get(input.ticket)
      if (connection === undefined) return
      this.core.enter()
      this.byTicket.delete(input.ticket)
      this.forget(connection)
      connection.over(now, input.handshake === true ? 'handshake' : 'connect', input.reason)
    } else {
      const connection = this.byFlow.get(input.flow)
      if (connection === undefined) return
      this.core.enter()
      switch (input.type) {
        case 'bytes': connection.received(now, input.bytes); break
        case 'full': connection.full(); break
        case 'writable': connection.writable(now); break
        case 'flow-down':
          this.forget(connection)
          connection.over(now, 'connection', input.reason)
      }
    }
    this.core.leave(now)
  }

  closed(connection: Connection): void {
    this.forget(connection)
    this.core.emit({ type: 'close', flow: connection.flow })
  }

  private up(now: Now, { flow, ticket, transport, local, remote, certificate }: FlowUp): void {
    if (transport === 'udp' || remote === undefined) return
    let connection = ticket === undefined ? undefined : this.byTicket.get(ticket)
    if (ticket !== undefined) this.byTicket.delete(ticket)
    else if (this.options.accepts(local)) connection = new Connection(this.core, this, transport, undefined)
    if (connection === undefined) return
    this.byFlow.set(flow, connection)
    connection.up(now, flow, certificate)
  }

  private readonly connectionTo = (session: Session, address: string, port: number): Connection | undefined => {
    const { transport } = session.own
    const key = `${transport} ${address} ${port} ${session.lane}`
    const pooled = this.pool.get(key)
    if (pooled !== undefined) return pooled
    if (this.pool.size >= CONNECTIONS_OPENED_MAX) return undefined
    const connection = new Connection(this.core, this, transport, key)
    const ticket = this.nextTicket++
    this.pool.set(key, connection)
    this.byTicket.set(ticket, connection)
    this.core.emit({ type: 'connect', ticket, transport, remote: { address, port }, ...(transport === 'tls' ? { trust: 'fingerprint' as const } : {}) })
    return connection
  }

  private forget(connection: Connection): void {
    this.byFlow.delete(connection.flow)
    if (connection.poolKey !== undefined) this.pool.delete(connection.poolKey)
  }
}
