/**
 * The laboratory of one bench run: it starts the parts under test and the children around them, reads what their
 * processes used (Linux /proc), and ends every one of them by its process id, whatever happens. It knows no benchmark.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPart, type PartProcess, type PartSample } from '../../core/live/part-process.js'
import type { FromChild, ToChild } from './children/serve.js'

/** What Linux counts processor time in (USER_HZ), whatever the kernel's own tick. */
const TICK_MICROS = 10_000
const STOP_MILLIS = 20_000
const PARTS = { gateway: '../../core/live/gateway-part.js', ims: '../../sim/live/ims-part.js', terminals: '../../sim/live/terminals-part.js' }

/** The real part under test. */
export interface RunningPart {
  readonly process: PartProcess
  readonly pid: number
  readonly addresses: Readonly<Record<string, string>>
  /** Resolves when a sample shows that counter at or above the value; a sample comes once a second. */
  reached(counter: string, value: number): Promise<void>
}

export interface Child {
  readonly pid: number
  /** One word of the child's, with its answer. */
  ask<Answer>(word: string, argument?: unknown): Promise<Answer>
  stop(): Promise<void>
}

export class Lab {
  /** On the disk the bench was started on; gone when the bench ends. */
  readonly folder: string
  private readonly pids = new Set<number>()
  private folders = 0

  constructor(readonly progress: (line: string) => void) {
    mkdirSync('runs', { recursive: true })
    this.folder = mkdtempSync(join('runs', 'bench-'))
  }

  newFolder(): string {
    const folder = join(this.folder, String(++this.folders))
    mkdirSync(folder)
    return folder
  }

  async part(name: keyof typeof PARTS, config: unknown, options: { readonly journal?: string; readonly execArgv?: readonly string[] } = {}): Promise<RunningPart> {
    let last: PartSample | undefined
    let waiting: { readonly counter: string; readonly value: number; readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined
    const look = (): void => {
      if (waiting === undefined || (last?.counters[waiting.counter] ?? 0) < waiting.value) return
      waiting.resolve()
      waiting = undefined
    }
    const onSample = (sample: PartSample): void => {
      last = sample
      look()
    }
    const started = await startPart(new URL(PARTS[name], import.meta.url), config, options.journal, onSample, { execArgv: options.execArgv ?? ['--enable-source-maps'] })
    this.pids.add(started.pid)
    void started.ended.then((why) => {
      this.pids.delete(started.pid)
      waiting?.reject(new Error(`the ${name} ended before its ${waiting.counter} came to ${waiting.value}: ${why ?? 'it was stopped'}`))
    })
    const reached = (counter: string, value: number): Promise<void> => new Promise((resolve, reject) => {
      waiting = { counter, value, resolve, reject }
      look()
    })
    return { process: started, pid: started.pid, addresses: started.addresses, reached }
  }

  async stopPart(part: RunningPart): Promise<void> {
    await part.process.stop(STOP_MILLIS)
  }

  /** A module of `children/`, by its file name without extension. */
  child(name: string, execArgv: readonly string[] = []): Child {
    const module = fileURLToPath(new URL(`children/${name}.js`, import.meta.url))
    const child = fork(module, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced', execArgv: ['--enable-source-maps', ...execArgv] })
    const pid = child.pid
    if (pid === undefined) throw new Error(`the child ${name} could not be started`)
    this.pids.add(pid)
    return new ChildConversation(name, pid, child, () => this.pids.delete(pid))
  }

  /** Ends what still runs and removes what was written. */
  close(): void {
    for (const pid of this.pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has just ended by itself.
      }
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

class ChildConversation implements Child {
  private readonly waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  private readonly ended: Promise<void>
  private idLast = 0

  constructor(private readonly name: string, readonly pid: number, private readonly process: ChildProcess, onEnd: () => void) {
    process.on('message', (message: FromChild) => {
      const waiter = this.waiting.get(message.id)
      this.waiting.delete(message.id)
      if (message.error === undefined) waiter?.resolve(message.result)
      else waiter?.reject(new Error(`${this.name}: ${message.error}`))
    })
    this.ended = new Promise((resolve) => process.once('exit', () => {
      onEnd()
      for (const waiter of this.waiting.values()) waiter.reject(new Error(`the child ${name} ended before it answered`))
      resolve()
    }))
  }

  ask<Answer>(word: string, argument?: unknown): Promise<Answer> {
    const id = ++this.idLast
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: (value) => resolve(value as Answer), reject })
      this.process.send({ id, word, argument } satisfies ToChild)
    })
  }

  async stop(): Promise<void> {
    if (this.process.connected) this.process.disconnect()
    await this.ended
  }
}

/** Processor time of all threads of a process so far, microseconds. */
export function cpuMicros(pid: number): number {
  return ticksIn(`/proc/${pid}/stat`) * TICK_MICROS
}

/** The same of its main thread alone. */
export function mainThreadMicros(pid: number): number {
  return ticksIn(`/proc/${pid}/task/${pid}/stat`) * TICK_MICROS
}

function ticksIn(path: string): number {
  // The second field is the command in parentheses and may hold anything.
  const fields = readFileSync(path, 'latin1').split(') ').pop()!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}
