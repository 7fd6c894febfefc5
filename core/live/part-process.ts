/**
 * The command's side of a part (control.ts is the part's own): forks its module, waits until it is ready, passes words
 * and samples, stops it with a deadline. It knows processes and messages, nothing of what the part does.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Micros } from '../kit/time.js'
import type { ControlIn, ControlOut, Resources } from './control.js'

/** Enough of what a part wrote to stderr to see why it died. */
/**
 * Room for what lives as long as a push is under way. With Node's 16 MiB a few thousand pushes a second outlive their
 * scavenges and are copied and promoted; 64 MiB took the gateway's CPU per push from 199 to 143 µs in one bench run.
 */
const SEMI_SPACE_MEBIBYTES = 64
const STDERR_TAIL_CHARACTERS = 4_096

export interface PartSample {
  /** When the part took it. */
  readonly at: Micros
  readonly counters: Readonly<Record<string, number>>
  readonly resources: Resources
}

export interface PartStopped {
  readonly resources: Resources
  readonly histograms: Readonly<Record<string, string>>
}

/** A part that is up. */
export interface PartProcess {
  readonly pid: number
  readonly addresses: Readonly<Record<string, string>>
  /** Rejects with the part's own message, or when the part ends before it answered. */
  perform(what: string, argument?: unknown): Promise<unknown>
  /** Asks the part to stop; after `deadlineMillis` it is killed and the promise rejects. */
  stop(deadlineMillis: number): Promise<PartStopped>
  /** Ends the part at once (SIGKILL); resolves when it is gone. */
  kill(): Promise<void>
  /** Resolves when the process is gone, with why in words; undefined after a clean stop. Never rejects. */
  readonly ended: Promise<string | undefined>
}

export interface PartOptions {
  /** Flags of the Node process in place of the command's own, such as `--cpu-prof`. */
  readonly execArgv?: readonly string[]
  /** How far the part yields to other processes when processors are short: 0 (not at all) to 19. */
  readonly niceness?: number
}

/**
 * @param module the compiled module that calls `runPart`
 * @param onSample called about once a second until the part ends
 * @returns when the part said `ready`; rejects with its `fatal` message or the tail of its stderr
 */
export async function startPart(
  module: string | URL, config: unknown, journalPath: string | undefined, onSample: (sample: PartSample) => void, options: PartOptions = {},
): Promise<PartProcess> {
  const child = fork(typeof module === 'string' ? module : fileURLToPath(module), [], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
    execArgv: [...(options.execArgv ?? process.execArgv), `--max-semi-space-size=${SEMI_SPACE_MEBIBYTES}`],
  })
  if (options.niceness !== undefined) yields(child, options.niceness)
  const conversation = new Conversation(child, onSample)
  conversation.say({ type: 'start', config, journalPath })
  const addresses = await conversation.ready
  return {
    pid: child.pid ?? 0,
    addresses,
    ended: conversation.ended,
    perform: (what, argument) => conversation.perform(what, argument),
    stop: (deadlineMillis) => conversation.stop(deadlineMillis),
    kill: async () => {
      child.kill('SIGKILL')
      await conversation.ended
    },
  }
}

interface Waiting<Value> {
  resolve(value: Value): void
  reject(error: Error): void
}

class Conversation {
  readonly ready: Promise<Readonly<Record<string, string>>>
  readonly ended: Promise<string | undefined>
  private becomeReady!: Waiting<Readonly<Record<string, string>>>
  private readonly words = new Map<number, Waiting<unknown>>()
  private wordLast = 0
  private stopped: PartStopped | undefined
  private fatal: string | undefined
  private stderrTail = ''

  constructor(private readonly child: ChildProcess, private readonly onSample: (sample: PartSample) => void) {
    this.ready = new Promise((resolve, reject) => { this.becomeReady = { resolve, reject } })
    const keepTail = (chunk: Buffer): void => { this.stderrTail = (this.stderrTail + chunk.toString()).slice(-STDERR_TAIL_CHARACTERS) }
    child.stdout?.on('data', keepTail)
    child.stderr?.on('data', keepTail)
    child.on('message', (message) => this.hear(message as ControlOut))
    this.ended = new Promise((resolve) => {
      const end = (why: string | undefined): void => {
        const error = new Error(why ?? 'the part has stopped')
        this.becomeReady.reject(error)
        for (const word of this.words.values()) word.reject(error)
        this.words.clear()
        resolve(why)
      }
      child.once('error', (error) => { if (child.pid === undefined) end(`the part could not be started: ${error.message}`) })
      // `close` and not `exit`: it comes after the last byte of stderr and the last message.
      child.once('close', (code, signal) => end(this.stopped === undefined ? this.whyEnded(code, signal) : undefined))
    })
  }

  say(message: ControlIn): void {
    if (this.child.connected) this.child.send(message, () => {})
  }

  perform(what: string, argument: unknown): Promise<unknown> {
    if (!this.child.connected) return Promise.reject(new Error(`"${what}" came after the part had ended`))
    const id = ++this.wordLast
    const answer = new Promise<unknown>((resolve, reject) => this.words.set(id, { resolve, reject }))
    this.say({ type: 'do', id, what, argument })
    return answer
  }

  async stop(deadlineMillis: number): Promise<PartStopped> {
    let late = false
    const deadline = setTimeout(() => {
      late = true
      this.child.kill('SIGKILL')
    }, deadlineMillis)
    this.say({ type: 'stop' })
    const why = await this.ended
    clearTimeout(deadline)
    if (this.stopped !== undefined) return this.stopped
    throw new Error(late ? `the part did not stop within ${deadlineMillis} ms and was killed` : why)
  }

  private hear(message: ControlOut): void {
    switch (message.type) {
      case 'ready':
        this.becomeReady.resolve(message.addresses)
        return
      case 'sample':
        this.onSample({ at: message.at, counters: message.counters, resources: message.resources })
        return
      case 'done':
        this.words.get(message.id)?.resolve(message.result)
        this.words.delete(message.id)
        return
      case 'not-done':
        this.words.get(message.id)?.reject(new Error(message.message))
        this.words.delete(message.id)
        return
      case 'stopped':
        this.stopped = { resources: message.resources, histograms: message.histograms }
        return
      case 'fatal':
        this.fatal = message.message
        return
    }
  }

  private whyEnded(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.fatal !== undefined) return this.fatal
    const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`
    return `the part ${how}${this.stderrTail === '' ? '' : `; its last words:\n${this.stderrTail}`}`
  }
}

/** At once, so that the threads it is yet to start take it over. */
function yields(child: ChildProcess, niceness: number): void {
  try {
    if (child.pid !== undefined) setPriority(child.pid, niceness)
  } catch {
    // A system that does not let a process yield, or one that is gone already: it runs, or ends, all the same.
  }
}
