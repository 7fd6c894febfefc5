/** `pushbench export`: a run's record for the tools of others. The formats are made in export/; this reads, writes and sends. */
import { writeFile } from 'node:fs/promises'
import { Args, Command, Options } from '@effect/cli'
import { Effect, Option } from 'effect'
import { figuresCsv } from '../export/figures-csv.js'
import { githubSummary } from '../export/github.js'
import { junitXml } from '../export/junit.js'
import { otlpMetrics } from '../export/otlp.js'
import { prometheusText } from '../export/prometheus.js'
import type { RunRecord } from '../../reports/record.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { readRun, RecordError } from './record-reader.js'

const FORMATS: Readonly<Record<'junit' | 'github' | 'prometheus' | 'otlp' | 'csv', (record: RunRecord) => string>> = {
  junit: junitXml, github: githubSummary, prometheus: prometheusText, otlp: (record) => `${JSON.stringify(otlpMetrics(record))}\n`, csv: figuresCsv,
}
const NAMES = ['junit', 'github', 'prometheus', 'otlp', 'csv'] as const

const runArgument = Args.text({ name: 'run' }).pipe(Args.withDescription('A run\'s folder, or its run.json.'))
const formatOption = Options.choice('format', NAMES).pipe(Options.withDescription('junit: XML; github: Markdown for a job\'s summary; prometheus: text exposition; otlp: OpenTelemetry metrics as JSON; csv: every figure by name.'))
const toOption = Options.text('to').pipe(Options.withDescription('The file to write; standard output when absent.'), Options.optional)
const endpointOption = Options.text('endpoint').pipe(Options.withDescription('With otlp: also POST it there, such as http://127.0.0.1:4318/v1/metrics.'), Options.optional)

const ANSWER_MILLIS_MAX = 10_000

export const exportCommand = Command.make('export', { run: runArgument, format: formatOption, to: toOption, endpoint: endpointOption }, (options) => Effect.gen(function* () {
  if (Option.isSome(options.endpoint) && options.format !== 'otlp') return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: '--endpoint is for --format otlp' }))
  const { record } = yield* Effect.tryPromise({
    try: () => readRun(options.run),
    catch: (error) => new CommandFailure({ exitCode: error instanceof RecordError ? EXIT.runInvalid : EXIT.internal, message: messageOf(error) }),
  })
  const text = FORMATS[options.format](record)
  if (Option.isSome(options.endpoint)) yield* sent(text, options.endpoint.value)
  if (Option.isSome(options.to)) yield* written(text, options.to.value)
  else if (Option.isNone(options.endpoint)) process.stdout.write(text)
})).pipe(Command.withDescription('Write a run\'s record for other tools: JUnit XML, a GitHub summary, Prometheus, OpenTelemetry, CSV.'))

function written(text: string, file: string): Effect.Effect<void, CommandFailure> {
  return Effect.tryPromise({ try: () => writeFile(file, text), catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: `${file} cannot be written: ${messageOf(error)}` }) })
}

/** OTLP/HTTP (opentelemetry-proto, "OTLP/HTTP Request"): any 2xx is success. Once only: whoever wants it again calls again. */
function sent(body: string, endpoint: string): Effect.Effect<void, CommandFailure> {
  return Effect.tryPromise({
    try: async () => {
      const answer = await fetch(endpoint, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: AbortSignal.timeout(ANSWER_MILLIS_MAX) })
      if (!answer.ok) throw new Error(`it answered ${answer.status} ${answer.statusText}`)
    },
    catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: `${endpoint} did not take the metrics: ${reasonOf(error)}` }),
  })
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? error.cause.message : messageOf(error)
}
