/** `pushbench check` explains a scenario before any load, `pushbench init` writes one to start from. */
import { writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { basename, dirname, extname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Args, Command, Options } from '@effect/cli'
import { Effect, Option } from 'effect'
import { scenarioTemplate } from '../scenario-template.js'
import { encodeScenario } from '../scenario.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { examined, jsonOption, outOption, scenarioArgument, scenarioOrPreset, seedOption } from './command-run.js'
import { refusalText } from './examination.js'
import { ROOT } from './machine.js'
import { choosePreset, presetOption, presetText } from './presets.js'

interface Explained {
  readonly scenario: Option.Option<string>
  readonly preset: Option.Option<string>
  readonly seed: Option.Option<number>
  readonly out: string
  readonly json: boolean
}

export const checkCommand = Command.make('check', { scenario: scenarioArgument, preset: presetOption, seed: seedOption, out: outOption, json: jsonOption }, (options) => explainScenario(options))
  .pipe(Command.withDescription('Explain a scenario without running it: schedule, recipients, sockets, memory, duration; refuse what cannot run.'))

/** The arithmetic of a scenario on standard output; fails where it cannot run. */
export function explainScenario(options: Explained): Effect.Effect<void, CommandFailure> {
  return Effect.gen(function* () {
    const { scenario, name } = yield* scenarioOrPreset(options)
    const { needs, pools, lines } = yield* examined(scenario, options.out)
    if (options.json) process.stdout.write(`${JSON.stringify({ ...needs, recipients: pools, scenario: encodeScenario(scenario) })}\n`)
    else process.stdout.write(`${lines.join('\n')}\n`)
    for (const { path, message } of needs.warnings) process.stderr.write(`warning: ${path} ${message}\n`)
    if (needs.refusals.length > 0) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.scenarioInvalid, message: `this cannot run here:\n${refusalText(name, needs)}` }))
  })
}

const fileArgument = Args.text({ name: 'file' }).pipe(Args.withDescription('The file to write; scenario.yaml, or the preset\'s name, when absent.'), Args.optional)
const schemaOption = Options.text('schema').pipe(Options.withDescription('Where editors find the JSON Schema; the one of this installation when absent.'), Options.optional)

export const initCommand = Command.make('init', { file: fileArgument, preset: presetOption, schema: schemaOption }, (options) => Effect.gen(function* () {
  const preset = yield* choosePreset(options.preset)
  const file = Option.getOrElse(options.file, () => `${preset ?? 'scenario'}.yaml`)
  const name = basename(file, extname(file)).toLowerCase().replace(/[^a-z0-9-]+/g, '-').replace(/^-+|-+$/g, '') || 'scenario'
  const installed = fileURLToPath(new URL('docs/scenario.schema.json', ROOT))
  const schemaUrl = Option.getOrElse(options.schema, () => relative(dirname(resolve(file)), installed))
  if (existsSync(file)) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: `${file} exists already; nothing was written` }))
  const text = preset === undefined ? scenarioTemplate(schemaUrl, name) : `# yaml-language-server: $schema=${schemaUrl}\n${yield* presetText(preset)}`
  yield* Effect.tryPromise({
    // Between the look and the write somebody may have made it.
    try: () => writeFile(file, text, { flag: 'wx' }),
    catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: `${file} cannot be written: ${messageOf(error)}` }),
  })
  process.stdout.write(`${file}\n`)
  process.stderr.write(`Explain it with "pushbench check ${file}", run it with "pushbench run ${file}".\n`)
})).pipe(Command.withDescription('Write a commented scenario file to start from.'))
