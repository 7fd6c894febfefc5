/**
 * The four SIP transactions as tables: RFC 3261 section 17 with RFC 6026 (Accepted) and RFC 4320 (non-INVITE).
 * Says what happens; how is the runner's business. docs/transactions.md is printed from here.
 *
 * Server transactions have no transport-error column: a response that cannot be sent is lost like a datagram,
 * and the transaction ends by its timers (RFC 3261 section 17.2.4 as narrowed by RFC 6026 section 8.8).
 */
import { compile, type Compiled, type Machine } from './transaction-table.js'

const INVITE_CLIENT: Machine<
  'initial' | 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated',
  'request' | '1xx' | '2xx' | '300-699' | 'cancel' | 'timer A' | 'timer B' | 'timer D' | 'timer M' | 'transport error'
> = {
  name: 'INVITE client',
  source: 'RFC 3261 17.1.1, RFC 6026 7.2',
  states: ['initial', 'calling', 'proceeding', 'completed', 'accepted', 'terminated'],
  events: ['request', '1xx', '2xx', '300-699', 'cancel', 'timer A', 'timer B', 'timer D', 'timer M', 'transport error'],
  rows: {
    initial: {
      request: ['calling', 'send request', 'start A', 'start B'],
      '1xx': 'bug', '2xx': 'bug', '300-699': 'bug', cancel: 'bug',
      'timer A': 'bug', 'timer B': 'bug', 'timer D': 'bug', 'timer M': 'bug', 'transport error': 'bug',
    },
    calling: {
      request: 'bug',
      '1xx': ['proceeding', 'stop timers', 'tell'],
      '2xx': ['accepted', 'stop timers', 'start M', 'tell'],
      '300-699': ['completed', 'stop timers', 'send ACK', 'start D', 'tell'],
      // RFC 3261 9.1: no CANCEL before a provisional response; then the event is raised again.
      cancel: ['calling', 'remember CANCEL'],
      'timer A': ['calling', 'send request', 'double A'],
      'timer B': ['terminated', 'stop timers', 'tell'],
      'timer D': 'bug', 'timer M': 'bug',
      'transport error': ['terminated', 'stop timers', 'tell'],
    },
    proceeding: {
      request: 'bug',
      '1xx': ['proceeding', 'tell'],
      '2xx': ['accepted', 'stop timers', 'start M', 'tell'],
      '300-699': ['completed', 'stop timers', 'send ACK', 'start D', 'tell'],
      cancel: ['proceeding', 'send CANCEL', 'start B'],
      'timer A': 'bug',
      // RFC 3261 9.1: runs here only after a CANCEL that no final response followed.
      'timer B': ['terminated', 'stop timers', 'tell'],
      'timer D': 'bug', 'timer M': 'bug',
      'transport error': ['terminated', 'stop timers', 'tell'],
    },
    completed: {
      request: 'bug', '1xx': 'ignore', '2xx': 'ignore',
      '300-699': ['completed', 'send ACK'],
      cancel: 'ignore', 'timer A': 'bug', 'timer B': 'bug',
      'timer D': ['terminated', 'stop timers'],
      'timer M': 'bug',
      // The user has had its final response; a lost ACK is not a second outcome.
      'transport error': ['terminated', 'stop timers'],
    },
    accepted: {
      request: 'bug', '1xx': 'ignore',
      '2xx': ['accepted', 'tell'],
      '300-699': 'ignore', cancel: 'ignore', 'timer A': 'bug', 'timer B': 'bug', 'timer D': 'bug',
      'timer M': ['terminated', 'stop timers'],
      'transport error': 'ignore',
    },
    terminated: {
      request: 'bug', '1xx': 'bug', '2xx': 'bug', '300-699': 'bug', cancel: 'ignore',
      'timer A': 'bug', 'timer B': 'bug', 'timer D': 'bug', 'timer M': 'bug', 'transport error': 'bug',
    },
  },
}

const NON_INVITE_CLIENT: Machine<
  'initial' | 'trying' | 'proceeding' | 'completed' | 'terminated',
  'request' | '1xx' | '200-699' | 'timer E' | 'timer F' | 'timer K' | 'transport error'
