/** PAP over HTTP on real sockets: what is handed on, what is refused and how, and clients that are slow, greedy, gone or piped. */
import { request as httpRequest, Agent, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { PapListener } from '../../core/live/http.js'
import type { PapReply, PapRequest } from '../../core/push/contract.js'
import { until } from './until.js'

const LIMIT = 1_000
const closers: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

interface Bench {
  readonly port: number
  readonly requests: PapRequest[]
  readonly listener: PapListener
  readonly times: number[]
}

/** A listener whose submissions are answered by `answer`, or held when it gives nothing. */
async function bench(answer: (request: PapRequest) => Partial<PapReply> | undefined = () => ({})): Promise<Bench> {
  const requests: PapRequest[] = []
  const times: number[] = []
  const listener: PapListener = new PapListener({ bodyBytesMax: LIMIT }, (request) => {
    requests.push(request)
    const reply = answer(request)
    if (reply !== undefined) listener.reply({ type: 'pap-reply', id: request.id, status: 202, body: `<pap n="${request.body.length}"/>`, ...reply })
  }, (micros) => times.push(micros))
  closers.push(() => listener.close())
  const { port } = await listener.listen({ address: '127.0.0.1', port: 0 })
  return { port, requests, listener, times }
}

interface Answer { readonly status: number; readonly headers: IncomingMessage['headers']; readonly body: string }

const XML = { 'content-type': 'application/xml' }

function send(port: number, options: { method?: string; path?: string; headers?: Record<string, string>; body?: Buffer | string | (Buffer | string)[]; agent?: Agent } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1', port, method: options.method ?? 'POST', path: options.path ?? '/pap', headers: options.headers ?? XML,
      ...(options.agent === undefined ? {} : { agent: options.agent }),
    }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => { body += chunk.toString() })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    request.on('error', reject)
    if (Array.isArray(options.body)) {
      for (const part of options.body) request.write(part)
      request.end()
    } else request.end(options.body)
  })
}

/** What a server sends back on a raw connection until it closes it. */
function raw(port: number, text: string, then: (socket: Socket) => void = () => {}): Promise<string> {
  return new Promise((resolve) => {
    let heard = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(text)
      then(socket)
    })
    socket.on('error', () => {})
    socket.on('data', (chunk) => { heard += chunk.toString() })
    socket.on('close', () => resolve(heard))
  })
}

describe('a submission', () => {
  it('arrives whole with its type and is answered 202 with XML', async () => {
    const { port, requests, times } = await bench()
    const type = 'multipart/related; boundary=asdf; type="application/xml"'
    const answer = await send(port, { headers: { 'content-type': type }, body: 'x'.repeat(LIMIT) })
    expect(answer).toMatchObject({ status: 202, headers: { 'content-type': 'application/xml', 'content-length': '15' }, body: '<pap n="1000"/>' })
    expect(requests).toMatchObject([{ type: 'pap-request', id: 1, initiator: 'anonymous', contentType: type }])
    expect(requests[0]!.body.toString()).toBe('x'.repeat(LIMIT))
    expect(times.length).toBe(1)
  })

  it('is answered with the type of its answer where that is not XML alone', async () => {
    const contentType = 'multipart/related; boundary=b; type="application/xml"'
    const { port } = await bench(() => ({ contentType, body: '--b--' }))
    expect(await send(port, { body: 'x' })).toMatchObject({ status: 202, headers: { 'content-type': contentType }, body: '--b--' })
  })

  it('may come in chunks, at /wappush, with a query, or with an absolute request target', async () => {
    const { port, requests } = await bench()
    expect((await send(port, { path: '/wappush', body: ['<p', 'ap', '/>'] })).status).toBe(202)
    expect((await send(port, { path: '/pap?from=test', body: 'a' })).status).toBe(202)
    expect((await send(port, { path: `http://127.0.0.1:${port}/pap`, headers: { 'content-type': 'text/xml; charset=utf-8' }, body: 'b' })).status).toBe(202)
    expect(requests.map((request) => request.body.toString())).toEqual(['<pap/>', 'a', 'b'])
  })

  it('may be empty: the gateway says what is wrong with it', async () => {
    const { port, requests } = await bench()
    expect((await send(port, { headers: { ...XML, 'content-length': '0' } })).status).toBe(202)
    expect(requests[0]!.body.length).toBe(0)
  })

  it('that cannot be taken now is answered 503 with Retry-After and no document', async () => {
    const { port } = await bench(() => ({ status: 503, retryAfterSeconds: 7, body: '' }))
    expect(await send(port, { body: 'x' })).toMatchObject({ status: 503, headers: { 'retry-after': '7', 'content-length': '0' }, body: '' })
  })

  it('keeps its connection for the next one', async () => {
    const { port, listener } = await bench()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    closers.push(() => agent.destroy())
    for (let index = 0; index < 5; index++) expect((await send(port, { agent, body: `${index}` })).headers.connection).toBe('keep-alive')
    expect(listener.counters).toEqual({ requests: 5, refused: 0, clientsGone: 0 })
  })

  it('may be piped: answers come in the order of the requests, whichever the gateway answered first', async () => {
    const held: PapRequest[] = []
    const { port, listener } = await bench((request) => {
      held.push(request)
      if (held.length === 3) for (const each of held.toReversed()) listener.reply({ type: 'pap-reply', id: each.id, status: 202, body: each.body.toString() })
      return undefined
    })
    const one = (body: string, last = false): string => `POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: ${body.length}\r\n${last ? 'Connection: close\r\n' : ''}\r\n${body}`
    const heard = await raw(port, one('first') + one('second') + one('third', true))
    expect([...heard.matchAll(/\r\n\r\n([a-z]+)/g)].map((match) => match[1])).toEqual(['first', 'second', 'third'])
  })
})

