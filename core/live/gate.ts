/**
 * The door's keeper over HTTP: reads from a request what core/border judges, computes the password hashes that takes, and tells
 * the request that it is let in or turned away. Knows no document, and keeps nothing of a request that it has told.
 */
import { scrypt } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { Border, turnedAway, type Initiator, type InitiatorSettings, type TurnedAway, type Verdict, type Visitor } from '../border/border.js'
import { memoryOf } from '../border/password-hash.js'
import { isSameSecret } from '../kit/crypto.js'
import { Fifo } from '../kit/fifo.js'
import { monoMicros } from './clock.js'
import { systemCrypto } from './crypto.js'
import { SystemEntropy } from './entropy.js'

/** Each takes a thread of the process's pool for tens of milliseconds, and tens of MiB. The disk needs threads of that pool too. */
const HASHING_MAX = 2
/** Requests that wait for that; beyond, 503. */
const WAITING_MAX = 64
const RETRY_SECONDS = 1
const MEMORY_MARGIN = 1024 * 1024
const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/

/** A request at the door. Exactly one of the two is called, once, maybe at once. */
export interface Visit extends IncomingMessage {
  letIn(initiator: Initiator): void
  turnAway(why: TurnedAway): void
}

type ByPassword = Extract<Verdict, { readonly type: 'password' }>
interface Hashing {
  readonly visit: Visit
  readonly visitor: Visitor
  readonly verdict: ByPassword
}

type Shown = NonNullable<Visitor['certificate']> & { readonly validFrom: number; readonly validTo: number }

export class Gate {
  private readonly border: Border
  private readonly waiting = new Fifo<Hashing>()
  private hashing = 0
  /** What each connection showed, read once. */
  private readonly shown = new WeakMap<TLSSocket, Shown | 'nothing'>()

  constructor(initiators: readonly InitiatorSettings[]) {
    this.border = new Border(initiators, systemCrypto, new SystemEntropy())
  }

  get asksCertificates(): boolean {
    return this.border.asksCertificates
  }

  enter(visit: Visit): void {
    const visitor = this.visitorOf(visit)
    const verdict = this.border.judge(monoMicros(), visitor)
    if (verdict.type === 'turned-away') return visit.turnAway(verdict)
    if (verdict.type === 'known') return this.begin(visit, verdict.initiator)
    if (this.waiting.length >= WAITING_MAX) return visit.turnAway(turnedAway(503, `${WAITING_MAX} passwords wait to be checked`, [], RETRY_SECONDS))
    this.waiting.push({ visit, visitor, verdict })
    this.hashNext()
  }

  /** What was let in was answered, or will not be. */
  left(initiator: Initiator): void {
    this.border.end(initiator)
  }

  private begin(visit: Visit, initiator: Initiator): void {
    const declared = Number(visit.headers['content-length'] ?? 0)
    const why = this.border.begin(monoMicros(), initiator, declared)
    if (why === undefined) visit.letIn(initiator)
    else visit.turnAway(why)
  }

  private hashNext(): void {
    if (this.hashing >= HASHING_MAX) return
    const next = this.waiting.shift()
    if (next === undefined) return
    const { visit, visitor, verdict } = next
    // Nobody waits for what is gone.
    if (visit.socket.destroyed) return this.hashNext()
    const { password, wanted, initiator, proof } = verdict
    const { cost, blockSize, parallelization } = wanted
    this.hashing++
    scrypt(password, wanted.salt, wanted.hash.length, { cost, blockSize, parallelization, maxmem: memoryOf(wanted) + MEMORY_MARGIN }, (error, hash) => {
      this.hashing--
      this.hashNext()
      if (visit.socket.destroyed) return
      if (error !== null) return visit.turnAway(turnedAway(503, 'the password cannot be checked now', [], RETRY_SECONDS))
      const isRight = isSameSecret(hash, wanted.hash)
      if (!isRight || initiator === undefined) return visit.turnAway(this.border.wrongPassword(monoMicros(), visitor))
      this.border.proved(initiator, proof)
      this.begin(visit, initiator)
    })
  }

  private visitorOf({ socket, headers, method = '', url = '' }: Visit): Visitor {
    const isSecure = socket instanceof TLSSocket
    return {
      authorization: headers.authorization, method, target: url,
      isPrivate: isSecure || LOOPBACK.test(socket.remoteAddress ?? ''),
      certificate: isSecure ? this.certificateOf(socket) : undefined,
    }
  }

  private certificateOf(socket: TLSSocket): Visitor['certificate'] {
    let shown = this.shown.get(socket)
    if (shown === undefined) {
      const read = socket.getPeerX509Certificate()
      shown = read === undefined ? 'nothing' : {
        sha256: read.fingerprint256, subject: read.subject.split('\n').join(', '), isTrusted: socket.authorized,
        validFrom: Date.parse(read.validFrom), validTo: Date.parse(read.validTo),
      }
      this.shown.set(socket, shown)
    }
    if (shown === 'nothing') return undefined
    const now = Date.now()
    return shown.validFrom <= now && now < shown.validTo ? shown : undefined
  }
}
