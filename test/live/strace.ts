/**
 * Reads what strace wrote: system calls in the order they ended, halves of interrupted lines joined; and whether the
 * store was durable at a given moment. Knows LMDB's two descriptors, not who is answered.
 */
import { spawnSync } from 'node:child_process'

export const STRACE = spawnSync('strace', ['--version']).status === 0

/** Whether a check that needs strace runs: where it is not installed it is reported and left out, except in CI, where it fails. */
export function straceWanted(what: string): boolean {
  if (!STRACE && process.env['CI'] !== 'true') process.stderr.write(`not run: ${what}, because strace is not installed\n`)
  return STRACE || process.env['CI'] === 'true'
}

export const TRACED = ['-f', '-qq', '-s', '4096', '-e', 'trace=openat,fdatasync,fsync,pwrite64,pwritev,read,write,writev,sendmsg,sendto']

/** LMDB writes neighbouring pages by one writev, others by pwrite. */
const WRITES: ReadonlySet<string> = new Set(['pwrite64', 'pwritev', 'writev', 'write'])

export interface SystemCall {
  readonly name: string
  readonly argumentText: string
  readonly result: string
}

export function systemCalls(trace: string): SystemCall[] {
  const begun = new Map<string, string>()
  const calls: SystemCall[] = []
  for (const line of trace.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest)?.[1]
    if (unfinished !== undefined) {
      begun.set(thread, unfinished)
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1]
    const whole = resumed === undefined ? rest : (begun.get(thread) ?? '') + resumed
    const match = /^(\w+)\((.*)\)\s+= (.*)$/s.exec(whole)
    if (match !== null) calls.push({ name: match[1]!, argumentText: match[2]!, result: match[3]! })
  }
  return calls
}

/**
 * Follows the store through a trace. A batch is durable when its pages were written, then flushed, then the root was
 * written through the descriptor that LMDB opened with O_DSYNC.
 */
export class StoreTrace {
  flushes = 0
  /** Batches whose first page was written so far, and how many of them are durable. What is read now can be in the next one at the earliest. */
  batches = 0
  durableBatches = 0
  private root = ''
  private data = ''
  private state: 'unwritten' | 'written' | 'flushed' | 'durable' = 'unwritten'

  get durable(): boolean {
    return this.state === 'durable'
  }

  /** From here on only a batch that begins later counts. */
  forget(): void {
    this.state = 'unwritten'
  }

  take({ name, argumentText, result }: SystemCall): void {
    const descriptor = /^\d+/.exec(argumentText)?.[0]
    if (name === 'openat' && argumentText.includes('data.mdb"')) {
      // What was written before the root's descriptor is there made an empty file: no batch.
      if (argumentText.includes('O_DSYNC')) Object.assign(this, { root: result, state: 'unwritten', batches: 0 })
      else this.data = result
    } else if (name === 'fdatasync' && descriptor === this.data && result === '0') {
      this.flushes += 1
      if (this.state === 'written') this.state = 'flushed'
    } else if (WRITES.has(name) && descriptor === this.data) {
      if (this.state === 'unwritten' || this.state === 'durable') this.batches += 1
      this.state = 'written'
    } else if (WRITES.has(name) && descriptor === this.root && this.state === 'flushed') {
      this.state = 'durable'
      this.durableBatches = this.batches
    }
  }
}