describe('a request that is no submission', () => {
  it('is refused with the status that says why, and the connection lives on', async () => {
    const { port, requests, listener } = await bench()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    closers.push(() => agent.destroy())
    expect(await send(port, { agent, method: 'GET' })).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect(await send(port, { agent, method: 'PUT', body: 'x' })).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect((await send(port, { agent, path: '/', body: 'x' })).status).toBe(404)
    expect((await send(port, { agent, path: '/pap/x', body: 'x' })).status).toBe(404)
    expect((await send(port, { agent, headers: { 'content-type': 'application/json' }, body: '{}' })).status).toBe(415)
    expect((await send(port, { agent, headers: {}, body: 'x' })).status).toBe(415)
    expect((await send(port, { agent, body: 'x' })).status).toBe(202)
    expect(requests.length).toBe(1)
    expect(listener.counters.refused).toBe(6)
  })

  it('needs a length or chunks: 411', async () => {
    const { port } = await bench()
    expect(await raw(port, 'POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 411 /)
  })

  it('is too large by one octet: 413, declared or in chunks, and its sender sees the answer', async () => {
    const { port, requests } = await bench()
    expect(await send(port, { body: 'x'.repeat(LIMIT + 1) })).toMatchObject({ status: 413, body: `a submission holds at most ${LIMIT} octets here\n` })
    expect((await send(port, { body: ['x'.repeat(LIMIT), 'y'] })).status).toBe(413)
    expect((await send(port, { body: 'x'.repeat(LIMIT * 8) })).status).toBe(413)
    expect(requests).toEqual([])
  })

  it('is far too large: answered at once when declared, cut when it comes in endless chunks', async () => {
    const { port, requests } = await bench()
    expect(await raw(port, 'POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 999999999\r\n\r\n')).toMatch(/^HTTP\/1.1 413 /)
    const heard = await raw(port, 'POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n', (socket) => {
      const chunk = `3e8\r\n${'x'.repeat(LIMIT)}\r\n`
      const more = (): void => { if (socket.writable) socket.write(chunk, more) }
      more()
    })
    expect(heard).toBe('')
    expect(requests).toEqual([])
  })

  it('is no HTTP at all: 400, and headers without end: 431', async () => {
    const { port } = await bench()
    expect(await raw(port, 'MESSAGE sip:alice@example.com SIP/2.0\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    expect(await raw(port, `POST /pap HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /)
  })

  it('has lying lengths: 400', async () => {
    const { port, requests } = await bench()
    expect(await raw(port, 'POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    expect(await raw(port, 'POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: -5\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    expect(requests).toEqual([])
  })
})

describe('a client', () => {
  it('that dawdles over its headers is told 408 while others are served', async () => {
    const { port } = await bench()
    const slow = raw(port, 'POST /pap HTTP/1.1\r\nHost')
    const from = performance.now()
    for (let index = 0; index < 10; index++) expect((await send(port, { body: 'x' })).status).toBe(202)
    expect(await slow).toMatch(/^HTTP\/1.1 408 /)
    // The server's limit of 10 s, not our speed: a busy machine has as much again.
    expect(performance.now() - from).toBeLessThan(20_000)
  })

  it('that goes away before the answer costs nothing and harms nobody', async () => {
    const { port, requests, listener } = await bench(() => undefined)
    const arrived = until(() => requests.length === 1)
    await raw(port, 'POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 1\r\n\r\nx', (socket) => { void arrived.then(() => socket.resetAndDestroy()) })
    await until(() => listener.counters.clientsGone === 1)
    listener.reply({ type: 'pap-reply', id: requests[0]!.id, status: 202, body: 'too late' })
  })

  it('that breaks off in the body leaves no submission', async () => {
    const { port, requests } = await bench()
    await raw(port, 'POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 100\r\n\r\nhalf', (socket) => setImmediate(() => socket.resetAndDestroy()))
    expect((await send(port, { body: 'x' })).status).toBe(202)
    expect(requests.length).toBe(1)
  })
})

describe('closing', () => {
  it('takes no new connection, answers what is open and closes it', async () => {
    const { port, requests, listener } = await bench(() => undefined)
    const answer = send(port, { agent: new Agent({ keepAlive: true }), body: 'x' })
    await until(() => requests.length === 1)
    listener.stopAccepting()
    await expect(send(port, { body: 'y' })).rejects.toThrow('ECONNREFUSED')
    listener.reply({ type: 'pap-reply', id: 1, status: 202, body: 'ok' })
    expect(await answer).toMatchObject({ status: 202, headers: { connection: 'close' } })
    await listener.close()
  })

  it('listens elsewhere when the port is taken', async () => {
    const first = await bench()
    const second = new PapListener({ bodyBytesMax: LIMIT }, () => {})
    closers.push(() => second.close())
    const at = await second.listen({ address: '127.0.0.1', port: first.port })
    expect(at.port).not.toBe(first.port)
  })
})
