/** The Push Sender Agent as a library, and its example as a stranger would run it: a push through a real core to a terminal, without any gateway. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { openPushSenderAgent } from '../../core/live/push-sender-agent.js'
import { decodeImsConfig } from '../../sim/live/ims-config.js'
import { startIms, type ImsService } from '../../sim/live/ims-service.js'
import { headerOf, registerAt, tcpPeer, type TextPeer } from './ims-peers.js'
import { answerTo } from './sip-text.js'

const ACCOUNT = { user: 'user000001', domain: 'home1.example', impi: 'user000001@home1.example', password: 'secret-000001' }
const AOR = `sip:${ACCOUNT.user}@${ACCOUNT.domain}`
const EXAMPLE = fileURLToPath(new URL('../../docs/examples/push-sender-agent.mjs', import.meta.url))

let ims: ImsService | undefined
let ue: TextPeer | undefined
afterEach(async () => {
  ue?.close()
  await ims?.stop()
  ims = ue = undefined
})

async function network(): Promise<string> {
  ims = await startIms(decodeImsConfig({}))
  ue = await tcpPeer(ims.addresses['pcscf']!)
  expect(await registerAt(ue, 'TCP', ACCOUNT)).toMatch(/^SIP\/2\.0 200 /)
  return ims.addresses['icscf']!
}

/** The example in a process of its own: exit code and what it printed. */
function runExample(args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [EXAMPLE, ...args], { timeout: 20_000 }, (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }))
  })
}

describe('the Push Sender Agent', () => {
  it('delivers its example to a registered terminal', async () => {
    const entry = await network()
    const run = runExample([entry, AOR])
    const request = await ue!.next()
    expect(request.endsWith('\r\n\r\nYou have mail.')).toBe(true)
    expect(headerOf(request, 'P-Asserted-Identity')).toBe('<sip:mail@home1.example>')
    ue!.send(answerTo(request, '200 OK'))
    expect(await run).toMatchObject({ code: 0, stdout: `${AOR}: delivered (200 OK)\n` })
  })

  it('says in its example why a push failed, and how it is used', async () => {
    const entry = await network()
    expect(await runExample([entry, 'sip:nobody@home1.example'])).toMatchObject({ code: 2, stdout: 'sip:nobody@home1.example: refused (404 Not Found)\n' })
    expect((await runExample([])).stderr).toContain('usage:')
  })

  it('answers every push when it is closed, and none is left', async () => {
    const [address, port] = (await network()).split(':')
    const agent = await openPushSenderAgent({ listen: { address: '127.0.0.1', port: 0 }, nextHop: { transport: 'tcp', address: address!, port: Number(port) }, identity: 'sip:mail@home1.example' })
    const push = { to: AOR, application: 'x-wap-application:push.sia', contentType: 'text/plain', content: Buffer.from('x') }
    const pending = agent.push(push)
    await ue!.next()
    await agent.close()
    expect(await pending).toMatchObject({ result: 'unanswered' })
    expect(await agent.push(push)).toMatchObject({ result: 'invalid', reason: 'the agent is closed' })
  })
})
