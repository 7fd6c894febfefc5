/** An answer as files: as it is for programs, and as a page for people. Knows places, not what is answered. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Options } from '@effect/cli'
import { Effect, Option } from 'effect'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'

export const ANSWER_PAGE = 'answer.html'

/** answer.json and answer.html in a folder of work that has one. */
export async function writeAnswer<Answer>(folder: string, answer: Answer, page: (answer: Answer) => string): Promise<void> {
  await writeFile(join(folder, 'answer.json'), `${JSON.stringify(answer, undefined, 1)}\n`)
  await writeFile(join(folder, ANSWER_PAGE), page(answer))
}

export const pageOption = Options.text('page').pipe(Options.withDescription('Write the result as an HTML page to this file, too.'), Options.optional)

/** For commands that have no folder of their own. */
export function writePage(file: Option.Option<string>, page: () => string): Effect.Effect<void, CommandFailure> {
  return Option.match(file, {
    onNone: () => Effect.void,
    onSome: (path) => Effect.tryPromise({
      try: () => writeFile(path, page()),
      catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: `the page cannot be written to ${path}: ${messageOf(error)}` }),
    }),
  })
}
