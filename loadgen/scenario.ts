/**
 * A scenario: everything a run depends on, as one schema with a default for every key. The published JSON Schema,
 * the YAML reader and the resolved scenario kept with each run all come from here. Knows what may be asked for,
 * not how it is done; rules between keys are in scenario-rules.ts.
 */
import { Schema } from 'effect'
import { Duration, Rate, Share, Size } from '../core/live/units.js'
import { MISBEHAVIOURS } from './misbehaviour.js'
import { between, countBetween, key } from './schema-key.js'

const text = (what: string, pattern: RegExp) => Schema.String.pipe(Schema.pattern(pattern, { message: () => what }))
/** What the gateway takes at most, and what a MESSAGE carries at most (core/push/admission/check.ts). */
export const CONTENT_OCTETS_MAX = 100 * 1024 * 1024
export const MESSAGE_OCTETS_MAX = 60_000

/** The shapes of a load over the measured window. */
export const SHAPES = ['steady', 'ramp', 'stairs', 'spike', 'bursts', 'day', 'campaign', 'replay'] as const

const Ramp = Schema.Struct({
  to: key(Rate, '400/s', 'The rate at the end of the measured window.'),
})

const Stairs = Schema.Struct({
  increment: key(Rate, '200/s', 'By how much each step is higher than the one before; the first has load.rate.'),
  steps: key(countBetween(2, 200), 5, 'How many steps share the measured window, each as long as the next.'),
})

const Spike = Schema.Struct({
  factor: key(between(1, 1_000), 5, 'How many times load.rate.'),
  at: key(Duration, '10s', 'From the begin of the measured window.'),
  length: key(Duration, '5s', 'How long it lasts.'),
})

const Bursts = Schema.Struct({
  factor: key(between(1, 1_000), 10, 'How many times the rate of calm a burst has.'),
  calm: key(Duration, '9s', 'Mean time from a burst to the next.'),
  burst: key(Duration, '1s', 'Mean length of a burst.'),
})

const Day = Schema.Struct({
  peak: key(between(1, 2), 1.8, 'How many times load.rate the busiest moment has.'),
  busiest: key(Duration, '20h', 'The time of day that is busiest.'),
  startsAt: key(Duration, '0h', 'The time of day at which the load begins.'),
  length: key(Duration, '24h', 'How long the whole day takes: 24h, or less for one that passes faster.'),
})

const Campaign = Schema.Struct({
  recipients: key(countBetween(1, 2_000_000), 500, 'How many get the content, each once.'),
  window: key(Duration, '10s', 'From the begin of the measured window: the time within which all of them are pushed to.'),
})

const Replay = Schema.Struct({
  file: key(Schema.String, 'trace.csv', 'CSV with a header: offset (seconds from the begin of the load), and, where wanted, row and size. Taken from where the command runs.'),
  speed: key(between(0.001, 1_000), 1, 'How many times faster than it is written.'),
})

const Closed = Schema.Struct({
  initiators: key(countBetween(0, 20_000), 0, 'How many there are, each with at most one submission under way; 0 is an open load.'),
  think: key(Duration, '1s', 'From an answer to the initiator’s next submission, on average.'),
})

const Load = Schema.Struct({
  arrival: key(Schema.Literal('constant', 'poisson'), 'poisson', 'How attempts are spread: evenly, or as a Poisson process. Open: a slow system never slows them down, unless load.closed says otherwise.'),
  rate: key(Rate, '200/s', 'Attempts per second, all rows of the traffic set together; where the shape changes it, its mean, or where it begins.'),
  warmUp: key(Duration, '5s', 'Load before the measured window; in the ledger, not in the statistics.'),
  warmUpRate: key(Rate, '0/s', 'The rate of the warm-up where it is above the load’s own, with at most 16 MiB of content a second; its last second has the load’s. Bursts, a day, a replay and a closed load have none of their own. Programs that have just started take up to twice the processor time until they have done everything some thousand times.'),
  duration: key(Duration, '25s', 'The measured window.'),
  drainMax: key(Duration, '30s', 'The longest wait, after the load, for accepted pushes to reach an outcome.'),
  shape: key(Schema.Literal(...SHAPES), 'steady', 'How the rate runs over the measured window; each shape but steady has keys of its own below.'),
  ramp: key(Ramp, {}, 'Shape ramp: straight from load.rate to another.'),
  stairs: key(Stairs, {}, 'Shape stairs: up from load.rate in steps, each with a row of its own in the report.'),
  spike: key(Spike, {}, 'Shape spike: load.rate, and for a while several times as much.'),
  bursts: key(Bursts, {}, 'Shape bursts: calm and bursts in turns of random length; load.rate is the mean of both.'),
  day: key(Day, {}, 'Shape day: a day’s curve whose mean is load.rate.'),
  campaign: key(Campaign, {}, 'Shape campaign: one content to many subscribers, none of them twice; load.rate is that of the warm-up.'),
  replay: key(Replay, {}, 'Shape replay: attempts at the instants of a trace.'),
  closed: key(Closed, {}, 'Instead of a rate: initiators that wait for their answers. Latency then tells less, since a slow system is asked less.'),
})

