/**
 * The run record: what run.json holds, as one schema from which the published JSON Schema is made.
 * Everything a report shows comes from here; the record knows nothing of how it was measured.
 */
import { Schema } from 'effect'

/** Raised by one whenever a reader of an older record would misread a newer one. */
export const SCHEMA_VERSION = 1

const Count = Schema.NonNegativeInt
const Micros = Schema.NonNegativeInt.annotations({ description: 'microseconds' })

/** What can make a run invalid, in the order in which reasons are given. */
export const CHECKS = ['part', 'ledger', 'load', 'lag', 'unsent', 'bunched', 'population', 'saturation', 'datagrams', 'growth', 'limit', 'interrupted'] as const

export const Verdict = Schema.Struct({
  valid: Schema.Boolean,
  /** Empty when valid; otherwise each reason names the check, the measured value and the limit. */
  reasons: Schema.Array(Schema.String),
  /** Which check each reason is of, in their order; absent when valid, and in records of before it was told. */
  checks: Schema.optional(Schema.Array(Schema.Literal(...CHECKS))),
})

/**
 * The unit is one attempt at one address. attempted = accepted + refused + unanswered;
 * accepted = delivered + undeliverable + rejected + expired + cancelled + aborted + timeout + unknown + inFlight.
 */
export const Ledger = Schema.Struct({
  attempted: Count,
  accepted: Count,
  refused: Count,
  /** No push-response came. */
  unanswered: Count,
  /** The part of `unanswered` that the gateway had taken all the same. */
  recovered: Count,
  delivered: Count,
  undeliverable: Count,
  rejected: Count,
  expired: Count,
  cancelled: Count,
  aborted: Count,
  timeout: Count,
  unknown: Count,
  inFlight: Count,
  /** Accepted, with no outcome and not in flight; or delivered by the gateway's word and never seen by a terminal. */
  lost: Count,
  /** More than one copy at one device instance, by (push-id, address, instance). */
  duplicated: Count,
})

/** The push-ids behind `lost` and `duplicated`, at most 100 of each, so that a reader can look them up in the journals. */
export const LedgerFindings = Schema.Struct({
  balanced: Schema.Boolean,
  lost: Schema.Array(Schema.Struct({ pushId: Schema.String, address: Schema.String, why: Schema.String })),
  duplicated: Schema.Array(Schema.Struct({ pushId: Schema.String, address: Schema.String, instance: Schema.String, copies: Count })),
  /** Anything else that did not reconcile, in words. */
  notes: Schema.Array(Schema.String),
})

export const STAGES = ['lag', 'submit', 'firstSip', 'endToEnd', 'confirmation', 'notification'] as const

export const StageSummary = Schema.Struct({
  count: Count,
  p50Us: Micros,
  p90Us: Micros,
  p99Us: Micros,
  p999Us: Micros,
  maxUs: Micros,
})

export const Part = Schema.Struct({
  cpuSeconds: Schema.NonNegative,
  rssBytesMax: Count,
  /** Highest busy share of the part's busiest event loop over any reported second, 0 to 1. */
  loopUtilisationMax: Schema.Number,
  /** From the begin of the measured window: lost at a full receive buffer, and not sent or not received. Absent for a part without sockets for datagrams. */
  datagramsDropped: Schema.optional(Count),
  datagramsFailed: Schema.optional(Count),
})

/** What a part did and used between two of its samples: costs per push and rates on the wire are quotients of these. */
export const Work = Schema.Struct({
  seconds: Schema.NonNegative,
  cpuSeconds: Schema.NonNegative,
  /** Gains of the part's running totals by name; what did not happen is not named. */
  counts: Schema.Record({ key: Schema.String, value: Schema.NonNegative }),
  /** Means over its samples of what it had at a time, such as open dialogs; what it never had is not named. Absent in records of before it was kept. */
  held: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.NonNegative })),
})

/** One row of the traffic set: what was tried, how it went, under the limit that makes it inadequately handled. */
export const ScenarioRow = Schema.Struct({
  name: Schema.String,
  attempts: Count,
  /** Ended as this row expects (an expiry for "expires", 2007 for "duplicate push-id"). */
  asExpected: Count,
  /** Failed or missed its delay limit; a late success is a failure. */
  inadequatelyHandled: Count,
  /** Which stage the delay limit and the percentiles are about. */
  stage: Schema.String,
  limitUs: Micros,
  latency: Schema.optional(StageSummary),
})

