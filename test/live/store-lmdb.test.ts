/** The store on a real disk: the contract, one process per folder, what survives kill -9, and that the flush precedes the answer. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openStore, type LmdbStore } from '../../core/live/store-lmdb.js'
import type { StoreIn } from '../../core/store/operations.js'
import { diskFolder } from './disk.js'
import { storeContract, type StoreUnderTest } from './store-contract.js'
import { STRACE, StoreTrace, straceWanted, systemCalls, TRACED } from './strace.js'

const WRITER = fileURLToPath(new URL('../../dist/test/live/store-writer.js', import.meta.url))

async function open(folder: string): Promise<StoreUnderTest & { readonly store: LmdbStore }> {
  const answers: StoreIn[] = []
  let given = 0
  let look = (): void => {}
  const store = await openStore(folder, {
    report: (input) => {
      answers.push(input)
      look()
    },
    onFailure: (error) => { throw error },
  })
  return {
    store,
    answers,
    output: (output) => {
      given += 1
      store.output(output)
    },
    settle: () => new Promise((resolve) => {
      look = () => { if (answers.length === given) resolve() }
      store.flush()
      look()
    }),
    close: () => store.close(),
  }
}

let folder = ''
storeContract('LMDB', {
  fresh: () => {
    folder = diskFolder()
    return open(folder)
  },
  reopen: () => open(folder),
})

interface Writer {
  readonly lines: string[]
  /** Resolves when so many lines were written; rejects when the writer ends before. */
  until(count: number): Promise<void>
  kill(): void
  readonly closed: Promise<number | null>
  stderr(): string
}

function startWriter(command: string, argv: readonly string[]): Writer {
  // One thread in Node's pool, so that the system calls strace counts for it are those of successive commits.
  const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, UV_THREADPOOL_SIZE: '1' } })
  const lines: string[] = []
  let rest = ''
  let stderr = ''
  let look = (): void => {}
  child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
    look()
  })
  const closed = new Promise<number | null>((resolve) => { child.once('close', (code) => resolve(code)) })
  return {
    lines, closed, stderr: () => stderr,
    // The writer itself, which under strace is not our child.
    kill: () => { process.kill(Number(lines[0]?.split(' ')[1]), 'SIGKILL') },
    until: (count) => new Promise((resolve, reject) => {
      look = () => { if (lines.length >= count) resolve() }
      look()
      void closed.then(() => reject(new Error(`the writer ended early: ${stderr}`)))
    }),
  }
}

const ticketsOf = (lines: readonly string[], type = 'committed'): number[] =>
  lines.filter((line) => line.startsWith(`${type} `)).map((line) => Number(line.split(' ')[1]))

describe('the store on disk', () => {
  it('is held by one gateway at a time and is free again when that one was killed', async () => {
    const folder = diskFolder()
    const writer = startWriter(process.execPath, [WRITER, folder, '1'])
    await writer.until(3)
    await expect(open(folder)).rejects.toThrow(`the store in ${folder} is in use by another gateway`)
    writer.kill()
    await writer.closed
    const store = await open(folder)
    await expect(open(folder)).rejects.toThrow('in use')
    await store.close()
  })

  it('loses no answered commit to kill -9, and keeps no half of one', async () => {
    const folder = diskFolder()
    let most = 0
    for (let round = 0; round < 5; round++) {
      const writer = startWriter(process.execPath, [WRITER, folder, '20'])
      await writer.until(200 + 77 * round)
      writer.kill()
      await writer.closed
      const answered = ticketsOf(writer.lines)
      most = Math.max(most, ...answered)
      const store = await open(folder)
      store.output({ type: 'scan', ticket: 1, from: Buffer.from('a'), to: Buffer.from('d'), limit: 1_000_000 })
      await store.settle()
      const rows = store.answers[0]?.type === 'rows' ? store.answers[0].rows : []
      const numbers = { a: new Set<number>(), b: new Set<number>(), c: new Set<number>() }
      for (const row of rows) numbers[row.key.toString('latin1', 0, 1) as 'a' | 'b' | 'c'].add(Number(row.value))
      expect(answered.filter((ticket) => !numbers.a.has(ticket))).toEqual([])
      expect([...numbers.b]).toEqual([...numbers.a])
      expect([...numbers.c]).toEqual([...numbers.a])
      await store.close()
    }
    expect(most).toBeGreaterThan(200)
  })

  it.runIf(straceWanted('the store’s flush before its answer'))('answers a commit only after its rows and then the root were flushed', async () => {
    expect(STRACE, 'strace is not installed').toBe(true)
    const folder = diskFolder()
    const trace = join(folder, 'trace')
    const writer = startWriter('strace', [...TRACED, '-o', trace, process.execPath, WRITER, folder, '10'])
    await writer.until(300)
    writer.kill()
    await writer.closed
    const store = new StoreTrace()
    let answers = 0
    let early = 0
    for (const call of systemCalls(readFileSync(trace, 'utf8'))) {
      store.take(call)
      if (call.name !== 'write' || !call.argumentText.startsWith('1, "committed')) continue
      answers += 1
      if (!store.durable) early += 1
    }
    expect(early).toBe(0)
    expect(answers).toBeGreaterThan(100)
    process.stdout.write(`store: ${answers} answers seen by strace, each after its flush; ${store.flushes} flushes\n`)
  })

  it.runIf(straceWanted('the store on a full disk'))('answers store-full when the disk is full, keeps nothing of that commit, and goes on', async () => {
    expect(STRACE, 'strace is not installed').toBe(true)
    const folder = diskFolder()
    const writer = startWriter('strace', ['-f', '-qq', '-o', '/dev/null', '-e', 'inject=pwritev,pwrite64:error=ENOSPC:when=100..140', process.execPath, WRITER, folder, '1'])
    await writer.until(200)
    writer.kill()
    await writer.closed
    const full = ticketsOf(writer.lines, 'store-full')
    expect(full.length).toBeGreaterThan(0)
    const committed = ticketsOf(writer.lines)
    expect(Math.max(...committed)).toBeGreaterThan(Math.max(...full))
    const store = await open(folder)
    store.output({ type: 'scan', ticket: 1, from: Buffer.from('a'), to: Buffer.from('b'), limit: 1_000_000 })
    await store.settle()
    const kept = new Set(store.answers[0]?.type === 'rows' ? store.answers[0].rows.map((row) => Number(row.value)) : [])
    expect(full.filter((ticket) => kept.has(ticket))).toEqual([])
    expect(committed.filter((ticket) => !kept.has(ticket))).toEqual([])
    await store.close()
  })

  it.runIf(straceWanted('the store after a failed flush'))('acknowledges nothing after a flush that failed and ends the process with the reason', async () => {
    expect(STRACE, 'strace is not installed').toBe(true)
    const folder = diskFolder()
    const writer = startWriter('strace', ['-f', '-qq', '-o', '/dev/null', '-e', 'inject=fdatasync:error=EIO:when=20+', process.execPath, WRITER, folder, '10'])
    expect(await writer.closed).toBe(1)
    expect(writer.stderr()).toContain('the store could not be written or flushed, so nothing more may be acknowledged: Input/output error')
    expect(ticketsOf(writer.lines).length).toBeLessThan(200)
  })
})
