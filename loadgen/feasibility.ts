/**
 * Whether a scenario can run at all on a machine, by arithmetic alone and before any load: recipients by Little's law, sockets, ports, memory,
 * disk, rates. What cannot be is refused with its arithmetic; what will probably spoil the run is warned of. Estimates from
 * measured costs. Knows no system: its limits are handed in.
 */
import { MICROS_PER_SECOND, type Micros } from '../core/kit/time.js'
import { count, octets, rate } from '../reports/format.js'
import { isClosed, offeredBy, type Offered } from './load-shape.js'
import { LATE_MICROS } from './misbehaviour.js'
import { ROWS, type RowName, type Scenario } from './scenario.js'
import type { Trace } from './trace.js'
import { identitiesNeeded } from './traffic.js'

/** What a machine has; what is not known limits nothing. */
export interface MachineLimits {
  readonly cores: number
  /** Not in use. */
  readonly memoryBytes: number | undefined
  /** Where the run's folder is to be. */
  readonly diskBytes: number | undefined
  /** Open files a process may have. */
  readonly openFiles: number | undefined
  /** Ports for connections from here to one place. */
  readonly ports: number | undefined
}

/** How many recipients each row can choose from. */
export type Pools = Readonly<Record<Exclude<RowName, 'duplicate'>, number>>

export interface RowNeed {
  readonly row: RowName
  readonly share: number
  readonly perSecond: number
  /** Measured attempts. */
  readonly attempts: number
  /** Recipients there are, and how many it takes for pushes to wait seldom for one another; undefined of a row that has no recipients of its own. */
  readonly have: number | undefined
  readonly needed: number | undefined
}

export interface Remark {
  /** The key to change. */
  readonly path: string
  readonly message: string
}

export interface Feasibility extends Offered {
  readonly rows: readonly RowNeed[]
  readonly devices: number
  /** About; the second with the whole drain. */
  readonly secondsMin: number
  readonly secondsMax: number
  readonly httpConnections: number
  /** Connections from the terminals to the core network. */
  readonly accessConnections: number
  /** Open files of the part that needs most of them. */
  readonly openFiles: number
  readonly memoryBytes: number
  readonly diskBytes: number
  /** Why it cannot run; empty when it can. */
  readonly refusals: readonly Remark[]
  readonly warnings: readonly Remark[]
}

/** How long a push is taken to occupy its recipient's queue, besides the time its terminal takes. */
const HELD_MICROS: Micros = 50_000
/** Resident memory of the parts without load, and what each device and attempt adds (journals joined in memory). */
const BASE_BYTES = 600e6
const DEVICE_BYTES = 6_000
/** Of a connection of its own: buffers at both ends, and with TLS its state. */
const CONNECTION_BYTES = 20_000
const TLS_BYTES = 60_000
const ATTEMPT_BYTES = 900
const JOURNAL_BYTES_PER_ATTEMPT = 1_700
const START_SECONDS = 4
/** Of a part: its journal, its store, its timers, its listening sockets. */
const OTHER_FILES = 100
/** Connections the terminals share. */
const SHARED_CONNECTIONS = 8
const HTTP_CONNECTIONS_MAX = 256
/** What one thread plans, writes and reads at most, several times what was measured; and from where on lag has to be expected. */
const PER_SECOND_MAX = 50_000
const PER_SECOND_CAREFUL = 10_000
/** Rows whose pushes wait for their recipients by intent. */
const WAITING: ReadonlySet<RowName> = new Set(['offlineReturns', 'expires', 'anyone'])

