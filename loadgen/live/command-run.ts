/** `pushbench run`: one scenario, live progress, a summary, a report. Decides the exit code; run.ts does the work. */
import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Args, Command, Options } from '@effect/cli'
import { Effect, Option } from 'effect'
import { renderPage } from '../../reports/page.js'
import { scaledDown } from '../reference-scenario.js'
import type { Scenario } from '../scenario.js'
import { summaryLines } from '../summary.js'
import { leave } from './after-run.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { Dashboard } from './dashboard/dashboard.js'
import { examine, refusalText, type Examination } from './examination.js'
import { slowness } from './machine.js'
import { choosePreset, presetOption, presetScenario } from './presets.js'
import { ProgressStream } from './progress-stream.js'
import { run, type RunResult } from './run.js'
import { RunFolder } from './run-folder.js'
import { chooseScenario, seeded } from './scenario-choice.js'
import { coloursFor, watcherFor } from './screen.js'
import { listenForStops } from './signals.js'
import { TraceError } from './trace-file.js'
import { allOf } from './watchers.js'

export const scenarioArgument = Args.file({ name: 'scenario' }).pipe(
  Args.withDescription('A scenario file in YAML (see "pushbench init"). Without one, the reference scenario.'),
  Args.optional,
)
export const seedOption = Options.integer('seed').pipe(Options.withDescription('Use this seed instead of the scenario\'s.'), Options.optional)
export const outOption = Options.text('out').pipe(Options.withDescription('Folder that gets the run\'s folder.'), Options.withDefault('runs'))
export const jsonOption = Options.boolean('json').pipe(Options.withDescription('Print the result as JSON instead of a summary.'))
export const quietOption = Options.boolean('quiet').pipe(Options.withAlias('q'), Options.withDescription('No progress on standard error.'))

/** What --dashboard without a port stands for. */
export const DASHBOARD_ANYWHERE = 'any'
const DASHBOARD_PORT = 8_790
const dashboardOption = Options.text('dashboard').pipe(Options.withDescription('Show the run to browsers of this machine, on this port (8790 where none is given, a free one where it is taken).'), Options.withPseudoName('port'), Options.optional)
const streamOption = Options.boolean('stream').pipe(Options.withDescription('Print the course of the run as JSON on standard output, an object a line and second; the last one is the result.'))
const summaryOption = Options.text('summary').pipe(Options.withDescription('Append a Markdown summary to this file; in a GitHub job to its own when absent.'), Options.optional)

const OPTIONS = { scenario: scenarioArgument, preset: presetOption, seed: seedOption, out: outOption, dashboard: dashboardOption, stream: streamOption, summary: summaryOption, json: jsonOption, quiet: quietOption }

export const runCommand = Command.make('run', OPTIONS, (options) => Effect.gen(function* () {
  const { scenario: chosen, name, isReference } = yield* scenarioOrPreset(options)
  // A scenario of one's own is run as written; only the built-in one gives way to a slow machine.
  const { scenario, note } = isReference ? scaledDown(chosen, slowness()) : { scenario: chosen, note: undefined }
  const { needs } = yield* examined(scenario, options.out)
  if (needs.refusals.length > 0) {
    return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.scenarioInvalid, message: `this cannot run here:\n${refusalText(name, needs)}` }))
  }
  const dashboard = Option.isNone(options.dashboard) ? undefined : yield* opened(options.dashboard.value)
  const screen = watcherFor(options.quiet, process.stderr, process.stdin)
  const watcher = allOf([screen, ...(dashboard === undefined ? [] : [dashboard]), ...(options.stream ? [new ProgressStream(process.stdout)] : [])])
  if (dashboard !== undefined) screen.note(`The run is shown at ${dashboard.url}`)
  if (note !== undefined) watcher.note(note)
  const stops = listenForStops(() => watcher.note('Stopping: pushes under way are given time to end, then the report is written. Ctrl-C again ends at once.'))
  const result = yield* Effect.tryPromise({
    try: async () => run({ scenario, folder: await RunFolder.make(options.out, scenario.name, new Date()), watcher, deviations: note === undefined ? [] : [note], interrupt: stops.orderly, kill: stops.atOnce }),
    catch: (error) => new CommandFailure({ exitCode: stops.atOnce.aborted ? stops.exitCode ?? EXIT.interrupted : EXIT.internal, message: `pushbench run: ${messageOf(error)}` }),
  }).pipe(
    Effect.ensuring(Effect.sync(() => stops.release())),
    Effect.tapError(() => Effect.promise(async () => dashboard?.close(undefined))),
  )
  const page = renderPage(result.record)
  yield* Effect.tryPromise({
    try: () => writeFile(join(result.folder, 'report.html'), page),
    catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: `the report cannot be written: ${messageOf(error)}` }),
  })
  const summary = Option.getOrUndefined(options.summary) ?? (process.env['GITHUB_STEP_SUMMARY'] || undefined)
  yield* Effect.promise(() => leave(result, options.out, summary, (text) => process.stderr.write(`${text}\n`)))
  if (options.stream) process.stdout.write(`${JSON.stringify({ type: 'result', folder: result.folder, ...result.record })}\n`)
  else show(result, options.json)
  yield* Effect.promise(async () => dashboard?.close({ record: result.record, page, report: reportOf(result.folder) }))
  yield* judge(result, stops.exitCode)
})).pipe(Command.withDescription('Load a gateway through a simulated IMS and report what was measured.'))

