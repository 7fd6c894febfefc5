/** The counters of a fleet as they begin: totals at zero, and gauges that are read where they stand. */
import type { FleetCounters } from './fleet-contract.js'
import type { Usages } from './usages.js'

/** @param flows connections that are up; @param usages undefined while no terminal has needed them */
export function countersOf(devices: number, flows: () => number, usages: () => Usages | undefined, openTransactions: () => number): FleetCounters {
  return {
    devices, registered: 0, registersSent: 0, registersAccepted: 0, registersChallenged: 0, registersPending: 0,
    registersRefused: 0, registersFailed: 0, received: 0, repeats: 0, refused: 0, rejectedByCheck: 0, unheard: 0, strays: 0,
    sessionBytes: 0, contentsAborted: 0, peersDistrusted: 0, subscribesSent: 0, notifies: 0, fetched: 0, fetchesFailed: 0, segmentsLost: 0,
    get flows() { return flows() },
    get sessions() { return usages()?.sessions.size ?? 0 },
    get mediaSessions() { return usages()?.sessions.media.openSessions ?? 0 },
    get mediaConnections() { return usages()?.sessions.media.connections ?? 0 },
    get subscriptions() { return usages()?.subscriptions.size ?? 0 },
    get fetches() { return usages()?.fetches.size ?? 0 },
    get segments() { return usages()?.segments.size ?? 0 },
    get transactions() { return openTransactions() },
  }
}
