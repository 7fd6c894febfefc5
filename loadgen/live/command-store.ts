/**
 * `pushbench store`: a look inside a gateway's store, whether it runs or not: its pushes as a list, one with its history, all
 * of them for programs. Reads and writes; what is told of a push is decided in core/store/pushes.ts, how in store-lines.ts.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Args, Command, Options } from '@effect/cli'
import { Effect, Option } from 'effect'
import { lookInside, type StoredPush } from '../../core/live/store-reader.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { jsonOption } from './command-run.js'
import { historyLines, listLine, pushObject } from './store-lines.js'

const folderArgument = Args.text({ name: 'folder' }).pipe(Args.withDescription('The gateway\'s store: the folder its configuration names.'))
const pushIdArgument = Args.text({ name: 'push-id' }).pipe(Args.withDescription('As the initiator gave it.'))
const onlyOption = Options.choice('only', ['pending', 'ended'] as const).pipe(Options.withDescription('Those with a recipient that has no outcome, or the others.'), Options.optional)
type Only = Option.Option<'pending' | 'ended'>

const CHUNK_LENGTH = 65_536

const listCommand = Command.make('list', { folder: folderArgument, only: onlyOption, json: jsonOption }, ({ folder, only, json }) =>
  printed(folder, (pushes) => (json ? objectLines(chosen(pushes, only)) : recipientLines(chosen(pushes, only)))),
).pipe(Command.withDescription('List the pushes, a line for each recipient: when accepted (UTC), outcome, push-id, address.'))

const showCommand = Command.make('show', { folder: folderArgument, pushId: pushIdArgument, json: jsonOption }, ({ folder, pushId, json }) => Effect.gen(function* () {
  // Push-ids are unique to an initiator, so several may have it.
  const found = yield* looked(folder, async (pushes) => [...having(pushes, pushId)])
  if (found.length === 0) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: `no push of the store in ${folder} has the push-id "${pushId}"; of ended ones, those past their retention are forgotten` }))
  process.stdout.write(json ? found.map((push) => `${JSON.stringify(pushObject(push))}\n`).join('') : `${found.map((push) => historyLines(push).join('\n')).join('\n\n')}\n`)
})).pipe(Command.withDescription('Show one push with its history.'))

const exportCommand = Command.make('export', { folder: folderArgument, only: onlyOption }, ({ folder, only }) =>
  printed(folder, (pushes) => objectLines(chosen(pushes, only))),
).pipe(Command.withDescription('Print every push as a line of JSON.'))

export const storeCommand = Command.make('store').pipe(
  Command.withDescription('Look inside a gateway\'s store, while it runs or not. Contents are never shown.'),
  Command.withSubcommands([listCommand, showCommand, exportCommand]),
)

function* chosen(pushes: Iterable<StoredPush>, only: Only): Generator<StoredPush> {
  const wanted = Option.getOrUndefined(only)
  for (const push of pushes) if (wanted === undefined || (wanted === 'pending') === (push.pending !== undefined)) yield push
}

function* having(pushes: Iterable<StoredPush>, pushId: string): Generator<StoredPush> {
  for (const push of pushes) if (push.pushId === pushId) yield push
}

function* recipientLines(pushes: Iterable<StoredPush>): Generator<string> {
  for (const push of pushes) for (const recipient of push.recipients) yield `${listLine(push, recipient)}\n`
}

function* objectLines(pushes: Iterable<StoredPush>): Generator<string> {
  for (const push of pushes) yield `${JSON.stringify(pushObject(push))}\n`
}

function printed(folder: string, linesOf: (pushes: Iterable<StoredPush>) => Iterable<string>): Effect.Effect<void, CommandFailure> {
  return looked(folder, async (pushes) => {
    try {
      await pipeline(Readable.from(chunksOf(linesOf(pushes))), process.stdout, { end: false })
    } catch (error) {
      // Whoever reads has seen enough, as `head` has.
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    }
  })
}

/** A write a line would be slower than reading the store. */
function* chunksOf(lines: Iterable<string>): Generator<string> {
  let chunk = ''
  for (const line of lines) {
    chunk += line
    if (chunk.length < CHUNK_LENGTH) continue
    yield chunk
    chunk = ''
  }
  if (chunk !== '') yield chunk
}

function looked<Result>(folder: string, look: (pushes: Iterable<StoredPush>) => Promise<Result>): Effect.Effect<Result, CommandFailure> {
  return Effect.tryPromise({ try: () => lookInside(folder, look), catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: messageOf(error) }) })
}
