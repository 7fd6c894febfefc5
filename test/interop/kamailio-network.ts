/**
 * Somebody else's SIP network with our gateway in front of it: Kamailio with the configuration that lies here, the gateway as
 * its command starts it, an initiator. It starts and ends processes and submits; what should come of it is the tests' business.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { COMMAND, Folder } from '../end-to-end/command.js'
import { steadyPort } from '../live/network.js'
import { initiator, type Initiator } from '../live/sip-sink.js'
import { valueOf } from '../live/sip-text.js'
import { KAMAILIO, KAMAILIO_TABLES } from './installed.js'

export const DOMAIN = 'pushed.example'
/** No process outlives this, whatever becomes of the tests. */
const LIFE_SECONDS = 120
const LOOK_MILLIS = 20
const WAIT_MILLIS = 10_000
const CAPTURE = 'gateway.pcap'
const MESSAGE_START = /(?=\b[A-Z]+ sip:\S+ SIP\/2\.0\r\n|\bSIP\/2\.0 \d{3} )/

/** How the gateway learns who is registered. */
export type Knowledge = 'third-party' | 'reg-event' | 'nothing'

export interface Submission {
  readonly pushId: string
  /** A SIP URI. */
  readonly to: string
  /** An octet for each character. */
  readonly content: string
  readonly contentType?: string
  readonly application?: string
  /** Attributes of the quality-of-service element. */
  readonly quality?: string
  /** Further attributes of the push-message. */
  readonly attributes?: string
}

export class KamailioNetwork {
  private constructor(
    readonly proxy: string, readonly pi: Initiator, private readonly pap: string, private readonly folder: Folder,
    private readonly kamailio: Daemon, private readonly gateway: Daemon,
  ) {}

  static async start(knowledge: Knowledge): Promise<KamailioNetwork> {
    const folder = new Folder()
    const [proxy, sip, pap] = [`127.0.0.1:${await steadyPort()}`, `127.0.0.1:${await steadyPort()}`, `127.0.0.1:${await steadyPort()}`]
    const tables = join(folder.path, 'tables')
    if (knowledge === 'reg-event') cpSync(KAMAILIO_TABLES, tables, { recursive: true })
    const defines = [`SELF="sip:${proxy}"`, `GATEWAY="sip:${sip};transport=tcp"`, ...{
      'third-party': ['THIRD_PARTY'], 'reg-event': ['REG_EVENT', `TABLES="text://${tables}"`], nothing: [],
    }[knowledge]]
    const kamailio = new Daemon([
      KAMAILIO!, '-DD', '-E', '-m', '32', '-M', '4', '-Y', folder.path, '-f', fileURLToPath(new URL('kamailio.cfg', import.meta.url)),
      '-l', `udp:${proxy}`, '-l', `tcp:${proxy}`, ...defines.flatMap((define) => ['-A', define]),
    ], folder.path)
    folder.write('gateway.yaml', `
pap: { listen: '${pap}' }
sip: { listen: '${sip}', nextHops: ['tcp:${proxy}'], identity: 'sip:push@${DOMAIN}' }
addresses: { sipDomains: [${DOMAIN}] }
registrations: ${knowledge === 'reg-event' ? 'reg-event' : 'third-party'}
selection: { devices: all }
times: { retryFirst: 500ms }
capture: ${CAPTURE}
store: ./store
notifications: { inside: [127.0.0.0/8] }
`)
    const gateway = new Daemon([process.execPath, COMMAND, 'serve', 'gateway.yaml'], folder.path)
    const network = new KamailioNetwork(proxy, await initiator(), `http://${pap}/pap`, folder, kamailio, gateway)
    try {
      await Promise.all([kamailio.listening(proxy), gateway.listening(pap)])
    } catch (error) {
      await network.stop()
      throw error
    }
    return network
  }

