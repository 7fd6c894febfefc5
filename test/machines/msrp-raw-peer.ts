/**
 * One MSRP endpoint whose peer is the test itself: octets in by hand, octets out as text. For what no well-behaved
 * endpoint would send.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { NetworkOut } from '../../core/kit/network.js'
import type { MsrpLimits, MsrpSession, SessionOptions } from '../../core/msrp/contract.js'
import { MsrpEndpoint } from '../../core/msrp/endpoint.js'
import { CERTIFICATE, Recorder, START } from './msrp-pair.js'
import { mustSettle } from './settling.js'

export const PEER = 'msrp://198.51.100.11:9/h3Zs8wQeT1bN6yLd;tcp'

export class RawPeer {
  readonly user = new Recorder()
  readonly endpoint: MsrpEndpoint
  readonly session: MsrpSession
  now = START
  flow = 0
  readonly closes: number[] = []
  private written: string[] = []

  constructor(options: Partial<SessionOptions> = {}, limits: Partial<MsrpLimits> = {}) {
    this.endpoint = new MsrpEndpoint({
      ours: () => '192.0.2.40:2855', accepts: (local) => local.port === 2855, entropy: new SeededEntropy(7, 'raw'), user: this.user, limits, emit: (out) => this.out(out),
    })
    this.session = this.endpoint.session({ transport: 'tcp', acceptTypes: ['*'], ...options })
    this.session.start(this.now, 'passive', options.transport === 'tls' ? PEER.replace('msrp:', 'msrps:') : PEER, [CERTIFICATE.sha256])
    this.connect()
  }

  /** A new connection to the endpoint; octets go to it from now on. */
  connect(transport: 'tcp' | 'tls' = 'tcp'): number {
    this.flow++
    this.endpoint.input(this.now, { type: 'flow-up', flow: this.flow, transport, local: { address: '192.0.2.40', port: 2855 }, remote: { address: '198.51.100.11', port: 41_000 }, ticket: undefined, ...(transport === 'tls' ? { certificate: CERTIFICATE } : {}) })
    return this.flow
  }

  give(text: string | Buffer, flow = this.flow): this {
    this.endpoint.input(this.now, { type: 'bytes', flow, bytes: typeof text === 'string' ? Buffer.from(text, 'latin1') : text })
    return this
  }

  /** A SEND to the session; `body` undefined for none. */
  send(transactionId: string, headers: readonly string[], body?: string, flag = '$', to = this.session.uri): this {
    return this.give(`${this.head(transactionId, headers, to)}${body === undefined ? '' : `\r\n${body}\r\n`}-------${transactionId}${flag}\r\n`)
  }

  head(transactionId: string, headers: readonly string[], to = this.session.uri, method = 'SEND'): string {
    return [`MSRP ${transactionId} ${method}`, `To-Path: ${to}`, `From-Path: ${PEER}`, ...headers].map((line) => `${line}\r\n`).join('')
  }

  chunk(transactionId: string, messageId: string, range: string, body: string, flag = '$', more: readonly string[] = []): this {
    return this.send(transactionId, [`Message-ID: ${messageId}`, `Byte-Range: ${range}`, ...more, 'Content-Type: text/plain'], body, flag)
  }

  /** What the endpoint has written since the last call. */
  take(): string {
    return this.written.splice(0).join('')
  }

  /** The statuses of its responses since the last call, by transact-id. */
  answers(): Record<string, number> {
    return Object.fromEntries([...this.take().matchAll(/^MSRP (\S+) (\d{3})/gm)].map((match) => [match[1]!, Number(match[2])]))
  }

  pass(micros: number): this {
    const until = this.now.mono + micros
    for (let next = this.endpoint.deadline(), turns = 0; next <= until; next = this.endpoint.deadline(), turns++) {
      mustSettle(turns, () => `the endpoint wants to be woken in ${next - this.now.mono} µs`)
      this.now = { mono: Math.max(next, this.now.mono), wall: START.wall }
      this.endpoint.tick(this.now)
    }
    this.now = { mono: until, wall: START.wall }
    return this
  }

  private out(out: NetworkOut): void {
    if (out.type === 'transmit') this.written.push(out.bytes.toString('latin1'))
    else if (out.type === 'close') this.closes.push(out.flow)
  }
}
