/**
 * What a scenario will do and need, before any load, in lines for people: its schedule, attempts by row, recipients, sockets, memory, disk,
 * time, and what its numbers will be able to show. The figures come from feasibility.ts; knows no machine.
 */
import type { Micros } from '../core/kit/time.js'
import { count, duration, octets, rate } from '../reports/format.js'
import { resolvableShare } from '../reports/statistics/proportion.js'
import { formatShare } from '../core/live/units.js'
import type { Feasibility, MachineLimits, RowNeed } from './feasibility.js'
import { isClosed, stepsOf } from './load-shape.js'
import type { Scenario } from './scenario.js'

/** Clean attempts needed to state 0.1 % at 95 % confidence (rule of three). */
const ATTEMPTS_FOR_PER_MILLE = 3_000

/** At most 88 columns, but for names and texts of the scenario's own. */
export function explanation(scenario: Scenario, needs: Feasibility, machine: MachineLimits): string[] {
  const { load, population, terminals } = scenario
  return [
    `${scenario.name}, seed ${scenario.seed}`,
    '',
    ...loadLines(scenario, needs),
    line('', `${count(needs.attempts - needs.measured)} of them in the warm-up of ${duration(load.warmUp)}, which is not reported`),
    line('takes', `about ${Math.ceil(needs.secondsMin)} s, at most ${Math.ceil(needs.secondsMax)} s with the whole drain`),
    '',
    `  ${'traffic set'.padEnd(16)}${'share'.padStart(7)}${'attempts'.padStart(10)}${(load.shape === 'steady' ? 'per second' : 'at peak /s').padStart(12)}${'recipients'.padStart(12)}${'needed'.padStart(8)}${'limit'.padStart(9)}`,
    ...needs.rows.map((need) => rowLine(need, scenario.traffic[need.row].delayLimit)),
    '',
    line('population', `${count(population.subscribers)} subscribers, ${count(needs.devices)} devices, ${terminals.reference} of them reference terminals`),
    line('', `registered at ${rate(terminals.registrationRate)} over ${terminals.transport.toUpperCase()}, ${terminals.workers} worker thread${terminals.workers === 1 ? '' : 's'}`),
    ...deviceLines(scenario),
    ...accessLines(scenario),
    line('sockets', `about ${count(needs.httpConnections)} HTTP connections for submissions; SIP over ${scenario.gateway.transport.toUpperCase()} from the gateway`),
    line('', `${count(needs.accessConnections)} connections of terminals to the core network`),
    line('files', `at most ${count(needs.openFiles)} open in one part${ofThem(machine.openFiles, count)}`),
    line('memory', `about ${octets(needs.memoryBytes)} for all parts${ofThem(machine.memoryBytes, octets)}`),
    line('disk', `about ${octets(needs.diskBytes)} of journals${ofThem(machine.diskBytes, octets)}`),
    line('shows', shown(needs.measured)),
  ]
}

function loadLines(scenario: Scenario, { attempts, peakPerSecond }: Feasibility): string[] {
  const { load } = scenario
  const { rate: perSecond, ramp, stairs, spike, bursts, day, campaign, replay, closed } = load
  const told = (text: string): string[] => [line('load', `${text}: ${count(attempts)} attempts in ${duration(load.warmUp + load.duration)}`)]
  if (isClosed(load)) {
    return [
      line('load', `closed: ${count(closed.initiators)} initiators, ${duration(closed.think)} from an answer to the next submission`),
      line('', `at most ${count(attempts)} attempts in ${duration(load.warmUp + load.duration)}`),
      line('', 'a slow system is asked less, so latency tells less than in an open load'),
    ]
  }
  const arrivals = `${load.arrival} arrivals`
  switch (load.shape) {
    case 'steady': return told(`${arrivals}, ${rate(perSecond)}`)
    case 'ramp': return told(`${arrivals}, from ${rate(perSecond)} straight to ${rate(ramp.to)}`)
    case 'stairs': {
      const steps = stepsOf(load)
      const [first] = steps
      return [...told(`${arrivals}, ${steps.length} steps of ${duration(first!.to)} each`), line('', `${steps.map((step) => rate(step.perSecond)).slice(0, 8).join(', ')}${steps.length > 8 ? `, ... ${rate(peakPerSecond)}` : ''}; ${count(stairs.steps)} rows in the report`)]
    }
    case 'spike': return [...told(`${arrivals}, ${rate(perSecond)}`), line('', `${rate(peakPerSecond)} for ${duration(spike.length)}, ${duration(spike.at)} into the measured window`)]
    case 'bursts': return [...told(`${arrivals}, ${rate(perSecond)} on average`), line('', `bursts of ${rate(peakPerSecond)}, ${duration(bursts.burst)} long every ${duration(bursts.calm)} or so`)]
    case 'day': return [...told(`${arrivals}, ${rate(perSecond)} on average`), line('', `${rate(peakPerSecond)} at the busiest; a day passes in ${duration(day.length)}`)]
    case 'campaign': return [...told(`${arrivals}, ${rate(perSecond)} in the warm-up`), line('', `one content to ${count(campaign.recipients)} recipients within ${duration(campaign.window)}, none of them twice`)]
    case 'replay': return [...told(`the instants of ${replay.file}${replay.speed === 1 ? '' : `, ${replay.speed} times as fast`}`), line('', `${rate(peakPerSecond)} in the busiest second`)]
  }
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

function rowLine({ row, share, attempts, perSecond, have, needed }: RowNeed, delayLimit: Micros): string {
  const cells = [have, needed].map((value) => (value === undefined ? '–' : count(value)))
  return `  ${row.padEnd(16)}${formatShare(share).padStart(7)}${count(attempts).padStart(10)}${perSecond.toFixed(1).padStart(12)}${cells[0]!.padStart(12)}${cells[1]!.padStart(8)}${duration(delayLimit).padStart(9)}`
}

function shown(measured: number): string {
  if (measured >= ATTEMPTS_FOR_PER_MILLE) return 'failures of 0.1 % at 95 % confidence for the traffic set as a whole'
  if (measured < 1) return 'nothing: no attempt falls into the measured window'
  return `at best failures of ${(100 * resolvableShare(Math.round(measured), 0.95)).toPrecision(2)} % at 95 % confidence (0.1 %: ${count(ATTEMPTS_FOR_PER_MILLE)} attempts)`
}

/** What there is of it, where that is known. */
function ofThem(limit: number | undefined, words: (value: number) => string): string {
  return limit === undefined ? '' : `; ${words(limit)} there`
}

function line(name: string, text: string): string {
  return `  ${name.padEnd(12)}${text}`
}
