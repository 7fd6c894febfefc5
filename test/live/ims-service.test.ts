/** The simulated core on real sockets: registration and delivery over UDP and TCP, collapsed and split, and SIPp as a terminal. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeImsConfig, type ImsConfigEncoded } from '../../sim/live/ims-config.js'
import { startIms, type ImsService } from '../../sim/live/ims-service.js'
import { headerOf, messageText, registerAt, registerText, tcpPeer, udpPeer, type TextPeer } from './ims-peers.js'
import { answerTo } from './sip-text.js'

const ACCOUNT = { user: 'user000001', domain: 'home1.example', impi: 'user000001@home1.example', password: 'secret-000001' }
const AOR = `sip:${ACCOUNT.user}@${ACCOUNT.domain}`

let folder: string
let ims: ImsService | undefined
const peers: TextPeer[] = []

beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'ims-')) })

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close()
  await ims?.stop()
  ims = undefined
  rmSync(folder, { recursive: true })
})

async function start(config: ImsConfigEncoded): Promise<ImsService> {
  ims = await startIms(decodeImsConfig(config), { journalPath: join(folder, 'ims.journal') })
  return ims
}

async function peerAt(transport: 'TCP' | 'UDP', address: string): Promise<TextPeer> {
  const peer = await (transport === 'TCP' ? tcpPeer(address) : udpPeer(address))
  peers.push(peer)
  return peer
}

for (const mode of ['collapsed', 'split'] as const) {
  for (const transport of ['TCP', 'UDP'] as const) {
    it(`registers a terminal and brings it a MESSAGE over ${transport}, ${mode}`, async () => {
      const { addresses } = await start({ mode })
      const ue = await peerAt(transport, addresses['pcscf']!)
      const answer = await registerAt(ue, transport, ACCOUNT)
      expect(answer).toMatch(/^SIP\/2\.0 200 /)
      expect(headerOf(answer, 'Service-Route')).toBe('<sip:orig@scscf.home1.example;lr>')
      expect(ims!.population()).toEqual({ users: 1, bindings: 1 })
      const gateway = await peerAt(transport, addresses['icscf']!)
      const gruu = /pub-gruu="([^"]+)"/.exec(answer)![1]!
      for (const target of [AOR, gruu]) {
        gateway.send(messageText(gateway, transport, target, 'hello'))
        const request = await ue.next()
        expect(request).toMatch(/^MESSAGE /)
        expect(headerOf(request, 'P-Called-Party-ID')).toBe(`<${target}>`)
        expect(request.endsWith('\r\n\r\nhello')).toBe(true)
        ue.send(answerTo(request, '200 OK'))
        expect(await gateway.next()).toMatch(/^SIP\/2\.0 200 /)
      }
      await ims!.stop()
      ims = undefined
      const events = readFileSync(join(folder, 'ims.journal'), 'utf8').trim().split('\n').map((line) => line.split('\t').slice(1, 3))
      expect(events).toEqual([['fork', 'push-live'], ['branch', 'push-live'], ['fork', 'push-live'], ['branch', 'push-live']])
    })
  }
}

describe('the live core', () => {
  it('takes terminals on further ports and refreshes without a challenge', async () => {
    const { addresses } = await start({ ports: { pcscf: [0, 0] } })
    const ue = await peerAt('TCP', addresses['pcscf2']!)
    expect(await registerAt(ue, 'TCP', ACCOUNT)).toMatch(/^SIP\/2\.0 200 /)
    ue.send(registerText(ue, 'TCP', ACCOUNT, 3, `Authorization: Digest username="${ACCOUNT.impi}", realm="home1.example", nonce="", uri="sip:home1.example", response=""`))
    expect(await ue.next()).toMatch(/^SIP\/2\.0 200 /)
  })

  it('answers 430 for a terminal whose connection has gone', async () => {
    const { addresses } = await start({})
    const ue = await peerAt('TCP', addresses['pcscf']!)
    await registerAt(ue, 'TCP', ACCOUNT)
    ue.close()
    const gateway = await peerAt('TCP', addresses['icscf']!)
    gateway.send(messageText(gateway, 'TCP', AOR, 'hello'))
    expect(await gateway.next()).toMatch(/^SIP\/2\.0 430 /)
  })

  it('tells what is wrong with a configuration', () => {
    expect(() => decodeImsConfig({ mode: 'folded' })).toThrow(/mode/)
    expect(() => decodeImsConfig({ prots: {} })).toThrow(/prots/)
    expect(() => decodeImsConfig({ filterCriteria: [{ priority: 1, groups: [[{ type: 'request-uri', pattern: '(' }]], server: { uri: 'sip:x', hop: { transport: 'tcp', address: '127.0.0.1', port: 1 } } }] }))
      .toThrow(/regular expression/)
  })
})

const REGISTER_SCENARIO = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="register">
  <send retrans="500"><![CDATA[
REGISTER sip:${ACCOUNT.domain} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <${AOR}>;tag=[call_number]
To: <${AOR}>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:${ACCOUNT.user}@[local_ip]:[local_port]>;+g.oma.pusheventapp="push.sia"
Expires: 600
Supported: path
Content-Length: 0

]]></send>
  <recv response="401" auth="true"/>
  <send retrans="500"><![CDATA[
REGISTER sip:${ACCOUNT.domain} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <${AOR}>;tag=[call_number]
To: <${AOR}>
Call-ID: [call_id]
CSeq: 2 REGISTER
Contact: <sip:${ACCOUNT.user}@[local_ip]:[local_port]>;+g.oma.pusheventapp="push.sia"
[authentication username=${ACCOUNT.impi} password=${ACCOUNT.password}]
Expires: 600
Supported: path
Content-Length: 0

]]></send>
  <recv response="200"/>
</scenario>
`

const ANSWER_SCENARIO = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="answer">
  <recv request="MESSAGE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=sipp
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
`

/** Runs SIPp on one local port; resolves with its exit code, 0 when every call went as the scenario says. */
function sipp(scenario: string, localPort: number, remote: string): Promise<number | null> {
  const child = spawn('sipp', [remote, '-sf', join(folder, scenario), '-i', '127.0.0.1', '-p', String(localPort), '-m', '1', '-nostdin', '-timeout', '20', '-timeout_error'], { cwd: folder, stdio: 'ignore' })
  return new Promise((resolve) => child.once('close', (code) => resolve(code)))
}

