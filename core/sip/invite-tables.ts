/**
 * The INVITE usage of a dialog as tables: one INVITE sent, one INVITE received, and the session they stand for (RFC 3261
 * sections 13 to 15, with RFC 6026 below them). Says what happens; invite-sessions.ts says how. Printed into docs/transactions.md.
 */
import type { Machine } from './transaction-table.js'

export type SentState = 'calling' | 'answered' | 'finished'
export type SentEvent = '1xx' | '2xx' | '2xx again' | '2xx of a fork' | '300-699' | 'failure'
export type SentAction = 'send ACK' | 'send BYE to the fork' | 'tell progress' | 'tell answer' | 'tell refusal'

/** An INVITE or re-INVITE of ours, above its transaction. */
export const INVITE_SENT: Machine<SentState, SentEvent, SentAction> = {
  name: 'INVITE sent (usage)',
  source: 'RFC 3261 13.2.2, 14.1',
  states: ['calling', 'answered', 'finished'],
  events: ['1xx', '2xx', '2xx again', '2xx of a fork', '300-699', 'failure'],
  rows: {
    calling: {
      '1xx': ['calling', 'tell progress'],
      // RFC 3261 13.2.2.4: the ACK goes at once, whatever comes of the session.
      '2xx': ['answered', 'send ACK', 'tell answer'],
      '2xx again': 'bug', '2xx of a fork': 'bug',
      '300-699': ['finished', 'tell refusal'],
      failure: ['finished', 'tell refusal'],
    },
    answered: {
      '1xx': 'ignore', '2xx': 'bug',
      // RFC 3261 13.2.2.4: an ACK for every 2xx received.
      '2xx again': ['answered', 'send ACK'],
      // RFC 3261 13.2.2.4: another branch of a fork answered too; one session is enough.
      '2xx of a fork': ['answered', 'send ACK', 'send BYE to the fork'],
      '300-699': 'ignore', failure: 'ignore',
    },
    finished: { '1xx': 'ignore', '2xx': 'ignore', '2xx again': 'ignore', '2xx of a fork': 'ignore', '300-699': 'ignore', failure: 'ignore' },
  },
}

export type ReceivedState = 'offered' | 'accepted' | 'confirmed' | 'finished'
export type ReceivedEvent = 'accept' | 'refuse' | 'CANCEL' | 'ACK' | 'timer resend' | 'timer give up' | 'end'
export type ReceivedAction = 'send 2xx' | 'send refusal' | 'send 487' | 'start timers' | 'double resend' | 'stop timers' | 'tell declined' | 'tell acknowledged' | 'tell unacknowledged'

/** An INVITE or re-INVITE of theirs, above its transaction. */
export const INVITE_RECEIVED: Machine<ReceivedState, ReceivedEvent, ReceivedAction> = {
  name: 'INVITE received (usage)',
  source: 'RFC 3261 13.3.1, 14.2',
  states: ['offered', 'accepted', 'confirmed', 'finished'],
  events: ['accept', 'refuse', 'CANCEL', 'ACK', 'timer resend', 'timer give up', 'end'],
  rows: {
    offered: {
      accept: ['accepted', 'send 2xx', 'start timers'],
      refuse: ['finished', 'send refusal', 'tell declined'],
      // RFC 3261 9.2: the CANCEL has its own 200 already.
      CANCEL: ['finished', 'send 487', 'tell declined'],
      ACK: 'ignore', 'timer resend': 'bug', 'timer give up': 'bug',
      // RFC 3261 15.1.2: a BYE leaves pending requests, which are answered 487.
      end: ['finished', 'send 487'],
    },
    accepted: {
      accept: 'ignore', refuse: 'ignore',
      // RFC 3261 9.2: no effect on a request that has its final response.
      CANCEL: 'ignore',
      ACK: ['confirmed', 'stop timers', 'tell acknowledged'],
      // RFC 3261 13.3.1.4: end to end, so over reliable transports too; T1 doubling up to T2.
      'timer resend': ['accepted', 'send 2xx', 'double resend'],
      // RFC 3261 13.3.1.4: 64*T1 without an ACK.
      'timer give up': ['finished', 'stop timers', 'tell unacknowledged'],
      end: ['finished', 'stop timers'],
    },
    confirmed: { accept: 'ignore', refuse: 'ignore', CANCEL: 'ignore', ACK: 'ignore', 'timer resend': 'bug', 'timer give up': 'bug', end: 'ignore' },
    finished: { accept: 'ignore', refuse: 'ignore', CANCEL: 'ignore', ACK: 'ignore', 'timer resend': 'bug', 'timer give up': 'bug', end: 'ignore' },
  },
}

