/** Event, Subscription-State, Refer-To, Refer-Sub and Replaces: RFC 6665 section 8.4, RFC 3515, 4488, 3891 and the oma-push draft. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventText, parseEvent, parseSubscriptionState, resubscribes, sameEvent, subscriptionStateText, TERMINATION_REASONS } from '../../core/sip/event.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { parseReferTo, parseReplaces, pushMoveOf, pushMoveText, referToText, referredHeader, replacesText, wantsReferSubscription } from '../../core/sip/refer.js'

describe('Event', () => {
  it.each([
    ['oma-push;event-app-id="mms.ua,syncml.dm";dev-cap="Vendor X1 2.0"', { package: 'oma-push', applications: ['mms.ua', 'syncml.dm'], deviceCapability: 'Vendor X1 2.0' }],
    ['push;event-app-id="app1, app2"', { package: 'oma-push', applications: ['app1', 'app2'] }],
    [' oma-push ; event-app-id = "mms.ua" ; profile-type=oma-app;unknown', { package: 'oma-push', applications: ['mms.ua'] }],
    ['reg', { package: 'reg' }], ['presence.winfo;id=7', { package: 'presence.winfo', id: '7' }], ['oma-push;event-app-id=mms.ua', { package: 'oma-push', applications: ['mms.ua'] }],
  ])('%s is read', (text, event) => expect(parseEvent(text)).toEqual(event))

  it.each(['', ';id=1', 'a b', 'oma-push;event-app-id="a b"', 'oma-push;event-app-id=""', 'oma-push;event-app-id="a,,b"', 'reg,reg', `oma-push;event-app-id="${'a,'.repeat(64)}a"`])('%j is not', (text) => {
    expect(parseEvent(text)).toBeUndefined()
  })

  it('is written without spaces after commas, always as oma-push', () => {
    expect(eventText(parseEvent('push;event-app-id="app1, app2"')!)).toBe('oma-push;event-app-id="app1,app2"')
  })

  it('is written so that it reads the same, or not at all', () => {
    const application = fc.stringMatching(/^[!#-+\--~]+$/)
    fc.assert(fc.property(fc.array(application, { minLength: 1, maxLength: 5 }), fc.string({ unit: 'binary-ascii' }), (applications, deviceCapability) => {
      const text = eventText({ package: 'oma-push', applications, deviceCapability })
      if (/[\r\n\0]/.test(deviceCapability)) expect(text).toBeUndefined()
      else expect(parseEvent(text!)).toEqual({ package: 'oma-push', applications, deviceCapability })
    }))
    expect([eventText({ package: 'a b' }), eventText({ package: 'a', id: 'x;y' }), eventText({ package: 'a', applications: [] })]).toEqual([undefined, undefined, undefined])
  })

  it('is the same subscription by package and id only', () => {
    const [one, other, third] = ['oma-push;event-app-id="a"', 'oma-push;event-app-id="b"', 'oma-push;id=1'].map((text) => parseEvent(text)!)
    expect([sameEvent(one!, other!), sameEvent(one!, third!)]).toEqual([true, false])
  })
})

describe('Subscription-State', () => {
  it.each([
    ['active;expires=86399', { state: 'active', expires: 86_399 }], ['terminated;reason=probation;retry-after=30', { state: 'terminated', reason: 'probation', retryAfter: 30 }],
    ['Terminated ; Reason=TIMEOUT', { state: 'terminated', reason: 'timeout' }], ['pending', { state: 'pending' }], ['terminated;reason=because', { state: 'terminated' }], ['waiting;expires=5', { state: 'active', expires: 5 }],
  ])('%s is read', (text, state) => expect(parseSubscriptionState(text)).toEqual(state))
  it('that is none is not', () => expect([parseSubscriptionState(''), parseSubscriptionState('a b')]).toEqual([undefined, undefined]))
  it('is written so that it reads the same', () => {
    for (const reason of TERMINATION_REASONS) expect(parseSubscriptionState(subscriptionStateText({ state: 'terminated', reason, retryAfter: 7 }))).toEqual({ state: 'terminated', reason, retryAfter: 7 })
  })
  it('says whether and when to subscribe again (RFC 6665 4.1.3)', () => {
    expect(TERMINATION_REASONS.map((reason) => resubscribes({ state: 'terminated', reason, retryAfter: 9 })))
      .toEqual([{ afterSeconds: 0 }, { afterSeconds: 9 }, 'never', { afterSeconds: 0 }, { afterSeconds: 9 }, 'never', 'never'])
    expect(resubscribes({ state: 'terminated' })).toEqual({ afterSeconds: 0 })
  })
})

describe('Refer-To', () => {
  it('holds method and escaped headers', () => {
    const referTo = parseReferTo('Push <sip:as2@example.net:5070;transport=tcp;method=SUBSCRIBE?Event=oma-push%3Bevent-app-id%3D%22mms.ua%22&Accept-Contact=*%3B%2Bg.oma>')!
    expect(referTo).toEqual({ uri: 'sip:as2@example.net:5070;transport=tcp', method: 'SUBSCRIBE', headers: [['Event', 'oma-push;event-app-id="mms.ua"'], ['Accept-Contact', '*;+g.oma']] })
    expect(referredHeader(referTo, 'EVENT')).toBe('oma-push;event-app-id="mms.ua"')
    expect(parseReferTo('<sip:a@b>')).toEqual({ uri: 'sip:a@b', method: 'INVITE', headers: [] })
  })
  it.each(['', 'nonsense', '<sip:a@b>, <sip:c@d>', '<http://x/>', '<sip:a@b?Subject=x%0D%0AVia:%20y>', '<sip:a@b?=x>', `<sip:a@b?${'A=1&'.repeat(32)}A=1>`])('%j is refused', (text) => expect(parseReferTo(text)).toBeUndefined())

  it('is written so that it reads the same, with no way out of its line', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary-ascii', maxLength: 40 }).filter((value) => !/[\r\n\0]/.test(value)), (value) => {
      const referTo = { uri: composed('sip:as2@example.net;lr'), method: 'SUBSCRIBE', headers: [['Subject', composed(value)]] as const }
      const text = referToText(referTo)!
      expect(text).not.toMatch(/[\r\n]/)
      expect(parseReferTo(text)).toEqual(referTo)
    }))
  })
})

describe('a REFER that moves a push subscription', () => {
  const refer = (line: string | undefined, sub?: string): SipMessage => {
    const request = new SipMessage({ method: 'REFER', requestUri: 'sip:a@b' })
    if (line !== undefined) request.append(Header.ReferTo, composed(line))
    return sub === undefined ? request : request.append(Header.ReferSub, composed(sub))
  }
  const replaces = { callId: 'sub-5e1f@198.51.100.11', toTag: 'u5', fromTag: 'p5', earlyOnly: false }

  it('names the server, the event and what is replaced', () => {
    const event = { package: 'oma-push', applications: ['mms.ua', 'syncml.dm'] }
    const move = pushMoveOf(refer(pushMoveText('sip:as2@example.net', event, replaces)!))
    expect(move).toMatchObject({ event, replaces, referTo: { uri: 'sip:as2@example.net', method: 'SUBSCRIBE' } })
  })
  it('is 489 when it asks for anything else, 400 when it cannot be read', () => {
    expect([refer('<sip:a@b>'), refer('<sip:a@b;method=SUBSCRIBE>'), refer('<sip:a@b;method=SUBSCRIBE?Event=reg>'), refer('<sip:a@b;method=INVITE?Event=oma-push>')].map(pushMoveOf)).toEqual([489, 489, 489, 489])
    expect([refer(undefined), refer('junk'), refer('<sip:a@b;method=SUBSCRIBE?Event=oma-push&Replaces=x>')].map(pushMoveOf)).toEqual([400, 400, 400])
  })
  it('wants no implicit subscription where Refer-Sub says false', () => {
    expect(['false', 'FALSE ;x', 'true', 'falsehood'].map((text) => wantsReferSubscription(refer('<sip:a@b>', text)))).toEqual([false, false, true, true])
    expect(wantsReferSubscription(refer('<sip:a@b>'))).toBe(true)
  })
  it('reads Replaces as it is written', () => {
    expect([parseReplaces(replacesText(replaces)), parseReplaces(replacesText({ ...replaces, earlyOnly: true }))]).toEqual([replaces, { ...replaces, earlyOnly: true }])
    expect(['x', ';to-tag=1;from-tag=2', 'x;to-tag=1', 'x y;to-tag=1;from-tag=2'].map(parseReplaces)).toEqual([undefined, undefined, undefined, undefined])
  })
})
