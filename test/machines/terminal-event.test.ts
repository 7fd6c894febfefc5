/** Event mode at a terminal: that it subscribes, refreshes, moves and ends, what it makes of every NOTIFY, and that nothing stays behind. */
import { describe, expect, it } from 'vitest'
import { referenceBody, referenceType } from '../../core/ota/indirection.js'
import { parseEvent } from '../../core/sip/event.js'
import { Header, type HeaderId } from '../../core/sip/header-names.js'
import { type HeaderText, composed } from '../../core/sip/header-text.js'
import { pushMoveText } from '../../core/sip/refer.js'
import type { TerminationReason } from '../../core/sip/event.js'
import { TerminalWire } from './terminal-wire.js'

const SECOND = 1_000_000

function subscribed(population: (ConstructorParameters<typeof TerminalWire>[0] & object)['population'] = {}): TerminalWire {
  const wire = new TerminalWire({ population: { subscribers: 1, events: { share: 1 }, ...population } })
  wire.register()
  return wire
}

interface Content {
  readonly type?: string
  readonly body?: string
  readonly applications?: readonly string[]
  readonly pushId?: string
}

function notify(wire: TerminalWire, { type = 'text/vnd.wap.si', body = 'content', applications = ['push.sia'], pushId = 'a@pi' }: Content = {}): void {
  wire.act((gateway, now) => {
    const headers: [HeaderId, HeaderText][] = [[Header.XPushId, composed(pushId)]]
    gateway.notifier.notify(now, gateway.subscriptions.at(-1)!, { event: { package: 'oma-push', applications }, headers, contentType: composed(type), body: Buffer.from(body) }, 'content')
  })
}

function terminate(wire: TerminalWire, reason: TerminationReason, retryAfterSeconds?: number): void {
  wire.act((gateway, now) => gateway.notifier.terminate(now, gateway.subscriptions.at(-1)!, retryAfterSeconds === undefined ? { reason } : { reason, retryAfterSeconds }))
}

const received = (wire: TerminalWire): (readonly string[])[] => wire.journal.filter(({ event }) => event === 'received').map(({ pushId, details }) => [pushId, ...details.slice(2)])

function expectNothingLeft(wire: TerminalWire): void {
  wire.pass(100 * SECOND)
  expect(wire.fleet.counters).toMatchObject({ subscriptions: 0, transactions: 0, fetches: 0 })
  expect(wire.gateway.notifier.size).toBe(0)
}

