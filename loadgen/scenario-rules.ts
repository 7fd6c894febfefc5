/**
 * Rules between the keys of a scenario, which the schema of single values cannot state. Each broken rule names the
 * key to change. Knows no file and no line: the reader that found the keys adds those.
 */
import { Schema } from 'effect'
import { MICROS_PER_SECOND } from '../core/kit/time.js'
import { isClosed, offeredBy } from './load-shape.js'
import { ATTEMPTS_MAX } from './pacing.js'
import { LATE_MICROS, longestAttempt, MISBEHAVIOURS } from './misbehaviour.js'
import { MESSAGE_OCTETS_MAX, ROWS, Scenario } from './scenario.js'
import { thresholdRules } from './thresholds/rules.js'
import { formatDuration, formatShare } from '../core/live/units.js'

export interface BrokenRule {
  readonly path: readonly string[]
  readonly message: string
}

export function brokenRules(scenario: Scenario): readonly BrokenRule[] {
  return [...loadRules(scenario), ...trafficRules(scenario), ...populationRules(scenario), ...badPeerRules(scenario), ...pushRules(scenario), ...accessRules(scenario), ...thresholdRules(scenario)]
}

function accessRules({ tls, gateway, ims, terminals, population }: Scenario): BrokenRule[] {
  const broken: BrokenRule[] = []
  const over = [['gateway', gateway.transport], ['ims', ims.transport], ['terminals', terminals.transport]] as const
  for (const [part, transport] of over) {
    if (transport === 'tls' && tls === undefined) broken.push({ path: [part, 'transport'], message: 'TLS needs certificates: name their files in tls' })
  }
  if (ims.transport === 'tls' && ims.mode === 'collapsed') broken.push({ path: ['ims', 'transport'], message: 'collapsed nodes have no sockets between them; ims.mode: split has' })
  if (terminals.flows > 1 && terminals.ownConnections === 0) broken.push({ path: ['terminals', 'flows'], message: 'a second flow is for devices that register by RFC 5626; give terminals.ownConnections a share' })
  const away = Object.values(population.roaming).reduce((sum, share) => sum + share, 0)
  if (away > 1 + 1e-9) broken.push({ path: ['population', 'roaming'], message: `the shares add up to ${formatShare(away)}; at most 100% of the subscribers can be away` })
  return broken
}

function loadRules(scenario: Scenario): BrokenRule[] {
  const { load } = scenario
  const broken: BrokenRule[] = []
  if (!(load.rate > 0)) broken.push({ path: ['load', 'rate'], message: 'the rate must be above 0' })
  if (load.duration < MICROS_PER_SECOND) broken.push({ path: ['load', 'duration'], message: `${formatDuration(load.duration)} is too short to measure; give at least 1s` })
  const shape = isClosed(load) ? closedRules(load) : shapeRules(scenario)
  // Of a shape that does not fit, and of a trace that was not read, nothing more is known.
  if (shape.length > 0 || load.shape === 'replay') return [...broken, ...shape]
  const { attempts } = offeredBy(scenario, undefined)
  if (attempts > ATTEMPTS_MAX) {
    broken.push({ path: ['load', 'duration'], message: `${Math.round(attempts)} attempts are more than the ${ATTEMPTS_MAX} one run can hold; shorten it or lower load.rate` })
  } else if (attempts < 1) broken.push({ path: ['load', 'rate'], message: 'no attempt falls into the measured window; raise load.rate or load.duration' })
  return broken
}

function closedRules({ shape }: Scenario['load']): BrokenRule[] {
  return shape === 'steady' ? [] : [{ path: ['load', 'shape'], message: 'a closed load has no rate that could have a shape; leave load.closed.initiators at 0 for an open one' }]
}

