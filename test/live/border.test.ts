/** The door of the gateway on real sockets: who is let in over TCP and TLS and by which proof, limits of each, certificates that change, clients that dawdle. */
import { execFileSync } from 'node:child_process'
import { createHash, scryptSync, X509Certificate } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, Agent, type IncomingMessage } from 'node:http'
import { request as httpsRequest, Agent as TlsAgent } from 'node:https'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { decodeGatewayConfig, readGatewayConfig, type GatewayConfigWritten } from '../../core/live/config.js'
import { Gate } from '../../core/live/gate.js'
import { HTTP_LIMITS, PapListener, type HttpLimits } from '../../core/live/http.js'
import { readInitiators } from '../../core/live/initiators-config.js'
import { readTls } from '../../core/live/tls.js'
import { TlsWatch } from '../../core/live/tls-watch.js'
import { formatProblems } from '../../core/live/yaml-schema.js'
import type { PapRequest } from '../../core/push/contract.js'
import { answerChallenge, credentialsText, parseChallenge } from '../../core/sip/digest.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { certify, makeAuthority, type Authority } from './certificates.js'
import { until } from './until.js'

type Initiators = NonNullable<GatewayConfigWritten['initiators']>

const folder = mkdtempSync(join(tmpdir(), 'border-'))
const closers: (() => Promise<unknown> | void)[] = []
let authority: Authority
let server: Awaited<ReturnType<typeof certify>>

beforeAll(async () => {
  authority = await makeAuthority(folder)
  server = await certify(folder, authority, 'gateway')
})
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const SALT = Buffer.from('salt of the tests')
const phc = (password: string): string => `$scrypt$ln=10,r=8,p=1$${SALT.toString('base64')}$${scryptSync(password, SALT, 32, { N: 1_024 }).toString('base64')}`
const SHOP = { name: 'shop', basic: { hash: phc('correct horse') } }

interface Bench {
  readonly port: number
  readonly tlsPort: number
  readonly requests: PapRequest[]
  readonly listener: PapListener
}

/** A listener that answers every submission, or holds it. */
async function bench(initiators: Initiators, { limits = {}, holds = false }: { limits?: Partial<HttpLimits>; holds?: boolean } = {}): Promise<Bench> {
  const config = decodeGatewayConfig({ pap: { tls: server }, initiators })
  const requests: PapRequest[] = []
  const listener: PapListener = new PapListener({ bodyBytesMax: 100_000_000, gate: new Gate(readInitiators(config.initiators!, { SECRET: 'from the environment' })), tls: readTls(config.pap.tls!), limits: { ...HTTP_LIMITS, ...limits } }, (request) => {
    requests.push(request)
    if (!holds) listener.reply({ type: 'pap-reply', id: request.id, status: 202, body: request.initiator })
  })
  closers.push(() => listener.close())
  const { port } = await listener.listen({ address: '127.0.0.1', port: 0 })
  const { port: tlsPort } = await listener.listenTls({ address: '127.0.0.1', port: 0 })
  return { port, tlsPort, requests, listener }
}

interface Answer { readonly status: number; readonly headers: IncomingMessage['headers']; readonly body: string }
interface Options { readonly headers?: Record<string, string>; readonly body?: string; readonly tls?: boolean; readonly cert?: { certificate: string; key: string }; readonly agent?: Agent }

