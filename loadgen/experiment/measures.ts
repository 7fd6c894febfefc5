/**
 * What an experiment compares: figures of one trial, each a quotient of what a part did and what it used in the same stretch of time,
 * so that trials of different length and load can be compared. Knows a run record, no experiment.
 */
import type { ExperimentAnswer, ResponseName } from '../../reports/answers/experiment.js'
import type { RunRecord } from '../../reports/record.js'

type ResponseRow = ExperimentAnswer['responses'][number]

/** In the order in which they are shown. */
export const RESPONSE_ROWS: readonly ResponseRow[] = [
  { name: 'gatewayCpuMicrosPerPush', words: 'gateway CPU per push', unit: 'us', better: 'lower' },
  { name: 'coreCpuMicrosPerPush', words: 'core network CPU per push', unit: 'us', better: 'lower' },
  { name: 'terminalsCpuMicrosPerPush', words: 'terminals CPU per push', unit: 'us', better: 'lower' },
  { name: 'wireBytesPerPush', words: 'octets on the wire per push', unit: 'bytes', better: 'lower' },
  { name: 'messagesPerPush', words: 'SIP and MSRP messages per push', unit: '', better: 'lower' },
  { name: 'sipMessagesPerPush', words: 'SIP messages per push', unit: '', better: 'lower' },
  { name: 'msrpMessagesPerPush', words: 'MSRP messages per push', unit: '', better: 'lower' },
  { name: 'endToEndP50Us', words: 'latency end to end, p50', unit: 'us', better: 'lower' },
  { name: 'endToEndP99Us', words: 'latency end to end, p99', unit: 'us', better: 'lower' },
  { name: 'deliveredPerSecond', words: 'delivered per second', unit: '/s', better: 'higher' },
  { name: 'inadequatelyHandledShare', words: 'inadequately handled', unit: 'share', better: 'lower' },
  { name: 'sessionsPerPush', words: 'sessions begun per push', unit: '', better: 'lower' },
  { name: 'stateHeld', words: 'dialogs and subscriptions held, mean', unit: '', better: 'lower' },
  { name: 'gatewayMemoryBytesMax', words: 'gateway memory, most', unit: 'bytes', better: 'lower' },
]

export type Measures = Partial<Record<ResponseName, number>>

/** How the gateway's counters call the ends a push may have. */
const ENDS = ['delivered', 'undeliverable', 'rejected', 'expired', 'aborted', 'timeout', 'cancelled', 'unknown'] as const
/** Pushes that ended in the window may be more or fewer than those that came by this share. */
const UNLIKE_MAX = 0.1

/**
 * @returns what the record tells; a figure per push is missing where no push was delivered in the window, and where those that came and those that ended
 * were not as many: work for a push that ends later, or came before, would be put down to others. Octets and messages are those at
 * the gateway's SIP and MSRP sockets and of the contents it hosts, both ways, headers of TCP and IP excluded.
 */
export function measuresOf({ work, stages, throughput, parts, scenarios }: RunRecord): Measures {
  const gateway = work?.['gateway']
  const delivered = gateway?.counts['delivered'] ?? 0
  const { endToEnd } = stages
  const attempts = scenarios.reduce((sum, row) => sum + row.attempts, 0)
  const late = scenarios.reduce((sum, row) => sum + row.inadequatelyHandled, 0)
  const measures: Measures = {
    deliveredPerSecond: throughput.deliveredPerSecond,
    ...(attempts === 0 ? {} : { inadequatelyHandledShare: late / attempts }),
    ...(endToEnd === undefined || endToEnd.count === 0 ? {} : { endToEndP50Us: endToEnd.p50Us, endToEndP99Us: endToEnd.p99Us }),
    ...(parts['gateway'] === undefined ? {} : { gatewayMemoryBytesMax: parts['gateway'].rssBytesMax }),
  }
  if (gateway === undefined || delivered === 0 || !isSteady(gateway.counts)) return measures
  const perPush = (...names: readonly string[]): number => names.reduce((sum, name) => sum + (gateway.counts[name] ?? 0), 0) / delivered
  const cpuPerPush = (part: string): number | undefined => {
    const used = work?.[part]
    // A part's samples need not lie where the gateway's do: rates of both, not sums.
    return used === undefined || used.seconds === 0 ? undefined : (1e6 * used.cpuSeconds / used.seconds) / (delivered / gateway.seconds)
  }
  const core = cpuPerPush('ims')
  const terminals = cpuPerPush('terminals')
  const { held } = gateway
  return {
    ...measures,
    gatewayCpuMicrosPerPush: 1e6 * gateway.cpuSeconds / delivered,
    ...(core === undefined ? {} : { coreCpuMicrosPerPush: core }),
    ...(terminals === undefined ? {} : { terminalsCpuMicrosPerPush: terminals }),
    wireBytesPerPush: perPush('wireBytesIn', 'wireBytesOut', 'contentBytesIn', 'contentBytesOut'),
    messagesPerPush: perPush('sipMessagesIn', 'sipMessagesOut', 'msrpMessagesIn', 'msrpMessagesOut'),
    sipMessagesPerPush: perPush('sipMessagesIn', 'sipMessagesOut'),
    msrpMessagesPerPush: perPush('msrpMessagesIn', 'msrpMessagesOut'),
    sessionsPerPush: perPush('sessions'),
    ...(held === undefined ? {} : { stateHeld: (held['dialogsOpen'] ?? 0) + (held['subscriptions'] ?? 0) }),
  }
}

function isSteady(counts: Readonly<Record<string, number>>): boolean {
  const came = counts['accepted'] ?? 0
  const ended = ENDS.reduce((sum, end) => sum + (counts[end] ?? 0), 0)
  return Math.abs(came - ended) <= UNLIKE_MAX * Math.max(came, ended)
}
