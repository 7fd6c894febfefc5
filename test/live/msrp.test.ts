/** MSRP over real sockets, TCP and TLS: contents larger than every buffer on the way arrive as they were, both ways at once. */
import { createHash, type Hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Fifo } from '../../core/kit/fifo.js'
import type { Machine, Tick } from '../../core/kit/machine.js'
import type { NetworkIn, NetworkOut } from '../../core/kit/network.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { readNow } from '../../core/live/clock.js'
import { SystemEntropy } from '../../core/live/entropy.js'
import { Pump } from '../../core/live/pump.js'
import { Sockets } from '../../core/live/sockets.js'
import { readMediaTls, type MediaTls } from '../../core/live/media-tls.js'
import type { FailureReport, IncomingMessage, MsrpSession, MsrpTransport, MsrpUser, OutgoingMessage, SendOutcome } from '../../core/msrp/contract.js'
import { MsrpEndpoint } from '../../core/msrp/endpoint.js'
import { certify, makeAuthority } from './certificates.js'
import { until } from './until.js'

const folder = mkdtempSync(join(tmpdir(), 'pushbench-msrp-'))
const SIZE = 24 * 1024 * 1024
const octets = new SystemEntropy().bytes(SIZE)
const hash = createHash('sha1').update(octets).digest('hex')
let tls: MediaTls

type EndIn = NetworkIn | Tick | { readonly type: 'send'; readonly messageId: string; readonly size: number; readonly failureReport: FailureReport }

/** One endpoint on real sockets; it hashes what it receives. */
class End implements Machine<EndIn, NetworkOut>, MsrpUser {
  readonly outcomes: string[] = []
  readonly received: string[] = []
  readonly downs: string[] = []
  port = 9
  readonly sockets: Sockets = new Sockets((input) => this.pump.input(input), undefined, tls)
  private session: MsrpSession | undefined
  private readonly out = new Fifo<NetworkOut>()
  private readonly endpoint = new MsrpEndpoint({ ours: () => `127.0.0.1:${this.port}`, accepts: ({ port }) => port === this.port, entropy: new SystemEntropy(), user: this, emit: (out) => this.out.push(out) })
  readonly pump: Pump<EndIn, NetworkOut> = new Pump<EndIn, NetworkOut>(this, (out) => this.sockets.output(out), () => this.sockets.flush())

  async listen(transport: MsrpTransport): Promise<void> {
    this.port = (await this.sockets.listen([transport], { address: '127.0.0.1', port: 0 }, 'fingerprint')).port
  }

  open(transport: MsrpTransport): MsrpSession {
    return this.session = this.endpoint.session({ transport, acceptTypes: ['*'] })
  }

  handle(now: Now, input: EndIn): void {
    if (input.type === 'tick') this.endpoint.tick(now)
    else if (input.type === 'send') {
      const { messageId, size, failureReport } = input
      this.session!.send(now, { messageId, contentType: 'application/octet-stream', source: { size, read: (offset, length) => octets.subarray(offset, offset + length) }, successReport: true, failureReport })
    } else this.endpoint.input(now, input)
  }

  poll(): NetworkOut | undefined {
    return this.out.shift()
  }

  deadline(): Micros {
    return this.endpoint.deadline()
  }

  get connections(): number {
    return this.endpoint.connections
  }

  onBound(): void {}

  onDown(_now: Now, _session: MsrpSession, cause: string): void {
    this.downs.push(cause)
  }

  onMessage(_now: Now, message: IncomingMessage): 'take' {
    message.context = createHash('sha1')
    return 'take'
  }

  onBytes(_now: Now, message: IncomingMessage, _offset: number, bytes: Buffer): void {
    ;(message.context as Hash).update(bytes)
  }

  onComplete(_now: Now, message: IncomingMessage, totalBytes: number): number {
    this.received.push(`${message.messageId} ${totalBytes} ${(message.context as Hash).digest('hex')}`)
    return 200
  }

  onAborted(): void {}

  onOutcome(_now: Now, message: OutgoingMessage, { type }: SendOutcome): void {
    this.outcomes.push(`${message.messageId} ${type}`)
  }
}

const ends: End[] = []

beforeAll(async () => {
  const authority = await makeAuthority(folder)
  const { certificate, key } = await certify(folder, authority, 'loopback')
  tls = readMediaTls({ certificate, key })
})
afterEach(async () => {
  for (const end of ends.splice(0)) {
    await end.sockets.close()
    end.pump.stop()
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

async function joined(transport: MsrpTransport): Promise<readonly [End, End]> {
  const listener = new End()
  const phone = new End()
  ends.push(listener, phone)
  await listener.listen(transport)
  const ours = listener.open(transport)
  const theirs = phone.open(transport)
  expect(ours.start(readNow(), 'passive', theirs.uri, [tls.fingerprint])).toBe(true)
  expect(theirs.start(readNow(), 'active', ours.uri, [tls.fingerprint])).toBe(true)
  listener.pump.start()
  phone.pump.start()
  return [listener, phone]
}

describe.each(['tcp', 'tls'] as const)('an MSRP session over %s', (transport) => {
  it('carries large contents both ways at once, whole', async () => {
    const [listener, phone] = await joined(transport)
    for (const failureReport of ['yes', 'no'] as const) {
      listener.pump.input({ type: 'send', messageId: `down-${failureReport}`, size: SIZE, failureReport })
      phone.pump.input({ type: 'send', messageId: `up-${failureReport}`, size: SIZE, failureReport })
    }
    await until(() => listener.outcomes.length === 2 && phone.outcomes.length === 2)
    expect([...listener.outcomes, ...phone.outcomes].sort()).toEqual(['down-no confirmed', 'down-yes confirmed', 'up-no confirmed', 'up-yes confirmed'])
    expect(listener.received.sort()).toEqual([`up-no ${SIZE} ${hash}`, `up-yes ${SIZE} ${hash}`])
    expect(phone.received.sort()).toEqual([`down-no ${SIZE} ${hash}`, `down-yes ${SIZE} ${hash}`])
  })

  it('fails on both sides when one goes away in the middle of a content', async () => {
    const [listener, phone] = await joined(transport)
    listener.pump.input({ type: 'send', messageId: 'down-1', size: SIZE, failureReport: 'yes' })
    await until(() => phone.sockets.counters.bytesIn > 1_000_000)
    await phone.sockets.close()
    await until(() => listener.downs.length === 1)
    expect(listener.outcomes).toEqual(['down-1 failed'])
    expect(listener.downs).toEqual(['connection'])
    expect(listener.connections).toBe(0)
  })
})
