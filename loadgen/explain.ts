/**
 * What a scenario will do and need, before any load: attempts by row, recipients by Little's law, sockets, memory, disk,
 * time, and what its numbers will be able to show. Estimates from measured costs; knows no machine.
 */
import { MICROS_PER_SECOND } from '../core/kit/time.js'
import { count, duration, octets, rate } from '../reports/format.js'
import { LATE_MICROS } from './misbehaviour.js'
import { ROWS, type RowName, type Scenario } from './scenario.js'
import { formatShare } from '../core/live/units.js'
import { identitiesNeeded } from './traffic.js'

/** How long a push is taken to occupy its recipient's queue. */
const HELD_MICROS = 50_000
/** Resident memory of the parts without load, and what each device and attempt adds (journals joined in memory). */
const BASE_BYTES = 600e6
const DEVICE_BYTES = 6_000
const ATTEMPT_BYTES = 900
const JOURNAL_BYTES_PER_ATTEMPT = 1_700
const START_SECONDS = 4
/** Clean attempts needed to state 0.1 % at 95 % confidence (rule of three). */
const ATTEMPTS_FOR_PER_MILLE = 3_000

export interface Explanation {
  readonly attempts: number
  readonly measured: number
  readonly secondsMin: number
  readonly secondsMax: number
  readonly lines: readonly string[]
  /** What will probably spoil the run, in words. */
  readonly warnings: readonly string[]
}

/** @param pools how many recipients each row can choose from; @param devices of the whole population */
export function explain(scenario: Scenario, pools: Readonly<Record<Exclude<RowName, 'duplicate'>, number>>, devices: number): Explanation {
  const { load, population, terminals } = scenario
  const seconds = (micros: number): number => micros / MICROS_PER_SECOND
  const attempts = Math.round(load.rate * seconds(load.warmUp + load.duration))
  const measured = Math.round(load.rate * seconds(load.duration))
  const warnings: string[] = []
  const rows = ROWS.filter((row) => scenario.traffic[row].share > 0).map((row) => rowLine(scenario, row, measured, pools, warnings))
  const secondsMin = START_SECONDS + devices / terminals.registrationRate + seconds(load.warmUp + load.duration)
  const secondsMax = secondsMin + seconds(load.drainMax)
  const http = Math.max(4, Math.ceil(load.rate * HELD_MICROS / MICROS_PER_SECOND))
  const memory = BASE_BYTES + devices * DEVICE_BYTES + attempts * ATTEMPT_BYTES
  const lines = [
    `${scenario.name}, seed ${scenario.seed}`,
    '',
    line('load', `${load.arrival} arrivals, ${rate(load.rate)}: ${count(attempts)} attempts in ${duration(load.warmUp + load.duration)}`),
    line('', `${count(attempts - measured)} of them in the warm-up of ${duration(load.warmUp)}, which is not reported`),
    line('takes', `about ${Math.ceil(secondsMin)} s, at most ${Math.ceil(secondsMax)} s with the whole drain`),
    '',
    `  ${'traffic set'.padEnd(16)}${'share'.padStart(7)}${'attempts'.padStart(10)}${'per second'.padStart(12)}${'recipients'.padStart(12)}${'needed'.padStart(8)}${'limit'.padStart(9)}`,
    ...rows,
    '',
    line('population', `${count(population.subscribers)} subscribers, ${count(devices)} devices, ${terminals.reference} of them reference terminals`),
    line('', `registered at ${rate(terminals.registrationRate)} over ${terminals.transport.toUpperCase()}, ${terminals.workers} worker thread${terminals.workers === 1 ? '' : 's'}`),
    ...deviceLines(scenario),
    ...accessLines(scenario),
    line('sockets', `about ${count(http)} HTTP connections for submissions; SIP over ${scenario.gateway.transport.toUpperCase()} from the gateway`),
    line('memory', `about ${octets(memory)} for all parts`),
    line('disk', `about ${octets(attempts * JOURNAL_BYTES_PER_ATTEMPT)} of journals`),
    line('shows', measured >= ATTEMPTS_FOR_PER_MILLE
      ? 'failures of 0.1 % at 95 % confidence for the traffic set as a whole'
      : `at best failures of ${(300 / measured).toPrecision(2)} % at 95 % confidence (0.1 % needs ${count(ATTEMPTS_FOR_PER_MILLE)} attempts)`),
  ]
  return { attempts, measured, secondsMin, secondsMax, lines, warnings }
}

/** Only what is not as by default. */
function deviceLines({ population, gateway, push }: Scenario): string[] {
  const lines: string[] = []
  for (const [how, share] of Object.entries(population.misbehaving)) lines.push(`${formatShare(share)} of the subscribers have a bad peer: ${how}`)
  if (population.messageOnly > 0) lines.push(`${formatShare(population.messageOnly)} of the devices take MESSAGE and nothing else`)
  if (gateway.segment > 0) {
    const pieces = Math.ceil(push.size / gateway.segment)
    lines.push(push.size > gateway.segment ? `which get a content in at least ${count(pieces)} pieces, a MESSAGE each` : 'no content is larger than one piece')
  }
  return lines.map((text) => line('', text))
}

/** Only what is not as by default. */
function accessLines({ population, terminals, ims, tls }: Scenario): string[] {
  const lines: string[] = []
  for (const [network, share] of Object.entries(population.roaming)) lines.push(`${formatShare(share)} of them in ${network}, through its P-CSCF`)
  if (population.aka > 0) lines.push(`${formatShare(population.aka)} of them authenticated by AKAv1-MD5`)
  if (terminals.ownConnections > 0) {
    lines.push(`${formatShare(terminals.ownConnections)} of the devices register by RFC 5626${terminals.transport === 'udp' ? '' : ', each over a connection of its own'}${terminals.flows === 1 ? '' : ', and holds two flows at a time'}`)
  }
  if (ims.timers === 'radio') lines.push('a request to a silent terminal is given up after 128 s (TS 24.229 table 7.8)')
  if (ims.mode === 'split' && ims.transport === 'tls') lines.push('TLS between the nodes of the core')
  if (tls !== undefined) lines.push('sessions over TLS (msrps)')
  return lines.map((text) => line('', text))
}

function rowLine(scenario: Scenario, row: RowName, measured: number, pools: Readonly<Record<Exclude<RowName, 'duplicate'>, number>>, warnings: string[]): string {
  const { share, delayLimit } = scenario.traffic[row]
  const perSecond = scenario.load.rate * share
  const head = `  ${row.padEnd(16)}${formatShare(share).padStart(7)}${count(measured * share).padStart(10)}${perSecond.toFixed(1).padStart(12)}`
  if (row === 'duplicate') return `${head}${'–'.padStart(12)}${'–'.padStart(8)}${duration(delayLimit).padStart(9)}`
  // Pushes to somebody who is away queue up in any case; that is what the row is about.
  const waits = row === 'offlineReturns' || row === 'expires' || (row === 'misbehaving' && scenario.population.misbehaving['answers-late'] === undefined)
  const needed = waits ? 1 : identitiesNeeded(perSecond, row === 'misbehaving' ? LATE_MICROS : HELD_MICROS)
  if (pools[row] < needed) {
    warnings.push(`traffic.${row} aims ${perSecond.toFixed(0)} pushes/s at ${pools[row]} recipients: they will wait for one another (RFC 3428 section 8); ${needed} recipients would do`)
  }
  return `${head}${count(pools[row]).padStart(12)}${count(needed).padStart(8)}${duration(delayLimit).padStart(9)}`
}

function line(name: string, text: string): string {
  return `  ${name.padEnd(12)}${text}`
}
