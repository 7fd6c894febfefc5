/**
 * Subscriptions as tables, for both roles of RFC 6665: the notifier's subscription (section 4.2), its one NOTIFY at a time,
 * and the subscriber's subscription (section 4.1). Says what happens; notifier.ts and subscriber.ts say how. Printed into
 * docs/transactions.md.
 */
import type { Machine } from './transaction-table.js'

export type NotifierState = 'offered' | 'pending' | 'active' | 'last' | 'terminated'
export type NotifierEvent = 'accept' | 'accept pending' | 'accept fetch' | 'refuse' | 'authorize' | 'refresh' | 'unsubscribe' | 'expiry' | 'terminate' | 'NOTIFY fatal' | 'last NOTIFY done'
export type NotifierAction = 'send 200' | 'send refusal' | 'send 481' | 'set expiry' | 'stop expiry' | 'owe NOTIFY' | 'tell ended'

/** RFC 6665 section 4.2; `offered` is the figure's resp_wait, `last` a terminated subscription whose last NOTIFY is not through. */
export const NOTIFIER: Machine<NotifierState, NotifierEvent, NotifierAction> = {
  name: 'subscription (notifier)',
  source: 'RFC 6665 4.2',
  states: ['offered', 'pending', 'active', 'last', 'terminated'],
  events: ['accept', 'accept pending', 'accept fetch', 'refuse', 'authorize', 'refresh', 'unsubscribe', 'expiry', 'terminate', 'NOTIFY fatal', 'last NOTIFY done'],
  rows: {
    offered: {
      // RFC 6665 4.2.1.2: the 200 first, and a NOTIFY at once.
      accept: ['active', 'send 200', 'set expiry', 'owe NOTIFY'],
      'accept pending': ['pending', 'send 200', 'set expiry', 'owe NOTIFY'],
      // RFC 6665 4.4.3: Expires 0 asks for the state once.
      'accept fetch': ['last', 'send 200', 'owe NOTIFY'],
      refuse: ['terminated', 'send refusal'],
      authorize: 'bug', refresh: 'bug', unsubscribe: 'bug', expiry: 'bug', terminate: 'bug', 'NOTIFY fatal': 'bug', 'last NOTIFY done': 'bug',
    },
    pending: {
      accept: 'bug', 'accept pending': 'bug', 'accept fetch': 'bug', refuse: 'bug',
      authorize: ['active', 'owe NOTIFY'],
      refresh: ['pending', 'send 200', 'set expiry', 'owe NOTIFY'],
      unsubscribe: ['last', 'send 200', 'stop expiry', 'owe NOTIFY'],
      expiry: ['last', 'owe NOTIFY'],
      terminate: ['last', 'stop expiry', 'owe NOTIFY'],
      'NOTIFY fatal': ['terminated', 'stop expiry', 'tell ended'],
      'last NOTIFY done': 'bug',
    },
    active: {
      accept: 'bug', 'accept pending': 'bug', 'accept fetch': 'bug', refuse: 'bug', authorize: 'ignore',
      refresh: ['active', 'send 200', 'set expiry', 'owe NOTIFY'],
      unsubscribe: ['last', 'send 200', 'stop expiry', 'owe NOTIFY'],
      // RFC 6665 4.2.2: a subscription that runs out ends with a NOTIFY that says so.
      expiry: ['last', 'owe NOTIFY'],
      terminate: ['last', 'stop expiry', 'owe NOTIFY'],
      // RFC 6665 4.2.2 and RFC 5057 5: the answer says that there is no such subscription, or nobody.
      'NOTIFY fatal': ['terminated', 'stop expiry', 'tell ended'],
      'last NOTIFY done': 'bug',
    },
    last: {
      accept: 'bug', 'accept pending': 'bug', 'accept fetch': 'bug', refuse: 'bug', authorize: 'ignore',
      refresh: ['last', 'send 481'],
      unsubscribe: ['last', 'send 481'],
      expiry: 'bug', terminate: 'ignore',
      'NOTIFY fatal': ['terminated', 'tell ended'],
      'last NOTIFY done': ['terminated', 'tell ended'],
    },
    terminated: {
      accept: 'ignore', 'accept pending': 'ignore', 'accept fetch': 'ignore', refuse: 'ignore', authorize: 'ignore', refresh: 'bug', unsubscribe: 'bug', expiry: 'bug',
      terminate: 'ignore', 'NOTIFY fatal': 'bug', 'last NOTIFY done': 'bug',
    },
  },
}

