/** What a run leaves besides its folder: a line in the history, and a summary for the job of a CI system. Neither is worth losing the run for. */
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { githubSummary } from '../export/github.js'
import { messageOf } from './command-failure.js'
import { appendHistory } from './history-file.js'
import { runOf } from './record-reader.js'
import type { RunResult } from './run.js'

/** @param out the folder of runs; @param summary the file a Markdown summary is appended to; @param say where it cannot be written */
export async function leave({ record, folder }: RunResult, out: string, summary: string | undefined, say: (text: string) => void): Promise<void> {
  try {
    await appendHistory(out, runOf(join(folder, 'run.json'), record), folder)
  } catch (error) {
    say(`the run is not in the history: ${messageOf(error)}`)
  }
  if (summary === undefined) return
  try {
    await appendFile(summary, githubSummary(record))
  } catch (error) {
    say(`the summary cannot be written: ${messageOf(error)}`)
  }
}
