/** `pushbench experiment`: a factorial plan, its trials interleaved, and what follows from them. The experiment decides (experiment/), trials are runs. */
import { readFile } from 'node:fs/promises'
import { Args, Command, Options } from '@effect/cli'
import { Effect, Option } from 'effect'
import { decodeYaml, formatProblems } from '../../core/live/yaml-schema.js'
import type { ExperimentAnswer } from '../../reports/answers/experiment.js'
import { renderExperimentPage } from '../../reports/pages/experiment.js'
import { CheckedPlan } from '../experiment/checked-plan.js'
import { designOf } from '../experiment/design.js'
import { Experiment } from '../experiment/experiment.js'
import { messageVersusSession, type ReadyMade } from '../experiment/message-vs-session.js'
import { BLOCKS_MAX } from '../experiment/plan-schema.js'
import { experimentCsv } from '../experiment/rows.js'
import { experimentLines, trialLine } from '../experiment/summary.js'
import { SEED_MAX } from '../scenario.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { jsonOption, quietOption, seedOption } from './command-run.js'
import { scenarioToYaml } from './scenario-file.js'
import { coloursFor } from './screen.js'
import { performWork, showWork, writeWork } from './trial-work.js'
import { workFolder } from './work-folder.js'

const READY_MADE = 'message-vs-session'
const ROWS = 'trials.csv'

const planArgument = Args.text({ name: 'plan' }).pipe(Args.withDescription(`A plan in YAML, or ${READY_MADE}: at which size, and at how many pushes in a row, another way overtakes MESSAGE.`))
const outOption = Options.text('out').pipe(Options.withDescription('Folder that gets the experiment\'s folder.'), Options.withDefault('runs'))
const resumeOption = Options.text('resume').pipe(Options.withDescription('Go on with the experiment in this folder: trials that lie there are not repeated.'), Options.optional)
const trialsOption = Options.integer('trials').pipe(Options.withDescription('Trials of each cell, instead of the plan\'s.'), Options.optional)
const quickOption = Options.boolean('quick').pipe(Options.withDescription(`Of ${READY_MADE}: few cells and short trials, in minutes instead of hours.`))

interface Asked {
  readonly plan: string
  readonly quick: boolean
  readonly seed: Option.Option<number>
  readonly trials: Option.Option<number>
}

export const experimentCommand = Command.make('experiment', {
  plan: planArgument, seed: seedOption, out: outOption, resume: resumeOption, trials: trialsOption, quick: quickOption, json: jsonOption, quiet: quietOption,
}, (options) => Effect.gen(function* () {
  for (const [name, option, least, most] of [['seed', options.seed, 0, SEED_MAX], ['trials', options.trials, 1, BLOCKS_MAX]] as const) {
    if (Option.isSome(option) && (option.value < least || option.value > most)) {
      return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: `--${name} ${option.value} is not between ${least} and ${most}` }))
    }
  }
  if (options.quick && options.plan !== READY_MADE) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: `--quick is for ${READY_MADE}; a plan says itself how much it takes` }))
  const { plan, wanted } = yield* planOf(options)
  const designed = designOf(plan, wanted)
  if (!designed.ok) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.scenarioInvalid, message: designed.problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n') }))
  const startedAt = new Date()
  const folder = Option.getOrElse(options.resume, () => workFolder(options.out, `experiment-${plan.name}`, startedAt))
  const experiment = new Experiment({
    design: designed.design, name: plan.name, seed: plan.seed, blocks: plan.trials, equal: plan.equal, startedAt: startedAt.toISOString(),
    scenarioYaml: scenarioToYaml(designed.design.base), command: `pushbench experiment ${options.plan}${options.quick ? ' --quick' : ''} --seed ${plan.seed} --trials ${plan.trials}`,
  })
  const answer = yield* perform(experiment, folder, options)
  showWork(answer, { folder, rows: ROWS, json: options.json, lines: experimentLines(answer, coloursFor(process.stdout)) })
  if (!answer.trials.some(({ counted }) => counted)) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.runInvalid, message: 'no trial was valid: nothing was measured' }))
})).pipe(Command.withDescription('Compare ways of pushing over factors and levels of a plan, with trials interleaved and intervals around every ratio.'))

function planOf({ plan, quick, seed, trials }: Asked): Effect.Effect<ReadyMade, CommandFailure> {
  if (plan === READY_MADE) return Effect.succeed(messageVersusSession(quick, Option.getOrElse(seed, () => 1), Option.getOrUndefined(trials)))
  return Effect.tryPromise({
    try: () => readFile(plan, 'utf8'),
    catch: (error) => new CommandFailure({ exitCode: EXIT.scenarioInvalid, message: `${plan} cannot be read: ${messageOf(error)}; the ready-made plan is ${READY_MADE}` }),
  }).pipe(Effect.flatMap((text) => {
    const decoded = decodeYaml(CheckedPlan, text, plan)
    if (!decoded.ok) return Effect.fail(new CommandFailure({ exitCode: EXIT.scenarioInvalid, message: formatProblems(decoded.problems) }))
    const { value } = decoded
    return Effect.succeed({ plan: { ...value, seed: Option.getOrElse(seed, () => value.seed), trials: Option.getOrElse(trials, () => value.trials) }, wanted: () => true })
  }))
}

function perform(experiment: Experiment, folder: string, { quiet, plan, quick }: Asked & { readonly quiet: boolean }): Effect.Effect<ExperimentAnswer, CommandFailure> {
  return performWork({ command: `pushbench experiment ${plan}${quick ? ' --quick' : ''}`, folder, quiet }, async (work) => {
    const found = await work.trials(experiment, () => {
      const latest = experiment.latest!
      return trialLine(latest, experiment.words(latest.cell), experiment.progress().done, experiment.planned)
    })
    const answer = found ?? experiment.answer()
    await writeWork(folder, answer, renderExperimentPage, { file: ROWS, csv: experimentCsv(answer) })
    return answer
  })
}
