/**
 * What the commands that perform trials have in common: a folder, words about each trial, a first Ctrl-C that lets the trial under
 * way end and says how to go on, and the answer as files. What the trials are for is each command's business.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Effect } from 'effect'
import type { RunRecord } from '../../reports/record.js'
import type { Trial, TrialPlanner } from '../trials.js'
import { ANSWER_PAGE, writeAnswer } from './answer-files.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { watcherFor } from './screen.js'
import { listenForStops } from './signals.js'
import { performTrials, type TrialsOptions } from './trials.js'

export interface WorkOptions {
  /** The command with its first arguments, such as `pushbench capacity`: said in errors and in how to go on. */
  readonly command: string
  readonly folder: string
  readonly quiet: boolean
}

export interface Work {
  /**
   * Performs what the planner asks for; undefined when stopped before its answer.
   * @param told what to say of a trial that was told to the planner
   */
  trials<Answer>(planner: TrialPlanner<Answer>, told: (trial: Trial, record: RunRecord) => string, enough?: TrialsOptions<Answer>['enough']): Promise<Answer | undefined>
}

/** Does the work; fails where it was stopped, after it has written what there is. */
export function performWork<A>({ command, folder, quiet }: WorkOptions, act: (work: Work) => Promise<A>): Effect.Effect<A, CommandFailure> {
  const say = (text: string): void => { if (!quiet) process.stderr.write(`${text}\n`) }
  const stops = listenForStops(() => say('Stopping: the trial under way is given time to end. Ctrl-C again ends at once.'))
  const work: Work = {
    trials: async (planner, told, enough) => {
      await mkdir(folder, { recursive: true })
      return performTrials({
        planner, folder, interrupt: stops.orderly, kill: stops.atOnce,
        // Of a trial only a terminal shows the course; elsewhere its end is enough.
        watcher: ({ words }) => {
          if (process.stderr.isTTY) say(`trial ${planner.progress().done + 1}, ${words}`)
          return watcherFor(quiet || !process.stderr.isTTY, process.stderr)
        },
        told: (trial, record) => say(told(trial, record)),
        ...(enough === undefined ? {} : { enough }),
      })
    },
  }
  return Effect.tryPromise({
    try: () => act(work),
    catch: (error) => new CommandFailure({ exitCode: stops.atOnce.aborted ? stops.exitCode ?? EXIT.interrupted : EXIT.internal, message: `${command}: ${messageOf(error)}` }),
  }).pipe(
    Effect.tap(() => (stops.exitCode === undefined ? Effect.void : Effect.fail(new CommandFailure({ exitCode: stops.exitCode, message: `stopped; go on with: ${command} ... --resume ${folder}` })))),
    Effect.ensuring(Effect.sync(() => stops.release())),
  )
}

/** An answer of work as files: for programs, for people, and its rows for tables. */
export async function writeWork<Answer>(folder: string, answer: Answer, page: (answer: Answer) => string, rows: { readonly file: string; readonly csv: string }): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeAnswer(folder, answer, page)
  await writeFile(join(folder, rows.file), rows.csv)
}

/** The answer on standard output: for programs whole, for people its lines and where the rest lies. */
export function showWork(answer: { readonly command: string }, { folder, rows, json, lines }: { readonly folder: string; readonly rows: string; readonly json: boolean; readonly lines: readonly string[] }): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ folder, ...answer })}\n`)
    return
  }
  const place = relative(process.cwd(), folder) || folder
  const foot = [['answer', join(place, 'answer.json')], ['page', join(place, ANSWER_PAGE)], ['rows', join(place, rows)], ['again', answer.command]]
  process.stdout.write(`\n${lines.join('\n')}\n\n${foot.map(([name, what]) => `  ${name!.padEnd(12)}${what}\n`).join('')}`)
}