function shapeRules(scenario: Scenario): BrokenRule[] {
  const { load } = scenario
  const broken: BrokenRule[] = []
  const need = (holds: boolean, key: string, message: string): void => {
    if (!holds) broken.push({ path: ['load', load.shape, key], message })
  }
  switch (load.shape) {
    case 'ramp':
      need(load.ramp.to > 0, 'to', 'the rate must be above 0')
      break
    case 'stairs':
      need(load.duration >= load.stairs.steps * MICROS_PER_SECOND, 'steps', `${load.stairs.steps} steps in ${formatDuration(load.duration)} are shorter than a second each; raise load.duration`)
      break
    case 'spike':
      need(load.spike.length > 0, 'length', 'a spike lasts longer than nothing')
      need(load.spike.at + load.spike.length <= load.duration, 'at', `a spike until ${formatDuration(load.spike.at + load.spike.length)} ends after the measured window of ${formatDuration(load.duration)}`)
      break
    case 'bursts':
      need(load.bursts.calm > 0, 'calm', 'there is some time between bursts')
      need(load.bursts.burst > 0, 'burst', 'a burst lasts longer than nothing')
      break
    case 'day':
      need(load.day.length >= MICROS_PER_SECOND, 'length', 'give a day at least 1s')
      break
    case 'campaign':
      broken.push(...campaignRules(scenario))
  }
  return broken
}

/** Who could be pushed to under two of these would be pushed to twice. */
const ONCE_ONLY = ['online', 'fanOut', 'offlineReturns', 'expires', 'misbehaving'] as const

function campaignRules({ load: { campaign, duration }, traffic, push }: Scenario): BrokenRule[] {
  const broken: BrokenRule[] = []
  if (campaign.window <= 0 || campaign.window > duration) {
    broken.push({ path: ['load', 'campaign', 'window'], message: `the window of a campaign lies within the measured window: more than 0s, at most ${formatDuration(duration)}` })
  }
  if (push.inARow > 1) broken.push({ path: ['push', 'inARow'], message: 'a campaign pushes to nobody twice' })
  const active = ROWS.filter((row) => traffic[row].share > 0)
  for (const row of active) {
    if (ONCE_ONLY.some((allowed) => allowed === row) || (row === 'anyone' && active.length === 1)) continue
    broken.push({ path: ['traffic', row, 'share'], message: `a campaign pushes to nobody twice: of ${row} some would be; give it no share (rows of its own kind: ${ONCE_ONLY.join(', ')}; or anyone alone)` })
  }
  return broken
}

function trafficRules({ traffic }: Scenario): BrokenRule[] {
  const broken: BrokenRule[] = []
  const total = ROWS.reduce((sum, row) => sum + traffic[row].share, 0)
  if (Math.abs(total - 1) > 1e-6) {
    const named = ROWS.filter((row) => traffic[row].share > 0).map((row) => `${row} ${formatShare(traffic[row].share)}`).join(' + ')
    broken.push({ path: ['traffic'], message: `the shares add up to ${formatShare(Math.round(total * 1e6) / 1e6)} (${named || 'no row has one'}); they must add up to 100%` })
  }
  if (traffic.duplicate.share > 0.5) broken.push({ path: ['traffic', 'duplicate', 'share'], message: 'at most half of the attempts can repeat another one' })
  for (const row of ['expires', 'misbehaving'] as const) {
    if (traffic[row].share > 0 && traffic[row].lifetime < MICROS_PER_SECOND) broken.push({ path: ['traffic', row, 'lifetime'], message: 'deliver-before has whole seconds: give at least 1s' })
  }
  if (traffic.anyone.share > 0 && traffic.anyone.lifetime < MICROS_PER_SECOND) {
    broken.push({ path: ['traffic', 'anyone', 'lifetime'], message: 'deliver-before has whole seconds: give at least 1s' })
  }
  for (const row of ROWS) if (traffic[row].delayLimit <= 0) broken.push({ path: ['traffic', row, 'delayLimit'], message: 'a delay limit must be above 0' })
  return broken
}

