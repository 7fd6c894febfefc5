/** Status query, cancellation and replacement over real HTTP, a real disk and kill -9. Documents are written and read as text here, so that the gateway's codec is not its judge. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { startPart, type PartProcess } from '../../core/live/part-process.js'
import { diskFolder } from './disk.js'
import { initiator, sipSink } from './sip-sink.js'
import { until } from './until.js'

const GATEWAY = fileURLToPath(new URL('../../dist/core/live/gateway-part.js', import.meta.url))
const PROLOGUE = '<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd">'
const LATER = `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}Z`
const closers: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function gateway(folder: string, hop: string): Promise<PartProcess> {
  const part = await startPart(GATEWAY, { pap: { listen: '127.0.0.1:0' }, sip: { listen: '127.0.0.1:0', nextHops: [hop] }, store: join(folder, 'store'), notifications: { inside: ['127.0.0.0/8'] } }, undefined, () => {})
  closers.push(() => part.kill())
  return part
}

async function post(part: PartProcess, contentType: string, body: string): Promise<string> {
  const response = await fetch(part.addresses['pap']!, { method: 'POST', headers: { 'content-type': contentType }, body })
  // Right after a start a cancellation may be put off by 503.
  expect([202, 503]).toContain(response.status)
  return (await response.text()).replace(/^.*?<pap[^>]*>/, '')
}

/** Asks again until the answer is right. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) continue
}

const address = (user: string): string => `<address address-value="WAPPUSH=${user}/TYPE=USER@ppg.example.org"/>`
const ask = (part: PartProcess, message: string): Promise<string> => post(part, 'application/xml', `${PROLOGUE}<pap>${message}</pap>`)
const status = (part: PartProcess, pushId: string): Promise<string> => ask(part, `<statusquery-message push-id="${pushId}"/>`)

/** The code of the push-response. */
async function push(part: PartProcess, attributes: string, ...users: string[]): Promise<string | undefined> {
  const control = `${PROLOGUE}<pap><push-message ${attributes}>${users.map(address).join('')}</push-message></pap>`
  const body = ['--edge', 'Content-Type: application/xml', '', control, '--edge', 'Content-Type: text/plain', '', 'hello', '--edge--', ''].join('\r\n')
  return /response-result code="(\d+)"/.exec(await post(part, 'multipart/related; boundary=edge; type="application/xml"', body))?.[1]
}

describe('a live gateway', () => {
  it('tells how a push stands, cancels and replaces it, and keeps to that after kill -9', async () => {
    const folder = diskFolder()
    const [sink, pi] = [await sipSink(true), await initiator()]
    closers.push(() => sink.close(), () => pi.close())
    const first = await gateway(folder, sink.hop)
    const waits = `deliver-after-timestamp="${LATER}" ppg-notify-requested-to="${pi.url}"`
    expect(await push(first, `push-id="one" ${waits}`, 'anna', 'ben')).toBe('1001')
    expect(await push(first, `push-id="two" ${waits}`, 'anna', 'ben')).toBe('1001')
    expect(await push(first, 'push-id="now"', 'carl')).toBe('1001')
    await eventually(async () => (await status(first, 'now')).includes('message-state="delivered"'))
    expect(await status(first, 'one')).toContain(`message-state="pending" code="1000" desc="OK">${address('anna')}${address('ben')}</statusquery-result>`)
    expect(await ask(first, '<statusquery-message push-id="never"/>')).toContain('message-state="unknown" code="2004"')
    expect(await ask(first, `<cancel-message push-id="one">${address('ben')}</cancel-message>`)).toBe(`<cancel-response push-id="one"><cancel-result code="1000" desc="OK">${address('ben')}</cancel-result></cancel-response></pap>`)
    await until(() => pi.documents.length === 1)
    expect(pi.documents[0]).toMatch(/push-id="one".* message-state="cancelled" code="1000".*WAPPUSH=ben/)
    await first.kill()

    const second = await gateway(folder, sink.hop)
    const kept = await status(second, 'one')
    expect(kept).toMatch(/message-state="cancelled" code="1000"[^>]*><address address-value="WAPPUSH=ben/)
    expect(kept).toMatch(/message-state="pending" code="1000"[^>]*><address address-value="WAPPUSH=anna/)
    await eventually(async () => (await ask(second, `<cancel-message push-id="one">${address('ben')}</cancel-message>`)).includes('code="3003"'))
    await eventually(async () => (await push(second, `push-id="three" replace-push-id="two" replace-method="pending-only" ppg-notify-requested-to="${pi.url}"`, 'ben', 'carl')) === '1001')
    await eventually(async () => (await status(second, 'three')).includes('message-state="delivered"'))
    await until(() => new Set(pi.documents.map((document) => /push-id="(\w+)".*state="(\w+)".*WAPPUSH=(\w+)/.exec(document)!.slice(1).join(' '))).size === 4)
    expect(pi.documents.map((document) => /push-id="(\w+)".*state="(\w+)".*WAPPUSH=(\w+)/.exec(document)!.slice(1).join(' '))).toEqual(expect.arrayContaining(['one cancelled ben', 'two cancelled ben', 'three rejected carl', 'three delivered ben']))
    expect(sink.requests.map((request) => /X-Push-Id: (\w+)/.exec(request)![1])).toEqual(['now', 'three'])
  })
})
