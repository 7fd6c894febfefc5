/**
 * What a terminal makes of what comes over its MSRP sessions: every content counted and checked against what was said of
 * it, taken or refused, noted with its push-id. Knows MSRP's messages; the dialogs are in sessions.ts.
 */
import type { Now } from '../../core/kit/time.js'
import type { DownCause, IncomingMessage, MsrpSession, MsrpUser, PeerFault, Verdict } from '../../core/msrp/contract.js'
import type { FileDescription } from '../../core/sdp/msrp-media.js'
import { applicationName } from './applications.js'
import type { UsageHost } from './host.js'
import { Receipt } from './receipt.js'
import type { TerminalSession } from './sessions.js'

/** One media line that was taken. */
export class Leg {
  msrp: MsrpSession | undefined = undefined

  /** @param peer its path and fingerprints, by which a line is known that goes on */
  constructor(readonly session: TerminalSession, readonly file: FileDescription | undefined, readonly peer: string) {}
}

export interface LegWatcher {
  /** The MSRP session of a leg ended by itself. */
  onLegDown(now: Now, leg: Leg, cause: DownCause): void
  /** Closes in the middle of a chunk. */
  cut(): void
}

const DISTRUST: ReadonlySet<DownCause> = new Set<PeerFault>(['handshake', 'uncertified', 'fingerprint', 'expired'])

/** Not what was announced; RFC 4975 section 10 has no closer status. */
const NOT_AS_ANNOUNCED = 400

export class SessionContents implements MsrpUser {
  constructor(private readonly host: UsageHost, private readonly watcher: LegWatcher) {}

  onBound(): void {}

  onDown(now: Now, session: MsrpSession, cause: DownCause, _reason: string): void {
    if (DISTRUST.has(cause)) this.host.counters.peersDistrusted += 1
    this.watcher.onLegDown(now, legOf(session), cause)
  }

  onMessage(_now: Now, message: IncomingMessage): Verdict {
    const leg = legOf(message.session)
    const status = statusFor(leg, message)
    if (status !== 0) {
      this.rejected(leg, message, status)
      return status
    }
    // Of a message that is no file nothing was said that it could be checked against.
    if (leg.file !== undefined) message.context = new Receipt(leg.file.selector, this.host.crypto)
    return 'take'
  }

  onBytes(_now: Now, message: IncomingMessage, offset: number, bytes: Buffer): void {
    const { context } = message
    if (context instanceof Receipt) context.add(offset, bytes)
    this.host.counters.sessionBytes += bytes.length
    if (legOf(message.session).session.terminal.device.behaviour.misbehaviour === 'closes-mid-chunk') this.watcher.cut()
  }

  onComplete(_now: Now, message: IncomingMessage, totalBytes: number): number {
    const leg = legOf(message.session)
    // It closed at the first octets; that the others came with them changes nothing.
    if (leg.session.terminal.device.behaviour.misbehaviour === 'closes-mid-chunk') return NOT_AS_ANNOUNCED
    const { context } = message
    if (context instanceof Receipt && !context.isAsAnnounced(totalBytes)) {
      this.rejected(leg, message, NOT_AS_ANNOUNCED)
      return NOT_AS_ANNOUNCED
    }
    const { terminal, target } = leg.session
    this.host.reception.taken(terminal, target, pushIdOf(leg, message), 'session')
    return 200
  }

  onAborted(): void {
    this.host.counters.contentsAborted += 1
  }

  /** Terminals send no content. */
  onOutcome(): void {}

  private rejected(leg: Leg, message: IncomingMessage, status: number): void {
    const { terminal, target } = leg.session
    this.host.reception.rejected(terminal, target, pushIdOf(leg, message), status, 'session')
  }
}

/** 0 for a message to take. A plain session may carry pushes for other applications than the one it was opened for. */
function statusFor({ session: { terminal } }: Leg, message: IncomingMessage): number {
  const { misbehaviour } = terminal.device.behaviour
  if (misbehaviour === 'refuses-type' || headerOf(message, 'content-encoding') !== undefined) return 415
  if (misbehaviour === 'refuses-size') return 413
  const application = headerOf(message, 'x-wap-application-id')
  return application === undefined || terminal.device.applications.includes(applicationName(application)) ? 0 : 403
}

function headerOf(message: IncomingMessage, name: string): string | undefined {
  return message.headers.find((header) => header.name.toLowerCase() === name)?.value
}

/** The push-id of the message itself; in a session for one push, that of its INVITE. */
function pushIdOf(leg: Leg, message: IncomingMessage): string {
  return headerOf(message, 'x-push-id') ?? leg.session.pushId
}

function legOf(session: MsrpSession): Leg {
  return session.context as Leg
}
