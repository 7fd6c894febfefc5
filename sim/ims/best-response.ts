/** Which of two final responses a forking proxy sends on when no branch brought a 2xx: RFC 3261 section 16.7 steps 6 and 7. */
import { Header, type HeaderId } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'

/** Within class 4xx these tell the sender how to try again with success, so they go first. */
const HELPFUL: ReadonlySet<number> = new Set([401, 407, 415, 420, 484])

/** The better of two; its challenges are joined by the other's, since each branch may want credentials of its own. */
export function betterResponse(one: SipMessage, other: SipMessage): SipMessage {
  const best = rank(other.status) < rank(one.status) ? other : one
  const rest = best === one ? other : one
  if (best.status === 401 || best.status === 407) {
    addAll(best, rest, Header.WwwAuthenticate)
    addAll(best, rest, Header.ProxyAuthenticate)
  }
  return best
}

/** Lower is better: any 6xx, then the lowest class; 16.7 step 6. */
function rank(status: number): number {
  if (status >= 600) return 0
  return Math.floor(status / 100) * 2 + (HELPFUL.has(status) ? 0 : 1)
}

function addAll(to: SipMessage, from: SipMessage, id: HeaderId): void {
  for (const value of from.getAll(id)) to.append(id, value)
}
