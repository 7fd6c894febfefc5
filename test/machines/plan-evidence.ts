/** Runs of a gateway whose costs are known, for plans: a record for each load, with what its parts then used. */
import type { CapacityAnswer } from '../../reports/answers/capacity.js'
import type { RunRecord } from '../../reports/record.js'
import type { CapacityEvidence, RunEvidence } from '../../loadgen/plan/evidence.js'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { sampleRecord } from '../reports/sample-record.js'

export interface Known {
  readonly perSecond: number
  readonly octets?: number
  readonly session?: boolean
  readonly registrations?: number
  readonly registered?: number
  /** Pushes that wait in the fullest second; nothing is delivered then. */
  readonly waiting?: number
}

/** Microseconds of the gateway for a push, for each KiB of it, for one in a session, for a registration; cores when idle. */
export const COST = { push: 400, kib: 50, session: 600, registration: 150, idle: 0.03 }
/** Octets of memory: empty, for a device, for a push that waits; octets on the wire for a push and for each of its content. */
export const TAKES = { empty: 100e6, device: 1_500, waiting: 700, wire: 2_000, octet: 2 }

export type Cores = (known: Known) => number
export const linear: Cores = ({ perSecond, octets = 300, session = false, registrations = 0 }) =>
  COST.idle + perSecond * (COST.push + COST.kib * octets / 1024 + (session ? COST.session : 0)) / 1e6 + registrations * COST.registration / 1e6

const SECONDS = 10

/** @param noise relative deviation of the processor time, drawn from the load itself */
export function runOf(known: Known, cores: Cores = linear, noise = 0, changes: Partial<RunRecord> = {}): RunEvidence {
  const { perSecond, octets = 300, session = false, registrations = 0, registered = 2_000, waiting = 0 } = known
  const file = `runs/${perSecond}-${octets}-${registrations}-${registered}-${waiting}/run.json`
  const entropy = new SeededEntropy(1, file)
  const factor = 1 + noise * (entropy.unit() + entropy.unit() + entropy.unit() - 1.5)
  const accepted = perSecond * SECONDS
  const sample = sampleRecord()
  const busy = cores(known)
  // A wait that grows as ρ / (1 - ρ), on 2 ms that do not.
  const micros = Math.round(2_000 + 1_000 * busy / (1 - busy))
  const endToEnd = { count: accepted, p50Us: micros, p90Us: 2 * micros, p99Us: 3 * micros, p999Us: 4 * micros, maxUs: 5 * micros }
  const record = sampleRecord({
    stages: { ...sample.stages, endToEnd },
    scenarios: [{ name: 'online', attempts: accepted, asExpected: accepted, inadequatelyHandled: 0, stage: 'endToEnd', limitUs: 1_000_000 }],
    bindings: [{ name: session ? 'session' : 'message', pushes: accepted, delivered: accepted }],
    population: { ...sample.population, provisioned: registered, registered },
    intervals: sample.intervals.map((interval) => ({ ...interval, inFlight: waiting })),
    parts: { ...sample.parts, gateway: { cpuSeconds: busy * SECONDS, rssBytesMax: Math.round(TAKES.empty + TAKES.device * registered + TAKES.waiting * waiting), loopUtilisationMax: busy } },
    work: {
      gateway: {
        seconds: SECONDS, cpuSeconds: busy * SECONDS * factor,
        counts: { accepted, ...(waiting > 0 ? {} : { delivered: accepted }), registrations: registrations * SECONDS, wireBytesOut: accepted * TAKES.wire + accepted * TAKES.octet * octets },
      },
      ims: { seconds: SECONDS, cpuSeconds: busy * SECONDS / 2, counts: {} },
    },
    ...changes,
  })
  return { file, record, octets }
}

/** Enough runs to tell every cost apart, each at two rates or more. */
export const LOADS: readonly Known[] = [
  ...[100, 200, 400, 800].map((perSecond) => ({ perSecond })), ...[100, 400].map((perSecond) => ({ perSecond, octets: 1_200 })),
  ...[50, 200].flatMap((perSecond) => [4_096, 16_384].map((octets) => ({ perSecond, octets, session: true }))),
  ...[100, 200].flatMap((perSecond) => [200, 500].map((registrations) => ({ perSecond, registrations }))),
  ...[100, 200].map((perSecond) => ({ perSecond, registered: 20_000 })), ...[10_000, 20_000].map((waiting) => ({ perSecond: 400, waiting })),
]

export const runsOf = (cores: Cores = linear, noise = 0): RunEvidence[] => LOADS.map((known) => runOf(known, cores, noise))

export function capacityOf(perSecond: number, changes: Partial<CapacityAnswer> = {}): CapacityEvidence {
  const answer: CapacityAnswer = {
    kind: 'capacity', schemaVersion: 1, scenario: 'sample', seed: 1, startedAt: '2026-03-14T00:00:00Z', limit: 0.001, resolution: 1.025, level: 0.95, outcome: 'found',
    capacity: { perSecond, low: 0.95 * perSecond, high: 1.05 * perSecond, replicates: [perSecond, perSecond] }, trials: [], scenarioYaml: 'name: sample', command: 'pushbench capacity', ...changes,
  }
  return { file: 'runs/capacity/answer.json', answer, octets: 300, plain: 1 }
}
