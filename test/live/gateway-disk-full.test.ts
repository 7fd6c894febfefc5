/** The real gateway when its disk has no more room, by a limit on the size of its files: what it answers, what it keeps, and that it needs nobody to go on. */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { startPart } from '../../core/live/part-process.js'
import { HAS_PRLIMIT } from '../end-to-end/command.js'
import { diskFolder } from './disk.js'
import { initiator, sipSink, submit } from './sip-sink.js'
import { until } from './until.js'

const GATEWAY = fileURLToPath(new URL('../../dist/core/live/gateway-part.js', import.meta.url))
const TOGETHER = 32
/** So many submissions fill what is free within the file; a gateway that takes more is not limited at all. */
const SUBMISSIONS_MAX = 20_000

/** The hard limit stays, so that the soft one can be raised again by anyone. */
function limitFiles(pid: number, octets: number | 'unlimited'): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${octets}:unlimited`])
  if (status !== 0) throw new Error(`prlimit: ${stderr.toString()}`)
}

it.runIf(HAS_PRLIMIT)('a gateway whose disk is full answers 503 with Retry-After, loses nothing it accepted, and goes on by itself when there is room', { timeout: 120_000 }, async () => {
  const folder = diskFolder()
  const store = join(folder, 'store')
  const sink = await sipSink(true)
  const pi = await initiator()
  const part = await startPart(GATEWAY, { pap: { listen: '127.0.0.1:0' }, content: { listen: '127.0.0.1:0' }, sip: { listen: '127.0.0.1:0', nextHops: [sink.hop] }, store, notifications: { inside: ['127.0.0.0/8'] } }, undefined, () => {})
  try {
    const pap = part.addresses['pap']!
    const accepted: string[] = []
    let refused = 0
    let serial = 0
    const pushSome = (): Promise<unknown> => Promise.all(Array.from({ length: TOGETHER }, async () => {
      const pushId = `p${++serial}@pi`
      const answer = await submit(pap, pushId, `user${serial}`, pi.url)
      if (answer.code === 1001) accepted.push(pushId)
      else {
        expect(answer).toEqual({ status: 503, code: 0, retryAfter: '2' })
        refused++
      }
    }))
    await pushSome()
    expect(refused).toBe(0)
    limitFiles(part.pid, statSync(join(store, 'data.mdb')).size)
    while (refused < 3 * TOGETHER && serial < SUBMISSIONS_MAX) await pushSome()
    expect(refused).toBeGreaterThanOrEqual(3 * TOGETHER)
    limitFiles(part.pid, 'unlimited')
    const before = accepted.length
    await pushSome()
    expect(accepted.length).toBe(before + TOGETHER)
    await until(() => new Set(pi.notified).size >= accepted.length)
    expect(new Set(pi.notified)).toEqual(new Set(accepted))
    const counters = await part.perform('counters') as Record<string, number>
    expect(counters).toMatchObject({ accepted: accepted.length, delivered: accepted.length, shed: refused, inFlight: 0 })
    expect(counters['storeFull']).toBeGreaterThan(0)
    process.stdout.write(`disk full: ${accepted.length} accepted, ${refused} answered 503, all accepted ones delivered and notified\n`)
    await part.stop(20_000)
  } finally {
    await part.kill()
    await Promise.all([sink.close(), pi.close()])
  }
})