> = {
  name: 'non-INVITE client',
  source: 'RFC 3261 17.1.2',
  states: ['initial', 'trying', 'proceeding', 'completed', 'terminated'],
  events: ['request', '1xx', '200-699', 'timer E', 'timer F', 'timer K', 'transport error'],
  rows: {
    initial: {
      request: ['trying', 'send request', 'start E', 'start F'],
      '1xx': 'bug', '200-699': 'bug', 'timer E': 'bug', 'timer F': 'bug', 'timer K': 'bug', 'transport error': 'bug',
    },
    trying: {
      request: 'bug',
      '1xx': ['proceeding', 'tell'],
      '200-699': ['completed', 'stop timers', 'release', 'start K', 'tell'],
      'timer E': ['trying', 'send request', 'double E'],
      'timer F': ['terminated', 'stop timers', 'tell'],
      'timer K': 'bug',
      'transport error': ['terminated', 'stop timers', 'tell'],
    },
    proceeding: {
      request: 'bug',
      '1xx': ['proceeding', 'tell'],
      '200-699': ['completed', 'stop timers', 'release', 'start K', 'tell'],
      'timer E': ['proceeding', 'send request', 'set E to T2'],
      'timer F': ['terminated', 'stop timers', 'tell'],
      'timer K': 'bug',
      'transport error': ['terminated', 'stop timers', 'tell'],
    },
    completed: {
      request: 'bug', '1xx': 'ignore', '200-699': 'ignore', 'timer E': 'bug', 'timer F': 'bug',
      'timer K': ['terminated', 'stop timers'],
      'transport error': 'ignore',
    },
    terminated: {
      request: 'bug', '1xx': 'bug', '200-699': 'bug', 'timer E': 'bug', 'timer F': 'bug', 'timer K': 'bug', 'transport error': 'bug',
    },
  },
}

const INVITE_SERVER: Machine<
  'initial' | 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated',
  'request' | 'ACK' | 'CANCEL' | 'unanswered' | 'respond 1xx' | 'respond 2xx' | 'respond 300-699' | 'timer G' | 'timer H' | 'timer I' | 'timer L'
> = {
  name: 'INVITE server',
  source: 'RFC 3261 17.2.1, RFC 6026 7.1',
  states: ['initial', 'proceeding', 'completed', 'confirmed', 'accepted', 'terminated'],
  events: ['request', 'ACK', 'CANCEL', 'unanswered', 'respond 1xx', 'respond 2xx', 'respond 300-699', 'timer G', 'timer H', 'timer I', 'timer L'],
  rows: {
    initial: {
      request: ['proceeding', 'tell'],
      ACK: 'bug', CANCEL: 'bug', unanswered: 'bug', 'respond 1xx': 'bug', 'respond 2xx': 'bug', 'respond 300-699': 'bug',
      'timer G': 'bug', 'timer H': 'bug', 'timer I': 'bug', 'timer L': 'bug',
    },
    proceeding: {
      request: ['proceeding', 'resend response'],
      ACK: 'ignore',
      CANCEL: ['proceeding', 'tell'],
      // RFC 3261 17.2.1: the user returned without answering, so the client must be quietened.
      unanswered: ['proceeding', 'send 100'],
      'respond 1xx': ['proceeding', 'send response'],
      'respond 2xx': ['accepted', 'send response', 'start L'],
      'respond 300-699': ['completed', 'send response', 'start G', 'start H'],
      'timer G': 'bug', 'timer H': 'bug', 'timer I': 'bug', 'timer L': 'bug',
    },
    completed: {
      request: ['completed', 'resend response'],
      ACK: ['confirmed', 'stop timers', 'start I'],
      CANCEL: 'ignore', unanswered: 'ignore', 'respond 1xx': 'ignore', 'respond 2xx': 'ignore', 'respond 300-699': 'ignore',
      'timer G': ['completed', 'resend response', 'double G'],
      'timer H': ['terminated', 'stop timers'],
      'timer I': 'bug', 'timer L': 'bug',
    },
    confirmed: {
      request: 'ignore', ACK: 'ignore', CANCEL: 'ignore', unanswered: 'ignore', 'respond 1xx': 'ignore', 'respond 2xx': 'ignore', 'respond 300-699': 'ignore',
      'timer G': 'bug', 'timer H': 'bug',
      'timer I': ['terminated', 'stop timers'],
      'timer L': 'bug',
    },
    accepted: {
      // RFC 6026 7.1: the user retransmits its 2xx; a repeated request asks for nothing.
      request: 'ignore',
      ACK: ['accepted', 'tell'],
      CANCEL: 'ignore', unanswered: 'ignore', 'respond 1xx': 'ignore',
      'respond 2xx': ['accepted', 'send response'],
      'respond 300-699': 'ignore', 'timer G': 'bug', 'timer H': 'bug', 'timer I': 'bug',
      'timer L': ['terminated', 'stop timers'],
    },
    terminated: {
      request: 'bug', ACK: 'bug', CANCEL: 'bug', unanswered: 'ignore', 'respond 1xx': 'ignore', 'respond 2xx': 'ignore', 'respond 300-699': 'ignore',
      'timer G': 'bug', 'timer H': 'bug', 'timer I': 'bug', 'timer L': 'bug',
    },
  },
}

