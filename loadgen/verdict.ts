/**
 * Whether a run may be believed, and why not, in words for people; and whether it reached its objective. Validity
 * comes before performance: each reason names the check, the measured value and the limit.
 */
import type { CHECKS, Ledger, LedgerFindings, Threshold, Verdict } from '../reports/record.js'
import { MICROS_PER_SECOND, type Micros } from '../core/kit/time.js'
import type { Bunching } from './reconcile/bunching.js'

export interface VerdictInput {
  readonly ledger: typeof Ledger.Type
  readonly findings: typeof LedgerFindings.Type
  readonly lagP99Micros: Micros
  /** The tightest delay limit of the traffic set, and the share of it the lag may take. */
  readonly tightestLimitMicros: Micros
  readonly lagShare: number
  /** Measured attempts planned, and those of them that never left. */
  readonly planned: number
  readonly unsent: number
  readonly attempts: number
  /** Of the duplicated copies, those at bad peers, who bring them on themselves. */
  readonly duplicatedAtBadPeers: number
  readonly inadequatelyHandled: number
  readonly inadequatelyHandledMax: number
  readonly population: RegisteredPopulation
  /** By measuring part (generator, terminals): seconds looked at, and those in which its busiest event loop was saturated. */
  readonly instruments: Readonly<Record<string, { readonly seconds: number; readonly saturated: number }>>
  /** By part: datagrams its own sockets lost from the begin of the measured window to the end of the drain. */
  readonly datagrams: Readonly<Record<string, DatagramLosses>>
  /** How long attempts waited for a connection of the initiator, which has so many and no more; absent where there are none. */
  readonly connectionWaitP99Micros?: Micros
  /** How evenly attempts left against their plan; undefined where nobody can tell. */
  readonly bunching?: Bunching | undefined
  /** That a load at one rate never came to rest, in words. */
  readonly growth?: string | undefined
  /** Limits of the set-up that were hit, in words, such as "admission: 12 submissions answered 503". */
  readonly capsHit: readonly string[]
  /** Parts that ended before the run did, in words. */
  readonly failures: readonly string[]
  readonly interrupted: string | undefined
}

/** How far the registration of the population came before the load: devices, and the time it took. */
export interface RegisteredPopulation {
  readonly provisioned: number
  readonly registered: number
  readonly refused: number
  /** Trying still, or waiting to try again. */
  readonly waiting: number
  readonly registrationSeconds: number
}

/** Datagrams lost on this machine, in none of the links that are modelled. */
export interface DatagramLosses {
  /** At a full receive buffer. */
  readonly dropped: number
  /** Not taken by the system for sending, or failed in receipt. */
  readonly failed: number
}

/** An event loop busier than this in a second has no room to be on time in it. */
export const SATURATED_SHARE = 0.95
/** One such second is a garbage collection; more of them than this share of the window are an instrument that measures itself. */
const SATURATED_SECONDS_SHARE = 0.1

/** What a sender may add to how attempts vary from piece to piece of time; all attempts of two pieces in one of them add 100 %. */
const BUNCHING_MAX = 0.5
/** Pieces of time in which bunches are looked for: at this share of the lag that is allowed they matter, and below ten milliseconds to nobody. */
const BUNCH_SHARE = 0.1
const BUNCH_MICROS_MIN: Micros = 10_000
/** Of fewer attempts a piece, chance alone moves enough across its ends to look like a bunch. */
const ATTEMPTS_PER_BUNCH_BIN = 5

/** @param lagMicros the lag that is allowed; @param perSecond attempts planned */
export function bunchBinMicros(lagMicros: Micros, perSecond: number): Micros {
  const few = perSecond > 0 ? ATTEMPTS_PER_BUNCH_BIN * MICROS_PER_SECOND / perSecond : 0
  return Math.max(BUNCH_MICROS_MIN, Math.round(lagMicros * BUNCH_SHARE), Math.round(few))
}

type Check = (typeof CHECKS)[number]
type Reason = readonly [check: Check, words: string]

export function verdictOf(input: VerdictInput): typeof Verdict.Type {
  const reasons = [
    ...input.failures.map((words): Reason => ['part', words]), ...balance(input), ...generator(input), ...population(input), ...instruments(input), ...datagrams(input),
    ...(input.growth === undefined ? [] : [['growth', `load: ${input.growth}`] as const]),
    ...connections(input),
    ...input.capsHit.map((cap): Reason => ['limit', `limit hit: ${cap}`]),
    ...(input.interrupted === undefined ? [] : [['interrupted', `interrupted: ${input.interrupted}`] as const]),
  ]
  return reasons.length === 0 ? { valid: true, reasons: [] } : { valid: false, reasons: reasons.map(([, words]) => words), checks: reasons.map(([check]) => check) }
}

