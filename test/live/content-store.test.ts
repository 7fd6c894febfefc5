/** Large contents on a real disk: written as they come, whole or not at all, swept when nobody names them. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type ClientRequest } from 'node:http'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ContentStore } from '../../core/live/content-store.js'
import { PapListener } from '../../core/live/http.js'
import type { PapRequest } from '../../core/push/contract.js'
import { isInline, type ContentFile } from '../../core/store/content.js'
import { diskFolder } from './disk.js'
import { until } from './until.js'

const closers: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const MIB = 1024 * 1024
const LIMIT = 4 * MIB

function bench(): { readonly folder: string; readonly contents: ContentStore; readonly listener: PapListener; readonly requests: PapRequest[]; readonly files: () => string[] } {
  const folder = join(diskFolder(), 'content')
  const contents = new ContentStore(folder, () => false)
  const requests: PapRequest[] = []
  const listener: PapListener = new PapListener({ bodyBytesMax: 300_000, content: { store: contents, bytesMax: LIMIT } }, (request) => {
    requests.push(request)
    listener.reply({ type: 'pap-reply', id: request.id, status: 202, body: '<pap/>' })
  })
  closers.push(() => listener.close())
  return { folder, contents, listener, requests, files: () => readdirSync(folder) }
}

const HEAD = '--edge\r\nContent-Type: application/xml\r\n\r\n<pap/>\r\n--edge\r\nContent-Type: application/octet-stream\r\n'
const TYPE = 'multipart/related; boundary=edge; type=application/xml'

function open(port: number, headers: Record<string, string> = {}): { readonly request: ClientRequest; readonly status: Promise<number> } {
  const request = httpRequest({ host: '127.0.0.1', port, method: 'POST', path: '/pap', headers: { 'content-type': TYPE, ...headers } })
  const status = new Promise<number>((resolve, reject) => {
    request.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    request.on('error', reject)
  })
  status.catch(() => {})
  return { request, status }
}

async function post(port: number, content: Buffer, head = '\r\n'): Promise<number> {
  const { request, status } = open(port)
  request.write(HEAD + head)
  for (let at = 0; at < content.length; at += 100_000) if (!request.write(content.subarray(at, at + 100_000))) await new Promise((resolve) => request.once('drain', resolve))
  request.end('\r\n--edge--\r\n')
  return status
}

const listen = async (listener: PapListener): Promise<number> => (await listener.listen({ address: '127.0.0.1', port: 0 })).port
const random = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => (at * 7919 + (at >> 8) * 31) & 255))
const digest = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex')

describe('a large submission', () => {
  it('leaves its content in a file, byte for byte, and the rest in the request', async () => {
    const { folder, listener, requests, files, contents } = bench()
    const port = await listen(listener)
    const content = random(3 * MIB + 17)
    expect(await post(port, content)).toBe(202)
    const file = requests[0]!.content as ContentFile
    expect(file).toMatchObject({ size: content.length, sha1: digest(content) })
    expect(readFileSync(join(folder, file.id)).equals(content)).toBe(true)
    expect(requests[0]!.body.length).toBeLessThan(400)
    expect((await contents.read(file.id, MIB, 100)).equals(content.subarray(MIB, MIB + 100))).toBe(true)
    await expect(contents.read(file.id, content.length - 10, 20)).rejects.toThrow(/ends at octet/)
    await contents.delete(file.id)
    await contents.delete(file.id)
    expect(files()).toEqual([])
    expect(contents.counters).toEqual({ uploads: 0, stored: 1, deleted: 1, swept: 0 })
  })

  it('whose content is small after all makes no file', async () => {
    const { listener, requests, files } = bench()
    const port = await listen(listener)
    const encoded = random(63_000).toString('base64')
    expect(await post(port, Buffer.from(encoded), 'Content-Transfer-Encoding: base64\r\n\r\n')).toBe(202)
    const { content } = requests[0]!
    expect(content !== undefined && isInline(content) && content.equals(random(63_000))).toBe(true)
    expect(files()).toEqual([])
  })

  it('just below and above what is held in memory is in the right place', async () => {
    const { listener, requests, files } = bench()
    const port = await listen(listener)
    await post(port, random(64 * 1024))
    await post(port, random(64 * 1024 + 1))
    await post(port, random(100_000))
    await post(port, random(200_000))
    expect(requests.map((request) => (request.content === undefined ? 'within' : isInline(request.content) ? request.content.length : request.content.size))).toEqual(['within', 'within', 100_000, 200_000])
    expect(files()).toHaveLength(2)
  })

  it('in an encoding that is broken is handed on with what is wrong, for the answer', async () => {
    const { listener, requests } = bench()
    const port = await listen(listener)
    expect(await post(port, Buffer.alloc(200_000, '!'), 'Content-Transfer-Encoding: base64\r\n\r\n')).toBe(202)
    expect(requests[0]!.contentFault).toMatch(/does not belong to base64/)
  })

  it('beyond the limit is answered 413, however it is sent, and leaves no file', async () => {
    const { listener, requests, files, contents } = bench()
    const port = await listen(listener)
    expect(await post(port, random(LIMIT))).toBe(202)
    expect(await post(port, random(LIMIT + 1))).toBe(413)
    const declared = open(port, { 'content-length': String(20 * LIMIT) })
    declared.request.flushHeaders()
    expect(await declared.status).toBe(413)
    declared.request.destroy()
    const large = open(port)
    large.request.write(`--edge\r\nContent-Type: application/xml\r\n\r\n${'x'.repeat(400_000)}`)
    large.request.end('\r\n--edge--\r\n')
    expect(await large.status).toBe(413)
    await until(() => contents.counters.uploads === 0 && files().length === 1)
    expect(requests).toHaveLength(1)
  })

  it('that breaks off leaves no file and no upload behind', async () => {
    const { listener, requests, files, contents } = bench()
    const port = await listen(listener)
    for (let count = 0; count < 5; count++) {
      const { request } = open(port)
      request.on('error', () => {})
      request.write(`${HEAD}\r\n`)
      request.write(random(500_000))
      await until(() => contents.counters.uploads === 1 && files().length === 1)
      request.destroy()
      await until(() => contents.counters.uploads === 0 && files().length === 0)
    }
    expect(requests).toEqual([])
    expect(await post(port, random(100_000))).toBe(202)
  })
})

describe('one large submission more than are taken in at a time', () => {
  const OPEN = 64

  it('is told to come again, leaves nothing and costs the others nothing; who breaks off makes room for it', async () => {
    const { listener, requests, files, contents } = bench()
    const port = await listen(listener)
    const coming = Array.from({ length: OPEN }, (_, index) => {
      const { request, status } = open(port)
      request.write(`${HEAD}\r\n`)
      request.write(random(200_000 + index))
      return { request, status, index }
    })
    await until(() => contents.counters.uploads === OPEN && files().length === OPEN)

    const refused = open(port)
    const retryAfter = new Promise((resolve) => { refused.request.once('response', ({ headers }) => resolve(headers['retry-after'])) })
    // It goes on sending, and sees the answer all the same.
    refused.request.write(`${HEAD}\r\n`)
    refused.request.write(random(150_000))
    expect([await refused.status, await retryAfter]).toEqual([503, '2'])
    refused.request.destroy()
    expect([contents.counters.uploads, files().length, listener.counters.refused]).toEqual([OPEN, OPEN, 1])
    // What is not large is none of them.
    expect(await post(port, random(1_000))).toBe(202)

    coming[0]!.request.destroy()
    await until(() => contents.counters.uploads === OPEN - 1)
    expect(await post(port, random(200_000))).toBe(202)

    const others = coming.slice(1)
    for (const { request } of others) request.end('\r\n--edge--\r\n')
    expect(new Set(await Promise.all(others.map(({ status }) => status)))).toEqual(new Set([202]))
    const taken = new Set(requests.flatMap(({ content }) => (content === undefined || isInline(content) ? [] : [content.sha1])))
    for (const { index } of others) expect(taken.has(digest(random(200_000 + index)))).toBe(true)
    await until(() => contents.counters.uploads === 0)
    expect([contents.counters.stored, files().length]).toEqual([OPEN, OPEN])
  })
})

describe('the folder of contents', () => {
  it('is swept when it is opened: what no row names goes, what is no content of ours stays', () => {
    const folder = join(diskFolder(), 'content')
    mkdirSync(folder)
    const [named, left] = ['a'.repeat(32), 'b'.repeat(32)]
    for (const name of [named, left, 'README']) writeFileSync(join(folder, name), 'x')
    const { counters } = new ContentStore(folder, (id) => id === named)
    expect(counters.swept).toBe(1)
    expect(readdirSync(folder).sort()).toEqual(['README', named])
  })

  it('that cannot be written refuses the submission with 503, and no file is claimed', async () => {
    const { folder, listener, requests } = bench()
    const port = await listen(listener)
    // A file in the folder's place: nothing can be made in it.
    rmSync(folder, { recursive: true })
    writeFileSync(folder, '')
    expect(await post(port, random(200_000))).toBe(503)
    expect(requests).toEqual([])
    rmSync(folder)
    mkdirSync(folder)
    expect(await post(port, random(200_000))).toBe(202)
    expect(existsSync(join(folder, (requests[0]!.content as ContentFile).id))).toBe(true)
  })
})
