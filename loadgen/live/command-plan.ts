/**
 * `pushbench plan`: from what a network is to carry and what was measured to how many nodes carry it. The plan is reckoned by plan/plan.ts; with
 * `--measure` the runs it needs are performed here first.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Args, Command, Options } from '@effect/cli'
import { Effect, Option } from 'effect'
import { stringify } from 'yaml'
import { decodeYaml, formatProblems } from '../../core/live/yaml-schema.js'
import type { PlanAnswer } from '../../reports/answers/plan.js'
import { renderPlanPage } from '../../reports/pages/plan.js'
import type { Evidence } from '../plan/evidence.js'
import { PlanMeasure } from '../plan/measure.js'
import { planOf } from '../plan/plan.js'
import { CheckedPlanFile, DEFAULT_PLAN, encodePlanFile, planTemplate, type PlanFile } from '../plan/plan-file.js'
import { planCsv } from '../plan/rows.js'
import { planLines, predictionLines } from '../plan/summary.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { explainScenario } from './command-check.js'
import { jsonOption, outOption, quietOption, seedOption } from './command-run.js'
import { readEvidence } from './plan-evidence.js'
import { coloursFor } from './screen.js'
import { performWork, showWork, writeWork, type Work } from './trial-work.js'
import { workFolder } from './work-folder.js'

const fileArgument = Args.text({ name: 'plan' }).pipe(Args.withDescription('A plan file in YAML (see --init). Without one, a million subscribers as --init has them.'), Args.optional)
const fromOption = Options.text('from').pipe(Options.withDescription('A run, a folder of runs, or a capacity search to rest the plan on; may be given several times.'), Options.repeated)
const measureOption = Options.boolean('measure').pipe(Options.withDescription('Perform the runs the plan needs, predict a configuration none of them had, and measure that too.'))
const initOption = Options.boolean('init').pipe(Options.withDescription('Write a commented plan file to start from; plan.yaml when none is named.'))
const dryOption = Options.boolean('dry').pipe(Options.withDescription('Only say what the scenario named instead of a plan file would do and need: schedule, recipients, sockets, memory, duration.'))
const resumeOption = Options.text('resume').pipe(Options.withDescription('Go on with the measuring in this folder: trials that lie there are not repeated.'), Options.optional)
const rateOption = Options.integer('rate').pipe(Options.withDescription('The highest rate to measure, pushes per second.'), Options.withDefault(400))
const trialOption = Options.integer('trial').pipe(Options.withDescription('Seconds of measured load in each trial.'), Options.withDefault(10))

const SEED = 20260314
const ROWS = 'plan.csv'

interface Chosen {
  readonly plan: PlanFile
  readonly file: string | undefined
  readonly from: readonly string[]
  readonly measure: boolean
  readonly seed: number
  readonly rate: number
  readonly trial: number
  readonly quiet: boolean
}

export const planCommand = Command.make('plan', {
  file: fileArgument, from: fromOption, measure: measureOption, init: initOption, dry: dryOption, out: outOption, resume: resumeOption, rate: rateOption, trial: trialOption, seed: seedOption, json: jsonOption, quiet: quietOption,
}, (options) => Effect.gen(function* () {
  if (options.init) return yield* writeTemplate(Option.getOrElse(options.file, () => 'plan.yaml'))
  if (options.dry) return yield* explainScenario({ ...options, scenario: options.file, preset: Option.none() })
  const plan = yield* choosePlan(options.file)
  const measure = options.measure || Option.isSome(options.resume)
  const usage = (message: string) => Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message }))
  if (!measure && options.from.length === 0) return yield* usage('a plan rests on measurements: name runs or a capacity search by --from, or have them made by --measure')
  for (const [name, value, least] of [['rate', options.rate, 20], ['trial', options.trial, 1]] as const) if (value < least) return yield* usage(`--${name} ${value}: give at least ${least}`)
  const startedAt = new Date()
  const folder = Option.getOrElse(options.resume, () => workFolder(options.out, `plan-${plan.name}`, startedAt))
  const chosen: Chosen = { plan, file: Option.getOrUndefined(options.file), from: options.from, measure, seed: Option.getOrElse(options.seed, () => SEED), rate: options.rate, trial: options.trial, quiet: options.quiet }
  const answer = yield* perform(chosen, folder, startedAt)
  showWork(answer, { folder, rows: ROWS, json: options.json, lines: planLines(answer, coloursFor(process.stdout)) })
  if (answer.outcome !== 'planned' || answer.heldOut?.predictions.some(({ holds }) => holds !== true) === true) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.inconclusive, message: '' }))
})).pipe(Command.withDescription('How many nodes a network needs, from what was measured: nodes, store, sessions, bandwidth, cost, and what binds.'))

function writeTemplate(file: string): Effect.Effect<void, CommandFailure> {
  if (existsSync(file)) return Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: `${file} exists already; nothing was written` }))
  return Effect.tryPromise({
    try: async () => {
      await writeFile(file, planTemplate(), { flag: 'wx' })
      process.stdout.write(`${file}\n`)
      process.stderr.write(`Measure for it with "pushbench plan ${file} --measure".\n`)
    },
    catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: `${file} cannot be written: ${messageOf(error)}` }),
  })
}

function choosePlan(file: Option.Option<string>): Effect.Effect<PlanFile, CommandFailure> {
  if (Option.isNone(file)) return Effect.succeed(DEFAULT_PLAN)
  const invalid = (message: string): CommandFailure => new CommandFailure({ exitCode: EXIT.scenarioInvalid, message })
  return Effect.tryPromise({
    try: () => readFile(file.value, 'utf8'),
    catch: (error) => invalid(`${file.value} cannot be read: ${messageOf(error)}`),
  }).pipe(Effect.flatMap((text) => {
    const decoded = decodeYaml(CheckedPlanFile, text, file.value)
    return decoded.ok ? Effect.succeed(decoded.value) : Effect.fail(invalid(formatProblems(decoded.problems)))
  }))
}

function perform(chosen: Chosen, folder: string, startedAt: Date): Effect.Effect<PlanAnswer, CommandFailure> {
  return performWork({ command: 'pushbench plan', folder, quiet: chosen.quiet }, async (work) => {
    // What is named is read before anything is measured: a wrong name costs no time.
    const given = await readEvidence(chosen.from)
    const measured = chosen.measure ? await measuring(chosen, folder, work) : undefined
    const evidence: Evidence = { runs: [...(measured?.runs ?? []).map((run) => ({ ...run, file: join(folder, run.file) })), ...given.runs], capacities: given.capacities }
    const answer = planOf({
      plan: chosen.plan, planYaml: stringify(encodePlanFile(chosen.plan), { lineWidth: 120 }), evidence, startedAt: startedAt.toISOString(), command: commandOf(chosen),
      ...(measured?.heldOut === undefined ? {} : { heldOut: measured.heldOut }),
    })
    await writeWork(folder, answer, renderPlanPage, { file: ROWS, csv: planCsv(answer) })
    return answer
  })
}

async function measuring(chosen: Chosen, folder: string, work: Work) {
  const planner = new PlanMeasure({ plan: chosen.plan, seed: chosen.seed, perSecond: chosen.rate, trialSeconds: chosen.trial })
  let predicted = false
  const found = await work.trials(planner, ({ words }, { verdict }) => {
    const line = `trial ${planner.progress().done}, ${words}: ${verdict.valid ? 'valid' : `invalid, ${verdict.reasons[0]}`}`
    const prediction = planner.prediction()
    if (prediction === undefined || predicted) return line
    predicted = true
    // On record before the first of its trials begins.
    writeFileSync(join(folder, 'prediction.json'), `${JSON.stringify({ words: planner.heldOutWords, predictions: prediction }, undefined, 1)}\n`)
    return [line, ...predictionLines(planner.heldOutWords, prediction)].join('\n')
  })
  return found ?? planner.measured()
}

function commandOf({ file, from, measure, seed, rate, trial }: Chosen): string {
  return ['pushbench plan', ...(file === undefined ? [] : [file]), ...from.map((path) => `--from ${path}`), ...(measure ? [`--measure --rate ${rate} --trial ${trial} --seed ${seed}`] : [])].join(' ')
}
