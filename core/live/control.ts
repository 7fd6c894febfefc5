/**
 * How the all-in-one command talks to a part it forked (gateway, IMS, terminals), over Node's process channel.
 * Few, small messages: the data plane never passes here. Types and the part's side of the conversation; the
 * command's side is part-process.ts. A part never outlives its command: it ends when the channel does.
 */
import { performance, type EventLoopUtilization } from 'node:perf_hooks'
import type { Micros } from '../kit/time.js'
import { monoMicros } from './clock.js'

/** From the command to the part. The first message is always `start`. */
export type ControlIn =
  | { readonly type: 'start'; readonly config: unknown; readonly journalPath: string | undefined }
  /** Part-specific words with a JSON argument, answered by `done` with the same id. */
  | { readonly type: 'do'; readonly id: number; readonly what: string; readonly argument?: unknown }
  /** Stop cleanly; answered by `stopped`, after which the process exits 0. */
  | { readonly type: 'stop' }

/** From the part to the command. */
export type ControlOut =
  /** `addresses` name what was bound, e.g. { pap: "http://127.0.0.1:8080/pap", sip: "127.0.0.1:5060" }. */
  | { readonly type: 'ready'; readonly addresses: Readonly<Record<string, string>> }
  | { readonly type: 'done'; readonly id: number; readonly result?: unknown }
  /** A `do` that was not done: an unknown word, a wrong argument, a failure. The part lives on. */
  | { readonly type: 'not-done'; readonly id: number; readonly message: string }
  /** About once a second: running counters and gauges, and the process's resources so far; `at` on the clock all processes of a host share. */
  | { readonly type: 'sample'; readonly at: Micros; readonly counters: Readonly<Record<string, number>>; readonly resources: Resources }
  | { readonly type: 'stopped'; readonly resources: Resources; readonly histograms: Readonly<Record<string, string>> }
  /** The part cannot go on; `message` is for people. The process exits 1 after it. */
  | { readonly type: 'fatal'; readonly message: string }

export interface Resources {
  readonly cpuSeconds: number
  readonly rssBytesMax: number
  /** Busy share of the busiest event loop of the part since the last report, 0 to 1. */
  readonly loopUtilisation: number
}

/** What a part's module hands to `runPart`. */
export interface Part {
  readonly addresses: Readonly<Record<string, string>>
  /** A part-specific word; rejects for one it does not know. */
  perform(what: string, argument: unknown): Promise<unknown>
  counters(): Readonly<Record<string, number>>
  /** Where the part has worker threads: the busy share of the busiest one since the last call, 0 to 1. */
  workerUtilisation?(): number
  /** Closes everything; resolves with the part's own histograms (hdr-histogram compressed base64, microseconds) by stage name. */
  stop(): Promise<Readonly<Record<string, string>>>
}

const SAMPLE_MILLIS = 1_000
/** How long the last message may take to leave before the process ends all the same. */
const LAST_WORD_MILLIS = 1_000

/**
 * The part's side, called once by the forked module: waits for `start`, answers words, sends a sample a second, ends
 * the process on `stop` (0), on anything uncaught (`fatal`, 1) and when the command has gone (1).
 */
export function runPart(start: (config: unknown, journalPath: string | undefined) => Promise<Part>): void {
  if (process.send === undefined) throw new Error('this module is a part of pushbench: it runs only when forked by the command (core/live/part-process.ts)')
  let part: Part | undefined
  let begun = false
  let samples: NodeJS.Timeout | undefined
  let loop = performance.eventLoopUtilization()

  const resources = (): Resources => {
    const before: EventLoopUtilization = loop
    loop = performance.eventLoopUtilization()
    const own = performance.eventLoopUtilization(loop, before).utilization
    return { ...processResources(), loopUtilisation: Math.max(own, part?.workerUtilisation?.() ?? 0) }
  }
  const fail = (error: unknown): void => {
    clearInterval(samples)
    lastWord({ type: 'fatal', message: messageOf(error) }, 1)
  }
  const begin = async (config: unknown, journalPath: string | undefined): Promise<void> => {
    part = await start(config, journalPath)
    const started = part
    say({ type: 'ready', addresses: started.addresses })
    samples = setInterval(() => say({ type: 'sample', at: monoMicros(), counters: started.counters(), resources: resources() }), SAMPLE_MILLIS)
  }
  const perform = async (id: number, what: string, argument: unknown): Promise<void> => {
    try {
      if (part === undefined) throw new Error(`"${what}" came before the part was ready`)
      say({ type: 'done', id, result: await part.perform(what, argument) })
    } catch (error) {
      say({ type: 'not-done', id, message: messageOf(error) })
    }
  }
  const stop = async (): Promise<void> => {
    const histograms = (await part?.stop()) ?? {}
    clearInterval(samples)
    lastWord({ type: 'stopped', resources: resources(), histograms }, 0)
  }

  // Ctrl-C and the end of the terminal reach every process of its group; the command alone decides what they mean.
  process.on('SIGINT', () => {})
  process.on('SIGHUP', () => {})
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  process.on('disconnect', () => process.exit(1))
  process.on('message', (message: unknown) => {
    if (!isControlIn(message) || (message.type === 'start' && begun)) {
      process.stderr.write('a message that no command sends was passed over\n')
      return
    }
    begun ||= message.type === 'start'
    if (message.type === 'start') begin(message.config, message.journalPath).catch(fail)
    else if (message.type === 'do') void perform(message.id, message.what, message.argument)
    else stop().catch(fail)
  })
}

function isControlIn(message: unknown): message is ControlIn {
  if (typeof message !== 'object' || message === null || !('type' in message)) return false
  if (message.type === 'do') return 'id' in message && typeof message.id === 'number' && 'what' in message && typeof message.what === 'string'
  return message.type === 'start' ? 'config' in message : message.type === 'stop'
}

/** CPU of all threads of this process so far, and the most memory it ever held. */
export function processResources(): Omit<Resources, 'loopUtilisation'> {
  const cpu = process.cpuUsage()
  return { cpuSeconds: (cpu.user + cpu.system) / 1_000_000, rssBytesMax: process.resourceUsage().maxRSS * 1_024 }
}

function say(message: ControlOut): void {
  // A channel that closes meanwhile is told by `disconnect`, which ends the process.
  if (process.connected) process.send?.(message, () => {})
}

function lastWord(message: ControlOut, exitCode: number): void {
  if (message.type === 'fatal') process.stderr.write(`${message.message}\n`)
  setTimeout(() => process.exit(exitCode), LAST_WORD_MILLIS)
  if (process.connected) process.send?.(message, () => process.exit(exitCode))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
