/**
 * Session mode over TLS on real sockets: the gateway with terminals of Node's own tls that are who their answer says, and with those
 * that are not; openssl as a second look at what the gateway shows. Each bad peer is a named outcome, and leaves nothing behind.
 */
import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { GatewayConfigWritten } from '../../core/live/config.js'
import { startPart, type PartProcess } from '../../core/live/part-process.js'
import { pushMessage } from '../../core/pap/documents.js'
import { encodeSubmission } from '../../core/pap/submission.js'
import { certify, makeAuthority } from './certificates.js'
import { diskFolder } from './disk.js'
import { msrpSink, type MsrpSink, type SinkTls } from './msrp-sink.js'
import { initiator, type Initiator } from './sip-sink.js'

const GATEWAY = fileURLToPath(new URL('../../dist/core/live/gateway-part.js', import.meta.url))
const OPENSSL = (() => {
  try {
    return execFileSync('openssl', ['version'], { encoding: 'utf8' }).startsWith('OpenSSL')
  } catch {
    return false
  }
})()

const closers: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Shown { readonly files: { readonly cert: Buffer; readonly key: Buffer }; readonly fingerprint: string }

interface Scene {
  readonly part: PartProcess
  readonly sink: MsrpSink
  readonly pi: Initiator
  /** Of the gateway's certificate. */
  readonly own: string
  readonly terminal: Shown
  readonly stranger: Shown
  readonly expired: Shown
}

/** Certificates are made, and a gateway with one of them is up; `keep` as in its configuration. */
async function scene(keep = '0s'): Promise<Scene> {
  const folder = diskFolder()
  const authority = await makeAuthority(folder)
  const shown = async (who: string, notAfterDate?: Date): Promise<Shown> => {
    const { certificate, key } = await certify(folder, authority, who, [], ['127.0.0.1'], notAfterDate)
    const cert = readFileSync(certificate)
    return { files: { cert, key: readFileSync(key) }, fingerprint: new X509Certificate(cert).fingerprint256 }
  }
  const { certificate, key } = await certify(folder, authority, 'gateway')
  const [sink, pi] = [await msrpSink(), await initiator()]
  closers.push(() => sink.close(), () => pi.close())
  const config: GatewayConfigWritten = {
    pap: { listen: '127.0.0.1:0' }, sip: { listen: '127.0.0.1:0', nextHops: [sink.hop] }, content: { listen: '127.0.0.1:0' }, store: join(folder, 'store'), notifications: { inside: ['127.0.0.0/8'] },
    msrp: { keep, tls: { certificate, key } },
  }
  const part = await startPart(GATEWAY, config, undefined, () => {})
  closers.push(() => part.kill())
  return {
    part, sink, pi, own: new X509Certificate(readFileSync(certificate)).fingerprint256,
    terminal: await shown('terminal'), stranger: await shown('stranger'), expired: await shown('expired', new Date(Date.now() - 1_000)),
  }
}

/** Confirmed, by a session and nothing else. */
async function push({ part, pi }: Scene, pushId: string, content: Buffer): Promise<void> {
  const control = pushMessage({
    pushId, addresses: [`WAPPUSH=${pushId}/TYPE=USER@ppg.example.org`], notifyRequestedTo: pi.url,
    qualityOfService: { priority: 'medium', deliveryMethod: 'confirmed', networkRequired: false, bearerRequired: true, bearer: 'sip-msrp' },
  })
  const { contentType, body } = encodeSubmission(control, { contentType: 'application/octet-stream', headers: [{ name: 'X-Wap-Application-Id', value: 'x-wap-application:push.sia' }], body: content })
  const answer = await fetch(part.addresses['pap']!, { method: 'POST', headers: { 'content-type': contentType }, body: new Uint8Array(body) })
  expect([answer.status, /response-result code="(\d+)"/.exec(await answer.text())?.[1]]).toEqual([202, '1001'])
}

/** What the initiator is told of it in the end: state, code and words. */
async function outcome({ pi }: Scene, pushId: string): Promise<string> {
  await expect.poll(() => pi.notified, { timeout: 20_000 }).toContain(pushId)
  const document = pi.documents[pi.notified.indexOf(pushId)]!
  return ['message-state', 'code', 'desc'].map((name) => new RegExp(` ${name}="([^"]*)"`).exec(document)?.[1]).join(' ')
}

/** No session, dialog or connection is left at the gateway, and none at the peer: who opened a connection closes it within 2 s, long before the other side would. */
async function expectNothingLeft({ part, sink }: Scene, after = 'a good one'): Promise<void> {
  const left = async (): Promise<unknown> => {
    const { sessionsOpen, dialogsOpen, msrpConnections } = await part.perform('counters') as Record<string, number>
    return { sessionsOpen, dialogsOpen, msrpConnections, atPeer: sink.connections.size }
  }
  await expect.poll(left, { timeout: 10_000, message: `left behind after ${after}` }).toEqual({ sessionsOpen: 0, dialogsOpen: 0, msrpConnections: 0, atPeer: 0 })
}

const CONTENT = Buffer.alloc(1_000_000, 'a megabyte of these words ')