const NON_INVITE_SERVER: Machine<
  'initial' | 'trying' | 'proceeding' | 'completed' | 'terminated',
  'request' | 'unanswered' | 'respond 1xx' | 'respond 408' | 'respond 200-699' | 'timer late 100' | 'timer expiry' | 'timer J'
> = {
  name: 'non-INVITE server',
  source: 'RFC 3261 17.2.2, RFC 4320 4',
  states: ['initial', 'trying', 'proceeding', 'completed', 'terminated'],
  events: ['request', 'unanswered', 'respond 1xx', 'respond 408', 'respond 200-699', 'timer late 100', 'timer expiry', 'timer J'],
  rows: {
    initial: {
      request: ['trying', 'tell'],
      unanswered: 'bug', 'respond 1xx': 'bug', 'respond 408': 'bug', 'respond 200-699': 'bug',
      'timer late 100': 'bug', 'timer expiry': 'bug', 'timer J': 'bug',
    },
    trying: {
      request: 'ignore',
      unanswered: ['trying', 'start late 100', 'start expiry'],
      // RFC 4320 4.1: a non-INVITE gets no provisional response but the 100 that this table sends itself.
      'respond 1xx': 'ignore',
      // RFC 4320 4.2: 408 is never sent for a non-INVITE; its client sees silence.
      'respond 408': 'ignore',
      'respond 200-699': ['completed', 'stop timers', 'send response', 'release', 'start J'],
      // RFC 4320 4.1: from now on a 100 stops the client from repeating itself every T2.
      'timer late 100': ['proceeding', 'send 100'],
      'timer expiry': 'bug',
      'timer J': 'bug',
    },
    proceeding: {
      request: ['proceeding', 'resend response'],
      unanswered: 'bug', 'respond 1xx': 'ignore', 'respond 408': 'ignore',
      'respond 200-699': ['completed', 'stop timers', 'send response', 'release', 'start J'],
      'timer late 100': 'bug',
      // RFC 4320 4.2: the client has given up; a response that comes later is dropped.
      'timer expiry': ['terminated', 'stop timers'],
      'timer J': 'bug',
    },
    completed: {
      request: ['completed', 'resend response'],
      unanswered: 'ignore', 'respond 1xx': 'ignore', 'respond 408': 'ignore', 'respond 200-699': 'ignore',
      'timer late 100': 'bug', 'timer expiry': 'bug',
      'timer J': ['terminated', 'stop timers'],
    },
    terminated: {
      request: 'bug', unanswered: 'ignore', 'respond 1xx': 'ignore', 'respond 408': 'ignore', 'respond 200-699': 'ignore',
      'timer late 100': 'bug', 'timer expiry': 'bug', 'timer J': 'bug',
    },
  },
}

/** The four machines as written, for the documentation and for tests that visit every cell. */
export const MACHINES = [INVITE_CLIENT, NON_INVITE_CLIENT, INVITE_SERVER, NON_INVITE_SERVER] as const

export const inviteClient: Compiled = compile(INVITE_CLIENT)
export const nonInviteClient: Compiled = compile(NON_INVITE_CLIENT)
export const inviteServer: Compiled = compile(INVITE_SERVER)
export const nonInviteServer: Compiled = compile(NON_INVITE_SERVER)
