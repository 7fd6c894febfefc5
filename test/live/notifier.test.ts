/** Notifications against real servers: answers of every kind, slow, closing and absent ones; never two answers, never a redirect followed. */
import type { LookupOptions } from 'node:dns'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Notifier, type NotifyAnswer } from '../../core/live/notifier.js'
import { NotifyGuard } from '../../core/live/notify-guard.js'

const closers: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function server(handle: (request: IncomingMessage, response: ServerResponse, body: string) => void): Promise<{ url: string; server: Server }> {
  const http = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => { body += chunk.toString() })
    request.on('end', () => handle(request, response, body))
  })
  await new Promise<void>((resolve) => { http.listen(0, '127.0.0.1', () => resolve()) })
  closers.push(() => {
    http.closeAllConnections()
    http.close()
  })
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/notify?to=me`, server: http }
}

function notifier(inside = ['127.0.0.0/8']): { ask(url: string, body?: string): Promise<NotifyAnswer>; answers: NotifyAnswer[] } {
  const waiting = new Map<number, (answer: NotifyAnswer) => void>()
  const answers: NotifyAnswer[] = []
  let ticket = 0
  const live = new Notifier((answer, micros) => {
    expect(micros).toBeGreaterThanOrEqual(0)
    answers.push(answer)
    waiting.get(answer.ticket)?.(answer)
  }, new NotifyGuard(inside))
  closers.push(() => live.close())
  return {
    answers,
    ask: (url, body = '<pap/>') => new Promise((resolve) => {
      waiting.set(++ticket, resolve)
      live.notify({ ticket, url, body })
    }),
  }
}

describe('the guard of notifications', () => {
  const INSIDE = ['127.0.0.1', '127.8.8.8', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255',
    '::', '::1', 'fe80::1', 'fc00::1', 'fdff::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:a00:1', '::127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::', '2001:0:1::']
  const OUTSIDE = ['1.1.1.1', '9.255.255.255', '11.0.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '223.255.255.255', '2606:4700::1111', '2a00::1', '::ffff:1.1.1.1']

  it('lets nothing reach loopback, link-local, private and other special addresses, in whatever form', () => {
    const guard = new NotifyGuard([])
    expect(INSIDE.filter((address) => guard.mayReach(address))).toEqual([])
    expect(OUTSIDE.filter((address) => !guard.mayReach(address))).toEqual([])
  })

  it('opens the networks it is told, and those alone', () => {
    const guard = new NotifyGuard(['10.1.0.0/16', 'fd00:1::/32'])
    expect(['10.1.0.1', '10.1.255.255', 'fd00:1::9', '::ffff:10.1.0.1'].filter((address) => !guard.mayReach(address))).toEqual([])
    expect(['10.0.255.255', '10.2.0.0', 'fd00:2::1', '127.0.0.1'].filter((address) => guard.mayReach(address))).toEqual([])
  })

  it('keeps a notification from inside by literal, by number, by name and by redirect: nothing is connected to', async () => {
    let connections = 0
    const { url, server: http } = await server((_request, response) => response.writeHead(200).end())
    http.on('connection', () => { connections++ })
    const { port } = new URL(url)
    const { ask } = notifier([])
    for (const host of ['127.0.0.1', '127.1', '2130706433', '0x7f.0.0.1', '[::ffff:127.0.0.1]', '[::1]', 'localhost', 'localhost.']) {
      expect(await ask(`http://${host}:${port}/`), host).toMatchObject({ type: 'notify-failed', reason: expect.stringMatching(/is no public address|ENOTFOUND/) })
    }
    expect(await ask(`https://localhost:${port}/`)).toMatchObject({ type: 'notify-failed', reason: expect.stringContaining('is no public address') })
    expect(connections).toBe(0)
  })

  it('judges every answer of a name, and again for each connection', async () => {
    const guard = new NotifyGuard([])
    const looked = (options: LookupOptions): Promise<unknown> => new Promise((resolve) => { guard.lookup('localhost', options, (error, address) => resolve(error ?? address)) })
    for (const options of [{}, { all: true }, { family: 4 }]) expect(String(await looked(options))).toContain('is no public address')
    const open = new NotifyGuard(['127.0.0.0/8', '::1/128'])
    const found = await new Promise((resolve) => { open.lookup('localhost', { family: 4 }, (_error, address, family) => resolve([address, family])) })
    expect(found).toEqual(['127.0.0.1', 4])
  })
})