const rowFields = (limit: string, what: string) => ({
  share: key(Share, '0%', 'Share of all attempts.'),
  delayLimit: key(Duration, limit, what),
})

const Traffic = Schema.Struct({
  online: key(Schema.Struct(rowFields('1s', 'Planned time to the content at the terminal.')), {}, 'A push to the one device of a subscriber who is online.'),
  fanOut: key(Schema.Struct(rowFields('1s', 'Planned time to the content at the last of the devices.')), {}, 'A push to the address of a subscriber with several devices, all online.'),
  gruu: key(Schema.Struct(rowFields('1s', 'Planned time to the content at the terminal.')), {}, 'A push to one device of several, by its public GRUU.'),
  offlineReturns: key(Schema.Struct(rowFields('2s', 'From the device being back (or the planned time, when it was there) to the content at the terminal.')), {},
    'A push to a subscriber who is off and on in turns; it waits in the store.'),
  expires: key(Schema.Struct({
    ...rowFields('3s', 'From the deliver-before time to the final outcome at the gateway.'),
    lifetime: key(Duration, '5s', 'deliver-before, from the planned time; whole seconds on the wire.'),
  }), {}, 'A push to a subscriber who never comes; it expires.'),
  anyone: key(Schema.Struct({
    ...rowFields('2s', 'From the planned time, or the device being back, to the content at the terminal; or from the deliver-before time to the expiry.'),
    lifetime: key(Duration, '4h', 'deliver-before, from the planned time; whole seconds on the wire.'),
  }), {}, 'A push to any subscriber, who may be there, come back in time, or not: delivered, or expired.'),
  duplicate: key(Schema.Struct(rowFields('1s', 'Planned time to the refusal.')), {}, 'A push-id sent a second time; the gateway refuses it (2007).'),
  misbehaving: key(Schema.Struct({
    ...rowFields('2m', 'Planned time to the final outcome at the gateway.'),
    lifetime: key(Duration, '15s', 'deliver-before, from the planned time; whole seconds on the wire.'),
  }), {}, 'A push to a bad peer (population.misbehaving); it ends as docs/outcomes.md says.'),
})

/** The names of the traffic set's rows, in the order they are shown. */
export const ROWS = ['online', 'fanOut', 'gruu', 'offlineReturns', 'expires', 'anyone', 'duplicate', 'misbehaving'] as const
export type RowName = (typeof ROWS)[number]

const DEFAULT_TRAFFIC: typeof Traffic.Encoded = {
  online: { share: '55%' }, fanOut: { share: '20%' }, gruu: { share: '10%' }, offlineReturns: { share: '10%' }, expires: { share: '3%' }, duplicate: { share: '2%' },
}

const Push = Schema.Struct({
  notifications: key(Schema.Boolean, true, 'Ask for result notifications and answer them.'),
  contentType: key(text('write a media type, such as text/vnd.wap.si', /^[\w.+-]+\/[\w.+-]+$/), 'text/vnd.wap.si', 'Content type of the pushed content.'),
  size: key(Size.pipe(Schema.lessThanOrEqualTo(CONTENT_OCTETS_MAX, { message: () => 'the gateway takes at most 100 MiB of content' })), '300B', 'Octets of the content.'),
  inARow: key(countBetween(1, 1000), 1, 'Pushes in a row to one recipient; load.rate counts each of them.'),
  binding: key(Schema.Literal('auto', 'message', 'session', 'event', 'indirection'), 'auto',
    'How pushes are sent: chosen by the gateway for each, or required of it by PAP’s bearer: as a MESSAGE, in an MSRP session, as a notification in a subscription, or as a reference the terminal fetches.'),
  application: key(text('write an application id, such as x-wap-application:push.sia', /^[\w.:-]+$/), 'x-wap-application:push.sia', 'X-Wap-Application-Id of the content; every device has this application.'),
  deliveryMethod: key(Schema.Literal('confirmed', 'preferconfirmed', 'unconfirmed', 'notspecified'), 'preferconfirmed', 'PAP quality-of-service delivery-method.'),
})