  /** Submits over HTTP; gives the push-response's code. */
  async submit({ pushId, to, content, contentType = 'text/plain', application = 'push.sia', quality, attributes = '' }: Submission): Promise<number> {
    const control = `<?xml version="1.0"?><pap><push-message push-id="${pushId}" ppg-notify-requested-to="${this.pi.url}" ${attributes}>`
      + `<address address-value="WAPPUSH=${encodeURIComponent(to)}/TYPE=USER@ppg.example"/>${quality === undefined ? '' : `<quality-of-service ${quality}/>`}</push-message></pap>`
    const body = Buffer.from(`--edge\r\nContent-Type: application/xml\r\n\r\n${control}\r\n--edge\r\nContent-Type: ${contentType}\r\n`
      + `X-Wap-Application-Id: x-wap-application:${application}\r\n\r\n${content}\r\n--edge--\r\n`, 'latin1')
    const response = await fetch(this.pap, { method: 'POST', headers: { 'Content-Type': 'multipart/related; boundary=edge; type="application/xml"' }, body })
    return Number(/ code="(\d+)"/.exec(await response.text())?.[1] ?? 0)
  }

  /** State and code of the result notification of a push, once it has come. */
  async outcome(pushId: string): Promise<string> {
    await this.until(() => this.pi.notified.includes(pushId), `a result notification of ${pushId}`)
    const document = this.pi.documents[this.pi.notified.indexOf(pushId)]!
    return [/message-state="([^"]*)"/, / code="([^"]*)"/].map((pattern) => pattern.exec(document)?.[1]).join(' ')
  }

  /** What crossed the gateway's SIP sockets so far, message by message. */
  crossed(): readonly string[] {
    return readFileSync(join(this.folder.path, CAPTURE), 'latin1').split(MESSAGE_START)
  }

  /** The MESSAGEs that carried a push so far. */
  sent(pushId: string): readonly string[] {
    return this.crossed().filter((message) => message.startsWith('MESSAGE ') && message.includes(`\r\nX-Push-Id: ${pushId}\r\n`))
  }

  /** Until a MESSAGE with a push was answered so. */
  async answered(pushId: string, status: number): Promise<void> {
    const isAnswer = (message: string): boolean => message.startsWith(`SIP/2.0 ${status} `) && this.sent(pushId).some((request) => valueOf(request, 'Call-ID') === valueOf(message, 'Call-ID'))
    await this.until(() => this.crossed().some(isAnswer), `an answer ${status} to ${pushId}`)
  }

  /** Waits, within a bound, for what another process does; the error shows what crossed the gateway's sockets instead. */
  async until(hasCome: () => boolean, what: string): Promise<void> {
    const end = performance.now() + WAIT_MILLIS
    while (!hasCome()) {
      if (performance.now() > end) throw new Error(`${what} has not come in ${WAIT_MILLIS} ms, but this:\n${this.crossed().join('\n').replace(/[^\n\x20-\x7e]+/g, ' ')}`)
      await this.gateway.orEnd(new Promise((resolve) => { setTimeout(resolve, LOOK_MILLIS) }))
    }
  }

  async stop(): Promise<void> {
    await this.pi.close()
    await this.gateway.end()
    await this.kamailio.end()
    this.folder.remove()
  }
}

/** A process that serves until it is told to end. */
class Daemon {
  private readonly child: ChildProcessByStdio<null, null, Readable>
  private readonly ended: Promise<unknown>
  private said = ''

  constructor(words: readonly string[], cwd: string) {
    this.child = spawn('timeout', ['--kill-after=5', String(LIFE_SECONDS), ...words], { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
    this.child.stderr.on('data', (chunk: Buffer) => { this.said += chunk.toString() })
    this.ended = once(this.child, 'close')
  }

  /** Until somebody accepts connections there. */
  async listening(at: string): Promise<void> {
    while (!await this.orEnd(accepts(at))) await new Promise((resolve) => { setTimeout(resolve, LOOK_MILLIS) })
  }

  /** What is waited for, or an error that shows its last words when it ends before. */
  orEnd<Value>(awaited: Promise<Value>): Promise<Value> {
    return Promise.race([awaited, this.ended.then(() => { throw new Error(`${this.child.spawnargs.join(' ')} has ended:\n${this.said}`) })])
  }

  async end(): Promise<void> {
    this.child.kill('SIGTERM')
    await this.ended
  }
}

function accepts(at: string): Promise<boolean> {
  const [host, port] = at.split(':')
  return new Promise((resolve) => {
    const socket = createConnection({ host: host!, port: Number(port) })
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => resolve(false))
  })
}