export type SessionState = 'early' | 'cancelling' | 'unacknowledged' | 'confirmed' | 'closing' | 'ending' | 'terminated'
export type SessionEvent = 'answered' | 'refused' | 'accepted' | 'declined' | 'acknowledged' | 'no ACK' | 'close' | 'BYE' | 'BYE done' | 'lost'
export type SessionAction = 'send CANCEL' | 'send BYE' | 'tell answer' | 'tell refusal' | 'tell confirmed' | 'tell ended'

/** The session from its first INVITE to its end, for both sides. */
export const INVITE_SESSION: Machine<SessionState, SessionEvent, SessionAction> = {
  name: 'INVITE session (usage)',
  source: 'RFC 3261 12.2.1.2, 13.3.1.4, 15',
  states: ['early', 'cancelling', 'unacknowledged', 'confirmed', 'closing', 'ending', 'terminated'],
  events: ['answered', 'refused', 'accepted', 'declined', 'acknowledged', 'no ACK', 'close', 'BYE', 'BYE done', 'lost'],
  rows: {
    early: {
      answered: ['confirmed', 'tell answer'],
      refused: ['terminated', 'tell refusal', 'tell ended'],
      accepted: ['unacknowledged'],
      declined: ['terminated', 'tell ended'],
      acknowledged: 'bug', 'no ACK': 'bug',
      // RFC 3261 9.1 and 15: the caller cancels; a callee refuses instead (`declined`).
      close: ['cancelling', 'send CANCEL'],
      BYE: ['terminated', 'tell ended'],
      'BYE done': 'bug', lost: 'bug',
    },
    cancelling: {
      // RFC 3261 9.1: the 2xx crossed our CANCEL; it has its ACK already.
      answered: ['ending', 'send BYE'],
      refused: ['terminated', 'tell refusal', 'tell ended'],
      accepted: 'bug', declined: 'bug', acknowledged: 'bug', 'no ACK': 'bug', close: 'ignore', BYE: 'bug', 'BYE done': 'bug', lost: 'bug',
    },
    unacknowledged: {
      answered: 'bug', refused: 'bug', accepted: 'bug', declined: 'bug',
      acknowledged: ['confirmed', 'tell confirmed'],
      'no ACK': ['ending', 'send BYE'],
      // RFC 3261 15: the callee sends no BYE before the ACK has come or is given up.
      close: ['closing'],
      BYE: ['terminated', 'tell ended'],
      'BYE done': 'bug', lost: 'bug',
    },
    confirmed: {
      // What becomes of a re-INVITE leaves the session as it is (RFC 3261 14.1).
      answered: ['confirmed', 'tell answer'],
      refused: ['confirmed', 'tell refusal'],
      accepted: ['confirmed'],
      declined: ['confirmed'],
      acknowledged: ['confirmed', 'tell confirmed'],
      'no ACK': ['ending', 'send BYE'],
      close: ['ending', 'send BYE'],
      BYE: ['terminated', 'tell ended'],
      'BYE done': 'bug',
      // RFC 3261 12.2.1.2: 481, 408 or silence to a request within the dialog.
      lost: ['ending', 'send BYE'],
    },
    closing: {
      answered: 'bug', refused: 'bug', accepted: 'bug', declined: 'bug',
      acknowledged: ['ending', 'send BYE'],
      'no ACK': ['ending', 'send BYE'],
      close: 'ignore',
      BYE: ['terminated', 'tell ended'],
      'BYE done': 'bug', lost: 'bug',
    },
    ending: {
      answered: 'ignore', refused: 'ignore', accepted: 'ignore', declined: 'ignore', acknowledged: 'ignore', 'no ACK': 'ignore', close: 'ignore',
      // Both sides said BYE at once: each has its answer, ours is still to come.
      BYE: 'ignore',
      'BYE done': ['terminated', 'tell ended'],
      lost: 'ignore',
    },
    terminated: {
      answered: 'ignore', refused: 'ignore', accepted: 'ignore', declined: 'ignore', acknowledged: 'ignore', 'no ACK': 'ignore', close: 'ignore', BYE: 'ignore',
      'BYE done': 'ignore', lost: 'ignore',
    },
  },
}

export const INVITE_USAGE_MACHINES = [INVITE_SENT, INVITE_RECEIVED, INVITE_SESSION] as const
