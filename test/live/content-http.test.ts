/** Contents over HTTP on real sockets (RFC 4483): whole, in ranges, over TLS; and readers that are slow, lie, go, or send what nobody asked for. */
import { mkdtempSync, rmSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { CONTENT_HTTP_LIMITS, ContentListener, type ContentHttpLimits } from '../../core/live/content-http.js'
import { readTls, type TlsMaterial } from '../../core/live/tls.js'
import type { ContentReply } from '../../core/push/contract.js'
import type { Content } from '../../core/store/content.js'
import { certify, makeAuthority } from './certificates.js'
import { until } from './until.js'

const TOKEN = 'A'.repeat(48)
const SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'
const EXPIRES = Date.UTC(2030, 0, 1)
const SMALL = Buffer.from('0123456789')
const closers: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

type Found = Partial<Omit<Extract<ContentReply, { readonly status: 200 }>, 'status'>>

interface Bench {
  readonly port: number
  readonly listener: ContentListener
  readonly asked: string[]
  readonly fetched: (readonly [token: string, complete: boolean])[]
}

interface BenchOptions {
  readonly content?: Content
  readonly reply?: Found | { readonly status: 404 | 410 } | 'none'
  readonly read?: (id: string, offset: number, length: number) => Promise<Buffer>
  readonly tls?: TlsMaterial
  readonly limits?: Partial<ContentHttpLimits>
}

async function bench({ content = SMALL, reply = {}, read = () => Promise.reject(new Error('no file')), tls, limits }: BenchOptions = {}): Promise<Bench> {
  const asked: string[] = []
  const fetched: (readonly [string, boolean])[] = []
  const listener: ContentListener = new ContentListener(read, (input) => {
    if (input.type === 'content-fetched') return void fetched.push([input.token, input.complete])
    asked.push(input.token)
    if (reply === 'none') return
    if ('status' in reply) return listener.reply({ type: 'content-reply', id: input.id, status: reply.status })
    listener.reply({ type: 'content-reply', id: input.id, status: 200, contentType: 'image/png', content, sha1: SHA1, expiresAt: EXPIRES, ...reply })
  }, tls, { ...CONTENT_HTTP_LIMITS, ...limits })
  closers.push(() => listener.close())
  const { port } = await listener.listen({ address: '127.0.0.1', port: 0 })
  return { port, listener, asked, fetched }
}

interface Answer { readonly status: number; readonly headers: IncomingMessage['headers']; readonly body: Buffer }

function get(port: number, headers: Record<string, string> = {}, method = 'GET', path = `/content/${TOKEN}`, tlsAuthority?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers, agent: false as const }
    const answered = (response: IncomingMessage): void => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }))
      response.on('error', reject)
    }
    const request = tlsAuthority === undefined ? httpRequest(options, answered) : httpsRequest({ ...options, ca: tlsAuthority }, answered)
    request.on('error', reject)
    request.end()
  })
}

/** What a server sends back on a raw connection until it closes it. */
function raw(port: number, text: string, then: (socket: Socket) => void = () => {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.write(text); then(socket) })
    let got = ''
    socket.on('data', (chunk: Buffer) => { got += chunk.toString('latin1') })
    socket.on('error', () => {})
    socket.on('close', () => resolve(got))
  })
}

/** A content file that exists only as arithmetic: octet n is n modulo 251. */
function file(size: number): { content: Content; read: (id: string, offset: number, length: number) => Promise<Buffer> } {
  return {
    content: { id: 'f', size, sha1: SHA1 },
    read: (_id, offset, length) => Promise.resolve(octets(offset, offset + length)),
  }
}

function octets(start: number, end: number): Buffer {
  return Buffer.from(Array.from({ length: end - start }, (_, index) => (start + index) % 251))
}

