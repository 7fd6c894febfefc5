/**
 * Large contents through the gateway as a process of its own: 100 MB from an initiator to a terminal with little memory, and what
 * kill -9 leaves of them. The last one counts what lies on the disk.
 */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type ClientRequest } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { GatewayConfigWritten } from '../../core/live/config.js'
import { startPart, type PartProcess } from '../../core/live/part-process.js'
import { diskFolder } from './disk.js'
import { msrpSink } from './msrp-sink.js'
import { initiator, submit } from './sip-sink.js'
import { until } from './until.js'

const GATEWAY = fileURLToPath(new URL('../../dist/core/live/gateway-part.js', import.meta.url))
const MIB = 1024 * 1024
const closers: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function gateway(folder: string, hop: string): Promise<PartProcess> {
  const config: GatewayConfigWritten = {
    pap: { listen: '127.0.0.1:0' }, sip: { listen: '127.0.0.1:0', nextHops: [hop] }, content: { listen: '127.0.0.1:0' }, store: join(folder, 'store'), notifications: { inside: ['127.0.0.0/8'] }, msrp: { keep: '2s' },
  }
  const part = await startPart(GATEWAY, config, undefined, () => {})
  closers.push(() => part.kill())
  return part
}

/** The octets of a content, the same every time. */
function piece(at: number, length: number): Buffer {
  return Buffer.alloc(length, `piece ${at} `)
}

interface Sent { readonly request: ClientRequest; readonly answer: Promise<string>; readonly sha1: () => string }

/** Streams `octets` of content; stops after `until` of them and leaves the request open. */
function send(pap: string, pushId: string, notifyUrl: string, octets: number, stopAt = octets): Sent {
  const hash = createHash('sha1')
  const { hostname, port, pathname } = new URL(pap)
  const request = httpRequest({ host: hostname, port, path: pathname, method: 'POST', headers: { 'content-type': 'multipart/related; boundary=edge; type="application/xml"' } })
  const answer = new Promise<string>((resolve, reject) => {
    request.on('response', (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => { text += chunk.toString() })
      response.on('end', () => resolve(`${response.statusCode} ${/response-result code="(\d+)"/.exec(text)?.[1] ?? '-'}`))
    })
    request.on('error', reject)
  })
  answer.catch(() => {})
  request.write('--edge\r\nContent-Type: application/xml\r\n\r\n'
    + '<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.1//EN" "http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd">'
    + `<pap><push-message push-id="${pushId}" ppg-notify-requested-to="${notifyUrl}"><address address-value="WAPPUSH=anna/TYPE=USER@ppg.example.org"/>`
    + '<quality-of-service delivery-method="confirmed" bearer="sip-msrp" bearer-required="true"/></push-message></pap>'
    + '\r\n--edge\r\nContent-Type: application/octet-stream\r\nX-Wap-Application-Id: x-wap-application:push.sia\r\n\r\n')
  const go = (at: number): void => {
    if (at >= stopAt) {
      if (stopAt === octets) request.end('\r\n--edge--\r\n')
      return
    }
    const bytes = piece(at, Math.min(64 * 1024, stopAt - at))
    hash.update(bytes)
    if (request.write(bytes)) setImmediate(() => go(at + bytes.length))
    else request.once('drain', () => go(at + bytes.length))
  }
  go(0)
  return { request, answer, sha1: () => hash.digest('hex') }
}

