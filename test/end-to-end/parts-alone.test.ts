/** Each part alone, as its command starts it: gateway, core network and terminals find each other by their configuration files, and end by themselves when told to. */
import { connect } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { Folder, type Ended } from './command.js'

const folder = new Folder()
afterAll(() => folder.remove())

/** Below the range the system gives out, where a socket that probes a free port of that range can connect to itself. */
const PORTS = { pcscf: 25_060, icscf: 25_070, scscf: 25_080, sip: 25_090, pap: 25_100 }

folder.write('ims.yaml', `
ports: { pcscf: [${PORTS.pcscf}], icscf: ${PORTS.icscf}, scscf: ${PORTS.scscf} }
filterCriteria:
  - priority: 0
    groups: [[{ type: method, method: REGISTER }]]
    server: { uri: 'sip:127.0.0.1:${PORTS.sip};transport=tcp', hop: { transport: tcp, address: 127.0.0.1, port: ${PORTS.sip} } }
`)
folder.write('gateway.yaml', `
pap: { listen: '127.0.0.1:${PORTS.pap}' }
sip: { listen: '127.0.0.1:${PORTS.sip}', nextHops: ['tcp:127.0.0.1:${PORTS.icscf}'], identity: 'sip:push@home1.example' }
addresses: { sipDomains: [home1.example] }
store: ./store
`)
folder.write('terminals.yaml', `
proxy: { address: 127.0.0.1, port: ${PORTS.pcscf} }
population: { subscribers: 20, devicesPerSubscriber: { 1: 1 } }
`)

interface Started {
  readonly ended: Promise<Ended>
  stop(signal: NodeJS.Signals): void
}

function start(...words: string[]): Started {
  let tell = (_signal: NodeJS.Signals): void => { throw new Error(`${words.join(' ')} has said nothing yet`) }
  const ended = folder.command(words, (child) => { tell = (signal) => { child.kill(signal) } })
  return { ended, stop: (signal) => tell(signal) }
}

/** Until somebody listens there; a refusal is asked again, within the test's own time limit. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port })
      socket.once('connect', () => { socket.destroy(); resolve(true) })
      socket.once('error', () => setTimeout(resolve, 50, false))
    })
    if (isUp) return
  }
}

async function push(pushId: string): Promise<string> {
  const control = `<?xml version="1.0"?><pap><push-message push-id="${pushId}"><address address-value="WAPPUSH=sip%3Auser000003%40home1.example/TYPE=USER@ppg.example"/></push-message></pap>`
  const body = `--b\r\nContent-Type: application/xml\r\n\r\n${control}\r\n--b\r\nContent-Type: text/plain\r\nX-Wap-Application-Id: x-wap-application:push.sia\r\n\r\nhello\r\n--b--\r\n`
  const response = await fetch(`http://127.0.0.1:${PORTS.pap}/pap`, { method: 'POST', headers: { 'Content-Type': 'multipart/related; boundary=b; type="application/xml"' }, body })
  return response.text()
}

describe('gateway, core network and terminals, each started alone', () => {
  it.each([
    ['code 0 on Ctrl-C', 'SIGINT', 0],
    ['code 129 in the same order when their terminal is closed', 'SIGHUP', 129],
  ] as const)('deliver a push between them, and end with %s', async (_how, signal, code) => {
    const ims = start('ims', 'ims.yaml')
    await listening(PORTS.pcscf)
    const gateway = start('serve', 'gateway.yaml')
    await listening(PORTS.pap)
    let pushed: Promise<string> | undefined
    let isTold = false
    const terminals = folder.command(['terminals', 'terminals.yaml'], (child, stderr) => {
      if (/registered 20\b/.test(stderr)) pushed ??= push(`${signal}@pi.example`)
      if (!isTold && /(?:^|[\s,])received 1\b/.test(stderr)) {
        isTold = true
        child.kill(signal)
      }
    })
    const fleet = await terminals
    expect(await pushed).toContain('code="1001"')
    expect(fleet.stdout).toContain('registered 20 of 20')
    expect(fleet.code).toBe(code)
    expect(fleet.stderr).toContain('Stopping.')
    gateway.stop(signal)
    ims.stop(signal)
    const [served, core] = await Promise.all([gateway.ended, ims.ended])
    expect([served.code, core.code]).toEqual([code, code])
    expect(served.stdout).toContain(`pap http://127.0.0.1:${PORTS.pap}/pap`)
  }, 60_000)
})
