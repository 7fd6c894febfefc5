/**
 * The terminals as one service: worker threads with a fleet shard each, and the panel of reference terminals in a
 * thread of its own. Starts and stops them, gives each its part of a word, adds up what they count. Knows threads and
 * messages, no SIP.
 */
import { Worker } from 'node:worker_threads'
import { MICROS_PER_SECOND, type Micros } from '../../core/kit/time.js'
import { monoMicros } from '../../core/live/clock.js'
import type { Settled } from '../terminal/fleet-contract.js'
import type { TerminalsConfig } from './terminals-config.js'
import type { Counts, FleetWorkerData, FromWorker, ReferenceWorkerData, ToWorker } from './terminals-messages.js'

/** How a paced word was carried out, all workers together. */
export type WordResult = Omit<Settled, 'type' | 'ticket'>

export interface PacedWord {
  /** Devices per second, all workers together. */
  readonly perSecond: number
  readonly withinMicros: number
}

export interface TerminalsService {
  /** Switches on what is to be on at the start; resolves when all of it is registered or refused, or the time is over. */
  register(word: PacedWord): Promise<WordResult>
  deregister(word: PacedWord): Promise<WordResult>
  /** One subscriber's devices, or one of them. */
  switch(subscriber: number, to: 'on' | 'off' | 'vanished', ordinal?: number): void
  /** They are in this network from now on, which is one of the configuration; undefined: at home. */
  move(subscriber: number, network: string | undefined, ordinal?: number): void
  /** As they were at most half a second ago: sums by name, `<class>.<name>` for each class of subscribers, `reference.<name>` for the panel. */
  counters(): Readonly<Record<string, number>>
  /** The same, asked of the workers now. */
  countersNow(): Promise<Readonly<Record<string, number>>>
  /** Busy share of the busiest worker since the last call, 0 to 1. */
  utilisation(): number
  /** Closes sockets and journals and ends the threads. Registrations are left as they are. */
  stop(): Promise<void>
}

/**
 * @param journalPath such as `runs/x/terminals.journal`; the workers write `terminals-0.journal`, ... beside it, the panel `terminals-reference.journal`
 * @param onFailure told when a thread ends by an error; the service is of no use afterwards
 */
export async function startTerminals(config: TerminalsConfig, journalPath: string | undefined, onFailure: (error: Error) => void): Promise<TerminalsService> {
  const threads = Array.from({ length: config.workers }, (_, index) => {
    const data: FleetWorkerData = { config, shard: { index, count: config.workers }, journalPath: besides(journalPath, String(index)) }
    return new Thread('terminal-worker.js', data, onFailure)
  })
  if (config.population.referenceTerminals > 0) {
    const data: ReferenceWorkerData = { config, journalPath: besides(journalPath, 'reference') }
    threads.push(new Thread('reference-terminal-worker.js', data, onFailure))
  }
  try {
    await Promise.all(threads.map((thread) => thread.ready))
  } catch (error) {
    await Promise.all(threads.map((thread) => thread.end()))
    throw error
  }
  return new Service(threads)
}

class Service implements TerminalsService {
  private tickets = 0

  constructor(private readonly threads: readonly Thread[]) {}

  register(word: PacedWord): Promise<WordResult> {
    return this.paced('register', word)
  }

  deregister(word: PacedWord): Promise<WordResult> {
    return this.paced('deregister', word)
  }

  switch(subscriber: number, to: 'on' | 'off' | 'vanished', ordinal?: number): void {
    for (const thread of this.threads) thread.say({ type: 'switch', subscriber, to, ...(ordinal === undefined ? {} : { ordinal }) })
  }

  move(subscriber: number, network: string | undefined, ordinal?: number): void {
    for (const thread of this.threads) thread.say({ type: 'move', subscriber, network, ...(ordinal === undefined ? {} : { ordinal }) })
  }

  counters(): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {}
    for (const { counted } of this.threads) {
      if (counted === undefined) continue
      addTo(sums, '', counted.counters)
      for (const [name, group] of Object.entries(counted.groups)) addTo(sums, `${name}.`, group)
    }
    return sums
  }

  async countersNow(): Promise<Readonly<Record<string, number>>> {
    await Promise.all(this.threads.map((thread) => thread.count()))
    return this.counters()
  }

  utilisation(): number {
    return Math.max(...this.threads.map((thread) => thread.utilisation()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.stop()))
  }

  private async paced(type: 'register' | 'deregister', { perSecond, withinMicros }: PacedWord): Promise<WordResult> {
    const ticket = ++this.tickets
    const results = await Promise.all(this.threads.map((thread) => thread.paced({ type, ticket, perSecond: perSecond / this.threads.length, withinMicros })))
    const sum = (name: keyof WordResult): number => results.reduce((total, result) => total + result[name], 0)
    return { wanted: sum('wanted'), done: sum('done'), refused: sum('refused'), pending: sum('pending') }
  }
}

