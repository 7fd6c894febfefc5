/** `pushbench capacity`: how much load the gateway carries before its users notice. The search decides (capacity/search.ts), trials are runs. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Command, Options } from '@effect/cli'
import { Effect, Option } from 'effect'
import { MICROS_PER_SECOND } from '../../core/kit/time.js'
import type { CapacityAnswer } from '../../reports/answers/capacity.js'
import { renderCapacityPage } from '../../reports/pages/capacity.js'
import { OverSaturation } from '../capacity/over-saturation.js'
import { CapacitySearch } from '../capacity/search.js'
import { capacityCsv } from '../capacity/rows.js'
import { capacityLines, trialLine } from '../capacity/summary.js'
import type { Scenario } from '../scenario.js'
import { ANSWER_PAGE, writeAnswer } from './answer-files.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { jsonOption, quietOption, scenarioArgument, seedOption } from './command-run.js'
import { scenarioToYaml } from './scenario-file.js'
import { chooseScenario } from './scenario-choice.js'
import { coloursFor, watcherFor } from './screen.js'
import { listenForStops } from './signals.js'
import { performTrials } from './trials.js'
import { workFolder } from './work-folder.js'

const outOption = Options.text('out').pipe(Options.withDescription('Folder that gets the search\'s folder.'), Options.withDefault('runs'))
const resumeOption = Options.text('resume').pipe(Options.withDescription('Go on with the search in this folder: trials that lie there are not repeated.'), Options.optional)
const trialOption = Options.integer('trial').pipe(Options.withDescription('Seconds of measured load in each trial, at least; low rates take what seeing the limit takes.'), Options.withDefault(10))
const rateMaxOption = Options.integer('rate-max').pipe(Options.withDescription('The highest rate to try, attempts per second.'), Options.withDefault(20_000))
const replicatesOption = Options.integer('replicates').pipe(Options.withDescription('Independent bisections, whose spread is the interval.'), Options.withDefault(5))

/** Loads beyond the capacity, as multiples of it. */
const OVERLOAD = [1.25, 1.5, 2, 3]

export const capacityCommand = Command.make('capacity', {
  scenario: scenarioArgument, seed: seedOption, out: outOption, resume: resumeOption, trial: trialOption, rateMax: rateMaxOption, replicates: replicatesOption, json: jsonOption, quiet: quietOption,
}, (options) => Effect.gen(function* () {
  const chosen = yield* chooseScenario(options.scenario, options.seed)
  for (const [name, value, least] of [['trial', options.trial, 1], ['rate-max', options.rateMax, 1], ['replicates', options.replicates, 2]] as const) {
    if (value < least) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: `--${name} ${value}: give at least ${least}` }))
  }
  const scenario: Scenario = { ...chosen, load: { ...chosen.load, duration: options.trial * MICROS_PER_SECOND } }
  const startedAt = new Date()
  const folder = Option.getOrElse(options.resume, () => workFolder(options.out, `capacity-${scenario.name}`, startedAt))
  const search = new CapacitySearch({
    scenario, scenarioYaml: scenarioToYaml(scenario), startedAt: startedAt.toISOString(), perSecondMax: options.rateMax, replicates: options.replicates, overload: OVERLOAD,
    command: commandOf(Option.getOrUndefined(options.scenario), scenario.seed, options),
  })
  const answer = yield* perform(search, folder, options.quiet)
  show(answer, folder, options.json)
  if (answer.outcome === 'unmeasured') return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.inconclusive, message: '' }))
})).pipe(Command.withDescription('Search the highest load at which almost every push arrives in time, with its interval.'))

function perform(search: CapacitySearch, folder: string, quiet: boolean): Effect.Effect<CapacityAnswer, CommandFailure> {
  const say = (text: string): void => { if (!quiet) process.stderr.write(`${text}\n`) }
  const stops = listenForStops(() => say('Stopping: the trial under way is given time to end. Ctrl-C again ends at once.'))
  const effect = Effect.tryPromise({
    try: async () => {
      await mkdir(folder, { recursive: true })
      const found = await performTrials({
        planner: search, folder, interrupt: stops.orderly, kill: stops.atOnce,
        // Of a trial only a terminal shows the course; elsewhere its end is enough.
        watcher: ({ words }) => {
          if (process.stderr.isTTY) say(`trial ${search.progress().done + 1}, ${words}`)
          return watcherFor(quiet || !process.stderr.isTTY, process.stderr)
        },
        enough: () => {
          const watch = new OverSaturation()
          return (progress) => watch.look(progress)
        },
        told: () => say(trialLine(search.answer().trials.at(-1)!, search.progress().done)),
      })
      const answer = found ?? search.answer()
      await writeAnswer(folder, answer, renderCapacityPage)
      await writeFile(join(folder, 'trials.csv'), capacityCsv(answer))
      return answer
    },
    catch: (error) => new CommandFailure({ exitCode: stops.atOnce.aborted ? stops.exitCode ?? EXIT.interrupted : EXIT.internal, message: `pushbench capacity: ${messageOf(error)}` }),
  })
  return effect.pipe(
    Effect.tap(() => (stops.exitCode === undefined ? Effect.void : Effect.fail(new CommandFailure({ exitCode: stops.exitCode, message: `stopped; go on with: pushbench capacity ... --resume ${folder}` })))),
    Effect.ensuring(Effect.sync(() => stops.release())),
  )
}

function show(answer: CapacityAnswer, folder: string, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify({ folder, ...answer })}\n`)
  else process.stdout.write(`\n${capacityLines(answer, coloursFor(process.stdout)).join('\n')}\n\n  answer      ${join(relative(process.cwd(), folder) || folder, 'answer.json')}\n  page        ${join(relative(process.cwd(), folder) || folder, ANSWER_PAGE)}\n  again       ${answer.command}\n`)
}

function commandOf(file: string | undefined, seed: number, options: { readonly trial: number; readonly rateMax: number; readonly replicates: number }): string {
  return `pushbench capacity${file === undefined ? '' : ` ${file}`} --seed ${seed} --trial ${options.trial} --rate-max ${options.rateMax} --replicates ${options.replicates}`
}
