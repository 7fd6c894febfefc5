/** Folders on a real disk for tests: under the system's temporary folder, or beside the sources where that lives in memory. */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'

const TMPFS_MAGIC = 0x01021994
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A new empty folder, removed after the test. */
export function diskFolder(): string {
  const inMemory = statfsSync(tmpdir()).type === TMPFS_MAGIC
  if (inMemory) process.stderr.write(`${tmpdir()} lies in memory; this test keeps its files in ${process.cwd()}\n`)
  const folder = mkdtempSync(join(inMemory ? process.cwd() : tmpdir(), 'pushbench-test-'))
  folders.push(folder)
  return folder
}
