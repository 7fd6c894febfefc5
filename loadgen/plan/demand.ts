/**
 * What a network as planned asks for, before any node is counted: pushes, registrations, sessions, pushes that wait. Arithmetic of the plan
 * file alone; knows no measurement.
 */
import { MICROS_PER_SECOND, type Micros } from '../../core/kit/time.js'
import { little } from '../../reports/statistics/queueing.js'
import type { PlanFile } from './plan-file.js'

const HOUR_SECONDS = 3_600
const DAY_SECONDS = 86_400
const KIB = 1024
/** INVITE and its answer, the connection, the SEND and its answer. */
const SESSION_ROUND_TRIPS = 3

/** Of all nodes together. */
export interface Demand {
  /** Attempts per second, retries among them. */
  readonly pushes: number
  readonly kib: number
  /** Share of the pushes that go in a session. */
  readonly sessionShare: number
  readonly registrations: number
  readonly registered: number
  /** Sessions held at a time, on average. */
  readonly sessionErlangs: number
  /** Pushes under way to recipients who are there, on average, besides the time inside the system. */
  readonly travelMicros: Micros
  /** Pushes that wait for their recipient, at the peak. */
  readonly waiting: number
  readonly waitingOctets: number
}

export interface Demands {
  readonly busyHour: Demand
  /** The campaign within the busy hour; the busy hour itself where there is none. */
  readonly campaign: Demand
  /** Attempts of the campaign alone, and within which time. */
  readonly campaignPushes: number
  readonly campaignMicros: Micros
}

export function demandsOf(plan: PlanFile): Demands {
  const attempts = 1 + plan.retries.share * plan.retries.attempts
  const campaignRecipients = plan.subscribers * plan.campaign.recipients
  const busyPushes = plan.subscribers * plan.pushes / HOUR_SECONDS
  const campaignPerSecond = campaignRecipients * MICROS_PER_SECOND / plan.campaign.window
  const waitSeconds = meanWaitMicros(plan) / MICROS_PER_SECOND
  const waiting = little(busyPushes * plan.offline.share, waitSeconds)
  // Of a campaign no more can wait than it has recipients who are away.
  const campaignWaiting = Math.min(little(campaignPerSecond * plan.offline.share, waitSeconds), campaignRecipients * plan.offline.share)
  return {
    busyHour: demandAt(plan, busyPushes * attempts, waiting),
    campaign: demandAt(plan, (busyPushes + campaignPerSecond) * attempts, waiting + campaignWaiting),
    campaignPushes: campaignRecipients * attempts,
    campaignMicros: plan.campaign.window,
  }
}

function demandAt(plan: PlanFile, pushes: number, waiting: number): Demand {
  const { devices, contents, sessions, roaming, offline } = plan
  const octets = contents.reduce((sum, { size, share }) => sum + size * share, 0)
  const sessionShare = contents.reduce((sum, { size, share }) => sum + (size >= sessions.from ? share : 0), 0)
  const registered = plan.subscribers * devices.each * devices.registered
  const travelMicros = roaming.share * roaming.roundTrip + (1 - roaming.share) * roaming.homeRoundTrip
  const heldSeconds = (sessions.keep + SESSION_ROUND_TRIPS * travelMicros) / MICROS_PER_SECOND
  return {
    pushes, kib: octets / KIB, sessionShare, registered, travelMicros, waiting,
    registrations: registered * MICROS_PER_SECOND / devices.interval + plan.subscribers * devices.changes / DAY_SECONDS,
    // Nobody is found twice in a session that is kept: an upper bound.
    sessionErlangs: little(pushes * (1 - offline.share) * sessionShare, heldSeconds),
    waitingOctets: waiting * (octets + offline.overhead),
  }
}

/** The mean of the lesser of absence and lifetime: how long a push waits that cannot be delivered. */
export function meanWaitMicros({ offline: { absence, lifetime, times } }: Pick<PlanFile, 'offline'>): Micros {
  if (times === 'constant' || absence === 0) return Math.min(absence, lifetime)
  // ∫₀ᵀ e^(-t/A) dt
  return absence * (1 - Math.exp(-lifetime / absence))
}