describe('a subscription', () => {
  it('is asked for once registered, as the draft says (11.1): applications, GRUU as Contact, Allow, expiry', () => {
    const wire = subscribed()
    const { device } = wire.terminal()
    const [subscribe] = wire.gateway.subscribes
    expect(wire.gateway.subscribes).toHaveLength(1)
    expect(subscribe!.requestUri).toBe('sip:push@home1.example')
    expect(parseEvent(subscribe!.get(Header.Event)!)).toMatchObject({ package: 'oma-push', applications: device.applications, deviceCapability: 'pushbench-terminal' })
    expect(subscribe!.get(Header.Contact)).toContain(`<${wire.population.publicGruu(0, 0)}>;+g.oma.pusheventapp=`)
    expect(subscribe!.get(Header.PPreferredIdentity)).toBe('<sip:user000000@home1.example>')
    expect(subscribe!.get(Header.Route)).toBe('<sip:orig@scscf1.home1.example;lr>')
    expect([subscribe!.get(Header.Expires), subscribe!.get(Header.Allow)]).toEqual(['86400', 'MESSAGE, OPTIONS, INVITE, ACK, CANCEL, BYE, NOTIFY, REFER'])
    expect(wire.fleet.counters).toMatchObject({ subscriptions: 1, subscribesSent: 1, notifies: 1 })
  })

  it('is held by the share of the devices that can, and by no other', () => {
    const wire = subscribed({ subscribers: 200, events: { share: 0.25 }, capabilities: [{ bindings: ['event'], weight: 1 }, { bindings: ['session'], weight: 1 }] })
    wire.pass(SECOND)
    const share = wire.gateway.subscribes.length / 200
    expect(share).toBeGreaterThan(0.06)
    expect(share).toBeLessThan(0.2)
    expect(wire.fleet.counters.subscriptions).toBe(wire.gateway.subscribes.length)
  })

  it('is refreshed in its dialog before it runs out, and again after', () => {
    const wire = subscribed({ events: { share: 1, expirySeconds: 1_000 } })
    wire.pass(2_200 * SECOND)
    expect(wire.fleet.counters.subscribesSent).toBeGreaterThanOrEqual(4)
    expect(wire.gateway.notifier.size).toBe(1)
    expect(wire.fleet.counters.subscriptions).toBe(1)
  })

  it('ends by Expires 0 before the terminal deregisters, the last NOTIFY answered; without a word when it vanishes', () => {
    const wire = subscribed()
    wire.tellFleet({ type: 'switch', subscriber: 0, to: 'off' })
    expect(wire.gateway.subscriptionEnds).toEqual(['unsubscribed'])
    expectNothingLeft(wire)
    const vanished = subscribed()
    vanished.tellFleet({ type: 'switch', subscriber: 0, to: 'vanished' })
    expect(vanished.fleet.counters.subscriptions).toBe(0)
    notify(vanished)
    vanished.pass(40 * SECOND)
    // No S-CSCF is here to lead the GRUU to the device, which is how it would be known as gone.
    expect(vanished.gateway.notified).toEqual([404])
    expectNothingLeft(vanished)
  })

  it.each<[TerminationReason, number | undefined, number]>([['deactivated', undefined, 5], ['timeout', undefined, 5], ['probation', 30, 30], ['giveup', 40, 40]])(
    'that is terminated as %s is made anew after its time (RFC 6665 4.1.3), the lockout kept', (reason, retryAfter, seconds) => {
      const wire = subscribed()
      terminate(wire, reason, retryAfter)
      expect(wire.fleet.counters.subscriptions).toBe(0)
      wire.pass((seconds - 1) * SECOND)
      expect(wire.gateway.subscribes).toHaveLength(1)
      wire.pass(2 * SECOND)
      expect(wire.gateway.subscribes).toHaveLength(2)
      expect(wire.gateway.subscribes[1]!.get(Header.CallId)).not.toBe(wire.gateway.subscribes[0]!.get(Header.CallId))
    })

  it.each<TerminationReason>(['rejected', 'noresource'])('that is terminated as %s is not asked for again until the terminal comes back', (reason) => {
    const wire = subscribed()
    terminate(wire, reason)
    wire.pass(1_000 * SECOND)
    expect(wire.gateway.subscribes).toHaveLength(1)
    wire.tellFleet({ type: 'switch', subscriber: 0, to: 'vanished' })
    wire.tellFleet({ type: 'switch', subscriber: 0, to: 'on' })
    expect(wire.gateway.subscribes).toHaveLength(2)
  })

  it('that is refused for good is not asked for again, one refused for now is', () => {
    for (const [status, count] of [[403, 1], [489, 1], [503, 2]] as const) {
      const wire = new TerminalWire({ population: { subscribers: 1, events: { share: 1 } } })
      wire.gateway.insteadOfSubscription = status
      wire.register()
      wire.pass(90 * SECOND)
      expect(wire.gateway.subscribes).toHaveLength(count)
      expect(wire.fleet.counters.subscriptions).toBe(0)
    }
  })

  it('that is refused for a time is asked for again after that time', () => {
    const wire = new TerminalWire({ population: { subscribers: 1, events: { share: 1 } } })
    Object.assign(wire.gateway, { insteadOfSubscription: 503, retryAfterSeconds: 120 })
    wire.register()
    wire.pass(110 * SECOND)
    expect(wire.gateway.subscribes).toHaveLength(1)
    wire.pass(20 * SECOND)
    expect(wire.gateway.subscribes).toHaveLength(2)
  })

  it('that the server knows nothing of any more is made anew, once the lockout is over', () => {
    const wire = subscribed({ events: { share: 1, expirySeconds: 1_000 } })
    wire.act((gateway) => gateway.notifier.forget(gateway.subscriptions[0]!))
    wire.gateway.insteadOfSubscription = 481
    for (let passed = 0; wire.gateway.subscribes.length < 2 && passed < 1_000; passed++) wire.pass(SECOND)
    wire.gateway.insteadOfSubscription = undefined
    wire.pass(3 * SECOND)
    expect([wire.gateway.subscribes.length, wire.fleet.counters.subscriptions]).toEqual([2, 0])
    wire.pass(4 * SECOND)
    expect([wire.gateway.subscribes.length, wire.fleet.counters.subscriptions, wire.gateway.notifier.size]).toEqual([3, 1, 1])
  })

  it('that is to be asked for again is not by a terminal that went off meanwhile, and once by one that came back', () => {
    const wire = new TerminalWire({ population: { subscribers: 1, events: { share: 1 } } })
    wire.gateway.insteadOfSubscription = 503
    wire.register()
    wire.gateway.insteadOfSubscription = undefined
    wire.tellFleet({ type: 'switch', subscriber: 0, to: 'vanished' })
    wire.tellFleet({ type: 'switch', subscriber: 0, to: 'on' })
    wire.pass(90 * SECOND)
    expect([wire.gateway.subscribes.length, wire.fleet.counters.subscriptions]).toEqual([2, 1])
  })

  it('is made anew over the new flow when the old one is lost', () => {
    const wire = subscribed()
    wire.cut()
    expect(wire.fleet.counters.subscriptions).toBe(0)
    wire.pass(40 * SECOND)
    expect(wire.gateway.subscribes).toHaveLength(2)
    expect(wire.fleet.counters.subscriptions).toBe(1)
  })
})