const hasSipp = spawnSync('sipp', ['-v']).error === undefined
if (!hasSipp && process.env['CI'] !== 'true') process.stderr.write('SIPp is not installed (package sip-tester): its test of the registrar does not run\n')

describe.runIf(hasSipp || process.env['CI'] === 'true')('SIPp', () => {
  it('registers with digest and answers a MESSAGE', async () => {
    const { addresses } = await start({ digest: { algorithms: ['MD5'] } })
    writeFileSync(join(folder, 'register.xml'), REGISTER_SCENARIO)
    writeFileSync(join(folder, 'answer.xml'), ANSWER_SCENARIO)
    const free = await udpPeer(addresses['pcscf']!)
    free.close()
    expect(await sipp('register.xml', free.port, addresses['pcscf']!)).toBe(0)
    expect(ims!.population()).toEqual({ users: 1, bindings: 1 })
    const answering = sipp('answer.xml', free.port, addresses['pcscf']!)
    const gateway = await peerAt('TCP', addresses['icscf']!)
    // Until SIPp has bound its port again the P-CSCF retransmits (RFC 3261 17.1.2.2).
    gateway.send(messageText(gateway, 'TCP', AOR, 'hello'))
    let answer = await gateway.next()
    while (answer.startsWith('SIP/2.0 100 ')) answer = await gateway.next()
    expect(answer).toMatch(/^SIP\/2\.0 200 /)
    expect(await answering).toBe(0)
  })
})
