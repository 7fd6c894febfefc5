/**
 * One session of the gateway's with a device, from its INVITE to its end, and the pushes on their way in it; and all of them
 * together: which one can take another push, and how many there may be. State only; session-binding.ts acts.
 */
import type { Deadline } from '../../kit/heap.js'
import type { MsrpSession } from '../../msrp/contract.js'
import type { Description } from '../../sdp/msrp-media.js'
import type { Hop } from '../../sip/endpoint-contract.js'
import type { InviteSession } from '../../sip/invite-contract.js'
import type { SubmissionRecord } from '../../store/records.js'
import type { Delivery } from '../delivery/delivery.js'
import type { SessionSettings } from './session-settings.js'

/** One attempt at one push. */
export class Transfer {
  session: PushSession | undefined = undefined
  /** Whether it went on in a new session after its first one broke. */
  renewed = false

  constructor(readonly delivery: Delivery, readonly submission: SubmissionRecord) {}
}

export interface PushSessionStart {
  /** The Request-URI of its INVITE, and the application it is for. */
  readonly target: string
  readonly featureTag: string
  /** Offered for one file (RFC 5547 section 8.7: nothing else goes in it). */
  readonly isFile: boolean
  readonly msrp: MsrpSession
  readonly offer: Description
  /** Where the INVITE went. */
  readonly hop: Hop
}

export class PushSession {
  /** `inviting`: no answer yet. `open`: its answer has come. `closing`: it takes nothing more; its dialog is still to end. */
  state: 'inviting' | 'open' | 'closing' = 'inviting'
  invite: InviteSession | undefined = undefined
  readonly transfers = new Set<Transfer>()
  /** Messages begun in it. */
  messages = 0
  acceptTypes: readonly string[] = []
  maxSize: number | undefined = undefined
  /** Something in it was not answered in time: what is under way may end, nothing more is begun. */
  isSuspect = false
  /** For the answer, then while nothing is on its way. */
  timer: Deadline<PushSession> | undefined = undefined
  readonly target: string
  readonly featureTag: string
  readonly isFile: boolean
  readonly msrp: MsrpSession
  readonly offer: Description
  readonly hop: Hop

  constructor({ target, featureTag, isFile, msrp, offer, hop }: PushSessionStart) {
    this.target = target
    this.featureTag = featureTag
    this.isFile = isFile
    this.msrp = msrp
    this.offer = offer
    this.hop = hop
  }

  /** Whether another push may begin in it, now or once it is open. */
  takes(settings: SessionSettings): boolean {
    return !this.isFile && this.state !== 'closing' && !this.isSuspect && this.msrp.state !== 'down'
      && this.transfers.size < settings.parallel && this.messages + (this.state === 'open' ? 0 : this.transfers.size) < settings.messagesMax
  }
}

export class PushSessions {
  private readonly byTarget = new Map<string, PushSession[]>()
  private count = 0

  constructor(private readonly settings: SessionSettings) {}

  get size(): number {
    return this.count
  }

  hasRoom(target: string): boolean {
    return this.count < this.settings.max && (this.byTarget.get(target)?.length ?? 0) < this.settings.perDevice
  }

  add(session: PushSession): void {
    this.count += 1
    const same = this.byTarget.get(session.target)
    if (same === undefined) this.byTarget.set(session.target, [session])
    else same.push(session)
  }

  remove(session: PushSession): void {
    const same = this.byTarget.get(session.target)
    const at = same?.indexOf(session) ?? -1
    if (same === undefined || at < 0) return
    this.count -= 1
    same.splice(at, 1)
    if (same.length === 0) this.byTarget.delete(session.target)
  }

  /** A session that can take a push of this application to this target. */
  taking(target: string, featureTag: string): PushSession | undefined {
    return this.byTarget.get(target)?.find((session) => session.featureTag === featureTag && session.takes(this.settings))
  }

  /** An idle one whose end would make room for a session to this target. */
  idle(target: string): PushSession | undefined {
    const same = this.byTarget.get(target)
    if (same !== undefined && same.length >= this.settings.perDevice) return same.find(isIdle)
    for (const sessions of this.byTarget.values()) {
      const found = sessions.find(isIdle)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** A copy: who is told may change them. */
  all(): PushSession[] {
    return [...this.byTarget.values()].flat()
  }
}

function isIdle(session: PushSession): boolean {
  return session.state === 'open' && session.transfers.size === 0
}