/** One second of the measured window, or a piece of `intervalSeconds` where the record says so; `second` is its index, and 0 begins at the end of the warm-up. */
export const Interval = Schema.Struct({
  second: Count,
  planned: Count,
  sent: Count,
  accepted: Count,
  refused: Count,
  delivered: Count,
  /** Other final outcomes by name. */
  outcomes: Schema.Record({ key: Schema.String, value: Count }),
  inFlight: Count,
  lagP99Us: Micros,
  submitP50Us: Micros,
  submitP99Us: Micros,
  endToEndP50Us: Micros,
  endToEndP99Us: Micros,
})

/**
 * How often each latency occurred when, for the heat map. Row r of a column counts the latencies from 10^(r / rowsPerDecade)
 * microseconds up to those of the next row; a column stands for `columnSeconds` seconds of planned time.
 */
export const HeatMap = Schema.Struct({
  stage: Schema.String,
  columnSeconds: Schema.Positive,
  rowsPerDecade: Schema.Positive,
  columns: Schema.Array(Schema.Struct({ lowestRow: Count, counts: Schema.Array(Count) })),
})
export type HeatMap = typeof HeatMap.Type

export const Causes = Schema.Array(Schema.Struct({ outcome: Schema.String, cause: Schema.String, count: Count }))

/** A promise the scenario makes about its own result; one that is broken fails the run (exit code 3) without making it invalid. */
export const Threshold = Schema.Struct({
  name: Schema.String,
  /** Absent when the run has no such figure; then it is not kept. */
  measured: Schema.optional(Schema.Number),
  limit: Schema.Number.annotations({ description: 'the highest value that passes, where `comparison` says nothing else' }),
  unit: Schema.String,
  passed: Schema.Boolean,
  /** How what was measured has to compare with the limit; absent: it may be at most that. */
  comparison: Schema.optional(Schema.Literal('<', '<=', '>', '>=')),
})

/** Pushes by how they were sent: the binding of the last attempt. Warm-up included in the counts, not in the latency. */
export const BindingRow = Schema.Struct({
  name: Schema.String,
  pushes: Count,
  delivered: Count,
  /** Planned time to the content at the first device, of pushes whose recipient was online. */
  endToEnd: Schema.optional(StageSummary),
})

/** What the gateway saw of single devices, of pushes addressed to one: a final SIP status, or `timeout` or `transport`. */
export const DeviceOutcome = Schema.Struct({ status: Schema.String, count: Count })

export const DeviceGroup = Schema.Struct({
  name: Schema.String,
  devices: Count,
  received: Count,
  repeats: Count,
  refused: Count,
  /** MESSAGEs without P-Asserted-Identity or for an application the device lacks. */
  rejectedByCheck: Count,
})

/** How attempts came about. In a closed load nobody but the initiators' own answers sets the pace, and planned times mean less. */
export const Load = Schema.Struct({
  type: Schema.Literal('open', 'closed'),
  /** How the rate of an open load ran: steady, ramp, stairs, spike, bursts, day, campaign or replay. */
  shape: Schema.optional(Schema.String),
  initiators: Schema.optional(Count),
  /** From an answer to the initiator's next attempt, on average. */
  thinkSeconds: Schema.optional(Schema.NonNegative),
  /** What was replayed. */
  trace: Schema.optional(Schema.Struct({ file: Schema.String, sha256: Schema.String, attempts: Count })),
})

/** The rate was changed by hand. */
export const RateChange = Schema.Struct({
  /** From the begin of the measured window; negative in the warm-up. */
  atSeconds: Schema.Number,
  what: Schema.Literal('rate', 'held', 'released'),
  /** Attempts per second from here on; of a released one those with which its curve goes on. */
  perSecond: Schema.NonNegative,
})

/** A step of a stair, judged by itself. Its transient is left out of every figure. */
export const Step = Schema.Struct({
  perSecond: Schema.NonNegative,
  /** From the begin of the measured window. */
  fromSecond: Schema.NonNegative,
  toSecond: Schema.NonNegative,
  /** How much of its begin was left out as transient (MSER-5 on goodput and latency). */
  trimmedSeconds: Schema.NonNegative,
  attempts: Count,
  inadequatelyHandled: Count,
  /** Wilson's interval at 95 % for the share of them; absent without attempts. */
  interval: Schema.optional(Schema.Struct({ low: Schema.Number, high: Schema.Number })),
  deliveredPerSecond: Schema.NonNegative,
  /** End to end; absent when no push of the step reached a terminal. */
  p50Us: Schema.optional(Micros),
  p99Us: Schema.optional(Micros),
  /** Whether it came to rest; one that did not has no steady figures, and `why` says so. */
  stationary: Schema.Boolean,
  why: Schema.optional(Schema.String),
})