/** A thread reports about every 400 ms (worker-busy.ts). */
const SILENT_MICROS: Micros = MICROS_PER_SECOND

type Counted = Extract<FromWorker, { type: 'counted' }>

interface Waiting<Value> {
  resolve(value: Value): void
  reject(error: Error): void
}

/**
 * One worker thread and what is waited for of it. What it costs in memory is an engine of its own: some 20 to 25 MiB alive, which stay the
 * same however long a run is, and a young generation that takes what it can get (part-process.ts sets the limit, which a thread's own
 * `resourceLimits` do not lower). The reference scenario's part is at 160 MiB with one thread of 3,000 devices, at 220 to 255 with the panel beside it.
 */
class Thread {
  readonly ready: Promise<void>
  counted: Counted | undefined
  private readonly worker: Worker
  private readonly settling = new Map<number, Waiting<Settled>>()
  private counting: Waiting<void>[] = []
  private becomeReady!: Waiting<void>
  /** The busiest report since it was last asked for, and the last report of all with its time. */
  private busiest: number | undefined = undefined
  private latest = 0
  private latestAt: Micros = monoMicros()
  private ended = false

  constructor(module: string, data: FleetWorkerData | ReferenceWorkerData, onFailure: (error: Error) => void) {
    this.ready = new Promise((resolve, reject) => { this.becomeReady = { resolve, reject } })
    this.worker = new Worker(new URL(module, import.meta.url), { workerData: data, name: module.replace('.js', '') })
    let isReady = false
    this.ready.then(() => { isReady = true }, () => {})
    this.worker.on('message', (message: FromWorker) => this.hear(message))
    this.worker.once('error', (error) => {
      const reason = error instanceof Error ? error : new Error(String(error))
      this.giveUp(reason)
      if (isReady) onFailure(reason)
    })
    this.worker.once('exit', () => {
      this.ended = true
      this.giveUp(new Error('the terminals have stopped'))
    })
  }

  say(message: ToWorker): void {
    if (!this.ended) this.worker.postMessage(message)
  }

  paced(message: Extract<ToWorker, { type: 'register' | 'deregister' }>): Promise<Settled> {
    return this.asked(message, (waiting) => this.settling.set(message.ticket, waiting))
  }

  count(): Promise<void> {
    return this.asked({ type: 'count' }, (waiting) => this.counting.push(waiting))
  }

  utilisation(): number {
    const { busiest } = this
    this.busiest = undefined
    if (busiest !== undefined) return busiest
    // Asked again before the next report was due, or after the end: what was last said stands. Longer silence is a thread too busy to speak.
    return this.ended || monoMicros() - this.latestAt < SILENT_MICROS ? this.latest : 1
  }

  /** Asks the worker to stop and waits until its thread is gone. */
  async stop(): Promise<void> {
    if (this.ended) return
    const gone = new Promise<void>((resolve) => { this.worker.once('exit', () => resolve()) })
    this.say({ type: 'stop' })
    await gone
  }

  async end(): Promise<void> {
    await this.worker.terminate()
  }

  private asked<Value>(message: ToWorker, wait: (waiting: Waiting<Value>) => void): Promise<Value> {
    if (this.ended) return Promise.reject(new Error('the terminals have stopped'))
    const answer = new Promise<Value>((resolve, reject) => wait({ resolve, reject }))
    this.say(message)
    return answer
  }

  private hear(message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.becomeReady.resolve()
        return
      case 'settled':
        this.settling.get(message.ticket)?.resolve(message)
        this.settling.delete(message.ticket)
        return
      case 'counted':
        this.counted = message
        for (const waiting of this.counting) waiting.resolve()
        this.counting = []
        return
      case 'busy':
        this.busiest = Math.max(this.busiest ?? 0, message.utilisation)
        this.latest = message.utilisation
        this.latestAt = monoMicros()
        return
      case 'stopped':
        return
    }
  }

  private giveUp(error: Error): void {
    this.becomeReady.reject(error)
    for (const waiting of this.settling.values()) waiting.reject(error)
    for (const waiting of this.counting) waiting.reject(error)
    this.settling.clear()
    this.counting = []
  }
}

function addTo(sums: Record<string, number>, prefix: string, counters: Counts): void {
  for (const [name, value] of Object.entries(counters)) sums[prefix + name] = (sums[prefix + name] ?? 0) + value
}

/** `a/terminals.journal` and `0` make `a/terminals-0.journal`. */
function besides(path: string | undefined, suffix: string): string | undefined {
  return path?.replace(/(\.[^./\\]*)?$/, (extension) => `-${suffix}${extension}`)
}
