/** Sessions, subscriptions, OPTIONS and references over real sockets, answered by the fleet's part and by sip.js. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { type JournalEvent, parseJournalLine } from '../../core/kit/journal.js'
import { type PartProcess, startPart } from '../../core/live/part-process.js'
import { referenceBody, referenceType } from '../../core/ota/indirection.js'
import { readOptions } from '../../core/ota/options.js'
import type { FileDescription } from '../../core/sdp/msrp-media.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import type { TerminalsConfigEncoded } from '../../sim/live/terminals-config.js'
import { contentOf, sending } from '../machines/terminal-gateway.js'
import { type LiveGateway, startLiveGateway } from './live-gateway.js'
import { until } from './until.js'

const PART = fileURLToPath(new URL('../../dist/sim/live/terminals-part.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'pushbench-bindings-'))
afterAll(() => rmSync(folder, { recursive: true }))

const open: { stop(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.stop()
})

async function up(name: string, population: TerminalsConfigEncoded['population']): Promise<{ readonly live: LiveGateway; readonly part: PartProcess }> {
  const live = await startLiveGateway()
  open.push({ stop: () => live.close() })
  const part = await startPart(PART, { proxy: { address: '127.0.0.1', port: live.port }, connections: 1, population } satisfies TerminalsConfigEncoded, join(folder, `${name}.journal`), () => {})
  open.push({ stop: () => part.kill() })
  expect(await part.perform('register', { perSecond: 1_000, withinMicros: 20_000_000 })).toMatchObject({ pending: 0, refused: 0 })
  return { live, part }
}

function received(name: string): (readonly string[])[] {
  const events: JournalEvent[] = readFileSync(join(folder, `${name}.journal`), 'utf8').split('\n').filter((line) => line !== '').map((line) => parseJournalLine(line)!)
  return events.filter(({ event }) => event === 'received').map(({ pushId, details }) => [pushId, ...details.slice(2)])
}

/** Takes a session through one content of a file, and ends it. */
async function pushFile(live: LiveGateway, content: Buffer, index: number): Promise<void> {
  const { contact, aor } = [...live.registrar.bindings.values()][index]!
  const file: FileDescription = { selector: { name: 'a.si', type: 'text/vnd.wap.si', size: content.length, sha1: createHash('sha1').update(content).digest('hex') }, transferId: 't1' }
  const call = live.act((gateway, now) => gateway.call(now, contact, aor, { files: [file], pushId: 'invite@pi' }))
  await until(() => call.status !== 0)
  expect([call.status, call.line().setup, call.line().file?.transferId]).toEqual([200, 'active', 't1'])
  live.act((_gateway, now) => void call.msrp[0]!.send(now, sending('m001', content, { headers: [{ name: 'X-Push-Id', value: 'file@pi' }] })))
  await until(() => call.outcomes.length === 1)
  expect(call.outcomes).toEqual([{ type: 'confirmed' }])
  live.act((gateway, now) => gateway.invites.close(now, call.invite!))
  await until(() => call.end !== undefined && live.gateway.invites.size === 0)
  expect(call.end).toBe('closed')
}

async function options(live: LiveGateway, index: number): Promise<SipMessage> {
  const { contact, aor } = [...live.registrar.bindings.values()][index]!
  live.act((gateway, now) => gateway.send(now, gateway.request('OPTIONS', contact, aor)))
  await until(() => live.gateway.answers.length > 0)
  return live.gateway.answers.pop() as SipMessage
}

async function notify(live: LiveGateway, type: string, body: Buffer, pushId: string): Promise<number | string> {
  await until(() => live.gateway.subscriptions[0]?.canNotify === true)
  live.gateway.notified.length = 0
  live.act((gateway, now) => gateway.notifier.notify(now, gateway.subscriptions[0]!, {
    event: { package: 'oma-push', applications: ['push.sia'] }, headers: [[Header.XPushId, composed(pushId)]], contentType: composed(type), body,
  }, 'content'))
  await until(() => live.gateway.notified.length > 0)
  return live.gateway.notified[0]!
}

