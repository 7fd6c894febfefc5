/** The folder a run leaves behind: runs/<time>-<scenario>/ with the record, the page, the scenario, HDR logs and journals. Knows names and places. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { workFolder } from './work-folder.js'

export class RunFolder {
  private constructor(readonly path: string) {}

  /** Makes `<out>/<time>-<name>`, UTC; a second run within the same second gets a number behind it. */
  static async make(out: string, name: string, startedAt: Date): Promise<RunFolder> {
    const wanted = workFolder(out, name, startedAt)
    await mkdir(out, { recursive: true })
    for (let copy = 1; ; copy++) {
      const path = copy === 1 ? wanted : `${wanted}-${copy}`
      try {
        await mkdir(path)
        await mkdir(join(path, 'journals'))
        return new RunFolder(path)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      }
    }
  }

  /** Exactly this folder, emptied: where a trial that was broken off begins again. */
  static async anew(path: string): Promise<RunFolder> {
    await rm(path, { recursive: true, force: true })
    await mkdir(join(path, 'journals'), { recursive: true })
    return new RunFolder(path)
  }

  file(name: string): string {
    return join(this.path, name)
  }

  journal(part: string): string {
    return join(this.path, 'journals', `${part}.journal`)
  }

  /** Where the gateway keeps its store while the run lasts. */
  get store(): string {
    return join(this.path, 'store')
  }

  /** Every journal of a part that has several (`terminals-0.journal`, `terminals-reference.journal`). */
  async journalsOf(part: string): Promise<{ readonly name: string; readonly path: string }[]> {
    const names = await readdir(join(this.path, 'journals'))
    return names.filter((name) => name === `${part}.journal` || (name.startsWith(`${part}-`) && name.endsWith('.journal'))).sort()
      .map((name) => ({ name: name.slice(0, -'.journal'.length), path: join(this.path, 'journals', name) }))
  }

  /** Journals are large, and where many runs are kept for their records nobody reads them again. */
  async removeJournals(): Promise<void> {
    await rm(join(this.path, 'journals'), { recursive: true, force: true })
  }

  /** The store is of no use after a run; its pushes are in the journals. */
  async removeStore(): Promise<void> {
    await rm(this.store, { recursive: true, force: true })
  }
}
