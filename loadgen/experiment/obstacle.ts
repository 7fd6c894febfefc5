/**
 * Why a cell cannot be measured: the rule of the protocol, or of the scenario, that stops its pushes before they are sent. Such a cell is not
 * blank in a table; what forbids it is the answer. Knows rules and sizes, no experiment.
 */
import type { Scenario } from '../scenario.js'
import { brokenRules } from '../scenario-rules.js'

export interface Obstacle {
  /** The rule by its place: `RFC 3428 section 8`, or the key of the scenario that has to change. */
  readonly rule: string
  readonly words: string
}

/** RFC 3428 section 8 and RFC 3261 section 18.1.1: more must not go out where a hop is not congestion-controlled. */
const DATAGRAM_OCTETS_MAX = 1_300
/** What a gateway reckons for the head (docs/selection.md). */
const HEAD_OCTETS = 800
/** What its MESSAGE and NOTIFY hold at most over streams (docs/selection.md, selection.messageStreamMax). */
const STREAM_OCTETS_MAX = 65_536

export function obstacle(scenario: Scenario): Obstacle | undefined {
  const { push, gateway, terminals } = scenario
  const byDatagrams = gateway.transport === 'udp' ? 'the gateway' : terminals.transport === 'udp' ? 'the terminals' : undefined
  if ((push.binding === 'message' || push.binding === 'event') && byDatagrams !== undefined && push.size + HEAD_OCTETS > DATAGRAM_OCTETS_MAX) {
    const [method, rule] = push.binding === 'message' ? ['MESSAGE', 'RFC 3428 section 8'] : ['NOTIFY', 'RFC 3261 section 18.1.1']
    return {
      rule,
      words: `${push.size} octets and a head of about ${HEAD_OCTETS} are more than the ${DATAGRAM_OCTETS_MAX} a ${method} may have where ${byDatagrams} speak${byDatagrams === 'the gateway' ? 's' : ''} UDP: it has to change transport or is refused`,
    }
  }
  if (push.binding === 'event' && push.size > STREAM_OCTETS_MAX) {
    return { rule: 'selection.messageStreamMax', words: `${push.size} octets are more than the ${STREAM_OCTETS_MAX} a NOTIFY of this gateway holds` }
  }
  const [broken] = brokenRules(scenario)
  return broken === undefined ? undefined : { rule: broken.path.join('.'), words: broken.message }
}
