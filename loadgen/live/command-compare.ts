/**
 * `pushbench compare`: is B better, worse or the same as A, by their run records or by trials made for it. Decides the exit code;
 * compare/ decides everything else.
 */
import { join, relative } from 'node:path'
import { Args, Command, Options } from '@effect/cli'
import { Effect, Option } from 'effect'
import { nearest } from '../../core/live/nearest.js'
import type { ComparisonAnswer } from '../../reports/answers/comparison.js'
import { renderComparisonPage } from '../../reports/pages/comparison.js'
import { compare, type CompareOptions } from '../compare/compare.js'
import { differencesOf, differenceText, forbidding } from '../compare/differences.js'
import { leftOut, type Side } from '../compare/sides.js'
import { comparisonLines, comparisonMarkdown } from '../compare/summary.js'
import { ComparisonTrials, trialId, type Pairs } from '../compare/trials.js'
import { METRICS } from '../metrics.js'
import type { Scenario } from '../scenario.js'
import { pageOption, writeAnswer, writePage } from './answer-files.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { jsonOption, quietOption, seedOption } from './command-run.js'
import { readSide, RecordError, runOf } from './record-reader.js'
import { chooseScenario } from './scenario-choice.js'
import { coloursFor } from './screen.js'
import { performWork } from './trial-work.js'
import { workFolder } from './work-folder.js'

const sideArgument = (name: string, what: string) => Args.text({ name }).pipe(Args.withDescription(`${what}: a run's folder, its run.json, or a folder of runs; with --run a scenario file.`))
const runOption = Options.boolean('run').pipe(Options.withDescription('A and B are scenario files: make trials of both, in turns, and compare those.'))
const trialsOption = Options.integer('trials').pipe(Options.withDescription('With --run: trials of each.'), Options.withDefault(5))
const outOption = Options.text('out').pipe(Options.withDescription('With --run: folder that gets the comparison\'s folder.'), Options.withDefault('runs'))
const resumeOption = Options.text('resume').pipe(Options.withDescription('With --run: go on with the comparison in this folder; trials that lie there are not repeated.'), Options.optional)
const anywayOption = Options.boolean('anyway').pipe(Options.withDescription('Compare runs of different scenarios, machines or versions all the same; each difference is named.'))
const marginOption = Options.float('margin').pipe(Options.withDescription('Per cent up to which a difference counts as none.'), Options.withDefault(5))
const metricOption = Options.text('metric').pipe(Options.withDescription('Compare these instead of the usual, separated by commas, such as endToEnd.p99,parts.gateway.cpuPerPush.'), Options.optional)
const markdownOption = Options.boolean('markdown').pipe(Options.withDescription('Print the result as Markdown for a pull request.'))

const RESAMPLES = 10_000

interface Asked {
  readonly a: string
  readonly b: string
  readonly trials: number
  readonly margin: number
  readonly metrics: readonly string[] | undefined
}

export const compareCommand = Command.make('compare', {
  a: sideArgument('A', 'The baseline'), b: sideArgument('B', 'What is compared with it'), run: runOption, trials: trialsOption, seed: seedOption, out: outOption, resume: resumeOption,
  anyway: anywayOption, margin: marginOption, metric: metricOption, markdown: markdownOption, page: pageOption, json: jsonOption, quiet: quietOption,
}, (options) => Effect.gen(function* () {
  const metrics = yield* metricsOf(options.metric)
  if (!(options.margin > 0 && options.margin <= 100)) return yield* usage(`--margin ${options.margin}: give a percentage above 0 and up to 100`)
  if (options.trials < 2) return yield* usage(`--trials ${options.trials}: give at least 2; one trial a side decides nothing`)
  const asked: Asked = { a: options.a, b: options.b, trials: options.trials, margin: options.margin / 100, metrics }
  const compared = options.run ? yield* byTrials(asked, options) : yield* byRecords(asked, options.anyway)
  const answer = compare(compared)
  if (answer === undefined) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.runInvalid, message: noneCounts(compared) }))
  show(answer, options)
  yield* writePage(options.page, () => renderComparisonPage(answer))
  const exitCode = answer.verdict === 'worse' ? EXIT.regression : answer.verdict === 'inconclusive' ? EXIT.inconclusive : undefined
  if (exitCode !== undefined) return yield* Effect.fail(new CommandFailure({ exitCode, message: '' }))
})).pipe(Command.withDescription('Say whether B is better, worse or the same as A, metric by metric, or how many more trials would tell.'))

function usage(message: string): Effect.Effect<never, CommandFailure> {
  return Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message }))
}

