/**
 * What a push and a registration cost, as laws fitted to runs, each with its error where it was not fitted. Of several forms of a
 * law the one that errs least at points left out is taken. Knows loads and figures, not what is planned with them.
 */
import type { PlanModelRow, PlanUnit } from '../../reports/answers/plan.js'
import { significant } from '../../reports/format.js'
import { relativeError } from '../../reports/statistics/held-out.js'
import { fitLinearLaw, type LinearLaw, type Observation } from '../../reports/statistics/least-squares.js'
import type { NodeLoad, Observed } from './evidence.js'

/** A law that errs by more than this where it was not fitted does not hold. */
export const TOLERANCE = 0.1
export const LEVEL = 0.95

/** A quantity that takes something; each of it as much as any other, or the less the more of it there is. */
interface Term<On> {
  readonly name: string
  readonly of: (on: On) => number
  /** What one of it takes at this load, of what one alone does; 1 when absent. */
  readonly each?: (on: On) => number
  /** The quantity's name, where that of the term says more. */
  readonly quantity?: string
}

const IDLE: Term<NodeLoad> = { name: '', of: () => 1 }
const PUSHES: Term<NodeLoad> = { name: 'r', of: ({ pushes }) => pushes }
/**
 * Events that wake an idle process. Each kind of them pays by itself for what has to be fetched again since the last of its kind; the faster they come
 * the less: of x events a second x/(1+x/k) are as if they came alone. What such an event costs and k are the machine's: k is the one of a few at which
 * the law errs least.
 */
const ALONE_MOST = [25, 50, 100, 200, 400, 800] as const
function alone(symbol: string, most: number, of: (load: NodeLoad) => number): Term<NodeLoad> {
  return { name: `${symbol}/(1+${symbol}/${most})`, quantity: symbol, of, each: (load) => 1 / (1 + of(load) / most) }
}
const OCTETS: Term<NodeLoad> = { name: 'r·KiB', of: ({ pushes, kib }) => pushes * kib }
const SESSIONS: Term<NodeLoad> = { name: 'r·session', of: ({ pushes, sessions }) => pushes * sessions }
const REGISTRATIONS: Term<NodeLoad> = { name: 'g', of: ({ registrations }) => registrations }

interface Held {
  readonly registered: number
  readonly pending: number
}
const EMPTY: Term<Held> = { name: '', of: () => 1 }
const REGISTERED: Term<Held> = { name: 'registered', of: ({ registered }) => registered }
const PENDING: Term<Held> = { name: 'pending', of: ({ pending }) => pending }

export interface Law<On> {
  readonly model: PlanModelRow
  /** @param under the load that says what each takes, where that is another one */
  at(on: On, under?: On): number
  interval(on: On): { readonly low: number; readonly high: number } | undefined
  /** What one of a quantity takes, with its interval, at this load where that matters; undefined when the law has none of it. */
  term(quantity: string, on?: On): { readonly value: number; readonly low?: number; readonly high?: number } | undefined
}

interface Subject<On> {
  readonly name: string
  readonly words: string
  readonly unit: PlanUnit
  readonly along: string
  readonly x: (on: On) => number
  readonly y: (observed: Observed) => number
}

/** Undefined when no form of the law can be told from the points. */
function lawFor<On>(points: readonly (Observed & On)[], forms: readonly (readonly Term<On>[])[], subject: Subject<On>): Law<On> | undefined {
  const usable = points.filter((point) => subject.y(point) > 0)
  let best: { readonly terms: readonly Term<On>[]; readonly law: LinearLaw; readonly errors: readonly number[]; readonly error: number } | undefined
  for (const terms of forms) {
    const observations = usable.map((point): Observation => ({ x: rowOf(terms, point), y: subject.y(point) }))
    if (observations.length < terms.length) continue
    const law = observations.length === 0 ? undefined : fitLinearLaw(observations)
    if (law === undefined) continue
    const errors = leftOutErrors(observations)
    const error = errors.length === 0 ? Infinity : Math.sqrt(errors.reduce((sum, value) => sum + value * value, 0) / errors.length)
    // Forms come from simple to rich; a richer one must err clearly less.
    if (best === undefined || error < (terms.length > best.terms.length ? 0.9 : 1) * best.error) best = { terms, law, errors, error }
  }
  if (best === undefined) return undefined
  const { terms, law, errors, error } = best
  const row = (on: On, under = on): number[] => rowOf(terms, on, under)
  const { name, words, unit, along } = subject
  return {
    model: {
      name, words, unit, along, formula: formulaOf(terms, law, unit), tolerance: TOLERANCE, heldOutErrors: errors, ...(errors.length === 0 ? {} : { heldOutError: error }),
      verdict: errors.length === 0 ? 'unknown' : error <= TOLERANCE ? 'holds' : 'does-not-hold',
      points: usable.map((point) => ({ run: point.file, x: subject.x(point), measured: subject.y(point), fitted: law.at(row(point)) })),
    },
    at: (on, under) => law.at(row(on, under)),
    interval: (on) => law.interval(row(on), LEVEL),
    term: (wanted, on) => {
      const index = terms.findIndex(({ name: symbol, quantity }) => (quantity ?? symbol) === wanted)
      if (index < 0) return undefined
      const unit = on === undefined ? 1 : terms[index]!.each?.(on) ?? 1
      const interval = law.coefficientInterval(index, LEVEL)
      return { value: unit * law.coefficients[index]!, ...(interval === undefined ? {} : { low: unit * interval.low, high: unit * interval.high }) }
    },
  }
}

