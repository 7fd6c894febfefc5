/** The gateway as a process of its own on real sockets and a real disk: a push walks through, stops are clean, kills lose nothing. */
import { fork, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeFromCompressedBase64 } from 'hdr-histogram-js'
import { afterEach, describe, expect, it } from 'vitest'
import { parseJournalLine } from '../../core/kit/journal.js'
import type { ControlOut } from '../../core/live/control.js'
import type { GatewayConfigWritten } from '../../core/live/config.js'
import { startPart, type PartProcess } from '../../core/live/part-process.js'
import { diskFolder } from './disk.js'
import { initiator, sipSink, submit } from './sip-sink.js'
import { STRACE, StoreTrace, straceWanted, systemCalls, TRACED } from './strace.js'
import { until } from './until.js'

const GATEWAY = fileURLToPath(new URL('../../dist/core/live/gateway-part.js', import.meta.url))
const closers: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

function configFor(folder: string, hop: string): GatewayConfigWritten {
  return { pap: { listen: '127.0.0.1:0' }, sip: { listen: '127.0.0.1:0', nextHops: [hop] }, store: join(folder, 'store'), notifications: { inside: ['127.0.0.0/8'] } }
}

async function gateway(config: GatewayConfigWritten, journal?: string): Promise<PartProcess> {
  const part = await startPart(GATEWAY, config, journal, () => {})
  closers.push(() => part.kill())
  return part
}

async function world(answers: boolean): Promise<{ sink: Awaited<ReturnType<typeof sipSink>>; pi: Awaited<ReturnType<typeof initiator>> }> {
  const sink = await sipSink(answers)
  const pi = await initiator()
  closers.push(() => sink.close(), () => pi.close())
  return { sink, pi }
}

