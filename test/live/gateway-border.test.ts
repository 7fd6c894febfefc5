/** A gateway with initiators, as a process of its own: a push over TLS under its initiator's name, and everybody else's that is refused. */
import { request as httpsRequest } from 'node:https'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { GatewayConfigWritten } from '../../core/live/config.js'
import { startPart } from '../../core/live/part-process.js'
import { certify, makeAuthority } from './certificates.js'
import { diskFolder } from './disk.js'
import { initiator, sipSink } from './sip-sink.js'
import { until } from './until.js'

const GATEWAY = fileURLToPath(new URL('../../dist/core/live/gateway-part.js', import.meta.url))
const closers: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

function push(pushId: string, user: string, notifyUrl: string): string {
  return ['--edge', 'Content-Type: application/xml', '',
    '<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd">'
    + `<pap><push-message push-id="${pushId}" ppg-notify-requested-to="${notifyUrl}"><address address-value="WAPPUSH=${user}/TYPE=USER@ppg.example.org"/></push-message></pap>`,
    '--edge', 'Content-Type: text/plain', 'X-Wap-Application-Id: x-wap-application:push.sia', '', 'content', '--edge--', ''].join('\r\n')
}

describe('a gateway with initiators', () => {
  it('delivers and notifies for those it knows, each within what he may, and keeps their push-ids apart', async () => {
    const folder = diskFolder()
    const authority = await makeAuthority(folder)
    const tls = await certify(folder, authority, 'gateway')
    writeFileSync(join(folder, 'password'), 'correct horse\n')
    const [sink, pi] = [await sipSink(true), await initiator()]
    closers.push(() => sink.close(), () => pi.close())
    const basic = { passwordFile: join(folder, 'password') }
    const config: GatewayConfigWritten = {
      pap: { listen: '127.0.0.1:0', listenTls: '127.0.0.1:0', tls }, sip: { listen: '127.0.0.1:0', nextHops: [sink.hop] }, content: { listen: '127.0.0.1:0' }, store: join(folder, 'store'),
      initiators: [{ name: 'shop', basic, addresses: ['sip:a*@ims.example.org'], notifyHosts: ['127.0.0.1'] }, { name: 'bank', basic }], notifications: { inside: ['127.0.0.0/8'] },
    }
    const part = await startPart(GATEWAY, config, join(folder, 'journal'), () => {})
    closers.push(() => part.kill())
    const { papTls } = part.addresses
    expect(papTls).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/pap$/)
    const submit = (who: string, pushId: string, user: string, url = pi.url): Promise<string> => new Promise((resolve, reject) => {
      const headers = { 'content-type': 'multipart/related; boundary=edge; type="application/xml"', authorization: `Basic ${Buffer.from(who).toString('base64')}` }
      const request = httpsRequest(papTls!, { method: 'POST', headers, ca: readFileSync(authority.file) }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => { text += chunk.toString() })
        response.on('end', () => resolve(`${response.statusCode} ${/response-result code="(\d+)"/.exec(text)?.[1] ?? '-'}`))
      })
      request.on('error', reject)
      request.end(push(pushId, user, url))
    })
    expect(await submit('shop:correct horse', 'p1', 'anna')).toBe('202 1001')
    expect(await submit('shop:correct horse', 'p1', 'anna')).toBe('202 2007')
    expect(await submit('bank:correct horse', 'p1', 'bob')).toBe('202 1001')
    expect(await submit('shop:correct horse', 'p2', 'bob')).toBe('202 2001')
    expect(await submit('shop:correct horse', 'p3', 'anna', 'http://10.0.0.1/')).toBe('202 2001')
    expect(await submit('shop:wrong', 'p4', 'anna')).toBe('401 -')
    await until(() => pi.notified.length === 2)
    expect(sink.requests.map((head) => head.slice(0, head.indexOf('@'))).sort()).toEqual(['MESSAGE sip:anna', 'MESSAGE sip:bob'])
    expect(await part.perform('counters')).toMatchObject({ accepted: 2, delivered: 2, refused: 3, httpRefused: 1 })
    await part.stop(20_000)
    expect(readFileSync(join(folder, 'journal'), 'utf8')).not.toContain('correct horse')
  })
})
