/**
 * Queueing formulas for planning. Rates and times in any one unit of time that is used throughout (pushes per second and seconds, say); loads in
 * erlang, which have none. Formulas of the steady state: at a load that never settles they give Infinity, not an error.
 */
import { demand, demandCount, demandShare } from './misuse.js'

export interface Queue {
  /** Busy servers over servers; from 1 on the queue grows without end. */
  readonly utilisation: number
  /** How likely an arrival is to wait at all. */
  readonly waitProbability: number
  readonly meanWait: number
  /** Waiting and being served. */
  readonly meanTime: number
  readonly meanWaiting: number
  /** Waiting or being served. */
  readonly meanPresent: number
}

/**
 * How likely an arrival finds all of `servers` busy and is lost, at a load of `erlangs`, whatever the service times are distributed like
 * (A. K. Erlang 1917, formula B).
 */
export function erlangB(servers: number, erlangs: number): number {
  demandCount(servers, 0, 'the number of servers')
  demand(erlangs >= 0 && Number.isFinite(erlangs), `the load must be a finite number of erlangs of at least 0; it is ${erlangs}`)
  let blocked = 1
  for (let server = 1; server <= servers; server++) blocked = (erlangs * blocked) / (server + erlangs * blocked)
  return blocked
}

/** The fewest servers (session slots, ports) that lose at most the share `blocking` of arrivals at a load of `erlangs`. */
export function serversForBlocking(erlangs: number, blocking: number): number {
  demandShare(blocking, 'the share that may be lost')
  demand(erlangs >= 0 && erlangs <= 1e8, `the load must be from 0 to 100 million erlangs; it is ${erlangs}`)
  let servers = 0
  let blocked = 1
  while (blocked > blocking) {
    servers++
    blocked = (erlangs * blocked) / (servers + erlangs * blocked)
  }
  return servers
}

/**
 * How likely an arrival has to wait for one of `servers` at a load of `erlangs` (A. K. Erlang 1917, formula C; L. Kleinrock, "Queueing systems" I,
 * section 3.5).
 */
export function erlangC(servers: number, erlangs: number): number {
  demandCount(servers, 1, 'the number of servers')
  const blocked = erlangB(servers, erlangs)
  return erlangs >= servers ? 1 : blocked / (1 - (erlangs / servers) * (1 - blocked))
}

/** M/M/c: Poisson arrivals, exponential service times of mean `serviceTime`, `servers` servers with one queue (Kleinrock I, section 3.5). */
export function mmc(arrivalRate: number, serviceTime: number, servers: number): Queue {
  demandLoad(arrivalRate, serviceTime)
  const erlangs = arrivalRate * serviceTime
  const waitProbability = erlangC(servers, erlangs)
  const meanWait = erlangs >= servers ? Infinity : (waitProbability * serviceTime) / (servers - erlangs)
  return queue(arrivalRate, serviceTime, servers, waitProbability, meanWait)
}

/**
 * M/G/1: Poisson arrivals, one server, service times of mean `serviceTime` and standard deviation over mean `variation` (0 is constant, 1
 * exponential). The wait is Pollaczek and Khinchine's (Kleinrock I, section 5.6).
 */
export function mg1(arrivalRate: number, serviceTime: number, variation: number): Queue {
  demandLoad(arrivalRate, serviceTime)
  demand(variation >= 0 && Number.isFinite(variation), `the coefficient of variation must be a finite number of at least 0; it is ${variation}`)
  const utilisation = arrivalRate * serviceTime
  const meanWait = utilisation >= 1 ? Infinity : (utilisation * serviceTime * (1 + variation ** 2)) / (2 * (1 - utilisation))
  return queue(arrivalRate, serviceTime, 1, Math.min(1, utilisation), meanWait)
}

/**
 * Little's law (J. Little, "A proof for the queuing formula L = λW", Operations Research 1961): how many are present when they come at
 * `arrivalRate` and stay `meanTime`.
 */
export function little(arrivalRate: number, meanTime: number): number {
  demand(arrivalRate >= 0 && meanTime >= 0, `neither the arrival rate (${arrivalRate}) nor the time (${meanTime}) may be negative`)
  return arrivalRate === 0 ? 0 : arrivalRate * meanTime
}

function queue(arrivalRate: number, serviceTime: number, servers: number, waitProbability: number, meanWait: number): Queue {
  const meanTime = meanWait + serviceTime
  return {
    utilisation: (arrivalRate * serviceTime) / servers, waitProbability, meanWait, meanTime,
    meanWaiting: little(arrivalRate, meanWait), meanPresent: little(arrivalRate, meanTime),
  }
}

function demandLoad(arrivalRate: number, serviceTime: number): void {
  demand(arrivalRate >= 0 && Number.isFinite(arrivalRate), `the arrival rate must be a finite number of at least 0; it is ${arrivalRate}`)
  demand(serviceTime > 0 && Number.isFinite(serviceTime), `the service time must be a finite number above 0; it is ${serviceTime}`)
}
