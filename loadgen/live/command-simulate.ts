/** `pushbench simulate`: a population for a day in virtual time. Chooses scenario and calibration, shows progress, decides the exit code. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, Options } from '@effect/cli'
import { Effect, Option, Schema } from 'effect'
import { Duration, formatDuration } from '../../core/live/units.js'
import { MICROS_PER_SECOND } from '../../core/kit/time.js'
import { count } from '../../reports/format.js'
import { renderPage } from '../../reports/page.js'
import { CheckedScenario } from '../scenario-rules.js'
import { encodeScenario, type Scenario } from '../scenario.js'
import { DAY_SCENARIO } from '../world/day-scenario.js'
import { unsimulable } from '../world/unsimulable.js'
import { TYPICAL, calibrationFrom, type Calibration } from './calibration-file.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { judge, jsonOption, quietOption, scenarioArgument, seedOption, show } from './command-run.js'
import { chooseScenario } from './scenario-choice.js'
import { listenForStops } from './signals.js'
import { simulate, type SimulationProgress } from './simulate.js'

const forOption = Options.text('for').pipe(Options.withDescription('How much virtual time the load lasts, such as 24h; the scenario\'s load.duration when absent.'), Options.optional)
const calibrateOption = Options.text('calibrate').pipe(Options.withDescription('A run folder (or its run.json) that service times are taken from; given several times, for runs of one scenario, their medians. Without it, typical figures.'), Options.repeated)
const outOption = Options.text('out').pipe(Options.withDescription('Folder that gets the run\'s folder.'), Options.withDefault('runs'))

const OPTIONS = { scenario: scenarioArgument, for: forOption, calibrate: calibrateOption, seed: seedOption, out: outOption, json: jsonOption, quiet: quietOption }

export const simulateCommand = Command.make('simulate', OPTIONS, (options) => Effect.gen(function* () {
  const chosen = Option.isNone(options.scenario) ? seeded(DAY_SCENARIO, options.seed) : yield* chooseScenario(options.scenario, options.seed)
  const scenario = yield* lasting(chosen, options.for)
  const cannot = unsimulable(scenario)
  if (cannot.length > 0) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.scenarioInvalid, message: cannot.join('\n') }))
  const calibration = options.calibrate.length === 0 ? TYPICAL : yield* calibrated(options.calibrate)
  const progress = new ProgressLine(options.quiet ? undefined : process.stderr, scenario)
  const stops = listenForStops(() => process.stderr.write('\nStopping: what was simulated so far is reported. Ctrl-C again ends at once.\n'))
  const result = yield* Effect.tryPromise({
    try: () => simulate({ scenario, out: options.out, calibration, onProgress: (now) => progress.show(now), interrupt: stops.orderly, kill: stops.atOnce }),
    catch: (error) => new CommandFailure({ exitCode: stops.atOnce.aborted ? stops.exitCode ?? EXIT.interrupted : EXIT.internal, message: `pushbench simulate: ${messageOf(error)}` }),
  }).pipe(Effect.ensuring(Effect.sync(() => {
    stops.release()
    progress.end()
  })))
  yield* Effect.tryPromise({
    try: () => writeFile(join(result.folder, 'report.html'), renderPage(result.record)),
    catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: `the report cannot be written: ${messageOf(error)}` }),
  })
  show(result, options.json)
  yield* judge(result, stops.exitCode)
})).pipe(Command.withDescription('Let a population live through a day in virtual time and report what happened.'))

function seeded(scenario: Scenario, seed: Option.Option<number>): Scenario {
  return Option.isNone(seed) ? scenario : { ...scenario, seed: seed.value }
}

function lasting(scenario: Scenario, text: Option.Option<string>): Effect.Effect<Scenario, CommandFailure> {
  if (Option.isNone(text)) return Effect.succeed(scenario)
  const duration = Schema.decodeUnknownEither(Duration)(text.value)
  if (duration._tag === 'Left') return Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: `--for ${text.value} is no duration: write a number and a unit, such as 24h` }))
  const checked = Schema.decodeUnknownEither(CheckedScenario)(encodeScenario({ ...scenario, load: { ...scenario.load, duration: duration.right } }))
  return checked._tag === 'Right' ? Effect.succeed(checked.right) : Effect.fail(new CommandFailure({ exitCode: EXIT.scenarioInvalid, message: `--for ${text.value}: ${checked.left.message}` }))
}

function calibrated(paths: readonly string[]): Effect.Effect<Calibration, CommandFailure> {
  return Effect.tryPromise({
    try: () => calibrationFrom(paths),
    catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: `--calibrate ${paths.join(' --calibrate ')}: ${messageOf(error)}` }),
  })
}

const MINUTE_SECONDS = 60

/** One line, rewritten on a terminal, every few seconds elsewhere: time reached, rate, and when it will be over. */
class ProgressLine {
  private readonly startedAt = performance.now()
  private loadFrom: number | undefined
  private lastAt = -Infinity

  constructor(private readonly stream: NodeJS.WriteStream | undefined, private readonly scenario: Scenario) {}

  show(progress: SimulationProgress): void {
    const at = performance.now()
    const isTerminal = this.stream?.isTTY === true
    if (this.stream === undefined || at - this.lastAt < (isTerminal ? 200 : 5_000)) return
    this.lastAt = at
    if (progress.phase === 'load') this.loadFrom ??= at
    this.stream.write(isTerminal ? `\r\x1b[K${this.words(progress, at)}` : `${this.words(progress, at)}\n`)
  }

  end(): void {
    if (this.stream?.isTTY === true) this.stream.write('\r\x1b[K')
  }

  private words({ phase, micros, registered, planned, attempts, delivered, inFlight }: SimulationProgress, at: number): string {
    if (phase === 'register') return `registering: ${count(registered)} devices after ${Math.round((at - this.startedAt) / 1_000)} s`
    const { load } = this.scenario
    const whole = load.warmUp + load.duration
    const seconds = (at - (this.loadFrom ?? at)) / 1_000
    const left = micros === 0 || planned === 0 ? '' : `, ${time(seconds * (attempts - planned) / planned)} left`
    const speed = seconds < 1 ? '' : `, ${count(Math.round(planned / seconds))} pushes/s`
    return `${formatDuration(Math.round(micros / MICROS_PER_SECOND / MINUTE_SECONDS) * MINUTE_SECONDS * MICROS_PER_SECOND)} of ${formatDuration(whole)}: ${count(planned)} of ${count(attempts)} pushes, ${count(delivered)} delivered, ${count(inFlight)} under way${speed}${left}`
  }
}

function time(seconds: number): string {
  return seconds < MINUTE_SECONDS ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / MINUTE_SECONDS)} min`
}
