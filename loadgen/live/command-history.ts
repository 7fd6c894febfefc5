/** `pushbench history`: where the figures of the runs so far changed for good, and since which commit. history/ decides what is a change. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Args, Command } from '@effect/cli'
import { Effect } from 'effect'
import { renderHistoryPage } from '../../reports/pages/history.js'
import { historyAnswer } from '../history/changes.js'
import { ForeignHistory } from '../history/rows.js'
import { historyLines } from '../history/summary.js'
import { pageOption, writePage } from './answer-files.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { jsonOption } from './command-run.js'
import { HISTORY_FILE, readHistoryFile } from './history-file.js'
import { coloursFor } from './screen.js'

const placeArgument = Args.text({ name: 'history' }).pipe(Args.withDescription('A history.csv, or the folder of runs that has one.'), Args.withDefault('runs'))

export const historyCommand = Command.make('history', { place: placeArgument, page: pageOption, json: jsonOption }, ({ place, page, json }) => Effect.gen(function* () {
  const history = yield* Effect.tryPromise({
    try: async () => readHistoryFile((await stat(place)).isDirectory() ? join(place, HISTORY_FILE) : place),
    catch: (error) => new CommandFailure({
      exitCode: error instanceof ForeignHistory ? EXIT.runInvalid : EXIT.internal,
      message: error instanceof ForeignHistory ? error.message : `${place} has no history that can be read: ${messageOf(error)}; "pushbench run" begins one in its --out folder`,
    }),
  })
  const answer = historyAnswer(history)
  if (json) process.stdout.write(`${JSON.stringify(answer)}\n`)
  else process.stdout.write(`\n${historyLines(answer, coloursFor(process.stdout)).join('\n')}\n`)
  yield* writePage(page, () => renderHistoryPage(answer))
})).pipe(Command.withDescription('Say where the figures of past runs changed for good, and since which commit.'))