describe('the fleet over real sockets', () => {
  it('takes a file of 5 MB by session, a NOTIFY, a reference that it fetches over HTTP, and OPTIONS; nothing stays behind', async () => {
    const content = contentOf(5_000_000)
    const sha1 = createHash('sha1').update(content).digest('hex')
    const server = createServer((request, response) => { response.writeHead(request.url === '/c/1' ? 200 : 404).end(request.url === '/c/1' ? content : undefined) })
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
    open.push({ stop: () => new Promise((resolve) => { server.close(resolve) }) })
    const { live, part } = await up('fleet', { subscribers: 1, devicesPerSubscriber: { 1: 1 }, events: { share: 1 } })
    await pushFile(live, content, 0)
    expect(readOptions(await options(live, 0))).toMatchObject({ takesFiles: true, sizeMax: 104_857_600 })
    expect(await notify(live, 'text/vnd.wap.si', Buffer.from('content'), 'event@pi')).toBe(200)
    for (const [path, pushId, size] of [['/c/1', 'good@pi', content.length], ['/c/2', 'gone@pi', 5], ['/c/1', 'short@pi', 7]] as const) {
      const reference = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, expiresAt: Date.now() + 60_000, size, sha1, host: 'ppg.example' }
      expect(await notify(live, referenceType(reference), referenceBody(reference, 'text/vnd.wap.si', []), pushId)).toBe(200)
    }
    const counted = async (): Promise<Record<string, number>> => await part.perform('counters') as Record<string, number>
    for (let counters = await counted(); counters['fetches'] !== 0; counters = await counted());
    expect(await counted()).toMatchObject({ fetched: 1, fetchesFailed: 2, sessions: 0, mediaSessions: 0, subscriptions: 1, sessionBytes: 5_000_000 })
    await part.perform('deregister', { perSecond: 1_000, withinMicros: 10_000_000 })
    await until(() => live.gateway.notifier.size === 0)
    expect(await counted()).toMatchObject({ sessions: 0, subscriptions: 0, fetches: 0 })
    await part.stop(5_000)
    expect(received('fleet-0').sort()).toEqual([
      ['event@pi', '200', 'first', 'event'], ['file@pi', '200', 'first', 'session'], ['gone@pi', '404', 'first', 'indirection'], ['good@pi', '200', 'first', 'indirection'], ['short@pi', '400', 'first', 'indirection'],
    ])
  })
})

describe('sip.js', () => {
  it('takes INVITE with MSRP, the NOTIFYs of its own subscription, and OPTIONS', async () => {
    const { live, part } = await up('sipjs', { subscribers: 1, devicesPerSubscriber: { 1: 1 }, referenceTerminals: 1, events: { share: 1 } })
    expect(live.gateway.subscribes[0]!.get(Header.Event)).toMatch(/^oma-push;event-app-id="push\.sia/)
    await pushFile(live, contentOf(300_000), 0)
    const answer = await options(live, 0)
    expect([answer.status, answer.get(Header.Allow)]).toEqual([200, expect.stringContaining('INVITE')])
    expect(await notify(live, 'text/vnd.wap.si', Buffer.from('content'), 'event@pi')).toBe(200)
    expect(await notify(live, 'image/png', Buffer.from('content'), 'other@pi')).toBe(415)
    const { contact, aor } = [...live.registrar.bindings.values()][0]!
    const refused = live.act((gateway, now) => gateway.call(now, contact, aor, { acceptTypes: ['image/png'] }))
    await until(() => refused.status !== 0)
    expect(refused.status).toBe(488)
    await part.stop(5_000)
    expect(received('sipjs-reference')).toEqual([['file@pi', '200', 'first', 'session'], ['event@pi', '200', 'first', 'event'], ['other@pi', '415', 'first', 'event'], ['p@test', '488', 'first', 'session']])
  })
})
