/**
 * The entry points of the core network: which takes the next request, and which rest because they said so (503 with
 * Retry-After, RFC 3261 section 21.5.4) or could not be reached. Knows no requests.
 */
import type { Micros, Now } from '../kit/time.js'
import type { Hop } from '../sip/endpoint-contract.js'
import { composed, type HeaderText } from '../sip/header-text.js'
import type { NextHop } from './settings.js'

export interface HopState {
  readonly hop: Hop
  readonly route: HeaderText
  restsUntil: Micros
}

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
      return Array.from({ length: connections }, (_, lane) => ({ hop: { transport, address, port, lane }, route, restsUntil: 0 }))
    })
    this.count = nextHops.length
  }

  /** The next hop in turn that does not rest; undefined when all do. */
  pick(now: Now): HopState | undefined {
    for (let tried = 0; tried < this.hops.length; tried++) {
      const state = this.hops[this.turn]!
      this.turn = this.turn + 1 === this.hops.length ? 0 : this.turn + 1
      if (state.restsUntil <= now.mono) return state
    }
    return undefined
  }

  anyAwake(now: Now): boolean {
    for (const state of this.hops) if (state.restsUntil <= now.mono) return true
    return false
  }

  rest(now: Now, hop: Hop, micros: Micros): void {
    for (const state of this.hops) if (state.hop.address === hop.address && state.hop.port === hop.port) state.restsUntil = Math.max(state.restsUntil, now.mono + micros)
  }

  /** When the first of them is awake again, provided that all rest; else `Infinity`. */
  deadline(now: Now): Micros {
    let first = Infinity
    for (const state of this.hops) {
      if (state.restsUntil <= now.mono) return Infinity
      first = Math.min(first, state.restsUntil)
    }
    return first
  }
}

/** A loose route to the hop (RFC 3261 section 16.12). */
function routeOf(hop: NextHop): HeaderText {
  const host = hop.address.includes(':') ? `[${hop.address}]` : hop.address
  const transport = hop.transport === 'udp' ? '' : `;transport=${hop.transport}`
  return composed(`<sip:${host}:${hop.port}${transport};lr>`)
}
