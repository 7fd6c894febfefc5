/**
 * The file of a history, <out>/history.csv: a line is appended after each run and nothing is ever rewritten. A line torn by a crash stays as
 * it is and costs itself only. Knows the file; the lines are made and read elsewhere.
 */
import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { csv } from '../csv.js'
import { columnsOf, HISTORY_HEADER, historyLine, readHistory, type History } from '../history/rows.js'
import { comparable } from '../compare/differences.js'
import type { ReadRun } from '../compare/sides.js'

export const HISTORY_FILE = 'history.csv'

/** Appends a run's row. Rejects with a ForeignHistory, without a write, where the file is something else. @param run the run's folder */
export async function appendHistory(out: string, read: ReadRun, run: string): Promise<void> {
  const file = join(out, HISTORY_FILE)
  const handle = await open(file, 'a+')
  try {
    const { size } = await handle.stat()
    const head = Buffer.alloc(Math.min(size, 16_384))
    await handle.read(head, 0, head.length, 0)
    const header = size === 0 ? HISTORY_HEADER : columnsOf(head.toString('utf8').split('\n')[0]!, file)
    const last = Buffer.alloc(1)
    if (size > 0) await handle.read(last, 0, 1, size - 1)
    const before = size === 0 ? csv(HISTORY_HEADER, []) : last.toString() === '\n' ? '' : '\n'
    // In one write: two runs that end at once do not mix their lines.
    await handle.appendFile(`${before}${historyLine(read.record, run, seriesOf(read), header)}`)
  } finally {
    await handle.close()
  }
}

export async function readHistoryFile(file: string): Promise<History> {
  return readHistory(await readFile(file, 'utf8'), file)
}

/** The same for runs that may be compared: the scenario but for its seed and promises, and the machine. */
function seriesOf({ record: { disclosure: { cpu, cores } }, scenario }: ReadRun): string {
  const keys = [...scenario].filter(([key]) => comparable(key)).map(([key, value]) => `${key}=${value}`).sort()
  return createHash('sha256').update([cpu, String(cores), ...keys].join('\n')).digest('hex').slice(0, 12)
}