/** @param devices of the whole population @param trace the one of a replay */
export function feasibilityOf(scenario: Scenario, pools: Pools, devices: number, machine: MachineLimits, trace: Trace | undefined): Feasibility {
  const { load, terminals } = scenario
  const seconds = (micros: number): number => micros / MICROS_PER_SECOND
  const offered = offeredBy(scenario, trace)
  const secondsMin = START_SECONDS + devices / terminals.registrationRate + seconds(load.warmUp + load.duration)
  const httpConnections = isClosed(load) ? load.closed.initiators : Math.min(HTTP_CONNECTIONS_MAX, Math.max(4, Math.ceil(seconds(offered.peakPerSecond * HELD_MICROS))))
  const own = terminals.transport === 'udp' ? 0 : Math.ceil(devices * terminals.ownConnections) * terminals.flows
  const each = CONNECTION_BYTES + (terminals.transport === 'tls' ? TLS_BYTES : 0)
  const needs: Feasibility = {
    ...offered,
    rows: ROWS.filter((row) => scenario.traffic[row].share > 0).map((row) => rowNeed(scenario, row, pools, offered)),
    devices,
    secondsMin,
    secondsMax: secondsMin + seconds(load.drainMax),
    httpConnections,
    accessConnections: own + SHARED_CONNECTIONS,
    openFiles: OTHER_FILES + Math.max(httpConnections, own + SHARED_CONNECTIONS),
    memoryBytes: BASE_BYTES + devices * DEVICE_BYTES + own * each + offered.attempts * ATTEMPT_BYTES,
    diskBytes: offered.attempts * JOURNAL_BYTES_PER_ATTEMPT,
    refusals: [],
    warnings: [],
  }
  const remarks = [...recipients(scenario, needs), ...rates(scenario, needs, machine), ...sockets(scenario, needs, machine), ...space(needs, machine)]
  const of = (severity: Severity): Remark[] => remarks.filter((remark) => remark.severity === severity).map(({ path, message }) => ({ path, message }))
  return { ...needs, refusals: of('refused'), warnings: of('warned') }
}

type Severity = 'refused' | 'warned'
interface Judged extends Remark {
  readonly severity: Severity
}

function rowNeed({ load, traffic, population }: Scenario, row: RowName, pools: Pools, offered: Offered): RowNeed {
  const { share } = traffic[row]
  const perSecond = offered.peakPerSecond * share
  const need = { row, share, perSecond, attempts: offered.measured * share }
  if (row === 'duplicate') return { ...need, have: undefined, needed: undefined }
  if (load.shape === 'campaign') return { ...need, have: pools[row], needed: Math.ceil(load.campaign.recipients * share) }
  // Pushes to somebody who is away queue up in any case; that is what the row is about.
  const waits = WAITING.has(row) || (row === 'misbehaving' && population.misbehaving['answers-late'] === undefined)
  return { ...need, have: pools[row], needed: waits ? 1 : identitiesNeeded(perSecond, heldMicros(row, population.answerDelay)) }
}

function heldMicros(row: RowName, answerDelay: Micros): Micros {
  return row === 'misbehaving' ? LATE_MICROS : HELD_MICROS + answerDelay
}

/** RFC 3428 section 8: one pending MESSAGE for each recipient. By Little's law `rate x time` of them are busy at once. */
function recipients({ load, population }: Scenario, { rows }: Feasibility): Judged[] {
  return rows.flatMap(({ row, perSecond, have, needed }): Judged[] => {
    if (have === undefined || needed === undefined || have >= needed) return []
    if (load.shape === 'campaign') {
      return [{ severity: 'refused', path: 'load.campaign.recipients', message: `${count(needed)} of them are to be of the row ${row}, which has ${count(have)} recipients; a campaign pushes to nobody twice` }]
    }
    const held = heldMicros(row, population.answerDelay)
    const busy = perSecond * held / MICROS_PER_SECOND
    // What waits for a bad peer ends by its lifetime.
    if (busy <= have || row === 'misbehaving') {
      return [{ severity: 'warned', path: `traffic.${row}`, message: `aims ${perSecond.toFixed(0)} pushes/s at ${have} recipients: they will wait for one another (RFC 3428 section 8); ${needed} recipients would do` }]
    }
    const words = `${rate(perSecond)} x ${held / 1_000} ms = ${busy.toFixed(1)} recipients are busy at once (Little's law), and there are ${count(have)}: the queue would only grow; ${count(needed)} recipients would do`
    return [{ severity: 'refused', path: `traffic.${row}`, message: words }]
  })
}

