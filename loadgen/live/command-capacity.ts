/** `pushbench capacity`: how much load the gateway carries before its users notice. The search decides (capacity/search.ts), trials are runs. */
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
import { CommandFailure, EXIT } from './command-failure.js'
import { jsonOption, quietOption, scenarioArgument, seedOption } from './command-run.js'
import { scenarioToYaml } from './scenario-file.js'
import { chooseScenario } from './scenario-choice.js'
import { coloursFor } from './screen.js'
import { performWork, showWork, writeWork } from './trial-work.js'
import { workFolder } from './work-folder.js'

const outOption = Options.text('out').pipe(Options.withDescription('Folder that gets the search\'s folder.'), Options.withDefault('runs'))
const resumeOption = Options.text('resume').pipe(Options.withDescription('Go on with the search in this folder: trials that lie there are not repeated.'), Options.optional)
const trialOption = Options.integer('trial').pipe(Options.withDescription('Seconds of measured load in each trial, at least; low rates take what seeing the limit takes.'), Options.withDefault(10))
const rateMaxOption = Options.integer('rate-max').pipe(Options.withDescription('The highest rate to try, attempts per second.'), Options.withDefault(20_000))
const replicatesOption = Options.integer('replicates').pipe(Options.withDescription('Independent bisections, whose spread is the interval.'), Options.withDefault(5))

/** Loads beyond the capacity, as multiples of it. */
const OVERLOAD = [1.25, 1.5, 2, 3]
const ROWS = 'trials.csv'

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
  showWork(answer, { folder, rows: ROWS, json: options.json, lines: capacityLines(answer, coloursFor(process.stdout)) })
  if (answer.outcome === 'unmeasured') return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.inconclusive, message: '' }))
})).pipe(Command.withDescription('Search the highest load at which almost every push arrives in time, with its interval.'))

function perform(search: CapacitySearch, folder: string, quiet: boolean): Effect.Effect<CapacityAnswer, CommandFailure> {
  return performWork({ command: 'pushbench capacity', folder, quiet }, async (work) => {
    const found = await work.trials(search, () => trialLine(search.answer().trials.at(-1)!, search.progress().done), () => {
      const watch = new OverSaturation()
      return (progress) => watch.look(progress)
    })
    const answer = found ?? search.answer()
    await writeWork(folder, answer, renderCapacityPage, { file: ROWS, csv: capacityCsv(answer) })
    return answer
  })
}

function commandOf(file: string | undefined, seed: number, options: { readonly trial: number; readonly rateMax: number; readonly replicates: number }): string {
  return `pushbench capacity${file === undefined ? '' : ` ${file}`} --seed ${seed} --trial ${options.trial} --rate-max ${options.rateMax} --replicates ${options.replicates}`
}
