/**
 * Performs what a trial planner asks for, one run after another with real parts, until it has its answer. Every finished trial
 * lies in a folder of its own, so that work which was stopped goes on where it was instead of beginning again. Knows
 * runs and folders, not what the trials are for.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Schema } from 'effect'
import { renderPage } from '../../reports/page.js'
import { RunRecord } from '../../reports/record.js'
import type { Trial, TrialPlanner } from '../trials.js'
import type { Progress, Watcher } from './progress.js'
import { run } from './run.js'
import { RunFolder } from './run-folder.js'
import { scenarioToYaml } from './scenario-file.js'

export interface TrialsOptions<Answer> {
  readonly planner: TrialPlanner<Answer>
  /** Where the whole work lies; a trial in `trials/<id>/` of it. */
  readonly folder: string
  /** Who is shown the run of a trial. */
  readonly watcher: (trial: Trial) => Watcher
  /** Why the load of a trial can end early, asked four times a second of it; undefined as long as it cannot. */
  readonly enough?: (trial: Trial) => (progress: Progress) => string | undefined
  /** A trial was told to the planner: performed now, or found finished. */
  readonly told?: (trial: Trial, record: RunRecord, found: boolean) => void
  readonly interrupt: AbortSignal
  readonly kill: AbortSignal
}

/** The planner's answer; undefined when the work was interrupted before it had one. Rejects where a trial cannot be run at all. */
export async function performTrials<Answer>(options: TrialsOptions<Answer>): Promise<Answer | undefined> {
  const { planner } = options
  for (let step = planner.next(); ; step = planner.next()) {
    if (step.type === 'answer') return step.answer
    const { trial } = step
    const path = join(options.folder, 'trials', trial.id)
    const finished = await finishedTrial(path, trial)
    const record = finished ?? await perform(options, trial, path)
    if (record.interrupted !== undefined && options.interrupt.aborted) return undefined
    planner.tell(trial, record)
    options.told?.(trial, record, finished !== undefined)
  }
}

/** What an earlier call left of this very trial; undefined when there is nothing, or only the torn rest of one that was stopped. */
async function finishedTrial(path: string, trial: Trial): Promise<RunRecord | undefined> {
  const file = join(path, 'run.json')
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    return undefined
  }
  const record = readRecord(text)
  if (record === undefined || record.interrupted !== undefined) return undefined
  if (record.scenarioYaml === scenarioToYaml(trial.scenario)) return record
  throw new Error(`${file} is of another scenario than the trial "${trial.id}" of this work; give --out a folder of its own`)
}

function readRecord(text: string): RunRecord | undefined {
  try {
    return Schema.decodeUnknownSync(RunRecord)(JSON.parse(text))
  } catch {
    return undefined
  }
}

async function perform<Answer>(options: TrialsOptions<Answer>, trial: Trial, path: string): Promise<RunRecord> {
  const enough = new AbortController()
  const watcher = options.watcher(trial)
  const judge = options.enough?.(trial)
  const looking: Watcher = judge === undefined ? watcher : {
    progress: (progress) => {
      const reason = enough.signal.aborted ? undefined : judge(progress)
      if (reason !== undefined) enough.abort(reason)
      watcher.progress(progress)
    },
    note: (text) => watcher.note(text),
    end: () => watcher.end(),
  }
  const folder = await RunFolder.anew(path)
  // Signals of the trial's own, or those of the whole work would hold on to every run there was.
  const [interrupt, kill] = [AbortSignal.any([options.interrupt]), AbortSignal.any([options.kill])]
  const { record } = await run({ scenario: trial.scenario, folder, watcher: looking, deviations: [], interrupt, enough: enough.signal, kill })
  await writeFile(folder.file('report.html'), renderPage(record))
  await folder.removeJournals()
  return record
}