describe('a live gateway', () => {
  it('takes a push by HTTP, sends it as a SIP MESSAGE, notifies the initiator, and tells all of it in its journal', async () => {
    const folder = diskFolder()
    const { sink, pi } = await world(true)
    const part = await gateway(configFor(folder, sink.hop), join(folder, 'journal'))
    expect(await submit(part.addresses['pap']!, 'p1@pi', 'alice', pi.url)).toEqual({ status: 202, code: 1001 })
    await until(() => pi.notified.length === 1)
    expect(sink.requests[0]).toMatch(/^MESSAGE sip:alice@ims\.example\.org SIP\/2\.0\r\n/)
    expect(pi.documents[0]).toContain('message-state="delivered"')
    expect(await submit(part.addresses['pap']!, 'p1@pi', 'alice', pi.url)).toEqual({ status: 202, code: 2007 })
    const counters = await part.perform('counters') as Record<string, number>
    expect(counters).toMatchObject({ accepted: 1, delivered: 1, sipRequests: 1 })
    expect(counters['wireBytesOut']).toBeGreaterThanOrEqual(sink.requests[0]!.length)
    await expect(part.perform('dance')).rejects.toThrow('it knows counters')
    const { histograms } = await part.stop(20_000)
    for (const stage of ['gateway.store', 'gateway.http', 'gateway.notify']) expect(decodeFromCompressedBase64(histograms[stage]!).totalCount).toBeGreaterThan(0)
    const events = readFileSync(join(folder, 'journal'), 'utf8').split('\n').map(parseJournalLine).filter((event) => event !== undefined)
    expect(events.filter((event) => event.pushId === 'p1@pi').map((event) => event.event)).toEqual(expect.arrayContaining(['accepted', 'sip-out', 'outcome', 'refused']))
  })

  it('loses no accepted push to kill -9, twice in a row, and delivers when it is back', async () => {
    const folder = diskFolder()
    const { sink: silent, pi } = await world(false)
    const accepted: string[] = []
    for (let round = 0; round < 2; round++) {
      const part = await gateway(configFor(folder, silent.hop))
      const answers = Array.from({ length: 60 }, async (_, index) => {
        const pushId = `r${round}-${index}@pi`
        const answer = await submit(part.addresses['pap']!, pushId, `user${index}`, pi.url).catch(() => undefined)
        if (answer?.code === 1001) accepted.push(pushId)
      })
      await until(() => accepted.length >= (round + 1) * 40)
      await part.kill()
      await Promise.all(answers)
    }
    expect(accepted.length).toBeGreaterThanOrEqual(80)
    const { sink } = await world(true)
    const part = await gateway(configFor(folder, sink.hop))
    await until(() => new Set(pi.notified).size >= accepted.length && accepted.every((pushId) => pi.notified.includes(pushId)))
    expect((await submit(part.addresses['pap']!, accepted[0]!, 'user0', pi.url)).code).toBe(2007)
    await part.stop(20_000)
  })

  it.runIf(straceWanted('the flush before each 1001'))('says 1001 only after the flush that covers the push', async () => {
    expect(STRACE, 'strace is not installed').toBe(true)
    const folder = diskFolder()
    const { sink, pi } = await world(false)
    const trace = join(folder, 'trace')
    const child = fork(GATEWAY, [], { execPath: 'strace', execArgv: [...TRACED, '-o', trace, process.execPath], stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' })
    closers.push(() => { if (child.exitCode === null) child.kill('SIGKILL') })
    const pap = await readyAt(child, configFor(folder, sink.hop))
    const pushes = 40
    let next = 0
    const initiators = Array.from({ length: 4 }, async () => {
      for (let index = next++; index < pushes; index = next++) expect((await submit(pap, `traced-${index}@pi`, `user${index}`, pi.url)).code).toBe(1001)
    })
    await Promise.all(initiators)
    await stopped(child)
    const { answers, early } = answersIn(readFileSync(trace, 'utf8'))
    expect(early).toEqual([])
    expect(answers).toBe(pushes)
    process.stdout.write(`gateway: ${answers} answers 1001 seen by strace, each after the flush of its push\n`)
  })

  it.runIf(straceWanted('the gateway after a failed flush'))('says nothing more after a flush that failed, and ends with the reason', async () => {
    expect(STRACE, 'strace is not installed').toBe(true)
    const folder = diskFolder()
    const { sink, pi } = await world(true)
    const inject = ['-f', '-qq', '-o', '/dev/null', '-e', 'inject=fdatasync:error=EIO:when=6+']
    const child = fork(GATEWAY, [], {
      execPath: 'strace', execArgv: [...inject, process.execPath], stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced', env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    })
    closers.push(() => { if (child.exitCode === null) child.kill('SIGKILL') })
    const fatal = new Promise<string>((resolve) => child.on('message', (message) => { if ((message as ControlOut).type === 'fatal') resolve((message as { message: string }).message) }))
    const ended = new Promise<number | null>((resolve) => { child.once('exit', (code) => resolve(code)) })
    const pap = await readyAt(child, configFor(folder, sink.hop))
    const codes: number[] = []
    for (let index = 0; index < 50; index++) {
      const answer = await submit(pap, `p${index}@pi`, 'alice', pi.url).catch(() => undefined)
      if (answer === undefined) break
      codes.push(answer.code)
    }
    expect(codes.length).toBeLessThan(10)
    expect(codes.every((code) => code === 1001)).toBe(true)
    expect(await fatal).toContain('the store could not be written or flushed')
    expect(await ended).toBe(1)
  })

  it('says why it cannot start', async () => {
    const folder = diskFolder()
    const { sink } = await world(true)
    const config = configFor(folder, sink.hop)
    const part = await gateway(config)
    await expect(gateway(config)).rejects.toThrow('is in use by another gateway')
    await part.stop(20_000)
    await expect(gateway({ ...config, pap: { listen: '192.0.2.1:80' } })).rejects.toThrow('the PAP listener at 192.0.2.1:80 cannot be opened')
    await expect(startPart(GATEWAY, { ...config, limits: { inFligth: 3 } }, undefined, () => {})).rejects.toThrow('limits.inFligth: "inFligth" is not known here; did you mean "inFlight"?')
    expect(existsSync(join(folder, 'store', 'data.mdb'))).toBe(true)
  })
})

/** Starts a forked gateway by the control protocol; gives its PAP URL. */
function readyAt(child: ChildProcess, config: GatewayConfigWritten): Promise<string> {
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      const said = message as ControlOut
      if (said.type === 'ready') resolve(said.addresses['pap']!)
      if (said.type === 'fatal') reject(new Error(said.message))
    })
    child.send({ type: 'start', config, journalPath: undefined })
  })
}

async function stopped(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => { child.once('exit', () => resolve()) })
  // A part ends when its channel does, and strace with it.
  child.disconnect()
  await gone
}

/** A push read while one batch is being written can be in the next one at the earliest: that one is durable before its 1001 leaves. */
function answersIn(trace: string): { readonly answers: number; readonly early: string[] } {
  const store = new StoreTrace()
  const neededBatch = new Map<string, number>()
  let answers = 0
  const early: string[] = []
  for (const call of systemCalls(trace)) {
    store.take(call)
    const pushId = /push-id=\\"(traced-\d+@pi)/.exec(call.argumentText)?.[1]
    if (pushId === undefined) continue
    if (call.name === 'read') neededBatch.set(pushId, store.batches + 1)
    else if (/^(write|writev|sendmsg|sendto)$/.test(call.name) && call.argumentText.includes('code=\\"1001\\"')) {
      answers += 1
      if (store.durableBatches < (neededBatch.get(pushId) ?? Infinity)) early.push(call.argumentText)
    }
  }
  return { answers, early }
}