describe('a terminal over TLS that is who its answer says', () => {
  for (const setup of ['passive', 'active'] as const) it(`takes a content of 1 MB, being the ${setup} side, and is shown what the offer names`, async () => {
    const at = await scene()
    at.sink.tls = { setup, files: at.terminal.files, fingerprint: at.terminal.fingerprint }
    await push(at, 'large', CONTENT)
    expect(await outcome(at, 'large')).toBe('delivered 1000 OK')
    expect(at.sink.messages).toMatchObject([{ octets: CONTENT.length, sha1: createHash('sha1').update(CONTENT).digest('hex') }])
    const [offer] = at.sink.offers
    expect(offer).toMatch(/^m=message \d+ TCP\/TLS\/MSRP \*\r$/m)
    expect(offer).toMatch(/^a=path:msrps:\/\/127\.0\.0\.1:\d+\/\S+;tcp\r$/m)
    expect(offer).toContain(`a=fingerprint:sha-256 ${at.own}\r\n`)
    expect(at.sink.shown).toEqual([at.own])
    await expectNothingLeft(at)
    await at.part.stop(20_000)
  }, 60_000)

  it.runIf(OPENSSL)('may look at the gateway with openssl: it asks for a certificate and shows the one of its offer', async () => {
    const at = await scene('30s')
    at.sink.tls = { setup: 'passive', files: at.terminal.files, fingerprint: at.terminal.fingerprint }
    await push(at, 'first', Buffer.from('first'))
    expect(await outcome(at, 'first')).toBe('delivered 1000 OK')
    const seen = execFileSync('openssl', ['s_client', '-connect', at.part.addresses['msrp']!, '-tls1_2'], { input: '', encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'], timeout: 20_000 })
    const certificate = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/.exec(seen)![0]
    expect(new X509Certificate(certificate).fingerprint256).toBe(at.own)
    expect(seen).toContain('Client Certificate Types')
    await at.part.stop(20_000)
  }, 60_000)
})

describe('a peer over TLS', () => {
  type Bad = readonly [what: string, cause: 'handshake' | 'uncertified' | 'fingerprint' | 'expired', tls: (at: Scene) => SinkTls]
  const bad: readonly Bad[] = [
    ['shows-another-certificate-than-it-said', 'fingerprint', ({ stranger, terminal }) => ({ setup: 'passive', files: stranger.files, fingerprint: terminal.fingerprint })],
    ['connects-with-another-certificate-than-it-said', 'fingerprint', ({ stranger, terminal }) => ({ setup: 'active', files: stranger.files, fingerprint: terminal.fingerprint })],
    ['connects-with-no-certificate', 'uncertified', ({ terminal }) => ({ setup: 'active', files: undefined, fingerprint: terminal.fingerprint })],
    ['says-nothing-of-its-certificate', 'uncertified', ({ terminal }) => ({ setup: 'passive', files: terminal.files, fingerprint: undefined })],
    ['has-a-certificate-that-has-expired', 'expired', ({ expired }) => ({ setup: 'passive', ...expired })],
    ['connects-with-one-that-has-expired', 'expired', ({ expired }) => ({ setup: 'active', ...expired })],
    ['speaks-no-TLS', 'handshake', ({ terminal }) => ({ setup: 'passive', ...terminal, instead: 'MSRP' })],
    ['hangs-up-at-once', 'handshake', ({ terminal }) => ({ setup: 'passive', ...terminal, instead: 'goodbye' })],
    ['never-ends-the-handshake', 'handshake', ({ terminal }) => ({ setup: 'passive', ...terminal, instead: 'silence' })],
  ]
  it('that is bad in any way is a named outcome, gets no octet of content, and leaves nothing; the next good one gets its push', async () => {
    const at = await scene()
    for (const [what, cause, tls] of bad) {
      at.sink.tls = tls(at)
      await push(at, what, Buffer.from(what))
      expect([what, await outcome(at, what)]).toEqual([what, expect.stringMatching(new RegExp(`^undeliverable 3007 .*MSRP ${cause}, `))])
      await expectNothingLeft(at, what)
      expect([what, at.sink.octets, at.sink.messages]).toEqual([what, 0, []])
    }
    at.sink.tls = { setup: 'active', ...at.terminal }
    await push(at, 'good', CONTENT)
    expect(await outcome(at, 'good')).toBe('delivered 1000 OK')
    await expectNothingLeft(at)
    await at.part.stop(20_000)
  }, 90_000)

  for (const instead of ['MSRP', 'silence', 'goodbye'] as const) it(`that connects with ${instead} in place of TLS is cut off, and may still do it right`, async () => {
    const at = await scene()
    at.sink.tls = { setup: 'active', ...at.terminal, instead }
    await push(at, 'late', Buffer.from('late'))
    expect(await outcome(at, 'late')).toBe('delivered 1000 OK')
    expect([at.sink.gone, at.sink.octets, at.sink.shown]).toEqual([1, 4, [at.own]])
    expect((await at.part.perform('counters') as Record<string, number>)['handshakesFailed']).toBe(1)
    await expectNothingLeft(at)
    await at.part.stop(20_000)
  }, 60_000)
})