const Returning = Schema.Struct({
  share: key(Share, '10%', 'Share of the subscribers.'),
  on: key(Duration, '3s', 'Mean time a device stays on.'),
  off: key(Duration, '6s', 'Mean time it stays off.'),
  times: key(Schema.Literal('uniform', 'exponential'), 'uniform', 'How these times vary: evenly between half and one and a half of the mean, or exponentially.'),
})

const Misbehaving = Schema.partialWith(Schema.Record({ key: Schema.Literal(...MISBEHAVIOURS), value: Share }), { exact: true })

const Population = Schema.Struct({
  subscribers: key(countBetween(1, 2_000_000), 2000, 'How many, reference terminals included.'),
  devicesPerSubscriber: key(Schema.Record({ key: text('write a number of devices from 1 to 9', /^[1-9]$/), value: Share }), { 1: '60%', 2: '30%', 3: '10%' },
    'Shares of the online subscribers by number of devices.'),
  returning: key(Returning, {}, 'Subscribers who are off and on in turns.'),
  absent: key(Share, '5%', 'Share of the subscribers who never come online.'),
  answerDelay: key(Duration, '0s', 'Median time a terminal takes to answer a MESSAGE (lognormal, sigma 0.5).'),
  subscribing: key(Share, '0%', 'Share of the devices that hold a subscription to pushes (event mode).'),
  roaming: key(Schema.Record({ key: text('write a domain name, such as visited1.example', /^[a-z0-9][a-z0-9.-]*$/), value: Share }), {},
    'Shares of the subscribers in visited networks, by the name of the network; each network has a P-CSCF of its own.'),
  aka: key(Share, '0%', 'Share of the subscribers with a USIM, who register by AKAv1-MD5 instead of a password.'),
  messageOnly: key(Share, '0%', 'Share of the devices that take MESSAGE and nothing else: no sessions, subscriptions or references.'),
  misbehaving: key(Misbehaving, {}, 'Shares of the subscribers with one device that is a bad peer, by how: '
    + 'never-answers, answers-late (by 5 s), answers-twice, closes-mid-chunk, refuses-type, refuses-size, lies-about-support, wrong-ranges.'),
})

const Gateway = Schema.Struct({
  transport: key(Schema.Literal('tcp', 'udp', 'tls'), 'tcp', 'Transport from the gateway to the core network, and with tls back.'),
  inFlightMax: key(countBetween(1, 10_000_000), 20_000, 'Submissions and recipients at work at a time, those that wait for a device not counted; beyond, submissions get 503.'),
  devices: key(Schema.Literal('any', 'all', 'first'), 'any', 'Of a user with several devices: any of them suffices, all must take the push, or one after another, the latest registered first.'),
  registrations: key(Schema.Literal('third-party', 'reg-event', 'both'), 'third-party',
    'How it learns who is there: by third-party REGISTER from the S-CSCF, by subscribing to each recipient’s registration (reg event package), or both.'),
  segment: key(Size, '0B', 'Content above this goes in pieces of this size (message/partial) to devices that take MESSAGE only; 0B never cuts.'),
  sessionKeep: key(Duration, '30s', 'How long an idle MSRP session is kept for the next push to its device; 0s is one session for each push.'),
})

const Ims = Schema.Struct({
  mode: key(Schema.Literal('collapsed', 'split'), 'collapsed', 'All nodes in one process without sockets between them, or every hop on the wire.'),
  transport: key(Schema.Literal('tcp', 'tls'), 'tcp', 'Transport between the nodes in split mode.'),
  timers: key(Schema.Literal('core', 'radio'), 'core', 'SIP timers between terminals and P-CSCF: those of RFC 3261, or those of a radio leg (TS 24.229 table 7.8).'),
  capacity: key(Rate, '0/s', 'What the entry of the core network bears of requests that are no REGISTER; beyond, it refuses (503) and asks the gateway for less (RFC 7339). 0: all it can.'),
  digest: key(Schema.Literal('MD5', 'SHA-256'), 'SHA-256', 'Digest algorithm preferred at registration; MD5 is always offered.'),
})

