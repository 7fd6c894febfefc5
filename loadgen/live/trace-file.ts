/** Reads the trace a scenario replays; what is wrong in it is told with file and line. Knows files. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Scenario } from '../scenario.js'
import { readTrace, type Trace } from '../trace.js'

export interface TraceFile {
  readonly path: string
  readonly text: string
  readonly trace: Trace
  /** SHA-256 of the text: the scenario names a file, not what is in it. */
  readonly sha256: string
}

/** What is wrong with a trace, a line for each problem. */
export class TraceError extends Error {}

/** The trace of a replay; undefined for any other load. Rejects with a TraceError. */
export async function traceOf({ load }: Scenario): Promise<TraceFile | undefined> {
  if (load.shape !== 'replay' || load.closed.initiators > 0) return undefined
  const path = load.replay.file
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new TraceError(`load.replay.file: ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  const read = readTrace(text)
  if (!read.ok) throw new TraceError(read.problems.map(({ line, message }) => `${path}:${line} ${message}`).join('\n'))
  return { path, text, trace: read.trace, sha256: createHash('sha256').update(text).digest('hex') }
}