function send(port: number, { headers = {}, body = '<pap/>', tls = false, cert, agent }: Options = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const common = { host: '127.0.0.1', port, method: 'POST', path: '/pap', headers: { 'content-type': 'application/xml', 'content-length': String(Buffer.byteLength(body)), ...headers }, ...(agent === undefined ? {} : { agent }) }
    const secure = { ...common, ca: readFileSync(authority.file), ...(cert === undefined ? {} : { cert: readFileSync(cert.certificate), key: readFileSync(cert.key) }) }
    const request = (tls ? httpsRequest : httpRequest)(tls ? secure : common, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => { text += chunk.toString() })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

const basic = (name: string, password: string) => ({ authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` })

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

describe('an initiator with a password', () => {
  it('submits over TLS under his name; a wrong password, a stranger and nobody are asked and leave no submission', async () => {
    const { tlsPort, requests } = await bench([SHOP])
    expect(await send(tlsPort, { tls: true, headers: basic('shop', 'correct horse') })).toMatchObject({ status: 202, body: 'shop' })
    for (const headers of [basic('shop', 'wrong'), basic('stranger', 'correct horse'), {}]) {
      expect(await send(tlsPort, { tls: true, headers })).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Basic realm="pushbench", charset="UTF-8"' } })
    }
    expect(requests.map(({ initiator }) => initiator)).toEqual(['shop'])
  })

  it('keeps his connection through a refusal, and many at once are all let in', async () => {
    const { tlsPort, requests } = await bench([SHOP])
    const agent = new TlsAgent({ keepAlive: true, maxSockets: 1 })
    closers.push(() => agent.destroy())
    expect((await send(tlsPort, { tls: true, agent, headers: basic('shop', 'wrong') })).status).toBe(401)
    expect((await send(tlsPort, { tls: true, agent, headers: basic('shop', 'correct horse') })).headers.connection).toBe('keep-alive')
    const answers = await Promise.all(Array.from({ length: 40 }, () => send(tlsPort, { tls: true, headers: basic('shop', 'correct horse') })))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    expect(requests.length).toBe(41)
  })

  it('may have it from a file or from the environment', async () => {
    const file = join(folder, 'password')
    writeFileSync(file, 'from the file\n')
    const { tlsPort } = await bench([{ name: 'f', basic: { passwordFile: file } }, { name: 'e', basic: { passwordVariable: 'SECRET' } }])
    expect((await send(tlsPort, { tls: true, headers: basic('f', 'from the file') })).body).toBe('f')
    expect((await send(tlsPort, { tls: true, headers: basic('e', 'from the environment') })).body).toBe('e')
    expect((await send(tlsPort, { tls: true, headers: basic('e', 'from the file') })).status).toBe(401)
    const settings = (initiator: Initiators[number]) => () => readInitiators(decodeGatewayConfig({ initiators: [initiator] }).initiators!, { SHORT: '1234567' })
    expect(settings({ name: 'x', basic: { passwordFile: join(folder, 'none') } })).toThrow('initiators.0.basic.passwordFile cannot be read')
    expect(settings({ name: 'x', digest: { passwordVariable: 'NONE' } })).toThrow('initiators.0.digest.passwordVariable: the environment has no NONE')
    expect(settings({ name: 'x', digest: { passwordVariable: 'SHORT' } })).toThrow('fewer than 8 octets')
  })
})

describe('the hash of a password', () => {
  it('that the guide tells how to make is taken', async () => {
    const guide = readFileSync(new URL('../../docs/guides/operator.md', import.meta.url), 'utf8')
    const made = execFileSync('sh', ['-c', /^ *(node -e .*)$/m.exec(guide)![1]!], { input: 'as the guide says\n', encoding: 'utf8' }).trim()
    const { tlsPort } = await bench([{ name: 'reader', basic: { hash: made } }])
    expect((await send(tlsPort, { tls: true, headers: basic('reader', 'as the guide says') })).body).toBe('reader')
  })
})

describe('an initiator with a digest', () => {
  it('answers the challenge and needs no TLS; what was heard once opens nothing again', async () => {
    const secret = createHash('sha256').update('bank:pushbench:open sesame').digest('hex')
    const { port, requests } = await bench([{ name: 'bank', digest: { secret } }])
    const refused = await send(port)
    expect(refused.status).toBe(401)
    const challenge = parseChallenge(refused.headers['www-authenticate']!)!
    const answer = (nc: number, password = 'open sesame') => ({ authorization: credentialsText(answerChallenge(systemCrypto, challenge, { username: 'bank', password, method: 'POST', uri: '/pap', cnonce: 'c', nc }))! as string })
    expect(await send(port, { headers: answer(1) })).toMatchObject({ status: 202, body: 'bank' })
    expect(await send(port, { headers: answer(1) })).toMatchObject({ status: 401, headers: { 'www-authenticate': expect.stringContaining('stale=true') } })
    expect((await send(port, { headers: answer(2, 'guess') })).status).toBe(401)
    expect((await send(port, { headers: answer(2) })).status).toBe(202)
    expect(requests.length).toBe(2)
  })
})

describe('an initiator with a certificate', () => {
  it('is known by its fingerprint or by the subject an authority signed, and by neither over TCP', async () => {
    const client = await certify(folder, authority, 'client')
    const stranger = await certify(folder, await makeAuthority(folder, 'stranger-authority'), 'signed-by-a-stranger')
    const forged = await certify(folder, await makeAuthority(folder, 'forger'), 'forged-client')
    const expired = await certify(folder, authority, 'expired', [], [], new Date(Date.now() - 1_000))
    const printOf = (pem: string): string => new X509Certificate(readFileSync(pem)).fingerprint256
    const { port, tlsPort } = await bench([
      { name: 'print', certificate: { fingerprint: printOf(stranger.certificate).toLowerCase() } }, { name: 'subject', certificate: { subject: 'CN=client' } },
      { name: 'late', certificate: { fingerprint: printOf(expired.certificate) } }, { name: 'forged', certificate: { subject: 'CN=forged-client' } },
    ])
    expect((await send(tlsPort, { tls: true, cert: stranger })).body).toBe('print')
    expect((await send(tlsPort, { tls: true, cert: client })).body).toBe('subject')
    for (const cert of [forged, expired]) expect((await send(tlsPort, { tls: true, cert })).status).toBe(403)
    expect((await send(tlsPort, { tls: true })).status).toBe(403)
    expect((await send(port)).status).toBe(403)
  })
})

describe('what an initiator may', () => {
  const limited = (limits: Partial<Initiators[number]>): Initiators => [{ ...SHOP, ...limits }, { name: 'other', basic: { hash: phc('other password') } }]
  const headers = basic('shop', 'correct horse')

  it('ends at his largest submission, declared or in chunks: 413', async () => {
    const { port, requests } = await bench(limited({ bodyMax: '1000B' }))
    expect((await send(port, { headers, body: 'x'.repeat(1_000) })).status).toBe(202)
    expect(await send(port, { headers, body: 'x'.repeat(1_001) })).toMatchObject({ status: 413, body: 'a submission of shop has at most 1000 octets\n' })
    const chunked = `POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nAuthorization: ${headers.authorization}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`
    expect(await raw(port, `${chunked}3e8\r\n${'x'.repeat(1_000)}\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1.1 202 /)
    expect(await raw(port, `${chunked}3e9\r\n${'x'.repeat(1_001)}\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1.1 413 /)
    let sent = 0
    expect(await raw(port, chunked, (socket) => {
      const more = (): void => {
        if (socket.writable) socket.write(`fa00\r\n${'x'.repeat(64_000)}\r\n`, more)
        sent += 64_000
      }
      more()
    })).toBe('')
    // Eight times his limit, and what the system holds on the way; the listener's own limit would let a hundred times as much through.
    expect(sent).toBeLessThan(50_000_000)
    expect((await send(port, { headers: basic('other', 'other password'), body: 'x'.repeat(50_000) })).status).toBe(202)
    expect(requests.map(({ body }) => body.length)).toEqual([1_000, 1_000, 50_000])
  })

  it('ends at his rate: 429 with the wait, while the others go on', async () => {
    const { port } = await bench(limited({ rate: '1/min', burst: 2 }))
    expect((await send(port, { headers })).status).toBe(202)
    expect((await send(port, { headers })).status).toBe(202)
    const refused = await send(port, { headers })
    expect(refused.status).toBe(429)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50)
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60)
    expect((await send(port, { headers: basic('other', 'other password') })).status).toBe(202)
  })

  it('ends at so many unanswered submissions, each counted until it is answered or its client has gone', async () => {
    const { port, requests, listener } = await bench(limited({ inFlight: 2 }), { holds: true })
    const submission = `POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nAuthorization: ${headers.authorization}\r\nContent-Length: 1\r\n\r\nx`
    const first = send(port, { headers })
    await until(() => requests.length === 1)
    const gone = raw(port, submission, (socket) => { void until(() => requests.length === 2).then(() => socket.resetAndDestroy()) })
    await until(() => requests.length === 2)
    await gone
    await until(() => listener.counters.clientsGone === 1)
    const third = send(port, { headers })
    await until(() => requests.length === 3)
    expect(await send(port, { headers })).toMatchObject({ status: 429, headers: { 'retry-after': '1' } })
    listener.reply({ type: 'pap-reply', id: 1, status: 202, body: '' })
    expect((await first).status).toBe(202)
    const fourth = send(port, { headers })
    await until(() => requests.length === 4)
    for (const id of [2, 3, 4]) listener.reply({ type: 'pap-reply', id, status: 202, body: '' })
    expect((await Promise.all([third, fourth])).map(({ status }) => status)).toEqual([202, 202])
  })

  it('comes back to him where he pipes his submissions and goes away', async () => {
    const { port, requests, listener } = await bench(limited({ inFlight: 2 }), { holds: true })
    const submission = `POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nAuthorization: ${headers.authorization}\r\nContent-Length: 1\r\n\r\nx`
    // The hash is computed once; then both are let in at once.
    const known = send(port, { headers })
    await until(() => requests.length === 1)
    listener.reply({ type: 'pap-reply', id: 1, status: 202, body: '' })
    await known
    await raw(port, submission + submission, (socket) => { void until(() => requests.length === 3).then(() => socket.resetAndDestroy()) })
    for (const id of [2, 3]) listener.reply({ type: 'pap-reply', id, status: 202, body: '' })
    const more = [send(port, { headers }), send(port, { headers })]
    await until(() => requests.length === 5)
    for (const id of [4, 5]) listener.reply({ type: 'pap-reply', id, status: 202, body: '' })
    expect((await Promise.all(more)).map(({ status }) => status)).toEqual([202, 202])
  })

  it('is told before a body is sent, where its sender asks first', async () => {
    const { port } = await bench([SHOP])
    const ask = (authorization: string): string => `POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n${authorization}Expect: 100-continue\r\nConnection: close\r\nContent-Length: 1\r\n\r\n`
    expect(await raw(port, ask(''))).toMatch(/^HTTP\/1.1 401 /)
    const welcome = await raw(port, ask(`Authorization: ${headers.authorization}\r\n`), (socket) => socket.once('data', () => socket.write('x')))
    expect(welcome).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 202 /)
  })
})

describe('certificates that change', () => {
  it('are read again for new connections while old ones go on; what cannot be read changes nothing', async () => {
    const files = { certificate: join(folder, 'renewed.pem'), key: join(folder, 'renewed.key.pem') }
    const use = ({ certificate, key }: { certificate: string; key: string }): void => {
      copyFileSync(certificate, files.certificate)
      copyFileSync(key, files.key)
    }
    use(server)
    const { tlsPort, listener } = await bench([SHOP])
    const warnings: string[] = []
    let renewals = 0
    const watch = new TlsWatch({ ...files, clients: 'any', verify: true }, (material) => {
      listener.renewTls(material)
      renewals++
    }, (why) => warnings.push(why), 20)
    closers.push(() => watch.close())
    const agent = new TlsAgent({ keepAlive: true, maxSockets: 1 })
    closers.push(() => agent.destroy())
    const headers = basic('shop', 'correct horse')
    expect((await send(tlsPort, { tls: true, agent, headers })).status).toBe(202)
    const kept = (): Socket | undefined => Object.values(agent.freeSockets)[0]?.[0]
    await until(() => kept() !== undefined)
    const shown = (): Promise<string> => new Promise((resolve) => {
      const socket = tlsConnect({ host: '127.0.0.1', port: tlsPort, ca: readFileSync(authority.file) }, () => {
        resolve(socket.getPeerX509Certificate()!.subject)
        socket.destroy()
      })
    })
    expect(await shown()).toBe('CN=gateway')
    use(await certify(folder, authority, 'gateway-renewed'))
    await until(() => renewals === 1)
    expect(await shown()).toBe('CN=gateway-renewed')
    expect(kept()?.destroyed).toBe(false)
    const before = kept()
    expect((await send(tlsPort, { tls: true, agent, headers })).status).toBe(202)
    await until(() => kept() !== undefined)
    expect(kept()).toBe(before)
    writeFileSync(files.key, 'no key')
    await until(() => warnings.length > 0)
    expect(warnings[0]).toContain('the certificates in use stay: TLS cannot be used with')
    expect(await shown()).toBe('CN=gateway-renewed')
  })
})

describe('clients that dawdle', () => {
  const QUICK = { headersMillis: 500, bodyMicros: 300_000, stillMillis: 5_000 }
  const head = (more: string): string => `POST /pap HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n${more}\r\n`

  it('over head or body are cut off, whether they were let in or not, and one that says nothing at all', async () => {
    const { port, tlsPort } = await bench([SHOP], { limits: QUICK })
    const known = `Authorization: ${basic('shop', 'correct horse').authorization}\r\n`
    const [silent, headless, unread, bodiless, over] = await Promise.all([
      raw(port, ''), raw(port, 'POST /pap HT'), raw(port, head('Content-Length: 5\r\n')), raw(port, head(`${known}Content-Length: 5\r\n`)), raw(tlsPort, 'not TLS, and not in a hurry'),
    ])
    expect(over).toBe('')
    expect(silent).toMatch(/^$|^HTTP\/1.1 408 /)
    expect(headless).toMatch(/^HTTP\/1.1 408 /)
    expect(unread).toMatch(/^HTTP\/1.1 401 /)
    expect(bodiless).toMatch(/^HTTP\/1.1 408 /)
  })

  it('are bounded in number: those beyond are closed at once, and there is room when some have gone', async () => {
    const { port } = await bench([SHOP], { limits: { connectionsMax: 20 } })
    const open: Socket[] = []
    closers.push(() => { for (const socket of open) socket.destroy() })
    for (let index = 0; index < 20; index++) await new Promise<void>((resolve) => { open.push(connect(port, '127.0.0.1', resolve)) })
    expect(await raw(port, 'POST /pap HT')).toBe('')
    for (const socket of open.splice(0, 10)) socket.destroy()
    let status = 0
    while (status !== 202) status = await send(port, { headers: basic('shop', 'correct horse') }).then((answer) => answer.status, () => 0)
  })
})

describe('the group of initiators', () => {
  const problems = (text: string): string => {
    const decoded = readGatewayConfig(text, 'g.yaml')
    return decoded.ok ? '' : formatProblems(decoded.problems)
  }

  it('is told where it is wrong, without telling its secrets', () => {
    expect(problems('initiators: []')).toContain('name at least one initiator, or leave the group out')
    expect(problems('initiators: [{ name: a }]')).toContain('write one of basic, digest, certificate')
    expect(problems(`initiators: [{ name: a, digest: { secret: ${'a'.repeat(64)}, passwordFile: f } }]`)).toContain('write one of secret, passwordFile, passwordVariable')
    expect(problems('initiators: [{ name: "a:b", digest: { passwordFile: f } }]')).toContain('a name of at most 64 letters')
    expect(problems('initiators: [{ name: a, digest: { passwordFile: f } }, { name: a, digest: { passwordFile: f } }]')).toContain('the name a stands here twice')
    expect(problems('initiators: [{ name: a, digest: { password: hunter22 } }]')).not.toContain('hunter22')
    expect(problems('initiators: [{ name: a, basic: { hash: hunter22 } }]')).toMatch(/this is not a scrypt hash/)
    expect(problems('initiators: [{ name: a, basic: { hash: hunter22 } }]')).not.toContain('hunter22')
    expect(problems('initiators: [{ name: a, certificate: { subject: CN=a } }]')).toContain('needs pap.tls')
    expect(problems('pap: { tls: { certificate: c, key: k } }\ninitiators: [{ name: a, certificate: { subject: CN=a } }]')).toContain('needs pap.tls.authorities')
    expect(problems('notifications: { inside: [10.0.0.0] }')).toContain('is no network: write such as 10.1.0.0/16')
  })

  it('shows no secret where the configuration is shown', () => {
    const config = decodeGatewayConfig({ initiators: [SHOP, { name: 'bank', digest: { secret: 'ab'.repeat(32) } }] })
    const shown = JSON.stringify(config) + String(config) + JSON.stringify(config.initiators)
    expect(shown).toContain('<redacted>')
    for (const secret of [SHOP.basic.hash, 'abababab']) expect(shown).not.toContain(secret)
  })
})