export type NotifyState = 'idle' | 'under way' | 'owing' | 'starved'
export type NotifyEvent = 'owe' | 'owe without number' | 'content' | 'done' | 'done without number' | 'numbers'
export type NotifyAction = 'send state' | 'send content' | 'ask for numbers' | 'tell idle'

/** RFC 6665 section 4.2.2: no second NOTIFY before the first is answered. `owing`: the state must be told again after it; `starved`: no stored CSeq number is left for it. */
export const NOTIFY_CHANNEL: Machine<NotifyState, NotifyEvent, NotifyAction> = {
  name: 'NOTIFY, one at a time (notifier)',
  source: 'RFC 6665 4.2.2',
  states: ['idle', 'under way', 'owing', 'starved'],
  events: ['owe', 'owe without number', 'content', 'done', 'done without number', 'numbers'],
  rows: {
    idle: {
      owe: ['under way', 'send state'],
      'owe without number': ['starved', 'ask for numbers'],
      content: ['under way', 'send content'],
      done: 'bug', 'done without number': 'bug', numbers: 'ignore',
    },
    'under way': {
      owe: ['owing'], 'owe without number': ['owing'], content: 'bug',
      done: ['idle', 'tell idle'],
      'done without number': ['idle', 'tell idle'],
      numbers: 'ignore',
    },
    owing: {
      owe: 'ignore', 'owe without number': 'ignore', content: 'bug',
      done: ['under way', 'send state'],
      'done without number': ['starved', 'ask for numbers'],
      numbers: 'ignore',
    },
    starved: {
      owe: 'ignore', 'owe without number': 'ignore', content: 'bug', done: 'bug', 'done without number': 'bug',
      numbers: ['under way', 'send state'],
    },
  },
}

export type SubscriberState = 'notify_wait' | 'unwanted' | 'pending' | 'active' | 'leaving' | 'terminated'
export type SubscriberEvent = '2xx' | 'kept' | 'refused' | 'NOTIFY pending' | 'NOTIFY active' | 'NOTIFY terminated' | 'timer N' | 'timer refresh' | 'timer expiry' | 'unsubscribe'
export type SubscriberAction = 'stop timers' | 'start N' | 'set expiry' | 'send SUBSCRIBE' | 'send last SUBSCRIBE' | 'tell NOTIFY' | 'tell refused' | 'tell ended'

