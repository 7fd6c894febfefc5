/**
 * The entry points of the core network: which takes the next request, and which rest because they said so (503 with
 * Retry-After, RFC 3261 section 21.5.4), could not be reached, or want less (RFC 7339); and the way to whoever a dialog names. Knows no requests.
 */
import type { Micros, Now } from '../../kit/time.js'
import type { Hop } from '../../sip/endpoint-contract.js'
import { composed, type HeaderText } from '../../sip/header-text.js'
import { OverloadThrottle, overloadReportOf } from '../../sip/overload-control.js'
import { parseUri, uriParam } from '../../sip/uri.js'
import type { NextHop } from '../settings.js'

export interface HopState {
  readonly hop: Hop
  readonly route: HeaderText
  restsUntil: Micros
  /** Of the place, whatever the number of connections to it. */
  readonly throttle: OverloadThrottle
}

const LITERAL = /^\d{1,3}(?:\.\d{1,3}){3}$/

/** How long a hop rests that could not be reached: short, since a restart of it takes seconds. */
export const UNREACHABLE_REST_MICROS: Micros = 1_000_000

export class Hops {
  private readonly hops: readonly HopState[]
  /** Entry points, whatever the number of connections to each. */
  readonly count: number
  private turn = 0

  constructor(nextHops: readonly NextHop[]) {
    this.hops = nextHops.flatMap((nextHop) => {
      const { transport, address, port, connections = 1 } = nextHop
      const route = routeOf(nextHop)
      const throttle = new OverloadThrottle()
      return Array.from({ length: connections }, (_, lane) => ({ hop: { transport, address, port, lane }, route, restsUntil: 0, throttle }))
    })
    this.count = nextHops.length
  }

  /** The next hop in turn that does not rest; undefined when all do. Whoever picks one sends to it. */
  pick(now: Now): HopState | undefined {
    for (let tried = 0; tried < this.hops.length; tried++) {
      const state = this.hops[this.turn]!
      this.turn = this.turn + 1 === this.hops.length ? 0 : this.turn + 1
      if (!isAwake(state, now)) continue
      state.throttle.sent(now.mono)
      return state
    }
    return undefined
  }

  /**
   * The way to the host of a URI, such as the first route of a dialog; undefined where that is no literal address. Who is one
   * of our next hops is reached by the connection to it.
   */
  to(text: string): Hop | undefined {
    const uri = parseUri(text)
    if (uri === undefined || uri.scheme === 'tel') return undefined
    const address = uri.host.startsWith('[') ? uri.host.slice(1, -1) : LITERAL.test(uri.host) ? uri.host : undefined
    if (address === undefined) return undefined
    const named = uri.scheme === 'sips' ? 'tls' : uriParam(uri, 'transport')?.toLowerCase()
    // RFC 3263 section 4.2.
    const port = uri.port === 0 ? (named === 'tls' ? 5061 : 5060) : uri.port
    for (const { hop } of this.hops) if (hop.address === address && hop.port === port && (named === undefined || hop.transport === named)) return hop
    return { transport: named === 'tls' || named === 'tcp' ? named : 'udp', address, port }
  }

  /** Where a request goes whose next hop is a host name: no name is resolved here, the core network knows its own. */
  get entry(): Hop {
    return this.hops[0]!.hop
  }

  anyAwake(now: Now): boolean {
    for (const state of this.hops) if (isAwake(state, now)) return true
    return false
  }

  /** Whether one of them takes requests at all, be it no more than so many a second: what waits for its turn there waits not long. */
  anyTaking(now: Now): boolean {
    for (const state of this.hops) if (state.restsUntil <= now.mono) return true
    return false
  }

  /** What an answer from this hop tells of its load. @param via our own, as it came back */
  heard(now: Now, hop: Hop, via: string): void {
    const report = overloadReportOf(via)
    if (report === undefined) return
    this.hops.find(({ hop: { address, port } }) => address === hop.address && port === hop.port)?.throttle.report(now.mono, report)
  }

  rest(now: Now, hop: Hop, micros: Micros): void {
    for (const state of this.hops) if (state.hop.address === hop.address && state.hop.port === hop.port) state.restsUntil = Math.max(state.restsUntil, now.mono + micros)
  }

  /** As `rest`, but never the last one awake: who said nothing may be the device behind it, for whom nobody else is to wait. */
  restUnlessLast(now: Now, hop: Hop, micros: Micros): void {
    for (const { hop: other, restsUntil } of this.hops) {
      if (restsUntil <= now.mono && (other.address !== hop.address || other.port !== hop.port)) return this.rest(now, hop, micros)
    }
  }

  /** When the first of them is awake again, provided that all rest; else `Infinity`. */
  deadline(now: Now): Micros {
    let first = Infinity
    for (const state of this.hops) {
      if (isAwake(state, now)) return Infinity
      first = Math.min(first, Math.max(state.restsUntil, state.throttle.readyAt(now.mono)))
    }
    return first
  }
}

function isAwake({ restsUntil, throttle }: HopState, { mono }: Now): boolean {
  return restsUntil <= mono && throttle.readyAt(mono) <= mono
}

/** A loose route to the hop (RFC 3261 section 16.12). */
function routeOf(hop: NextHop): HeaderText {
  const host = hop.address.includes(':') ? `[${hop.address}]` : hop.address
  const transport = hop.transport === 'udp' ? '' : `;transport=${hop.transport}`
  return composed(`<sip:${host}:${hop.port}${transport};lr>`)
}
