/**
 * How an endpoint's messages leave: onto flows as octets, or to a neighbour in the same process as they are. Makes
 * branches and our Via. Knows transports and sizes, not transactions.
 */
import type { Entropy } from '../kit/entropy.js'
import { Fifo } from '../kit/fifo.js'
import type { Endpoint, Transport } from '../kit/network.js'
import type { Hop, SipEndpointOptions } from './endpoint-contract.js'
import { type Flow, Flows } from './endpoint-flows.js'
import { Header } from './header-names.js'
import { type HeaderText, composed } from './header-text.js'
import type { SipMessage } from './message.js'
import { BRANCH_COOKIE } from './via.js'
import { writeMessage } from './write.js'

/** RFC 3261 section 18.1.1: a larger request must not go out over UDP when the path's MTU is unknown. */
export const UDP_REQUEST_BYTES_MAX = 1_300
/** Random bits in a branch, so that nobody off the path can guess one (RFC 3261 section 8.1.1.7 asks for uniqueness only). */
const BRANCH_BITS = 80
/** Five bits a character: kit/entropy.ts. */
const BRANCH_LENGTH = BRANCH_COOKIE.length + BRANCH_BITS / 5

interface Passing {
  readonly hop: Hop
  readonly message: SipMessage
}

export class Wire {
  readonly flows: Flows
  private readonly entropy: Entropy
  private readonly sentBy: (transport: Transport) => string
  private readonly pass: SipEndpointOptions['pass']
  private readonly viaStarts: Partial<Record<Transport, { readonly sentBy: string; readonly text: HeaderText }>> = {}
  private readonly passings = new Fifo<Passing>()

  constructor(options: SipEndpointOptions) {
    this.flows = new Flows(options.emit)
    this.entropy = options.entropy
    this.sentBy = options.sentBy
    this.pass = options.pass
  }

  newBranch(): string {
    return BRANCH_COOKIE + this.entropy.token(BRANCH_BITS)
  }

  /** Over UDP it asks for `rport` (RFC 3581 section 3), last, so that an answer's Via begins with this text. */
  via(transport: Transport, branch: string): HeaderText {
    const text = this.viaStart(transport) + branch
    return (transport === 'udp' ? `${text};rport` : text) as HeaderText
  }

  /** Our Via up to the branch: checked once for each sent-by, since it is the same for every request. */
  private viaStart(transport: Transport): HeaderText {
    const sentBy = this.sentBy(transport)
    const known = this.viaStarts[transport]
    if (known !== undefined && known.sentBy === sentBy) return known.text
    const text = composed(`SIP/2.0/${transport.toUpperCase()} ${sentBy};branch=`)
    this.viaStarts[transport] = { sentBy, text }
    return text
  }

  /** The branch in a Via that begins as ours do; undefined for any other, which may still be ours, written differently. */
  ourBranch(line: string): string | undefined {
    const transport = line.startsWith('TCP', 8) ? 'tcp' : line.startsWith('UDP', 8) ? 'udp' : 'tls'
    const start = this.viaStart(transport).length
    return line.length >= start + BRANCH_LENGTH ? line.slice(start, start + BRANCH_LENGTH) : undefined
  }

  /** Is this sent-by one of ours (RFC 3261 section 18.1.2)? `port` 0 stands for none written. */
  isOurs(transport: string, host: string, port: number): boolean {
    const name = transport.toLowerCase()
    if (name !== 'udp' && name !== 'tcp' && name !== 'tls') return false
    return this.sentBy(name).toLowerCase() === (port === 0 ? host : `${host}:${port}`).toLowerCase()
  }

  /** Is there possibly a neighbour behind this hop? */
  mayPass(hop: Hop): boolean {
    return this.pass !== undefined && hop.flow === undefined
  }

  /** Hands over at once; false when the hop is not in this process. Never from within a transaction's transition. */
  passNow(hop: Hop, message: SipMessage): boolean {
    return this.pass!(hop, message)
  }

  /** Hands over when the transition under way has ended: see `settle`. */
  passSoon(hop: Hop, message: SipMessage): void {
    this.passings.push({ hop, message })
  }

  /** Hands over what waits, in order. Every entry into the endpoint ends with it. */
  settle(): void {
    for (let next = this.passings.shift(); next !== undefined; next = this.passings.shift()) this.pass!(next.hop, next.message)
  }

  /** False when it cannot be sent or queued. `to` is for UDP flows. */
  write(flow: Flow | undefined, bytes: Buffer, to: Endpoint | undefined): boolean {
    return flow !== undefined && this.flows.write(flow, bytes, flow.transport === 'udp' ? to : undefined)
  }

  /** A message outside any transaction; a request has our Via on top. Lost when it cannot be sent. */
  sendOnce(message: SipMessage, hop: Hop, branch: string): void {
    let bytes = writeMessage(message)
    if (message.isRequest && hop.transport === 'udp' && bytes.length > UDP_REQUEST_BYTES_MAX) {
      message.replaceFirst(Header.Via, this.via('tcp', branch))
      bytes = writeMessage(message)
      this.write(this.flows.towards(overTcp(hop)), bytes, undefined)
    } else this.write(this.flows.towards(hop), bytes, hop)
  }
}

/** The hop a request too large for UDP takes instead. */
export function overTcp(hop: Hop): Hop {
  return { transport: 'tcp', address: hop.address, port: hop.port }
}