describe('a NOTIFY', () => {
  it('brings content, answered 200 and noted; a second copy as such; in its dialog one after the other', () => {
    const wire = subscribed()
    for (const pushId of ['a@pi', 'b@pi', 'a@pi']) notify(wire, { pushId })
    expect(wire.gateway.notified).toEqual([200, 200, 200])
    expect(received(wire)).toEqual([['a@pi', '200', 'first', 'event'], ['b@pi', '200', 'first', 'event'], ['a@pi', '200', 'repeat', 'event']])
  })

  it('brings a reference, which is fetched', () => {
    const wire = subscribed()
    const reference = { url: 'http://192.0.2.6:8080/c/1', expiresAt: 1_800_000_600_000, size: 3, sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d', host: 'ppg.example' }
    notify(wire, { type: referenceType(reference), body: referenceBody(reference, 'text/vnd.wap.si', []).toString() })
    expect(wire.gateway.notified).toEqual([200])
    wire.tellFleet({ type: 'fetched', ticket: 1, status: 200, bytes: 3, sha1: reference.sha1 })
    expect(received(wire)).toEqual([['a@pi', '200', 'first', 'indirection']])
  })

  it.each([['refuses-type', 415], ['refuses-size', 413]] as const)('with content is refused by one that %s, with %d', (how, status) => {
    const wire = subscribed({ misbehaving: { [how]: 1 } })
    notify(wire, {})
    expect([wire.gateway.notified, received(wire)]).toEqual([[status], [['a@pi', String(status), 'first', 'event']]])
  })

  it('of a type the device does not take gets 415, for another or for two applications 489', () => {
    const wire = subscribed()
    notify(wire, { type: 'image/png' })
    expect(wire.gateway.notified).toEqual([415])
    for (const applications of [['loc.ua'], ['push.sia', 'mms.ua']]) {
      const each = subscribed()
      notify(each, { applications })
      expect(each.gateway.notified).toEqual([489])
    }
    expect(received(wire)).toEqual([['a@pi', '415', 'first', 'event']])
  })

  it('to a refusing device gets its status, to one that lies about its support 489', () => {
    const refusing = subscribed({ shares: { refusing: 1 }, refusal: { status: 603 } })
    notify(refusing)
    expect(refusing.gateway.notified).toEqual([603])
    const lying = subscribed({ misbehaving: { 'lies-about-support': 1 } })
    expect(lying.gateway.subscriptionEnds).toEqual(['gone'])
    expectNothingLeft(lying)
  })
})

describe('a REFER (draft 11.4)', () => {
  function refer(wire: TerminalWire, referTo: string, headers: readonly (readonly [HeaderId, string])[] = [[Header.PAssertedIdentity, '<sip:push@home1.example>']]): void {
    const { contact, aor } = [...wire.registrar.bindings.values()][0]!
    wire.act((gateway, now) => gateway.send(now, gateway.request('REFER', contact, aor, [[Header.ReferTo, referTo], [Header.ReferSub, 'false'], ...headers])))
  }
  const statuses = (wire: TerminalWire): unknown[] => wire.gateway.answers.map((answer) => (typeof answer === 'string' ? answer : answer.status))
  const event = { package: 'oma-push', applications: ['push.sia'] }

  it('is answered 202 and obeyed by a SUBSCRIBE to the other server; the old subscription is given up when it is replaced', () => {
    const wire = subscribed()
    const { dialog } = wire.gateway.subscriptions[0]!
    refer(wire, pushMoveText('sip:push2@home1.example', event, { callId: dialog.callId, toTag: dialog.remoteTag, fromTag: dialog.localTag, earlyOnly: false })!)
    expect(statuses(wire)).toEqual([202])
    expect((wire.gateway.answers[0] as { get(id: HeaderId): string }).get(Header.ReferSub)).toBe('false')
    expect(wire.gateway.subscribes[1]).toMatchObject({ requestUri: 'sip:push2@home1.example' })
    expect(wire.gateway.subscriptionEnds).toEqual(['unsubscribed'])
    expect(wire.fleet.counters.subscriptions).toBe(1)
    notify(wire)
    expect(received(wire)).toHaveLength(1)
  })

  it('that names a dialog which is none of the terminal\'s adds a subscription and gives none up', () => {
    const wire = subscribed()
    const { dialog } = wire.gateway.subscriptions[0]!
    refer(wire, pushMoveText('sip:push2@home1.example', event, { callId: dialog.callId, toTag: 'another', fromTag: dialog.localTag, earlyOnly: false })!)
    expect([statuses(wire), wire.gateway.subscriptionEnds, wire.fleet.counters.subscriptions]).toEqual([[202], [], 2])
  })

  it('for anything but a SUBSCRIBE to oma-push gets 489, malformed 400, from nobody 403, one too many 486', () => {
    const wire = subscribed()
    refer(wire, '<sip:evil@example.com;method=INVITE>')
    refer(wire, '<sip:push2@home1.example;method=SUBSCRIBE?Event=presence>')
    refer(wire, 'nowhere')
    refer(wire, pushMoveText('sip:push2@home1.example', event, undefined)!, [])
    expect(statuses(wire)).toEqual([489, 489, 400, 403])
    for (let each = 0; each < 4; each++) refer(wire, pushMoveText(`sip:push${each}@home1.example`, event, undefined)!)
    expect(statuses(wire).slice(4)).toEqual([202, 202, 202, 486])
    wire.tellFleet({ type: 'switch', subscriber: 0, to: 'off' })
    expectNothingLeft(wire)
  })
})