function rates({ load, terminals }: Scenario, { peakPerSecond, devices }: Feasibility, { cores }: MachineLimits): Judged[] {
  const remarks: Judged[] = []
  const path = isClosed(load) ? 'load.closed' : load.shape === 'steady' ? 'load.rate' : `load.${load.shape}`
  // The think time alone bounds a closed load, and answers take time too.
  if (peakPerSecond > PER_SECOND_MAX && !isClosed(load)) {
    remarks.push({ severity: 'refused', path, message: `${rate(peakPerSecond)} at its peak is more than the ${rate(PER_SECOND_MAX)} one generator can plan and write in its one thread` })
  } else if (peakPerSecond > PER_SECOND_CAREFUL * Math.min(1, cores / 2) && !isClosed(load)) {
    remarks.push({ severity: 'warned', path, message: `${rate(peakPerSecond)} at its peak, on ${cores} cores that all parts share, will make the generator late: look at its lag` })
  }
  if (!(terminals.registrationRate > 0) && devices > 0) {
    remarks.push({ severity: 'refused', path: 'terminals.registrationRate', message: `${count(devices)} devices at ${rate(terminals.registrationRate)} are never registered` })
  }
  return remarks
}

function sockets({ load, terminals }: Scenario, { httpConnections, accessConnections, devices }: Feasibility, machine: MachineLimits): Judged[] {
  const remarks: Judged[] = []
  const { ports, openFiles } = machine
  const own = terminals.transport === 'udp' ? 'terminals.flows' : 'terminals.ownConnections'
  const connections = `${count(devices)} devices x ${Math.round(terminals.ownConnections * 100)} % x ${terminals.flows} flow${terminals.flows === 1 ? '' : 's'} = ${count(accessConnections - SHARED_CONNECTIONS)} connections`
  if (ports !== undefined && accessConnections > ports) {
    remarks.push({ severity: 'refused', path: own, message: `${connections} to one address of the core network, and this machine has ${count(ports)} ports for it (net.ipv4.ip_local_port_range)` })
  }
  if (openFiles === undefined) return remarks
  if (accessConnections + OTHER_FILES > openFiles) {
    remarks.push({ severity: 'refused', path: own, message: `${connections}, and a process may have ${count(openFiles)} files open, ${OTHER_FILES} of them for other things (ulimit -n)` })
  }
  if (httpConnections + OTHER_FILES > openFiles) {
    const path = isClosed(load) ? 'load.closed.initiators' : 'load.rate'
    remarks.push({ severity: 'refused', path, message: `about ${count(httpConnections)} connections for submissions, and a process may have ${count(openFiles)} files open, ${OTHER_FILES} of them for other things (ulimit -n)` })
  }
  return remarks
}

function space({ memoryBytes, diskBytes, attempts, devices }: Feasibility, machine: MachineLimits): Judged[] {
  const remarks: Judged[] = []
  const path = attempts * ATTEMPT_BYTES > devices * DEVICE_BYTES ? 'load.duration' : 'population.subscribers'
  if (machine.memoryBytes !== undefined && memoryBytes > machine.memoryBytes) {
    const sum = `${octets(BASE_BYTES)} for the parts + ${count(devices)} devices x ${octets(DEVICE_BYTES)} + ${count(attempts)} attempts x ${ATTEMPT_BYTES} B and connections = about ${octets(memoryBytes)}`
    remarks.push({ severity: 'refused', path, message: `${sum} of memory, and ${octets(machine.memoryBytes)} are free` })
  }
  if (machine.diskBytes !== undefined && diskBytes > machine.diskBytes) {
    remarks.push({ severity: 'refused', path: 'load.duration', message: `${count(attempts)} attempts x ${octets(JOURNAL_BYTES_PER_ATTEMPT)} of journals = about ${octets(diskBytes)} on disk, and ${octets(machine.diskBytes)} are free` })
  }
  return remarks
}
