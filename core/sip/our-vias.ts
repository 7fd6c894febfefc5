/**
 * The Via values one element writes into requests, and how it knows them again in responses (RFC 3261 sections 8.1.1.7
 * and 18.1.2). Knows its sent-by and chance; nothing of transactions or flows.
 */
import type { Entropy } from '../kit/entropy.js'
import type { Transport } from '../kit/network.js'
import { type HeaderText, composed } from './header-text.js'
import { OVERLOAD_OFFER } from './overload-control.js'
import { BRANCH_COOKIE } from './via.js'

/** Random bits in a branch, so that nobody off the path can guess one (RFC 3261 section 8.1.1.7 asks for uniqueness only). */
const BRANCH_BITS = 80
/** Five bits a character: kit/entropy.ts. */
const BRANCH_LENGTH = BRANCH_COOKIE.length + BRANCH_BITS / 5

export class OurVias {
  private readonly starts: Partial<Record<Transport, { readonly sentBy: string; readonly text: HeaderText }>> = {}

  private readonly offer: string

  /** @param sentBy `host[:port]`, by transport @param offersOverloadControl whether each Via says that its sender understands RFC 7339 */
  constructor(private readonly sentBy: (transport: Transport) => string, private readonly entropy: Entropy, offersOverloadControl = false) {
    this.offer = offersOverloadControl ? OVERLOAD_OFFER : ''
  }

  newBranch(): string {
    return BRANCH_COOKIE + this.entropy.token(BRANCH_BITS)
  }

  /** Over UDP it asks for `rport` (RFC 3581 section 3), last, so that an answer's Via begins with this text. */
  text(transport: Transport, branch: string): HeaderText {
    const text = this.start(transport) + branch + this.offer
    return (transport === 'udp' ? `${text};rport` : text) as HeaderText
  }

  /** The branch in a Via that begins as ours do; undefined for any other, which may still be ours, written differently. */
  branchOf(line: string): string | undefined {
    const transport = line.startsWith('TCP', 8) ? 'tcp' : line.startsWith('UDP', 8) ? 'udp' : 'tls'
    const start = this.start(transport).length
    return line.length >= start + BRANCH_LENGTH ? line.slice(start, start + BRANCH_LENGTH) : undefined
  }

  /** Is this sent-by one of ours (RFC 3261 section 18.1.2)? `port` 0 stands for none written. */
  isOurs(transport: string, host: string, port: number): boolean {
    const name = transport.toLowerCase()
    if (name !== 'udp' && name !== 'tcp' && name !== 'tls') return false
    return this.sentBy(name).toLowerCase() === (port === 0 ? host : `${host}:${port}`).toLowerCase()
  }

  /** Our Via up to the branch: checked once for each sent-by, since it is the same for every request. */
  private start(transport: Transport): HeaderText {
    const sentBy = this.sentBy(transport)
    const known = this.starts[transport]
    if (known !== undefined && known.sentBy === sentBy) return known.text
    const text = composed(`SIP/2.0/${transport.toUpperCase()} ${sentBy};branch=`)
    this.starts[transport] = { sentBy, text }
    return text
  }
}
