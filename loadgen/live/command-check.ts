/** `pushbench check` explains a scenario before any load, `pushbench init` writes one to start from. */
import { writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { basename, dirname, extname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Args, Command, Options } from '@effect/cli'
import { Effect } from 'effect'
import { explain } from '../explain.js'
import { scenarioTemplate } from '../scenario-template.js'
import { encodeScenario } from '../scenario.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { jsonOption, scenarioArgument, seedOption } from './command-run.js'
import { ROOT } from './machine.js'
import { populationFor, recipientsOf } from './part-configs.js'
import { chooseScenario } from './scenario-choice.js'

export const checkCommand = Command.make('check', { scenario: scenarioArgument, seed: seedOption, json: jsonOption }, (options) => Effect.gen(function* () {
  const scenario = yield* chooseScenario(options.scenario, options.seed)
  const population = populationFor(scenario)
  const recipients = recipientsOf(population)
  const pools = Object.fromEntries(Object.entries(recipients).map(([row, { size }]) => [row, size])) as Record<keyof typeof recipients, number>
  let devices = 0
  for (let index = 0; index < population.size; index++) devices += population.subscriber(index).devices.length
  const explanation = explain(scenario, pools, devices)
  if (options.json) {
    const { lines: _lines, ...figures } = explanation
    process.stdout.write(`${JSON.stringify({ ...figures, devices, recipients: pools, scenario: encodeScenario(scenario) })}\n`)
    return
  }
  process.stdout.write(`${explanation.lines.join('\n')}\n`)
  for (const warning of explanation.warnings) process.stderr.write(`warning: ${warning}\n`)
})).pipe(Command.withDescription('Explain a scenario without running it: schedule, recipients, sockets, memory, duration.'))

const fileArgument = Args.text({ name: 'file' }).pipe(Args.withDescription('The file to write.'), Args.withDefault('scenario.yaml'))
const schemaOption = Options.text('schema').pipe(Options.withDescription('Where editors find the JSON Schema; the one of this installation when absent.'), Options.optional)

export const initCommand = Command.make('init', { file: fileArgument, schema: schemaOption }, ({ file, schema }) => Effect.gen(function* () {
  const name = basename(file, extname(file)).toLowerCase().replace(/[^a-z0-9-]+/g, '-').replace(/^-+|-+$/g, '') || 'scenario'
  const installed = fileURLToPath(new URL('docs/scenario.schema.json', ROOT))
  const schemaUrl = schema._tag === 'Some' ? schema.value : relative(dirname(resolve(file)), installed)
  if (existsSync(file)) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: `${file} exists already; nothing was written` }))
  yield* Effect.tryPromise({
    // Between the look and the write somebody may have made it.
    try: () => writeFile(file, scenarioTemplate(schemaUrl, name), { flag: 'wx' }),
    catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: `${file} cannot be written: ${messageOf(error)}` }),
  })
  process.stdout.write(`${file}\n`)
  process.stderr.write(`Explain it with "pushbench check ${file}", run it with "pushbench run ${file}".\n`)
})).pipe(Command.withDescription('Write a commented scenario file to start from.'))
