/**
 * The command line: which commands there are, where their words go, and what their exit codes mean. Results go to
 * standard output, everything else to standard error.
 */
import { CliConfig, Command, HelpDoc, Span, ValidationError } from '@effect/cli'
import * as NodeContext from '@effect/platform-node/NodeContext'
import { Cause, Console, Effect, Exit, Layer } from 'effect'
import { nearest } from '../../core/live/nearest.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { capacityCommand } from './command-capacity.js'
import { checkCommand, initCommand } from './command-check.js'
import { compareCommand } from './command-compare.js'
import { experimentCommand } from './command-experiment.js'
import { exportCommand } from './command-export.js'
import { historyCommand } from './command-history.js'
import { imsCommand, serveCommand, terminalsCommand } from './command-parts.js'
import { planCommand } from './command-plan.js'
import { DASHBOARD_ANYWHERE, runCommand } from './command-run.js'
import { simulateCommand } from './command-simulate.js'
import { storeCommand } from './command-store.js'
import { version } from './machine.js'
import { coloursFor } from './screen.js'

const root = Command.make('pushbench').pipe(
  Command.withDescription('A workbench for push delivery over SIP and IMS: a real push proxy gateway, a simulated IMS, thousands of virtual terminals.'),
  Command.withSubcommands([runCommand, simulateCommand, capacityCommand, experimentCommand, compareCommand, historyCommand, exportCommand, planCommand, checkCommand, initCommand, serveCommand, storeCommand, imsCommand, terminalsCommand]),
)

const EXIT_CODES = HelpDoc.sequence(HelpDoc.h1('EXIT CODES'), HelpDoc.p(Span.text('0 passed, 1 usage or internal error, 2 scenario invalid, 3 threshold failed, 4 run invalid, 5 regression against the baseline, 6 inconclusive, 129 terminal closed, 130 interrupted')))

const ANSI = /\x1b\[[0-9;]*m/g
const OPTIONS_WITH_VALUE = ['--preset', '--seed', '--out', '--for', '--calibrate', '--from', '--resume', '--trial', '--rate-max', '--replicates', '--trials', '--margin', '--metric', '--format', '--to', '--endpoint', '--summary', '--schema', '--journal', '--rate', '--log-level', '--completions', '--only']
/** Commands whose next word is a command of theirs. */
const COMMANDS_OF_COMMANDS: Readonly<Record<string, readonly string[]>> = { store: ['list', 'show', 'export'] }
const FLAGS = ['--measure', '--init', '--dry', '--run', '--anyway', '--markdown', '--quick', '--dashboard', '--stream', '--json', '--quiet', '-q', '--help', '-h', '--version', '--wizard']

/** Runs the command of `argv` (as in process.argv) and resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const wrong = unknownOption(argv.slice(3)) ?? missingValue(argv.slice(3)) ?? unknownCommand(argv.slice(2))
  if (wrong !== undefined) {
    process.stderr.write(`${wrong}\nTry "pushbench --help".\n`)
    return EXIT.internal
  }
  const program = Command.run(root, { name: 'pushbench', version: version(), footer: EXIT_CODES })([...argv.slice(0, 2), ...optionsFirst(argv.slice(2))]).pipe(
    plainUnlessTerminal,
    Effect.provide(Layer.mergeAll(NodeContext.layer, CliConfig.layer({ showBuiltIns: false, isCaseSensitive: true }))),
  )
  const exit = await Effect.runPromiseExit(program)
  return Exit.isSuccess(exit) ? EXIT.passed : explainFailure(exit.cause)
}

function explainFailure(cause: Cause.Cause<unknown>): number {
  const error = Cause.squash(cause)
  if (ValidationError.isValidationError(error)) {
    // The parser has said what is wrong.
    process.stderr.write('Try "pushbench --help".\n')
    return EXIT.internal
  }
  if (error instanceof CommandFailure) {
    if (error.message !== '') process.stderr.write(`${error.message}\n`)
    return error.exitCode
  }
  process.stderr.write(`pushbench: ${error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error)}\n`)
  return EXIT.internal
}

/** The parser calls an option it does not know an argument; here it is told what was meant. */
function unknownOption(words: readonly string[]): string | undefined {
  const known = [...OPTIONS_WITH_VALUE, ...FLAGS]
  const end = words.includes('--') ? words.indexOf('--') : words.length
  const word = words.slice(0, end).find((candidate, index) =>
    candidate.startsWith('-') && !known.includes(candidate.split('=')[0]!) && !OPTIONS_WITH_VALUE.includes(words[index - 1] ?? ''))
  if (word === undefined) return undefined
  const near = nearest(word, known)
  return `there is no option "${word}"${near === undefined ? '' : `; did you mean "${near}"?`}`
}

/** The parser takes an option without its value for an argument. */
function missingValue(words: readonly string[]): string | undefined {
  const own = words.slice(0, words.includes('--') ? words.indexOf('--') : words.length)
  const option = own.find((word, index) => {
    const next = own[index + 1]
    return OPTIONS_WITH_VALUE.includes(word) && (next === undefined || OPTIONS_WITH_VALUE.includes(next) || FLAGS.includes(next))
  })
  return option === undefined ? undefined : `the option "${option}" needs a value`
}

/** The parser blames the first word for the second. */
function unknownCommand(words: readonly string[]): string | undefined {
  const own = COMMANDS_OF_COMMANDS[words[0] ?? '']
  const second = words.slice(1).find((word) => !word.startsWith('-'))
  if (own === undefined || second === undefined || own.includes(second)) return undefined
  return `there is no command "${words[0]} ${second}"; there are ${own.join(', ')}`
}

/** The parser wants options before arguments; people write them anywhere. What follows `--` stays where it is. */
export function optionsFirst(words: readonly string[]): string[] {
  const [command, ...rest] = words
  if (command === undefined || command.startsWith('-')) return [...words]
  if (COMMANDS_OF_COMMANDS[command] !== undefined) return [command, ...optionsFirst(rest)]
  const end = rest.includes('--') ? rest.indexOf('--') : rest.length
  const options: string[] = []
  const others: string[] = []
  for (let index = 0; index < end; index++) {
    const word = rest[index]!
    if (!word.startsWith('-')) others.push(word)
    else {
      // Its value may be left out, and never stands apart.
      options.push(word === '--dashboard' ? `${word}=${DASHBOARD_ANYWHERE}` : word)
      if (OPTIONS_WITH_VALUE.includes(word) && index + 1 < end) options.push(rest[++index]!)
    }
  }
  return [command, ...options, ...others, ...rest.slice(end)]
}

/** Help and usage errors come coloured from the parser; a pipe and NO_COLOR get them plain. */
function plainUnlessTerminal<Value, Failure, Needs>(program: Effect.Effect<Value, Failure, Needs>): Effect.Effect<Value, Failure, Needs> {
  const write = (stream: NodeJS.WriteStream) => (...words: readonly unknown[]) => Effect.sync(() => {
    const text = words.map(String).join(' ')
    stream.write(`${coloursFor(stream) ? text : text.replace(ANSI, '')}\n`)
  })
  return Console.consoleWith((console) => program.pipe(Effect.withConsole({ ...console, log: write(process.stdout), error: write(process.stderr) })))
}