/** Octets of memory a process holds (VmRSS) or held at most (VmHWM). */
function memory(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`${what}:\\s*(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) * 1024
}

const contents = (folder: string): string[] => readdirSync(join(folder, 'store', 'content'))

/** How often each size is sent at most; the least growth counts. */
const ROUNDS = 3
/** Of the process's peak over what it held before. Seen: 2 to 7 MiB for either size, 26 without the collections of young-garbage.ts. */
const GROWTH_MAX = 16 * MIB

describe('a content of 100 MB', () => {
  it.runIf(process.platform === 'linux')('goes from the initiator to the terminal, confirmed, and costs the gateway no more memory than one of 10 MB', async () => {
    const folder = diskFolder()
    const [sink, pi] = [await msrpSink(), await initiator()]
    closers.push(() => sink.close(), () => pi.close())
    const part = await gateway(folder, sink.hop)
    const pap = part.addresses['pap']!
    /** Sends it and waits for its result; gives the most octets the process held meanwhile. */
    const peakOf = async (pushId: string, octets: number): Promise<number> => {
      // The peak so far is that of an earlier one (proc(5): 5 resets it).
      writeFileSync(`/proc/${part.pid}/clear_refs`, '5')
      const started = performance.now()
      const sent = send(pap, pushId, pi.url, octets)
      expect(await sent.answer).toBe('202 1001')
      const accepted = performance.now()
      await until(() => pi.notified.includes(pushId))
      const peak = memory(part.pid, 'VmHWM')
      const message = sink.messages.at(-1)!
      expect([message.octets, message.sha1]).toEqual([octets, sent.sha1()])
      expect(pi.documents.at(-1)).toMatch(/message-state="delivered"/)
      process.stderr.write(`${octets / MIB} MiB: taken in ${Math.round(accepted - started)} ms, delivered in ${Math.round(performance.now() - accepted)} ms, at most ${(peak / MIB).toFixed(1)} MiB of memory\n`)
      return peak
    }
    // The first notification has the HTTP client's parser compiled, for which V8 takes some 36 MiB for half a second, whatever was pushed.
    await submit(pap, 'first', 'ben', pi.url)
    await until(() => pi.notified.includes('first'))
    // A few before, so that everything is loaded and compiled; few, since without the collections each would leave its pieces behind already.
    for (let warm = 0; warm < 3; warm++) await peakOf(`warm-${warm}`, MIB)
    const before = memory(part.pid, 'VmRSS')
    let [small, large] = [Infinity, Infinity]
    // A process grows now and then for reasons of its own, compiling for one; what a content costs it costs every time.
    for (let round = 0; round < ROUNDS && !(Math.max(small, large) < GROWTH_MAX); round++) {
      small = Math.min(small, await peakOf(`small-${round}`, 10 * MIB) - before)
      large = Math.min(large, await peakOf(`large-${round}`, 100 * MIB) - before)
    }
    expect(large).toBeLessThan(GROWTH_MAX)
    expect(small).toBeLessThan(GROWTH_MAX)
    await until(() => contents(folder).length === 0 && sink.connections.size === 0)
    await part.stop(20_000)
  }, 120_000)
})

describe('kill -9', () => {
  it('in the middle of an upload leaves no file behind after the next start, and no push', async () => {
    const folder = diskFolder()
    const [sink, pi] = [await msrpSink(), await initiator()]
    closers.push(() => sink.close(), () => pi.close())
    const first = await gateway(folder, sink.hop)
    const sent = send(first.addresses['pap']!, 'broken', pi.url, 20 * MIB, 5 * MIB)
    await until(() => contents(folder).length === 1)
    await first.kill()
    await expect(sent.answer).rejects.toThrow()
    expect(contents(folder)).toHaveLength(1)
    const second = await gateway(folder, sink.hop)
    expect(contents(folder)).toEqual([])
    expect((await submit(second.addresses['pap']!, 'small', 'ben', pi.url)).code).toBe(1001)
    await second.stop(20_000)
  })

  it('after a large push was accepted loses neither push nor content: delivered when it is back', async () => {
    const folder = diskFolder()
    const [silent, pi] = [await msrpSink(false), await initiator()]
    closers.push(() => silent.close(), () => pi.close())
    const first = await gateway(folder, silent.hop)
    const sent = send(first.addresses['pap']!, 'kept', pi.url, 10 * MIB)
    expect(await sent.answer).toBe('202 1001')
    await until(() => silent.requests.length > 0)
    await first.kill()
    const sink = await msrpSink()
    closers.push(() => sink.close())
    const second = await gateway(folder, sink.hop)
    await until(() => pi.notified.includes('kept'))
    expect(sink.messages.map(({ octets, sha1 }) => [octets, sha1])).toEqual([[10 * MIB, sent.sha1()]])
    await until(() => contents(folder).length === 0)
    await second.stop(20_000)
  }, 60_000)
})