function metricsOf(names: Option.Option<string>): Effect.Effect<readonly string[] | undefined, CommandFailure> {
  if (Option.isNone(names)) return Effect.succeed(undefined)
  const wanted = [...new Set(names.value.split(',').map((name) => name.trim()).filter((name) => name !== ''))]
  const unknown = wanted.find((name) => !METRICS.has(name))
  if (unknown === undefined) return wanted.length === 0 ? usage('--metric names none') : Effect.succeed(wanted)
  const near = nearest(unknown, [...METRICS.keys()])
  return usage(`--metric: there is no metric "${unknown}"${near === undefined ? '; "pushbench export <run> --format csv" lists them all' : `; did you mean "${near}"?`}`)
}

function byRecords(asked: Asked, anyway: boolean): Effect.Effect<CompareOptions, CommandFailure> {
  return Effect.gen(function* () {
    const read = (path: string) => Effect.tryPromise({
      try: () => readSide(path),
      catch: (error) => new CommandFailure({ exitCode: error instanceof RecordError ? EXIT.runInvalid : EXIT.internal, message: messageOf(error) }),
    })
    const a = yield* read(asked.a)
    const b = yield* read(asked.b)
    const forbidden = forbidding(differencesOf(a, b))
    if (forbidden.length > 0 && !anyway) {
      const message = ['these runs are not comparable:', ...forbidden.map((each) => `  - ${differenceText(each)}`), 'Compare them all the same with --anyway.'].join('\n')
      return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.runInvalid, message }))
    }
    const command = `pushbench compare ${asked.a} ${asked.b}${anyway ? ' --anyway' : ''}${sharedWords(asked)}`
    return { a, b, plan: 'apart', metrics: asked.metrics, margin: asked.margin, resamples: RESAMPLES, command }
  })
}

interface TrialOptions {
  readonly seed: Option.Option<number>
  readonly out: string
  readonly resume: Option.Option<string>
  readonly quiet: boolean
}

function byTrials(asked: Asked, options: TrialOptions): Effect.Effect<CompareOptions, CommandFailure> {
  return Effect.gen(function* () {
    const a = yield* chooseScenario(Option.some(asked.a), options.seed)
    const b: Scenario = { ...(yield* chooseScenario(Option.some(asked.b), options.seed)), seed: a.seed }
    const folder = Option.getOrElse(options.resume, () => workFolder(options.out, `compare-${a.name}`, new Date()))
    const pairs = yield* perform(new ComparisonTrials(a, b, asked.trials), folder, options.quiet)
    const side = (name: string, which: 'a' | 'b'): Side => ({ name, runs: pairs[which].map((record, index) => runOf(join(folder, 'trials', trialId(which, index, asked.trials)), record)) })
    const command = `pushbench compare --run ${asked.a} ${asked.b} --trials ${asked.trials} --seed ${a.seed}${sharedWords(asked)}`
    const compared: CompareOptions = { a: side(asked.a, 'a'), b: side(asked.b, 'b'), plan: 'pairs', metrics: asked.metrics, margin: asked.margin, resamples: RESAMPLES, command }
    const answer = compare(compared)
    yield* Effect.tryPromise({
      try: async () => { if (answer !== undefined) await writeAnswer(folder, answer, renderComparisonPage) },
      catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: `the answer cannot be written: ${messageOf(error)}` }),
    })
    if (!options.quiet) process.stderr.write(`the trials lie in ${relative(process.cwd(), folder) || folder}\n`)
    return compared
  })
}

function perform(planner: ComparisonTrials, folder: string, quiet: boolean): Effect.Effect<Pairs, CommandFailure> {
  return performWork({ command: 'pushbench compare --run', folder, quiet }, async (work) => await work.trials(planner, ({ words }, record) => {
    const { done, atMost } = planner.progress()
    return `trial ${done} of ${atMost}, ${words}: ${record.verdict.valid ? 'valid' : `left out, ${record.verdict.reasons[0]}`}`
  }) ?? planner.told())
}

function noneCounts({ a, b }: Pick<CompareOptions, 'a' | 'b'>): string {
  const reasons = [...a.runs, ...b.runs].flatMap((run) => { const why = leftOut(run); return why === undefined ? [] : [`  - ${run.file}: ${why}`] })
  return ['there is nothing to compare: no run is left on one side', ...reasons].join('\n')
}

function sharedWords({ margin, metrics }: Asked): string {
  return `${margin === 0.05 ? '' : ` --margin ${margin * 100}`}${metrics === undefined ? '' : ` --metric ${metrics.join(',')}`}`
}

function show(answer: ComparisonAnswer, { json, markdown }: { readonly json: boolean; readonly markdown: boolean }): void {
  if (json) process.stdout.write(`${JSON.stringify(answer)}\n`)
  else if (markdown) process.stdout.write(comparisonMarkdown(answer))
  else process.stdout.write(`\n${comparisonLines(answer, coloursFor(process.stdout)).join('\n')}\n\n  again       ${answer.command}\n`)
}
