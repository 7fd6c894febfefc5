/**
 * `pushbench serve`, `ims` and `terminals`: one part alone, against somebody else's SIP network, until Ctrl-C or the end
 * of its terminal. Each takes a configuration file of its own; the addresses go to standard output, one line a second to standard error.
 */
import { readFile } from 'node:fs/promises'
import { Args, Command, Options } from '@effect/cli'
import { Effect, Option, type Schema } from 'effect'
import { GatewayConfig } from '../../core/live/config.js'
import { startGateway } from '../../core/live/gateway-service.js'
import { decodeYaml, formatProblems } from '../../core/live/yaml-schema.js'
import { ImsConfig } from '../../sim/live/ims-config.js'
import { startIms } from '../../sim/live/ims-service.js'
import { TerminalsConfig } from '../../sim/live/terminals-config.js'
import { startTerminals } from '../../sim/live/terminals-service.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { jsonOption, quietOption } from './command-run.js'
import { listenForStops, type Stops } from './signals.js'

const configArgument = Args.file({ name: 'config' }).pipe(Args.withDescription('A configuration file in YAML. Without one, the defaults.'), Args.optional)
const journalOption = Options.text('journal').pipe(Options.withDescription('Write one line per event to this file.'), Options.optional)
const rateOption = Options.float('rate').pipe(Options.withDescription('Registrations per second.'), Options.withDefault(200))
const neededConfig = Args.file({ name: 'config' }).pipe(Args.withDescription('A configuration file in YAML; it names at least the proxy to register with.'))
const SAMPLE_MILLIS = 1_000
const PATIENCE_MICROS = 60_000_000

/** What the three have in common once they are up. */
interface Running {
  readonly addresses: Readonly<Record<string, string>>
  counters(): Readonly<Record<string, number>>
}

export const serveCommand = Command.make('serve', { config: configArgument, json: jsonOption, quiet: quietOption }, (options) => Effect.scoped(Effect.gen(function* () {
  const config = yield* configOf(GatewayConfig, options.config)
  const gateway = yield* startGateway(config).pipe(Effect.mapError((error) => failure(error.message)))
  for (const warning of gateway.warnings) process.stderr.write(`warning: ${warning}\n`)
  yield* endedBy(yield* Effect.raceFirst(untilStopped(gateway, options), gateway.failure.pipe(Effect.mapError((error) => failure(error.message)))))
}))).pipe(Command.withDescription('Run the push proxy gateway alone, against your own SIP core network.'))

export const imsCommand = Command.make('ims', { config: configArgument, journal: journalOption, json: jsonOption, quiet: quietOption }, (options) => Effect.scoped(Effect.gen(function* () {
  const config = yield* configOf(ImsConfig, options.config)
  const ims = yield* Effect.acquireRelease(attempt(() => startIms(config, { journalPath: Option.getOrUndefined(options.journal) })), (started) => Effect.promise(() => started.stop()))
  yield* endedBy(yield* untilStopped(ims, options))
}))).pipe(Command.withDescription('Run the simulated IMS alone, for your own gateway or terminals.'))

export const terminalsCommand = Command.make('terminals', { config: neededConfig, rate: rateOption, journal: journalOption, json: jsonOption, quiet: quietOption }, (options) => Effect.scoped(Effect.gen(function* () {
  const config = yield* configOf(TerminalsConfig, Option.some(options.config))
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<never>((_resolve, reject) => { fail = reject })
  failed.catch(() => {})
  const terminals = yield* Effect.acquireRelease(attempt(() => startTerminals(config, Option.getOrUndefined(options.journal), fail)), (started) => Effect.promise(() => started.stop()))
  const paced = { perSecond: options.rate, withinMicros: PATIENCE_MICROS + Math.ceil(2e6 * config.population.subscribers / options.rate) }
  const settled = yield* attempt(() => Promise.race([terminals.register(paced), failed]))
  process.stdout.write(options.json ? `${JSON.stringify({ registered: settled })}\n` : `registered ${settled.done} of ${settled.wanted}\n`)
  const signal = yield* Effect.raceFirst(untilStopped({ addresses: {}, counters: () => terminals.counters() }, options), attempt(() => failed))
  yield* attempt(() => terminals.deregister(paced))
  yield* endedBy(signal)
}))).pipe(Command.withDescription('Run the fleet of terminals alone, against any SIP registrar.'))

function failure(message: string): CommandFailure {
  return new CommandFailure({ exitCode: EXIT.internal, message })
}

function attempt<Value>(work: () => Promise<Value>): Effect.Effect<Value, CommandFailure> {
  return Effect.tryPromise({ try: work, catch: (error) => failure(messageOf(error)) })
}

function configOf<Value, Written>(schema: Schema.Schema<Value, Written>, file: Option.Option<string>): Effect.Effect<Value, CommandFailure> {
  return Effect.gen(function* () {
    const path = Option.getOrElse(file, () => 'the defaults')
    const text = Option.isNone(file) ? '' : yield* attempt(() => readFile(path, 'utf8'))
    const decoded = decodeYaml(schema, text, path)
    return decoded.ok ? decoded.value : yield* Effect.fail(new CommandFailure({ exitCode: EXIT.scenarioInvalid, message: formatProblems(decoded.problems) }))
  })
}

/** A part is ended by Ctrl-C as it should be; a terminal that was closed has another code of its own. */
function endedBy(exitCode: Stops['exitCode']): Effect.Effect<void, CommandFailure> {
  return exitCode === EXIT.hungUp ? Effect.fail(new CommandFailure({ exitCode, message: '' })) : Effect.void
}

/** Says where the part listens, then what it counts, until the first Ctrl-C or the like; a second one does not wait for an orderly end. */
function untilStopped(running: Running, { json, quiet }: { readonly json: boolean; readonly quiet: boolean }): Effect.Effect<Stops['exitCode']> {
  return Effect.async<Stops['exitCode']>((resume) => {
    const addresses = Object.entries(running.addresses)
    if (json && addresses.length > 0) process.stdout.write(`${JSON.stringify({ addresses: running.addresses })}\n`)
    else for (const [name, address] of addresses) process.stdout.write(`${name} ${address}\n`)
    let before: Readonly<Record<string, number>> = {}
    const timer = quiet ? undefined : setInterval(() => {
      const counters = running.counters()
      const changed = Object.entries(counters).filter(([name, value]) => value !== (before[name] ?? 0)).map(([name, value]) => `${name} ${value}`)
      before = { ...counters }
      if (changed.length > 0) process.stderr.write(`${changed.join(', ')}\n`)
    }, SAMPLE_MILLIS)
    const stops = listenForStops(() => process.stderr.write('Stopping. Ctrl-C again ends at once.\n'))
    stops.atOnce.addEventListener('abort', () => process.exit(stops.exitCode), { once: true })
    stops.orderly.addEventListener('abort', () => {
      clearInterval(timer)
      resume(Effect.succeed(stops.exitCode))
    }, { once: true })
    return Effect.sync(() => clearInterval(timer))
  })
}
