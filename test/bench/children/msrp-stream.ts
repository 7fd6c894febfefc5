/**
 * One end of a stream of content over loopback TCP: an MSRP session on the real driver, or a bare socket that writes the same octets in
 * pieces of the same size. Nothing is hashed or stored on either side.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { readNow } from '../../../core/live/clock.js'
import { SystemEntropy } from '../../../core/live/entropy.js'
import { Pump } from '../../../core/live/pump.js'
import { Sockets } from '../../../core/live/sockets.js'
import { Fifo } from '../../../core/kit/fifo.js'
import type { Machine, Tick } from '../../../core/kit/machine.js'
import type { NetworkIn, NetworkOut } from '../../../core/kit/network.js'
import type { Micros, Now } from '../../../core/kit/time.js'
import { DEFAULT_LIMITS, type MsrpSession, type MsrpUser, type SendOutcome } from '../../../core/msrp/contract.js'
import { MsrpEndpoint } from '../../../core/msrp/endpoint.js'
import { serve } from './serve.js'

/** Enough that no read of the content finds it in the processor's caches. */
const BLOCK_BYTES = 64 * 1024 * 1024

/** A message to be sent is an input like any other, so that the pump gives it its time. */
type EndIn = NetworkIn | Tick | { readonly type: 'send'; readonly bytes: number }

class End implements Machine<EndIn, NetworkOut>, MsrpUser {
  port = 0
  session: MsrpSession | undefined
  onSent: (outcome: SendOutcome) => void = () => {}
  private readonly out = new Fifo<NetworkOut>()
  private messages = 0
  private readonly endpoint = new MsrpEndpoint({
    ours: () => `127.0.0.1:${this.port}`, accepts: ({ port }) => port === this.port, entropy: new SystemEntropy(), user: this, emit: (out) => this.out.push(out),
  })

  newSession(): MsrpSession {
    return this.session = this.endpoint.session({ transport: 'tcp', acceptTypes: ['*'], maxSize: Number.MAX_SAFE_INTEGER })
  }

  handle(now: Now, input: EndIn): void {
    if (input.type === 'tick') this.endpoint.tick(now)
    else if (input.type === 'send') this.send(now, input.bytes)
    else this.endpoint.input(now, input)
  }

  poll(): NetworkOut | undefined {
    return this.out.shift()
  }

  deadline(): Micros {
    return this.endpoint.deadline()
  }

  onBound(): void {}
  onBytes(): void {}
  onAborted(): void {}
  /** The message under way has failed already. */
  onDown(): void {}

  onMessage(): 'take' {
    return 'take'
  }

  onComplete(): number {
    return 200
  }

  onOutcome(_now: Now, _message: unknown, outcome: SendOutcome): void {
    this.onSent(outcome)
  }

  private send(now: Now, size: number): void {
    const read = (offset: number, length: number): Buffer => piece(offset, length)
    this.session!.send(now, { messageId: `bench-${++this.messages}`, contentType: 'application/octet-stream', source: { size, read }, successReport: true, failureReport: 'yes' })
  }
}

const end = new End()
const sockets = new Sockets((input) => pump.input(input))
const pump: Pump<EndIn, NetworkOut> = new Pump<EndIn, NetworkOut>(end, (out) => sockets.output(out), () => sockets.flush())
let content: Buffer = Buffer.alloc(0)
let bare: Socket | undefined

/** Octets of no pattern, so that what scans them finds what it looks for as rarely as in a picture. */
function prepared(): Buffer {
  if (content.length === 0) content = new SystemEntropy().bytes(BLOCK_BYTES)
  return content
}

function piece(offset: number, length: number): Buffer {
  const at = offset % (BLOCK_BYTES - DEFAULT_LIMITS.chunkBytes)
  return content.subarray(at, at + length)
}

/** The passive side: its path. */
async function offer(): Promise<string> {
  end.port = (await sockets.listen(['tcp'], { address: '127.0.0.1', port: 0 })).port
  return end.newSession().uri
}

/** The active side: its path. */
function answer(path: string): string {
  prepared()
  end.port = 9
  const session = end.newSession()
  if (!session.start(readNow(), 'active', path)) throw new Error(`the path ${path} cannot be used`)
  pump.start()
  return session.uri
}

function accept(path: string): void {
  end.session!.start(readNow(), 'passive', path)
  pump.start()
}

/** Sends that many octets in one message; microseconds until it was confirmed. */
function send(bytes: number): Promise<number> {
  const begun = process.hrtime.bigint()
  return new Promise((resolve, reject) => {
    end.onSent = (outcome) => {
      if (outcome.type === 'confirmed') resolve(Number(process.hrtime.bigint() - begun) / 1_000)
      else reject(new Error(`the message was not confirmed: ${JSON.stringify(outcome)}`))
    }
    pump.input({ type: 'send', bytes })
  })
}

/** The bare receiver: after as many octets as the first eight said it answers with one. */
function bareListen(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    let left = -1
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      left = left < 0 ? Number(bytes.readBigUInt64BE(0)) - bytes.length + 8 : left - bytes.length
      if (left !== 0) return
      left = -1
      socket.write('!')
    })
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
}

function bareConnect(port: number): Promise<void> {
  prepared()
  return new Promise((resolve, reject) => {
    bare = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve())
    bare.once('error', reject)
  })
}

/** The same octets in pieces of the same size, each written as soon as the socket has room. */
function bareSend(bytes: number): Promise<number> {
  const socket = bare!
  const begun = process.hrtime.bigint()
  return new Promise((resolve) => {
    let sent = 0
    const size = Buffer.alloc(8)
    size.writeBigUInt64BE(BigInt(bytes))
    socket.write(size)
    const fill = (): void => {
      while (sent < bytes) {
        const length = Math.min(DEFAULT_LIMITS.chunkBytes, bytes - sent)
        const hasRoom = socket.write(piece(sent, length))
        sent += length
        if (!hasRoom) return
      }
    }
    socket.on('drain', fill)
    socket.once('data', () => {
      socket.off('drain', fill)
      resolve(Number(process.hrtime.bigint() - begun) / 1_000)
    })
    fill()
  })
}

serve({ offer, answer, accept, send, bareListen, bareConnect, bareSend })
