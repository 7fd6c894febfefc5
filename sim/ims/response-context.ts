/**
 * What a node remembers of a request under way (RFC 3261 section 16.2, "response context") and of each copy of it that went
 * out. An INVITE's remembers more, since its branches can be cancelled, ring for minutes and bring several 2xx. State only:
 * what happens when is proxy.ts.
 */
import type { Deadline, DeadlineHeap } from '../../core/kit/heap.js'
import type { Now } from '../../core/kit/time.js'
import type { ClientTransaction, ServerTransaction } from '../../core/sip/endpoint-contract.js'
import type { SipMessage } from '../../core/sip/message.js'

export class ResponseContext {
  /** Branches without a final response. */
  pending = 0
  finalSent = false
  best: SipMessage | undefined

  constructor(readonly transaction: ServerTransaction) {}
}

/** One copy of the request that went out. */
export class Branch {
  /** @param target what the node wants to remember of where it went */
  constructor(readonly context: ResponseContext, readonly target: unknown) {}
}

/** The context of an INVITE; its server transaction leads back to it, so that a CANCEL finds it. */
export class InviteContext extends ResponseContext {
  readonly branches: InviteBranch[] = []
  /** Cancelled from upstream, answered 2xx or refused by a 6xx: no further branch begins (RFC 3261 sections 16.7 step 5 and 16.10). */
  isClosed = false
}

/** Whom the running out of timer C is told. */
export interface TimerCOwner {
  timerC(now: Now, branch: InviteBranch): void
}

export class InviteBranch extends Branch {
  declare readonly context: InviteContext
  sent: ClientTransaction | undefined
  timerC: Deadline<InviteBranch> | undefined
  isCancelled = false
  /** It has had its final response; only further 2xx may follow. */
  isEnded = false

  constructor(context: InviteContext, target: unknown, readonly owner: TimerCOwner) {
    super(context, target)
  }
}

/** Timer C of every INVITE branch of a process. */
export type InviteTimers = DeadlineHeap<InviteBranch>