function balance({ ledger, findings }: VerdictInput): Reason[] {
  if (findings.balanced) return []
  const ended = ledger.accepted - ledger.lost
  if (ledger.lost > 0) return [['ledger', `ledger: ${ledger.lost} of ${ledger.accepted} accepted pushes were lost (${ended} reconciled; 0 may be lost)`]]
  return [['ledger', `ledger: the journals contradict each other: ${findings.notes.join('; ') || 'the sums do not match'}`]]
}

function generator(input: VerdictInput): Reason[] {
  const reasons: Reason[] = []
  const lagLimit = input.tightestLimitMicros * input.lagShare
  if (input.attempts === 0) return [['load', 'load: no attempt fell into the measured window']]
  if (Number.isNaN(input.lagP99Micros)) reasons.push(['lag', 'generator lag: it was not measured, since no attempt was sent'])
  else if (!(input.lagP99Micros <= lagLimit)) {
    reasons.push(['lag', `generator lag: p99 ${millis(input.lagP99Micros)} is more than ${percent(input.lagShare)} of the tightest delay limit (${millis(lagLimit)})`])
  }
  if (input.unsent > 0) reasons.push(['unsent', `arrivals dropped: ${input.unsent} of ${input.planned} planned attempts were never sent`])
  const { bunching } = input
  if (bunching !== undefined && bunching.sent ** 2 - bunching.planned ** 2 > BUNCHING_MAX ** 2) {
    const { binMicros, planned, sent } = bunching
    reasons.push(['bunched', `arrivals bunched: attempts in each ${millis(binMicros)} vary by ${percent(sent)} of their mean as they left, by ${percent(planned)} as planned (${percent(BUNCHING_MAX)} may be added)`])
  }
  return reasons
}

function population({ population: { provisioned, registered, refused, waiting, registrationSeconds } }: VerdictInput): Reason[] {
  if (registered === provisioned) return []
  const words = `population: ${registered} devices were registered when the load began, ${provisioned} should have been`
  return [['population', `${words} (${refused} refused, ${waiting} still trying after ${registrationSeconds} s)`]]
}

function instruments(input: VerdictInput): Reason[] {
  return Object.entries(input.instruments).flatMap(([part, { seconds, saturated }]): Reason[] => {
    const limit = Math.max(1, Math.floor(seconds * SATURATED_SECONDS_SHARE))
    return saturated <= limit ? [] : [['saturation', `saturation: the ${part} had an event loop more than ${percent(SATURATED_SHARE)} busy in ${saturated} of ${seconds} seconds (limit ${limit})`]]
  })
}

/** The wait is in every latency, and it is the gateway that lets them wait; but the load is no longer the one that was planned. */
function connections({ connectionWaitP99Micros, tightestLimitMicros, lagShare }: VerdictInput): Reason[] {
  if (connectionWaitP99Micros === undefined || connectionWaitP99Micros <= tightestLimitMicros * lagShare) return []
  return [['limit', `limit hit: connections: all of the initiator's waited for answers, and attempts for one of them (p99 ${millis(connectionWaitP99Micros)}; limit ${millis(tightestLimitMicros * lagShare)})`]]
}

/** Each one costs a retransmission, half a second or more, that no device and no network asked for. */
function datagrams(input: VerdictInput): Reason[] {
  return Object.entries(input.datagrams).flatMap(([part, { dropped, failed }]): Reason[] => (dropped + failed === 0 ? [] : [
    ['datagrams', `datagrams: the ${part} lost ${dropped + failed} at its own sockets (${dropped} at a full receive buffer, ${failed} not sent or not received; 0 may be lost)`],
  ]))
}

export function thresholdsOf(input: VerdictInput): (typeof Threshold.Type)[] {
  const share = input.attempts === 0 ? 0 : input.inadequatelyHandled / input.attempts
  return [
    threshold('inadequately handled attempts', 100 * share, 100 * input.inadequatelyHandledMax, '%'),
    threshold('duplicated copies', input.ledger.duplicated - input.duplicatedAtBadPeers, 0, 'copies'),
  ]
}

function threshold(name: string, measured: number, limit: number, unit: string): typeof Threshold.Type {
  return { name, measured: Math.round(measured * 1e4) / 1e4, limit: Math.round(limit * 1e4) / 1e4, unit, passed: measured <= limit }
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10}%`
}

function millis(micros: number): string {
  return `${Math.round(micros / 10) / 100} ms`
}
