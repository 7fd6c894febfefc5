/** The load generator over real sockets: open loop, timed from the plan, every attempt accounted for in its journal. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { JournalEvent } from '../../core/kit/journal.js'
import { monoMicros } from '../../core/live/clock.js'
import { JournalWriter } from '../../core/live/journal.js'
import { encodePap } from '../../core/pap/encode.js'
import { decodeSubmission, type Submission } from '../../core/pap/submission.js'
import { Generator } from '../../loadgen/live/generator.js'
import { readJournal } from '../../loadgen/live/journal-reader.js'
import { NotificationListener } from '../../loadgen/live/notification-listener.js'
import { Recorder } from '../../loadgen/live/recorder.js'
import { ClosedArrivals, FixedArrivals, ScheduledArrivals, type Arrivals } from '../../loadgen/arrivals.js'
import { schedule } from '../../loadgen/pacing.js'
import { steady } from '../../loadgen/rate-curve.js'
import { DEFAULT_SCENARIO } from '../../loadgen/scenario.js'
import { SubmissionTemplate } from '../../loadgen/submission.js'
import { TrafficPlan, type AddressPool } from '../../loadgen/traffic.js'

const SHARES = { online: 0.8, fanOut: 0, gruu: 0, offlineReturns: 0, expires: 0.2, anyone: 0, duplicate: 0, misbehaving: 0 }
const POOL: AddressPool = { size: 50, address: (index) => `WAPPUSH=sip%3Auser${index}%40home1.example/TYPE=USER@ppg.example` }
const RECIPIENTS = { online: POOL, fanOut: POOL, gruu: POOL, offlineReturns: POOL, expires: POOL, anyone: POOL, misbehaving: POOL }

let folder: string
const JOURNAL = (): string => join(folder, 'initiator.journal')
let server: Server
let answer: (submission: Submission, response: ServerResponse) => void
const seen: Submission[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pushbench-generator-'))
  seen.length = 0
  answer = accept
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const submission = decodeSubmission(request.headers['content-type'] ?? '', Buffer.concat(chunks))
      if (!submission.ok) return response.writeHead(400).end()
      seen.push(submission)
      answer(submission, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

function accept(submission: Submission, response: ServerResponse): void {
  const { pushId } = submission.control
  response.writeHead(202, { 'content-type': 'application/xml' }).end(encodePap({ type: 'push-response', pushId, progressNotes: [], result: { code: 1001 } }, '2.0'))
}

interface Made {
  readonly generator: Generator
  readonly submit: Recorder
  readonly journal: JournalWriter
}

/** @param offsets of the attempts that are planned ahead */
function made(arrivals: Arrivals, offsets: Float64Array): Made {
  const journal = new JournalWriter(JOURNAL(), (error) => { throw error })
  const submit = new Recorder()
  const generator = new Generator({
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/pap`), arrivals,
    plan: new TrafficPlan(offsets, SHARES, RECIPIENTS, new SeededEntropy(2), 'run'),
    plain: new SubmissionTemplate(DEFAULT_SCENARIO.push, 'http://127.0.0.1:9/n', false), expiring: new SubmissionTemplate(DEFAULT_SCENARIO.push, 'http://127.0.0.1:9/n', true),
    lifetimes: { expires: 5_000_000 }, journal, submit,
  })
  return { generator, submit, journal }
}

/** @param lateMicros how long ago the first attempt was due when the generator began */
async function load(ratePerSecond: number, seconds: number, lateMicros = -50_000): Promise<{ events: JournalEvent[]; generator: Generator; submit: Recorder }> {
  const offsets = schedule('constant', steady(ratePerSecond, seconds * 1_000_000), new SeededEntropy(1))
  const { generator, submit, journal } = made(new FixedArrivals(offsets, 'a test'), offsets)
  await generator.run(monoMicros() - lateMicros)
  await generator.close()
  await journal.close()
  const events: JournalEvent[] = []
  await readJournal(JOURNAL(), (event) => { if (event !== undefined) events.push(event) })
  return { events, generator, submit }
}

/** Instants of what was planned, once the journal is written. */
async function plannedIn(journal: JournalWriter): Promise<number[]> {
  await journal.close()
  const planned: number[] = []
  await readJournal(JOURNAL(), (event) => { if (event?.event === 'planned') planned.push(event.mono) })
  return planned
}

const named = (events: readonly JournalEvent[], name: string): JournalEvent[] => events.filter(({ event }) => event === name)

describe('the load generator', () => {
  it('submits what was planned, each push once, and writes planned, sent and answered for each', async () => {
    const { events, generator } = await load(200, 1)
    expect(generator.counts).toEqual({ planned: 200, sent: 200, accepted: 200, refused: 0, unanswered: 0, shed: 0 })
    for (const name of ['planned', 'sent', 'answered']) expect(named(events, name), name).toHaveLength(200)
    const planned = named(events, 'planned')
    // The schedule is the plan's, however late anything was: one each 5 ms.
    expect(planned.every(({ mono }, index) => mono - planned[0]!.mono === index * 5_000)).toBe(true)
    expect(new Set(seen.map(({ control }) => control.pushId)).size).toBe(200)
    expect(seen.every(({ content }) => content.body.length === 300 && content.contentType === 'text/vnd.wap.si')).toBe(true)
    const expiring = new Map(planned.filter(({ details }) => details[0] === 'expires').map(({ pushId, details }) => [pushId, Number(details[2])]))
    expect(expiring.size).toBeGreaterThan(20)
    for (const { control } of seen) expect(control.deliverBefore !== undefined, control.pushId).toBe(expiring.has(control.pushId))
  })

  it('counts a freeze of the server from the planned time: what was held back waits in the figures, not in the generator', async () => {
    const held: (() => void)[] = []
    let frozen = false
    answer = (submission, response) => {
      if (seen.length === 60) {
        frozen = true
        setTimeout(() => {
          frozen = false
          for (const release of held) release()
        }, 400)
      }
      if (frozen) held.push(() => accept(submission, response))
      else accept(submission, response)
    }
    const { submit } = await load(200, 1)
    // 400 ms of 1 s: about 80 of 200 submissions met the freeze, and half of those waited 200 ms or more.
    expect(held.length).toBeGreaterThan(60)
    expect(submit.percentile(80)).toBeGreaterThan(150_000)
  })

  it('takes a change of its rate from the moment it is told, and its plan goes on with it', async () => {
    const { journal, generator } = made(new ScheduledArrivals('constant', steady(50, 2_000_000), new SeededEntropy(1)), new Float64Array())
    expect(generator.changeRate({ type: 'hold' })).toBe('there is no load under way')
    const running = generator.run(monoMicros() + 20_000)
    expect(generator.changeRate({ type: 'hold' })).toBe('there is no load under way')
    while (generator.counts.planned < 20) await new Promise((resolve) => setImmediate(resolve))
    const changed = generator.changeRate({ type: 'factor', factor: 6 })
    expect(generator.wantedPerSecond).toBe(300)
    await running
    await generator.close()
    const at = typeof changed === 'string' ? NaN : changed.atMicros
    expect(generator.changes).toEqual([{ atMicros: at, what: 'rate', perSecond: 300 }])
    const offsets = await plannedIn(journal)
    const due = Math.ceil(at / 20_000) + (2_000_000 - at) * 300 / 1_000_000
    expect(Math.abs(offsets.length - due)).toBeLessThanOrEqual(2)
    expect(generator.counts).toMatchObject({ sent: offsets.length, accepted: offsets.length })
    expect(generator.changeRate({ type: 'hold' })).toBe('there is no load under way')
  })

  it('of a closed load sends no more than it has initiators until it is answered, and goes on as soon as it is', async () => {
    let open = 0
    let most = 0
    answer = (submission, response) => {
      most = Math.max(most, ++open)
      setTimeout(() => {
        open--
        accept(submission, response)
      }, 20)
    }
    const { generator } = made(new ClosedArrivals({ initiators: 3, thinkMicros: 10_000 }, 'constant', 1_000_000, new SeededEntropy(1)), new Float64Array())
    await generator.run(monoMicros())
    await generator.close()
    expect(most).toBeLessThanOrEqual(3)
    // Each takes 30 ms or more for an attempt, and one second for all of them.
    expect(generator.counts.sent).toBeLessThanOrEqual(3 * 34)
    expect(generator.counts.sent).toBeGreaterThan(10)
    expect(generator.counts).toMatchObject({ planned: generator.counts.sent, accepted: generator.counts.sent, shed: 0 })
  })

  it('keeps listening while it is late: answers come in between, and what was due is sent all the same', async () => {
    const { events, generator } = await load(2_000, 1, 1_000_000)
    expect(generator.counts).toMatchObject({ planned: 2_000, sent: 2_000, accepted: 2_000, shed: 0 })
    const sentLast = named(events, 'sent').at(-1)!.mono
    expect(named(events, 'answered').filter(({ mono }) => mono < sentLast).length).toBeGreaterThan(200)
  })

  it('tells refusals, overload and lost connections apart', async () => {
    answer = ({ control: { pushId } }, response) => {
      if (seen.length % 3 === 0) response.writeHead(503, { 'retry-after': '2' }).end()
      else if (seen.length % 3 === 1) response.writeHead(202).end(encodePap({ type: 'push-response', pushId, progressNotes: [], result: { code: 2002 } }, '2.0'))
      else response.destroy()
    }
    const { events, generator } = await load(60, 0.5)
    expect(generator.counts).toMatchObject({ planned: 30, sent: 30, accepted: 0, refused: 20, unanswered: 10 })
    expect(new Set(named(events, 'answered').map(({ details }) => details[0]))).toEqual(new Set(['http-503', '2002']))
    expect(named(events, 'unanswered').every(({ details }) => details[0] !== '')).toBe(true)
  })
})

describe('the notification listener', () => {
  it('answers a result notification with 1000 and writes it down; refuses anything else', async () => {
    const path = join(folder, 'initiator.journal')
    const journal = new JournalWriter(path, (error) => { throw error })
    const listener = await NotificationListener.listen(journal)
    const post = (body: string): Promise<Response> => fetch(listener.url, { method: 'POST', headers: { 'content-type': 'application/xml' }, body })
    const good = await post(encodePap({ type: 'resultnotification-message', pushId: 'p1', messageState: 'delivered', code: 1000, address: POOL.address(1) }, '2.0'))
    expect(good.status).toBe(202)
    expect(await good.text()).toContain('<resultnotification-response push-id="p1" code="1000"')
    expect((await post('<no')).status).toBe(400)
    expect((await post('x'.repeat(70_000))).status).toBe(413)
    expect((await fetch(listener.url)).status).toBe(405)
    expect({ received: listener.received, refused: listener.refused }).toEqual({ received: 1, refused: 3 })
    await listener.close()
    await journal.close()
    const events: (JournalEvent | undefined)[] = []
    await readJournal(path, (event) => events.push(event))
    expect(events).toEqual([expect.objectContaining({ event: 'notified', pushId: 'p1', address: POOL.address(1), details: ['delivered', '1000', 'confirmed'] })])
  })
})
