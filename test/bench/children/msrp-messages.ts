/**
 * Short messages over MSRP as a gateway and phones exchange them, where phones connect: through one kept session, or each through a
 * session on a connection of its own. Both ends tell each other their paths beforehand, as SIP would have done.
 */
import { Fifo } from '../../../core/kit/fifo.js'
import type { Machine, Tick } from '../../../core/kit/machine.js'
import type { NetworkIn, NetworkOut } from '../../../core/kit/network.js'
import type { Micros, Now } from '../../../core/kit/time.js'
import { readNow } from '../../../core/live/clock.js'
import { SystemEntropy } from '../../../core/live/entropy.js'
import { Pump } from '../../../core/live/pump.js'
import { Sockets } from '../../../core/live/sockets.js'
import type { IncomingMessage, MsrpSession, MsrpUser, OutgoingMessage, SendOutcome } from '../../../core/msrp/contract.js'
import { MsrpEndpoint } from '../../../core/msrp/endpoint.js'
import { serve } from './serve.js'

const MESSAGE_BYTES = 2_000
/** Messages, or sessions with their message, under way at the same time. */
const OUTSTANDING = 16

/** `send` through the kept session; `open` the next session of a phone. */
type EndIn = NetworkIn | Tick | { readonly type: 'send' } | { readonly type: 'open' }

class End implements Machine<EndIn, NetworkOut>, MsrpUser {
  port = 9
  sessions: MsrpSession[] = []
  /** The gateway's paths, which the phones connect to. */
  peers: readonly string[] = []
  onDone: () => void = () => {}
  private opened = 0
  /** Never used again: a connection that still lingers would be shared. */
  private lanes = 0
  private readonly content = Buffer.alloc(MESSAGE_BYTES, 'push ')
  private messages = 0
  private readonly out = new Fifo<NetworkOut>()
  private readonly endpoint = new MsrpEndpoint({
    ours: () => `127.0.0.1:${this.port}`, accepts: ({ port }) => port === this.port, entropy: new SystemEntropy(), user: this, emit: (out) => this.out.push(out),
  })

  make(count: number): readonly string[] {
    this.opened = 0
    this.sessions = Array.from({ length: count }, () => this.endpoint.session({ transport: 'tcp', acceptTypes: ['*'], lane: ++this.lanes }))
    return this.sessions.map(({ uri }) => uri)
  }

  handle(now: Now, input: EndIn): void {
    if (input.type === 'tick') this.endpoint.tick(now)
    else if (input.type === 'send') this.send(now, this.sessions[0]!)
    else if (input.type === 'open') this.open(now)
    else this.endpoint.input(now, input)
  }

  poll(): NetworkOut | undefined {
    return this.out.shift()
  }

  deadline(): Micros {
    return this.endpoint.deadline()
  }

  send(now: Now, session: MsrpSession): void {
    const read = (offset: number, length: number): Buffer => this.content.subarray(offset, offset + length)
    session.send(now, { messageId: `bench-${++this.messages}`, contentType: 'text/plain', source: { size: MESSAGE_BYTES, read }, successReport: true, failureReport: 'yes' })
  }

  onBound(): void {}
  onBytes(): void {}
  onAborted(): void {}
  onDown(): void {}

  onMessage(): 'take' {
    return 'take'
  }

  /** A phone whose session was for one message ends it, and the next one comes. */
  onComplete(now: Now, { session }: IncomingMessage): number {
    if (this.sessions.length > 1) {
      session.close(now)
      if (this.opened < this.sessions.length) this.open(now)
    }
    return 200
  }

  onOutcome(now: Now, { session }: OutgoingMessage, { type }: SendOutcome): void {
    if (type !== 'confirmed') throw new Error(`a message was not confirmed: ${type}`)
    if (this.sessions.length > 1) session.close(now)
    this.onDone()
  }

  private open(now: Now): void {
    this.sessions[this.opened]!.start(now, 'active', this.peers[this.opened]!)
    this.opened++
  }
}

const end = new End()
const sockets = new Sockets((input) => pump.input(input))
const pump: Pump<EndIn, NetworkOut> = new Pump<EndIn, NetworkOut>(end, (out) => sockets.output(out), () => sockets.flush())

async function listen(): Promise<void> {
  end.port = (await sockets.listen(['tcp'], { address: '127.0.0.1', port: 0 })).port
}

function make(count: number): readonly string[] {
  return end.make(count)
}

/** The gateway: every session waits for its phone, with its message queued already where each has one. */
function expectPhones(paths: readonly string[]): void {
  const now = readNow()
  for (const [index, path] of paths.entries()) {
    end.sessions[index]!.start(now, 'passive', path)
    if (paths.length > 1) end.send(now, end.sessions[index]!)
  }
}

/** The phones: a session for each path, so many at a time. */
function connect(paths: readonly string[]): void {
  end.peers = paths
  for (let index = 0; index < Math.min(OUTSTANDING, paths.length); index++) pump.input({ type: 'open' })
}

/** The gateway: sends so many through the kept session; microseconds. */
function sendKept(count: number): Promise<number> {
  let started = Math.min(OUTSTANDING, count)
  const finished = confirmed(count, () => { if (started++ < count) pump.input({ type: 'send' }) })
  for (let index = 0; index < started; index++) pump.input({ type: 'send' })
  return finished
}

/** The gateway: microseconds until so many messages were confirmed, each in its own session. */
function awaitOwn(count: number): Promise<number> {
  return confirmed(count, () => {})
}

function confirmed(count: number, next: () => void): Promise<number> {
  const begun = process.hrtime.bigint()
  return new Promise((resolve) => {
    let done = 0
    end.onDone = () => {
      if (++done === count) resolve(Number(process.hrtime.bigint() - begun) / 1_000)
      else next()
    }
  })
}

serve({ listen, make, expectPhones, connect, sendKept, awaitOwn })