function rowOf<On>(terms: readonly Term<On>[], on: On, under = on): number[] {
  return terms.map(({ of, each }) => of(on) * (each?.(under) ?? 1))
}

/** Each point predicted by the law of the others; none when leaving one out leaves too little to fit. */
function leftOutErrors(observations: readonly Observation[]): number[] {
  const errors: number[] = []
  for (const [left, { x, y }] of observations.entries()) {
    const others = observations.filter((_, index) => index !== left)
    const law = others.length <= x.length ? undefined : fitLinearLaw(others)
    if (law === undefined) return []
    errors.push(relativeError(law.at(x), y))
  }
  return errors
}

function formulaOf<On>(terms: readonly Term<On>[], law: LinearLaw, unit: PlanUnit): string {
  const parts = terms.flatMap(({ name }, index) => {
    const value = law.coefficients[index]!
    return value === 0 ? [] : [name === '' ? figure(value) : `${figure(value)} ${name}`]
  })
  return `${unit} = ${parts.join(' + ') || '0'}`
}

function figure(value: number): string {
  return value >= 0.01 ? significant(value) : value.toExponential(2)
}

/** Whether points differ in a quantity by enough to tell what it costs. */
function varies<On>(points: readonly On[], of: (on: On) => number): boolean {
  const values = points.map(of)
  return Math.max(...values) > 1.5 * Math.min(...values) + 1e-9
}

function combinations<On>(bases: readonly (readonly Term<On>[])[], extras: readonly Term<On>[]): (readonly Term<On>[])[] {
  const all = extras.reduce<(readonly Term<On>[])[]>((sets, extra) => sets.flatMap((set) => [set, [...set, extra]]), [[]])
  return all.flatMap((set) => bases.map((base) => [...base, ...set])).sort((a, b) => a.length - b.length)
}

/** Fewer pushes that wait than this take memory that cannot be seen. */
const WAITING_MIN = 2_000

export interface Laws {
  readonly gateway: Law<NodeLoad> | undefined
  readonly core: Law<NodeLoad> | undefined
  readonly wire: Law<NodeLoad> | undefined
  readonly memory: Law<Held> | undefined
  readonly models: readonly PlanModelRow[]
}

/** From a straight line to each kind of event by itself, with what the runs vary by. */
function formsOfWork(points: readonly NodeLoad[]): (readonly Term<NodeLoad>[])[] {
  const hasSessions = points.some(({ sessions }) => sessions > 0) && varies(points, ({ sessions }) => sessions)
  const hasRegistrations = varies(points, ({ registrations }) => registrations)
  const octets = varies(points, ({ kib }) => kib) ? [OCTETS] : []
  const straight = combinations([[PUSHES], [IDLE, PUSHES]], [...octets, ...(hasSessions ? [SESSIONS] : []), ...(hasRegistrations ? [REGISTRATIONS] : [])])
  const curved = ALONE_MOST.flatMap((most) => {
    const pushes = alone('r', most, (load) => load.pushes)
    const sessions = alone('s', most, (load) => load.pushes * load.sessions)
    const messages = alone('m', most, (load) => load.pushes * (1 - load.sessions))
    // A session on top of what every push does; or, where one costs less than a MESSAGE, beside it.
    const bases = hasSessions ? [[pushes, PUSHES], [pushes, sessions, PUSHES], [messages, sessions, PUSHES]] : [[pushes, PUSHES]]
    return combinations(bases, [...octets, ...(hasRegistrations ? [alone('g', most, (load) => load.registrations)] : [])])
  })
  return [...straight, ...curved].sort((a, b) => a.length - b.length)
}

/** Where a tenth fewer or more pushes were delivered than accepted, the work of some would be put down to others; of memory such a run tells all the same. */
const DELIVERED_OFF = 0.1

export function fitLaws(all: readonly Observed[]): Laws {
  const points = all.filter(({ delivered }) => Math.abs(delivered - 1) <= DELIVERED_OFF)
  const work = formsOfWork(points)
  const pushes = { along: 'pushes per second', x: ({ pushes }: NodeLoad) => pushes }
  const gateway = lawFor<NodeLoad>(points, work, { name: 'gateway.cpu', words: 'processors the gateway keeps busy', unit: 'cores', ...pushes, y: ({ gatewayCores }) => gatewayCores })
  const core = lawFor<NodeLoad>(points, work, { name: 'ims.cpu', words: 'processors the core network keeps busy', unit: 'cores', ...pushes, y: ({ coreCores }) => coreCores })
  const wire = lawFor<NodeLoad>(points, work, { name: 'gateway.wire', words: 'octets over the gateway’s SIP and MSRP sockets', unit: 'octetsPerSecond', ...pushes, y: ({ wireOctets }) => wireOctets })
  const held = [...(varies(all, ({ registered }) => registered) ? [REGISTERED] : []), ...(varies(all, ({ pending }) => pending + WAITING_MIN) ? [PENDING] : [])]
  const memory = lawFor<Held>(all, combinations([[EMPTY]], held), {
    name: 'gateway.memory', words: 'memory of the gateway, at most', unit: 'octets', along: 'registered devices', x: ({ registered }) => registered, y: ({ gatewayBytes }) => gatewayBytes,
  })
  return { gateway, core, wire, memory, models: [gateway, core, wire, memory].flatMap((law) => (law === undefined ? [] : [law.model])) }
}
