/** What is kept of a session, of an INVITE sent and of one received, while invite-sessions.ts runs them by their tables. */
import type { Deadline } from '../kit/heap.js'
import type { Micros } from '../kit/time.js'
import type { Dialog } from './dialog.js'
import type { ClientFailure, ClientTransaction, ServerTransaction } from './endpoint-contract.js'
import type { HeaderText } from './header-text.js'
import type { InviteSession, SessionEnd } from './invite-contract.js'
import type { ReceivedState, SentState, SessionEvent, SessionState } from './invite-tables.js'
import type { SipMessage } from './message.js'

export class Session implements InviteSession {
  state: SessionState = 'early'
  dialog: Dialog | undefined = undefined
  /** Our INVITE of which no 2xx has come. */
  sent: SentInvite | undefined = undefined
  /** Their INVITE of which no ACK has come. */
  received: ReceivedInvite | undefined = undefined
  end: SessionEnd | undefined = undefined

  constructor(readonly role: 'caller' | 'callee', readonly callId: string, readonly contact: HeaderText, public context: unknown) {}
}

export class SentInvite {
  state: SentState = 'calling'
  transaction: ClientTransaction | undefined = undefined
  forks: string[] | undefined = undefined
  refusal: SipMessage | ClientFailure | undefined = undefined

  constructor(readonly session: Session, readonly sequence: number, readonly isFirst: boolean) {}
}

export class ReceivedInvite {
  state: ReceivedState = 'offered'
  /** The 2xx, to be sent again. */
  answer: SipMessage | undefined = undefined
  gap: Micros = 0
  againAt: Micros = Infinity
  endAt: Micros = Infinity
  armed: Deadline<ReceivedInvite> | undefined = undefined

  constructor(readonly session: Session, readonly transaction: ServerTransaction, readonly sequence: number) {}
}

/** The context of a BYE; without a session it concerns a branch of a fork. */
export class SentBye {
  constructor(readonly session: Session | undefined) {}
}

export function isUnsettled(received: ReceivedInvite | undefined): boolean {
  return received?.state === 'offered' || received?.state === 'accepted'
}

/** Why the session is on its way out, by what happened; undefined where it is not. */
export function endOf(event: SessionEvent, state: SessionState): SessionEnd | undefined {
  switch (event) {
    case 'refused': return state === 'cancelling' ? 'cancelled' : 'refused'
    case 'declined': return 'refused'
    case 'close': return state === 'early' ? 'cancelled' : 'closed'
    case 'answered': return state === 'cancelling' ? 'cancelled' : undefined
    case 'BYE': return 'BYE'
    case 'no ACK': return 'no ACK'
    case 'lost': return 'lost'
    default: return undefined
  }
}