/** RFC 6665 section 4.1.2; `unwanted` is notify_wait after the owner changed its mind, `leaving` waits for the last NOTIFY. */
export const SUBSCRIBER: Machine<SubscriberState, SubscriberEvent, SubscriberAction> = {
  name: 'subscription (subscriber)',
  source: 'RFC 6665 4.1.2',
  states: ['notify_wait', 'unwanted', 'pending', 'active', 'leaving', 'terminated'],
  events: ['2xx', 'kept', 'refused', 'NOTIFY pending', 'NOTIFY active', 'NOTIFY terminated', 'timer N', 'timer refresh', 'timer expiry', 'unsubscribe'],
  rows: {
    notify_wait: {
      // RFC 6665 4.4.1: only the NOTIFY makes the dialog, before or after the 2xx.
      '2xx': 'ignore',
      kept: ['terminated', 'stop timers', 'tell ended'],
      refused: ['terminated', 'stop timers', 'tell ended'],
      'NOTIFY pending': ['pending', 'stop timers', 'set expiry', 'tell NOTIFY'],
      'NOTIFY active': ['active', 'stop timers', 'set expiry', 'tell NOTIFY'],
      'NOTIFY terminated': ['terminated', 'stop timers', 'tell NOTIFY', 'tell ended'],
      // RFC 6665 4.1.2.4.
      'timer N': ['terminated', 'stop timers', 'tell ended'],
      'timer refresh': 'bug', 'timer expiry': 'bug',
      unsubscribe: ['unwanted'],
    },
    unwanted: {
      '2xx': 'ignore',
      kept: ['terminated', 'stop timers', 'tell ended'],
      refused: ['terminated', 'stop timers', 'tell ended'],
      'NOTIFY pending': ['leaving', 'stop timers', 'start N', 'send last SUBSCRIBE', 'tell NOTIFY'],
      'NOTIFY active': ['leaving', 'stop timers', 'start N', 'send last SUBSCRIBE', 'tell NOTIFY'],
      'NOTIFY terminated': ['terminated', 'stop timers', 'tell NOTIFY', 'tell ended'],
      'timer N': ['terminated', 'stop timers', 'tell ended'],
      'timer refresh': 'bug', 'timer expiry': 'bug', unsubscribe: 'ignore',
    },
    pending: {
      '2xx': ['pending', 'set expiry'],
      // RFC 6665 4.1.2.2: the subscription stands until it runs out.
      kept: ['pending', 'tell refused'],
      refused: ['terminated', 'stop timers', 'tell ended'],
      'NOTIFY pending': ['pending', 'set expiry', 'tell NOTIFY'],
      'NOTIFY active': ['active', 'set expiry', 'tell NOTIFY'],
      'NOTIFY terminated': ['terminated', 'stop timers', 'tell NOTIFY', 'tell ended'],
      'timer N': 'bug',
      'timer refresh': ['pending', 'send SUBSCRIBE'],
      'timer expiry': ['terminated', 'stop timers', 'tell ended'],
      unsubscribe: ['leaving', 'stop timers', 'start N', 'send last SUBSCRIBE'],
    },
    active: {
      '2xx': ['active', 'set expiry'],
      kept: ['active', 'tell refused'],
      refused: ['terminated', 'stop timers', 'tell ended'],
      'NOTIFY pending': ['pending', 'set expiry', 'tell NOTIFY'],
      'NOTIFY active': ['active', 'set expiry', 'tell NOTIFY'],
      'NOTIFY terminated': ['terminated', 'stop timers', 'tell NOTIFY', 'tell ended'],
      'timer N': 'bug',
      'timer refresh': ['active', 'send SUBSCRIBE'],
      'timer expiry': ['terminated', 'stop timers', 'tell ended'],
      unsubscribe: ['leaving', 'stop timers', 'start N', 'send last SUBSCRIBE'],
    },
    leaving: {
      '2xx': 'ignore',
      kept: ['terminated', 'stop timers', 'tell ended'],
      refused: ['terminated', 'stop timers', 'tell ended'],
      'NOTIFY pending': ['leaving', 'tell NOTIFY'],
      'NOTIFY active': ['leaving', 'tell NOTIFY'],
      'NOTIFY terminated': ['terminated', 'stop timers', 'tell NOTIFY', 'tell ended'],
      'timer N': ['terminated', 'stop timers', 'tell ended'],
      'timer refresh': 'bug', 'timer expiry': 'bug', unsubscribe: 'ignore',
    },
    terminated: {
      '2xx': 'ignore', kept: 'ignore', refused: 'ignore', 'NOTIFY pending': 'bug', 'NOTIFY active': 'bug', 'NOTIFY terminated': 'bug',
      'timer N': 'bug', 'timer refresh': 'bug', 'timer expiry': 'bug', unsubscribe: 'ignore',
    },
  },
}

export const SUBSCRIPTION_MACHINES = [NOTIFIER, NOTIFY_CHANNEL, SUBSCRIBER] as const

/**
 * Does this answer to a NOTIFY, or to a SUBSCRIBE that refreshes, end the subscription (RFC 6665 sections 4.2.2 and
 * 4.1.2.2)? Any other refusal (486, 500, 503 ...) leaves it standing.
 */
export function endsSubscription(status: number): boolean {
  return ENDING.has(status) || (status >= 480 && status <= 485)
}

const ENDING: ReadonlySet<number> = new Set([404, 405, 410, 416, 489, 501, 604])