function populationRules({ traffic, population, terminals }: Scenario): BrokenRule[] {
  const broken: BrokenRule[] = []
  const { subscribers, returning, absent, devicesPerSubscriber: devices } = population
  const away = Math.floor(subscribers * returning.share) + Math.floor(subscribers * absent)
  const bad = Object.values(population.misbehaving).reduce((sum, share) => sum + Math.floor(subscribers * share), 0)
  const online = subscribers - away - bad - terminals.reference
  const weights = Object.values(devices).reduce((sum, share) => sum + share, 0)
  const several = weights <= 0 ? 0 : Math.round(online * (weights - (devices['1'] ?? 0)) / weights)
  const need = (row: (typeof ROWS)[number], have: number, path: readonly string[], what: string): void => {
    if (traffic[row].share > 0 && have < 1) broken.push({ path, message: `traffic.${row} has a share, but there are no ${what}` })
  }
  if (online < 0) {
    broken.push({ path: ['population', 'subscribers'], message: `${subscribers} subscribers are fewer than the ${away} who are away, the ${bad} bad peers and the ${terminals.reference} reference terminals together` })
  }
  if (weights <= 0) broken.push({ path: ['population', 'devicesPerSubscriber'], message: 'give at least one number of devices a share' })
  need('online', online - several + terminals.reference, ['population', 'devicesPerSubscriber'], 'subscribers with one device')
  need('fanOut', several, ['population', 'devicesPerSubscriber'], 'subscribers with several devices')
  need('gruu', several, ['population', 'devicesPerSubscriber'], 'subscribers with several devices')
  need('offlineReturns', Math.floor(subscribers * returning.share), ['population', 'returning', 'share'], 'returning subscribers')
  need('expires', Math.floor(subscribers * absent), ['population', 'absent'], 'absent subscribers')
  need('misbehaving', bad, ['population', 'misbehaving'], 'bad peers')
  return broken
}

/** Pieces of one content a terminal takes, at least this many octets apart from the content's headers. */
const PIECES_MAX = 250
/** What a session may be chosen for, whatever the transports and limits. */
const MAYBE_SESSION_OCTETS = 500

function badPeerRules({ load, traffic, population, push }: Scenario): BrokenRule[] {
  const broken: BrokenRule[] = []
  const maybeInSession = push.binding === 'session' || (push.binding === 'auto' && push.size > MAYBE_SESSION_OCTETS)
  for (const how of MISBEHAVIOURS) {
    const share = population.misbehaving[how] ?? 0
    if (share === 0) continue
    if (Math.floor(population.subscribers * share) === 0) broken.push({ path: ['population', 'misbehaving', how], message: `${formatShare(share)} of ${population.subscribers} subscribers is nobody` })
    if (traffic.misbehaving.share === 0) continue
    const { lifetime } = traffic.misbehaving
    if (how === 'answers-late' && lifetime < 2 * LATE_MICROS) {
      const message = `who answers-late does so after ${formatDuration(LATE_MICROS)}, and some ways take two answers: give at least ${formatDuration(2 * LATE_MICROS)}`
      broken.push({ path: ['traffic', 'misbehaving', 'lifetime'], message })
    }
    const needed = lifetime + longestAttempt(how, maybeInSession)
    if (load.drainMax < needed) broken.push({ path: ['load', 'drainMax'], message: `a push to a peer of the kind ${how} may be under way for ${formatDuration(needed)}: give at least that` })
  }
  return broken
}

function pushRules({ push, population, gateway }: Scenario): BrokenRule[] {
  if (gateway.segment > 0 && population.messageOnly === 0) {
    return [{ path: ['gateway', 'segment'], message: 'only devices that take MESSAGE and nothing else get content in pieces; give population.messageOnly a share' }]
  }
  if (gateway.segment > 0 && push.size > PIECES_MAX * gateway.segment) {
    return [{ path: ['gateway', 'segment'], message: `${push.size} octets are more than the ${PIECES_MAX} pieces a terminal puts together` }]
  }
  if (push.binding === 'event' && population.subscribing === 0) {
    return [{ path: ['push', 'binding'], message: 'event mode needs devices that subscribe; give population.subscribing a share' }]
  }
  if (push.binding !== 'message' || push.size <= MESSAGE_OCTETS_MAX) return []
  return [{ path: ['push', 'size'], message: `more than ${MESSAGE_OCTETS_MAX} octets do not fit a MESSAGE; push.binding auto lets the gateway take another way` }]
}

/** A scenario that also keeps the rules between its keys; broken ones are told like any other wrong value. */
export const CheckedScenario = Scenario.pipe(Schema.filter((scenario) => brokenRules(scenario).map(({ path, message }) => ({ path, message }))))
