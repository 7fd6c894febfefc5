/**
 * The Route values that name one node (RFC 3261 section 16.4): by its host name or by an address it listens on. Knows the
 * text of Route lines; where the request goes next is the node's decision.
 */
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { removeFirstValue } from '../../core/sip/values.js'

const PORT = /^:\d+$/

export class OwnRoutes {
  private readonly lowerName: string

  /**
   * @param name the host name by which a Route names this node
   * @param addresses each `host[:port]` that is this node as well
   */
  constructor(readonly name: string, private readonly addresses: ReadonlySet<string> = new Set()) {
    this.lowerName = name.toLowerCase()
  }

  /** Takes this node's own values off the top of Route; the user part of the last one taken, '' without one, undefined when there was none. */
  take(copy: SipMessage): string | undefined {
    let user: string | undefined
    for (let line = copy.get(Header.Route); line !== undefined; line = copy.get(Header.Route)) {
      const own = this.userOf(line)
      if (own === undefined) break
      user = own
      removeFirstValue(copy, Header.Route)
    }
    return user
  }

  /** The user part of the first value of a Route line when its host is this node. Cuts no more than it must: every hop asks. */
  private userOf(line: string): string | undefined {
    const open = line.indexOf('<')
    const close = line.indexOf('>', open)
    const colon = line.indexOf(':', open)
    if (open < 0 || close < 0 || colon < 0 || colon > close) return undefined
    const at = line.indexOf('@', colon)
    const hostStart = at < 0 || at > close ? colon + 1 : at + 1
    let hostEnd = line.indexOf(';', hostStart)
    if (hostEnd < 0 || hostEnd > close) hostEnd = close
    const hostPort = line.slice(hostStart, hostEnd)
    const own = hostPort === this.name || this.addresses.has(hostPort) || this.isName(hostPort)
    return own ? line.slice(colon + 1, Math.max(colon + 1, hostStart - 1)) : undefined
  }

  /** The host is ours in other letter case, or with a port. */
  private isName(hostPort: string): boolean {
    const { length } = this.lowerName
    if (hostPort.length < length || (hostPort.length > length && !PORT.test(hostPort.slice(length)))) return false
    return hostPort.slice(0, length).toLowerCase() === this.lowerName
  }
}