describe('the notifier', () => {
  it('posts XML and brings the status with the body back', async () => {
    const seen: string[] = []
    const { url } = await server((request, response, body) => {
      seen.push(`${request.method} ${request.url} ${request.headers['content-type']} ${body}`)
      response.writeHead(202, { 'content-type': 'application/xml' }).end('<pap>noted</pap>')
    })
    const { ask } = notifier()
    expect(await ask(url, '<pap>née</pap>')).toEqual({ type: 'notified', ticket: 1, status: 202, body: '<pap>noted</pap>' })
    expect(seen).toEqual(['POST /notify?to=me application/xml <pap>née</pap>'])
  })

  it('keeps connections and matches a thousand answers to their tickets', async () => {
    let connections = 0
    const { url, server: http } = await server((_request, response, body) => response.writeHead(200).end(body))
    http.on('connection', () => { connections += 1 })
    const { ask } = notifier()
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, index) => ask(url, `${index}`)))
    expect(answers.map((answer) => (answer.type === 'notified' ? Number(answer.body) : -1))).toEqual(Array.from({ length: 1_000 }, (_, index) => index))
    expect(connections).toBeLessThanOrEqual(64)
  })

  it('brings a 5xx and a redirect back as they are', async () => {
    let followed = 0
    const { url } = await server((request, response) => {
      if (request.url === '/elsewhere') followed += 1
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    const failing = await server((_request, response) => response.writeHead(503).end('later'))
    const { ask } = notifier()
    expect(await ask(url)).toMatchObject({ status: 307 })
    expect(await ask(failing.url)).toMatchObject({ status: 503, body: 'later' })
    expect(followed).toBe(0)
  })

  it('reads no more of an answer than it needs', async () => {
    const { url } = await server((_request, response) => response.writeHead(200).end(Buffer.alloc(5_000_000, 'x')))
    const { ask } = notifier()
    const answer = await ask(url)
    expect(answer).toMatchObject({ type: 'notified', status: 200 })
    expect(answer.type === 'notified' && answer.body.length).toBe(65_536)
  })

  it('says why there was no answer: refused, closed half way, no URL, another scheme', async () => {
    const gone = await server(() => {})
    await new Promise<void>((resolve) => { gone.server.close(() => resolve()) })
    const closing = createTcpServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')))
    await new Promise<void>((resolve) => { closing.listen(0, '127.0.0.1', () => resolve()) })
    closers.push(() => { closing.close() })
    const { ask, answers } = notifier()
    expect(await ask(gone.url)).toMatchObject({ type: 'notify-failed', reason: expect.stringContaining('ECONNREFUSED') })
    expect(await ask(`http://127.0.0.1:${(closing.address() as AddressInfo).port}/`)).toMatchObject({ type: 'notify-failed', reason: expect.stringContaining('closed') })
    expect(await ask('nowhere')).toMatchObject({ type: 'notify-failed', reason: '"nowhere" is no URL' })
    expect(await ask('file:///etc/passwd')).toMatchObject({ type: 'notify-failed', reason: expect.stringContaining('http or https') })
    expect(answers.length).toBe(4)
  })

  it('gives up a server that never answers', async () => {
    const { url } = await server(() => {})
    const { ask } = notifier()
    const from = performance.now()
    expect(await ask(url)).toMatchObject({ type: 'notify-failed', reason: expect.stringContaining('Timeout') })
    // The limit of 15 s, not our speed: a busy machine has 10 s more.
    expect(performance.now() - from).toBeGreaterThan(14_000)
    expect(performance.now() - from).toBeLessThan(25_000)
  })

  it('says nothing any more once closed', async () => {
    let arrived = (): void => {}
    const asked = new Promise<void>((resolve) => { arrived = resolve })
    const { url } = await server(() => arrived())
    const answers: NotifyAnswer[] = []
    const live = new Notifier((answer) => answers.push(answer), new NotifyGuard(['127.0.0.0/8']))
    live.notify({ ticket: 1, url, body: '' })
    await asked
    await live.close()
    await new Promise<void>((resolve) => { setImmediate(resolve) })
    expect(answers).toEqual([])
  })
})