/** A scenario file, a preset, or neither: the reference scenario; and what it is called in messages. */
export function scenarioOrPreset(
  { scenario, preset, seed }: { readonly scenario: Option.Option<string>; readonly preset: Option.Option<string>; readonly seed: Option.Option<number> },
): Effect.Effect<{ readonly scenario: Scenario; readonly name: string; readonly isReference: boolean }, CommandFailure> {
  return Effect.gen(function* () {
    const chosen = yield* choosePreset(preset)
    if (chosen === undefined) {
      return { scenario: yield* chooseScenario(scenario, seed), name: Option.getOrElse(scenario, () => 'the reference scenario:'), isReference: Option.isNone(scenario) }
    }
    if (Option.isSome(scenario)) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: `give --preset ${chosen} or the file ${scenario.value}, not both` }))
    return { scenario: yield* seeded(yield* presetScenario(chosen), seed), name: chosen, isReference: false }
  })
}

/** The arithmetic of a scenario, before any load. */
export function examined(scenario: Scenario, out: string): Effect.Effect<Examination, CommandFailure> {
  return Effect.tryPromise({
    try: () => examine(scenario, out),
    catch: (error) => new CommandFailure({ exitCode: error instanceof TraceError ? EXIT.scenarioInvalid : EXIT.internal, message: messageOf(error) }),
  })
}

/** A result on standard output: a summary, or all of it as JSON. */
export function show({ record, folder }: RunResult, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ folder, ...record })}\n`)
    return
  }
  process.stdout.write(`\n${summaryLines(record, coloursFor(process.stdout)).join('\n')}\n\n  report      ${reportOf(folder)}\n`)
}

function reportOf(folder: string): string {
  return join(relative(process.cwd(), folder) || folder, 'report.html')
}

function opened(wanted: string): Effect.Effect<Dashboard, CommandFailure> {
  const port = wanted === DASHBOARD_ANYWHERE ? DASHBOARD_PORT : Number(wanted)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: `--dashboard=${wanted}: give a port from 0 to 65535, or none` }))
  return Effect.tryPromise({
    try: () => Dashboard.open(port),
    catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: `the dashboard cannot be opened: ${messageOf(error)}` }),
  })
}

/** The exit code a result has. */
export function judge({ record }: RunResult, stopped: CommandFailure['exitCode'] | undefined): Effect.Effect<void, CommandFailure> {
  const end = (exitCode: CommandFailure['exitCode']) => Effect.fail(new CommandFailure({ exitCode, message: '' }))
  if (stopped !== undefined) return end(stopped)
  if (!record.verdict.valid) return end(EXIT.runInvalid)
  return (record.thresholds ?? []).every(({ passed }) => passed) ? Effect.void : end(EXIT.thresholdFailed)
}