/** What was run, on what. */
export const Disclosure = Schema.Struct({
  pushbench: Schema.String,
  commit: Schema.String,
  node: Schema.String,
  kernel: Schema.String,
  cpu: Schema.String,
  cores: Count,
  memoryBytes: Count,
  /** SHA-256 of the resolved scenario. */
  scenarioHash: Schema.String,
  /** What was changed for this machine or run, in words (scaled down, a port moved, a part missing). */
  deviations: Schema.Array(Schema.String),
})

export const RunRecord = Schema.Struct({
  schemaVersion: Schema.Literal(SCHEMA_VERSION),
  scenario: Schema.String,
  startedAt: Schema.String.annotations({ description: 'RFC 3339, UTC' }),
  seed: Count,
  durations: Schema.Struct({ warmUpSeconds: Schema.NonNegative, loadSeconds: Schema.NonNegative, drainSeconds: Schema.NonNegative }),
  /** Set when the run was stopped early (Ctrl-C) or a part failed; says how far it came. */
  interrupted: Schema.optional(Schema.String),
  /** Set when the load was ended early because its result was clear, and why: the run counts as far as it went. */
  endedEarly: Schema.optional(Schema.String),
  /** Absent in records of before it was told: an open load at one rate. */
  load: Schema.optional(Load),
  /** By hand, while the run went on, in the order of time. */
  rateChanges: Schema.optional(Schema.Array(RateChange)),
  /** Of a stair, in the order of time. */
  steps: Schema.optional(Schema.Array(Step)),
  verdict: Verdict,
  ledger: Ledger,
  findings: LedgerFindings,
  /** Keys: STAGES for what the whole run measures; further keys are stages a part measured of itself, such as "gateway.store". */
  stages: Schema.Record({ key: Schema.String, value: StageSummary }),
  scenarios: Schema.Array(ScenarioRow),
  thresholds: Schema.optional(Schema.Array(Threshold)),
  throughput: Schema.Struct({
    offeredPerSecond: Schema.NonNegative,
    sentPerSecond: Schema.NonNegative,
    acceptedPerSecond: Schema.NonNegative,
    deliveredPerSecond: Schema.NonNegative,
  }),
  causes: Causes,
  devices: Schema.Array(DeviceGroup),
  bindings: Schema.optional(Schema.Array(BindingRow)),
  deviceOutcomes: Schema.optional(Schema.Array(DeviceOutcome)),
  parts: Schema.Record({ key: Schema.String, value: Part }),
  /** By part, inside the measured window. */
  work: Schema.optional(Schema.Record({ key: Schema.String, value: Work })),
  population: Schema.Struct({
    provisioned: Count, registered: Count, subscribers: Count,
    /** Of those provisioned: told by the network that they may not, and those that had no answer yet when the load began. */
    refused: Schema.optional(Count), waiting: Schema.optional(Count),
    /** From the first REGISTER's turn to the last device's end. */
    registrationSeconds: Schema.optional(Schema.NonNegative),
  }),
  /** Little's law over the load phase: in flight measured against arrival rate times mean time in the gateway. */
  little: Schema.optional(Schema.Struct({ measured: Schema.NonNegative, predicted: Schema.NonNegative, ok: Schema.Boolean })),
  intervals: Schema.Array(Interval),
  /** Length of each interval; a second when absent. */
  intervalSeconds: Schema.optional(Schema.Int.pipe(Schema.positive())),
  /** Latencies end to end over the measured window; absent when no push reached a terminal, and in records of before it was kept. */
  heatMap: Schema.optional(HeatMap),
  /** Set when the run passed in virtual time: nothing in it was measured on a socket or a disk. */
  virtual: Schema.optional(Schema.Struct({
    /** Gateway nodes, each with its share of the subscribers and a core network of its own. */
    gateways: Count,
    /** Where the service times come from, in words. */
    calibration: Schema.String,
    /** Real time it took. */
    tookSeconds: Schema.NonNegative,
    /** What crossed between the parts, by `from>to`: SIP alone, without the headers of TCP and UDP. */
    sent: Schema.Record({ key: Schema.String, value: Schema.Struct({ packets: Count, octets: Count }) }),
  })),
  /** Percentile curves for the plots: [percentile 0..100, microseconds] by stage. */
  curves: Schema.Record({ key: Schema.String, value: Schema.Array(Schema.Tuple(Schema.Number, Micros)) }),
  disclosure: Disclosure,
  /** The resolved scenario as YAML, seed included. */
  scenarioYaml: Schema.String,
})
export type RunRecord = typeof RunRecord.Type