describe('a content', () => {
  it('is fetched whole, with its length, type and entity tag, and then counts as fetched', async () => {
    const { port, asked, fetched } = await bench()
    const answer = await get(port)
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual(SMALL)
    expect(answer.headers).toMatchObject({
      'content-type': 'image/png', 'content-length': '10', etag: `"${SHA1}"`, 'accept-ranges': 'bytes', expires: 'Tue, 01 Jan 2030 00:00:00 GMT', 'x-content-type-options': 'nosniff',
    })
    await until(() => fetched.length > 0)
    expect([asked, fetched]).toEqual([[TOKEN], [[TOKEN, true]]])
  })

  it('of many windows comes whole from its file', async () => {
    const { port, fetched, listener } = await bench(file(1_000_000))
    const answer = await get(port)
    expect(answer.body.equals(octets(0, 1_000_000))).toBe(true)
    await until(() => fetched.length > 0)
    expect(listener.bodiesUnderWay).toBe(0)
  })

  it('counts the octets that crossed its connections, those of open ones and of closed ones alike', async () => {
    const { port, listener } = await bench(file(100_000))
    const answered = raw(port, `GET /content/${TOKEN} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)
    const length = (await answered).length
    expect(length).toBeGreaterThan(100_000)
    await until(() => listener.octets().out === length)
    const before = listener.octets()
    const waiting = raw(port, 'GET /', (socket) => closers.push(() => { socket.destroy() }))
    await until(() => listener.octets().in === before.in + 5)
    await listener.close()
    await waiting
    expect(listener.octets()).toEqual({ in: before.in + 5, out: before.out })
  })

  it('is described by HEAD without being fetched', async () => {
    const { port, fetched, listener } = await bench()
    const answer = await get(port, { range: 'bytes=0-1' }, 'HEAD')
    expect([answer.status, answer.headers['content-length'], answer.body.length]).toEqual([200, '10', 0])
    await listener.close()
    expect(fetched).toEqual([])
  })

  it('that is known already is not sent again', async () => {
    const { port, fetched, listener } = await bench()
    const answer = await get(port, { 'if-none-match': `"other", W/"${SHA1}"` })
    expect([answer.status, answer.body.length]).toEqual([304, 0])
    await listener.close()
    expect(fetched).toEqual([])
  })

  it('that ran out is gone, and one that never was is not found', async () => {
    expect((await get((await bench({ reply: { status: 410 } })).port)).status).toBe(410)
    expect((await get((await bench({ reply: { status: 404 } })).port)).status).toBe(404)
  })

  it('of no octets is fetched by a GET that answers none', async () => {
    const { port, fetched } = await bench({ content: Buffer.alloc(0) })
    expect((await get(port)).headers['content-length']).toBe('0')
    await until(() => fetched.length > 0)
    expect(fetched).toEqual([[TOKEN, true]])
  })

  it('travels over TLS', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'content-tls-'))
    closers.push(() => rmSync(folder, { recursive: true }))
    const authority = await makeAuthority(folder)
    const tls = readTls({ ...(await certify(folder, authority, 'gateway')), clients: 'any', verify: true })
    const { port } = await bench({ tls })
    expect((await get(port, {}, 'GET', `/content/${TOKEN}`, Buffer.from(authority.cert))).body).toEqual(SMALL)
  })

  it('with a media type no header could hold is octets', async () => {
    const { port } = await bench({ reply: { contentType: 'text/plain;name=a\r\nX: y' } })
    const answer = await get(port)
    expect([answer.headers['content-type'], answer.headers['x']]).toEqual(['application/octet-stream', undefined])
  })
})

describe('a range of a content', () => {
  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-300', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=8-99999999999', 206, '89', 'bytes 8-9/10'],
    ['bytes=10-', 416, undefined, 'bytes */10'],
    ['bytes=-0', 416, undefined, 'bytes */10'],
    ['bytes=4-2', 200, '0123456789', undefined],
    ['bytes=0-1,4-5', 200, '0123456789', undefined],
    ['bytes=1-999999999999999999999999999', 200, '0123456789', undefined],
    ['octets=1-2', 200, '0123456789', undefined],
    ['bytes=-', 200, '0123456789', undefined],
    ['bytes=a-b', 200, '0123456789', undefined],
  ])('asked for as %s is answered %i', async (range, status, body, contentRange) => {
    const { port } = await bench()
    const answer = await get(port, { range })
    expect([answer.status, answer.headers['content-range']]).toEqual([status, contentRange])
    if (body !== undefined) expect(answer.body.toString()).toBe(body)
  })

  it('of another version of it is answered by the whole', async () => {
    const { port } = await bench()
    expect((await get(port, { range: 'bytes=2-4', 'if-range': '"other"' })).status).toBe(200)
    expect((await get(port, { range: 'bytes=2-4', 'if-range': `"${SHA1}"` })).status).toBe(206)
  })

  it('counts towards the whole: fetched in pieces, in any order and overlapping, is fetched once', async () => {
    const { port, fetched } = await bench()
    for (const range of ['bytes=6-9', 'bytes=0-2', 'bytes=0-2']) await get(port, { range })
    await get(port, { range: 'bytes=2-6' })
    await until(() => fetched.length > 0)
    expect(fetched).toEqual([[TOKEN, true]])
  })

  it('repeated for ever proves nothing', async () => {
    const { port, fetched, listener } = await bench()
    for (let count = 0; count < 20; count++) await get(port, { range: 'bytes=0-8' })
    await listener.close()
    expect(fetched).toEqual([])
  })
})

describe('who fetches', () => {
  it.each([
    ['by POST', `POST /content/${TOKEN} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`, '405'],
    ['with a body', `GET /content/${TOKEN} HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello`, '400'],
    ['with chunks', `GET /content/${TOKEN} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, '400'],
    ['by a token that is too short', `GET /content/${TOKEN.slice(1)} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`, '404'],
    ['by a path that climbs', `GET /../../etc/passwd HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`, '404'],
    ['with escapes in the token', `GET /content/%41${TOKEN.slice(1)} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`, '404'],
    ['without HTTP', 'SUBSCRIBE sip:a@b SIP/2.0\r\n\r\n', '400'],
    ['with two lengths', `GET /content/${TOKEN} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n`, '400'],
    ['with endless headers', `GET /content/${TOKEN} HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, '431'],
  ])('%s is refused', async (_what, text, status) => {
    const { port, asked } = await bench()
    expect((await raw(port, text)).slice(9, 12)).toBe(status)
    expect(asked).toEqual([])
  })

  it('may put a query behind the URL, and ask in absolute form', async () => {
    const { port, asked } = await bench()
    expect(await raw(port, `GET http://public.example/x/y/${TOKEN}?z=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 200/)
    expect(asked).toEqual([TOKEN])
  })

  it('and asks again on the same connection before the first answer gets both, in order', async () => {
    const { port, fetched } = await bench()
    const got = await raw(port, `GET /${TOKEN} HTTP/1.1\r\nHost: h\r\n\r\nGET /${'B'.repeat(48)} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)
    expect(got.match(/0123456789/g)).toHaveLength(2)
    await until(() => fetched.length === 2)
    expect(fetched.map(([token]) => token[0])).toEqual(['A', 'B'])
  })

  it('and goes away in the middle has not fetched, and leaves nothing behind', async () => {
    const { port, fetched, listener } = await bench(file(40_000_000))
    await raw(port, `GET /${TOKEN} HTTP/1.1\r\nHost: h\r\n\r\n`, (socket) => socket.once('data', () => socket.destroy()))
    await until(() => fetched.length > 0)
    expect(fetched).toEqual([[TOKEN, false]])
    expect([listener.bodiesUnderWay, listener.counters.broken]).toEqual([0, 1])
  })

  it('and reads nothing is cut, and the others are served meanwhile', async () => {
    const { port, fetched, listener } = await bench({ ...file(40_000_000), limits: { stallMillis: 300 } })
    const stalled = connect(port, '127.0.0.1', () => stalled.write(`GET /${TOKEN} HTTP/1.1\r\nHost: h\r\n\r\n`))
    stalled.pause()
    stalled.on('error', () => {})
    closers.push(() => { stalled.destroy() })
    await until(() => listener.bodiesUnderWay === 1)
    expect((await get(port, { range: 'bytes=0-9' })).body).toEqual(octets(0, 10))
    await until(() => fetched.length > 0)
    expect(fetched).toEqual([[TOKEN, false]])
    expect(listener.bodiesUnderWay).toBe(0)
  })

  it('and reads too slowly to end is cut when the time of the content is over', async () => {
    const { port, fetched } = await bench({ ...file(40_000_000), limits: { bodyMicros: 1_000, octetsPerSecondMin: 100_000_000 } })
    const slow = connect(port, '127.0.0.1', () => slow.write(`GET /${TOKEN} HTTP/1.1\r\nHost: h\r\n\r\n`))
    slow.on('readable', () => { slow.read(1) })
    slow.on('error', () => {})
    closers.push(() => { slow.destroy() })
    await until(() => fetched.length > 0)
    expect(fetched).toEqual([[TOKEN, false]])
  })

  it('finds at most so many bodies under way; the next is asked to come again', async () => {
    const { port, listener } = await bench({ ...file(40_000_000), limits: { bodiesMax: 1 } })
    const first = connect(port, '127.0.0.1', () => first.write(`GET /${TOKEN} HTTP/1.1\r\nHost: h\r\n\r\n`))
    first.pause()
    first.on('error', () => {})
    closers.push(() => { first.destroy() })
    await until(() => listener.bodiesUnderWay === 1)
    const answer = await get(port)
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '2'])
  })

  it('sees a broken connection, not a short content, when the file fails', async () => {
    let reads = 0
    const { content, read } = file(1_000_000)
    const { port, fetched } = await bench({ content, read: (id, offset, length) => (++reads > 2 ? Promise.reject(new Error('gone')) : read(id, offset, length)) })
    await expect(get(port)).rejects.toThrow(/aborted|hang up|reset/)
    await until(() => fetched.length > 0)
    expect(fetched).toEqual([[TOKEN, false]])
  })

  it('and is gone before the gateway answers costs nothing', async () => {
    const { port, listener, asked } = await bench({ reply: 'none' })
    await raw(port, `GET /${TOKEN} HTTP/1.1\r\nHost: h\r\n\r\n`, (socket) => { void until(() => asked.length > 0).then(() => socket.destroy()) })
    listener.reply({ type: 'content-reply', id: 1, status: 200, contentType: 'a/b', content: SMALL, sha1: SHA1, expiresAt: EXPIRES })
    await until(() => listener.bodiesUnderWay === 0)
  })
})
