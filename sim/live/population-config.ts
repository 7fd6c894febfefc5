/**
 * The population as configuration: one schema with a default for every key, shared by the parts that need to agree on
 * who lives in the network (IMS, terminals, load). Knows shapes and limits; population.ts knows what they mean.
 */
import { Schema } from 'effect'
import { TERMINAL_BINDINGS } from '../terminal/capabilities.js'
import { MISBEHAVIOURS } from '../terminal/misbehaviour.js'
import { DEVICES_MAX, Population, type PopulationSettings } from '../terminal/population.js'

const Micros = Schema.NonNegativeInt.annotations({ description: 'microseconds' })
const Share = Schema.Number.pipe(Schema.between(0, 1))
const Positive = Schema.Int.pipe(Schema.positive())

const Distribution = Schema.Union(
  Schema.Struct({ type: Schema.Literal('constant'), micros: Micros }),
  Schema.Struct({ type: Schema.Literal('uniform'), fromMicros: Micros, toMicros: Micros }),
  Schema.Struct({ type: Schema.Literal('exponential'), meanMicros: Micros }),
  Schema.Struct({ type: Schema.Literal('lognormal'), medianMicros: Micros, sigma: Schema.NonNegative }),
)

const Cycle = Schema.Struct({ on: Distribution, off: Distribution, silentShare: Share, offAtStartShare: Share })

const Pattern = Schema.String.pipe(Schema.pattern(/^[^#]*#+[^#]*$/, { message: () => 'write one run of # where the number goes, such as user######' }))
const Domain = Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9.-]+$|^\[[0-9A-Fa-f:.]+\]$/, { message: () => 'write a domain name or an address' }))

function withDefault<A, I>(schema: Schema.Schema<A, I>, value: A) {
  return Schema.optionalWith(schema, { default: () => value })
}

const Identity = Schema.Struct({
  firstNumber: withDefault(Schema.NonNegativeInt, 0),
  domain: withDefault(Domain, 'home1.example'),
  user: withDefault(Pattern, 'user######'),
  privateIdentity: withDefault(Schema.NonEmptyString, 'user######@home1.example'),
  password: withDefault(Schema.String, 'secret-######'),
  telephone: Schema.optionalWith(Pattern, { exact: true }),
})

const Shares = Schema.Struct({ returning: withDefault(Share, 0), cycling: withDefault(Share, 0), refusing: withDefault(Share, 0), absent: withDefault(Share, 0) })

const MediaType = Schema.String.pipe(Schema.pattern(/^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/, { message: () => 'write a media type in lower case, such as image/png' }))

/** 100 MB, the largest content the gateway sends. */
const SIZE_MAX = 104_857_600

const Kind = Schema.Struct({
  /** Besides MESSAGE, which every terminal takes. */
  bindings: withDefault(Schema.Array(Schema.Literal(...TERMINAL_BINDINGS)), TERMINAL_BINDINGS),
  sizeMax: withDefault(Positive, SIZE_MAX),
  types: withDefault(Schema.Array(MediaType), []),
  weight: withDefault(Schema.Positive, 1),
})

const Events = Schema.Struct({
  share: withDefault(Share, 0),
  server: withDefault(Schema.String.pipe(Schema.pattern(/^sips?:[^\s<>;?]+$/, { message: () => 'write a SIP URI, such as sip:push@home1.example' })), 'sip:push@home1.example'),
  expirySeconds: withDefault(Positive, 86_400),
})

const Misbehaving = Schema.partialWith(Schema.Record({ key: Schema.Literal(...MISBEHAVIOURS), value: Share }), { exact: true })

const NetworkName = Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9.-]+$/, { message: () => 'write a domain name, such as visited1.example' }))

const Access = Schema.Struct({
  roaming: withDefault(
    Schema.Record({ key: NetworkName, value: Share }).pipe(Schema.filter((shares) => Object.values(shares).reduce((sum, share) => sum + share, 0) <= 1 || 'these shares add up to more than all subscribers')),
    {},
  ),
  roamingBarred: withDefault(Share, 0),
  ownConnections: withDefault(Share, 0),
  aka: withDefault(Share, 0),
  outOfStep: withDefault(Share, 0),
})

const SECOND = 1_000_000
const exponential = (meanMicros: number) => ({ type: 'exponential', meanMicros }) as const

export const PopulationConfig = Schema.Struct({
  subscribers: withDefault(Positive, 1_000),
  identity: Schema.optionalWith(Identity, { default: () => Schema.decodeSync(Identity)({}) }),
  seed: withDefault(Schema.NonNegativeInt, 1),
  devicesPerSubscriber: withDefault(
    Schema.Record({
      key: Schema.String.pipe(Schema.filter((text) => /^[1-9]\d*$/.test(text) && Number(text) < DEVICES_MAX, { message: () => `write a number of devices from 1 to ${DEVICES_MAX - 1}` })),
      value: Schema.NonNegative,
    }).pipe(Schema.filter((weights) => Object.values(weights).some((weight) => weight > 0), { message: () => 'give at least one number of devices a weight' })),
    { 1: 0.6, 2: 0.3, 3: 0.1 },
  ),
  applicationSets: withDefault(
    Schema.NonEmptyArray(Schema.Struct({
      applications: Schema.NonEmptyArray(Schema.String.pipe(Schema.pattern(/^[a-z0-9.\-_]+$/, { message: () => 'write an application id in lower case without its URN prefix, such as mms.ua' }))),
      weight: Schema.Positive,
    })),
    [
      { applications: ['push.sia', 'mms.ua', 'syncml.dm', 'wml.ua'], weight: 0.5 },
      { applications: ['push.sia', 'mms.ua'], weight: 0.3 },
      { applications: ['push.sia', 'wml.ua'], weight: 0.2 },
    ],
  ),
  shares: Schema.optionalWith(Shares, { default: () => Schema.decodeSync(Shares)({}) }),
  returning: withDefault(Cycle, { on: exponential(3 * SECOND), off: exponential(6 * SECOND), silentShare: 0, offAtStartShare: 1 }),
  cycling: withDefault(Cycle, { on: exponential(60 * SECOND), off: exponential(20 * SECOND), silentShare: 0.2, offAtStartShare: 0.25 }),
  refusal: withDefault(
    Schema.Struct({ status: Schema.Int.pipe(Schema.between(300, 699)), retryAfterSeconds: Schema.optionalWith(Schema.NonNegativeInt, { exact: true }) }),
    { status: 486 },
  ),
  answerDelay: withDefault(Distribution, { type: 'constant', micros: 0 }),
  capabilities: withDefault(Schema.NonEmptyArray(Kind), [{ bindings: TERMINAL_BINDINGS, sizeMax: SIZE_MAX, types: [], weight: 1 }]),
  events: Schema.optionalWith(Events, { default: () => Schema.decodeSync(Events)({}) }),
  misbehaving: withDefault(Misbehaving, {}),
  lateMicros: withDefault(Micros, 5 * SECOND),
  access: Schema.optionalWith(Access, { default: () => Schema.decodeSync(Access)({}) }),
  referenceTerminals: withDefault(Schema.NonNegativeInt, 0),
})
export type PopulationConfig = typeof PopulationConfig.Type

/** The population of a decoded configuration; throws a RangeError when the shares need more subscribers than there are. */
export function populationOf(config: PopulationConfig): Population {
  const settings: PopulationSettings = config
  return new Population(settings)
}