const Terminals = Schema.Struct({
  transport: key(Schema.Literal('tcp', 'udp', 'tls'), 'tcp', 'Transport between the terminals and the core network.'),
  ownConnections: key(Share, '0%', 'Share of the devices that register by RFC 5626, over tcp and tls with a connection of their own; the others share a few.'),
  flows: key(Schema.Literal(1, 2), 1, 'Flows of each device that registers by RFC 5626: with two, each to a port of its own where the network has two (tcp and udp), it is reached over one when the other fails.'),
  workers: key(countBetween(1, 64), 1, 'Worker threads the terminals are spread over.'),
  reference: key(countBetween(0, 50), 20, 'Terminals that run an independent SIP stack (sip.js); part of the subscribers, reported apart.'),
  registrationRate: key(Rate, '1000/s', 'How fast the population registers before the load.'),
})

const Virtual = Schema.Struct({
  gateways: key(countBetween(1, 64), 1, 'Gateway nodes, each with its share of the subscribers, its core network and its disk.'),
  churn: key(Share, '0%', 'Share of the subscribers who leave for good in 24 hours, and as many who are new.'),
  accessRtt: key(Duration, '0s', 'Round trip between terminals and core network, besides what a calibration measured.'),
})

const Tls = Schema.Struct({
  certificate: Schema.String.annotations({ description: 'PEM file of a certificate for 127.0.0.1, which every part uses.' }),
  key: Schema.String.annotations({ description: 'PEM file of its private key.' }),
  authorities: Schema.String.annotations({ description: 'PEM file of who issued it.' }),
}).annotations({ description: 'Certificates, needed where a transport is tls; with them session mode runs over TLS (msrps). File names are taken from where the command runs.' })

const Objective = Schema.Struct({
  inadequatelyHandled: key(Share, '0.1%', 'Highest share of attempts that fail or miss their delay limit; above, the run fails (exit code 3).'),
  lagShare: key(Share, '10%', 'Highest p99 of the generator lag, as a share of the tightest delay limit; above, the run is invalid (exit code 4).'),
})

/** Seeds are 32 bits. */
export const SEED_MAX = 4_294_967_295

export const Scenario = Schema.Struct({
  $schema: Schema.optional(Schema.String.annotations({ description: 'Where editors find the JSON Schema.' })),
  name: key(text('a name is lower-case letters, digits and hyphens', /^[a-z0-9][a-z0-9-]{0,63}$/), 'scenario', 'Names the run folder.'),
  seed: key(countBetween(0, SEED_MAX), 1, 'Everything random in the load and the population follows from it.'),
  load: key(Load, {}, 'When attempts are made.'),
  traffic: key(Traffic, DEFAULT_TRAFFIC, 'What is attempted. A row not named here has no share; the shares add up to 100%.'),
  push: key(Push, {}, 'What is pushed.'),
  population: key(Population, {}, 'Who is there.'),
  gateway: key(Gateway, {}, 'The push proxy gateway under test.'),
  ims: key(Ims, {}, 'The simulated core network.'),
  terminals: key(Terminals, {}, 'The simulated terminals.'),
  virtual: key(Virtual, {}, 'What only virtual time has (pushbench simulate).'),
  tls: Schema.optional(Tls),
  objective: key(Objective, {}, 'What a run must reach.'),
  thresholds: key(Schema.Array(Schema.String), [], 'Further promises about the result, such as "endToEnd.p99 < 50ms" or "ratio(delivered, accepted) > 99%"; one that is not kept fails the run (exit code 3).'),
  abortWhen: key(Schema.Array(Schema.String), [], 'When to end the load early: such as "refused > 100" or "submit.p99 > 2s", of what is known meanwhile; the run then fails (exit code 3).'),
  abortAfter: key(Duration, '5s', 'From the begin of the load: before that, abortWhen is not looked at.'),
  capture: key(Schema.Boolean, false, 'Keep what crosses the gateway’s SIP and MSRP sockets as gateway.pcap in the run folder, for Wireshark.'),
}).annotations({ identifier: 'Scenario', title: 'A pushbench scenario' })
export type Scenario = typeof Scenario.Type
export type ScenarioWritten = typeof Scenario.Encoded

/** The scenario with every key written out, units as text: what is kept with a run. */
export const encodeScenario: (scenario: Scenario) => ScenarioWritten = Schema.encodeSync(Scenario)

/** What a scenario is that says nothing. */
export const DEFAULT_SCENARIO: Scenario = Schema.decodeSync(Scenario)({})
