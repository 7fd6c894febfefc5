/** Dialogs as both sides make and use them: RFC 3261 section 12, kept in a store and taken out again. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BugError } from '../../core/kit/assert.js'
import { Dialog, ROUTES_MAX, SEQUENCE_BLOCK, dialogOfNotify, dialogOfRequest, dialogOfResponse, dialogResponse } from '../../core/sip/dialog.js'
import { Dialogs } from '../../core/sip/dialogs.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { requestOf } from './sip-peers.js'

const CONTACT = composed('<sip:bob@192.0.2.7:5062;transport=tcp>')
const ROUTES = ['<sip:p1.example.net;lr>', '<sip:p2.example.net;lr;x=1>;y=2']

/** An INVITE as its callee gets it, through two proxies. */
function invite(method = 'INVITE'): SipMessage {
  const request = requestOf(method)
  if (!request.has(Header.Contact)) request.append(Header.Contact, composed('<sip:alice@127.0.0.1:5061>'))
  return request.append(Header.RecordRoute, composed(`${ROUTES[1]}, ${ROUTES[0]}`))
}

function answer(request: SipMessage, tag = 'b1'): SipMessage {
  return dialogResponse(request, 200, tag, CONTACT)
}

/** Both ends of one dialog. */
function ends(): { caller: Dialog; callee: Dialog } {
  const request = invite()
  return { caller: dialogOfResponse(request, answer(request), 'tcp')!, callee: dialogOfRequest(request, 'b1', 'tcp')! }
}

describe('the two ends of a dialog', () => {
  it('mirror each other: ids, targets, and the route set turned round', () => {
    const { caller, callee } = ends()
    expect(caller.data()).toEqual({
      callId: 'call-1', localTag: 'a1', remoteTag: 'b1', local: '<sip:alice@example.net>;tag=a1', remote: '<sip:bob@example.net>;tag=b1', remoteTarget: 'sip:bob@192.0.2.7:5062;transport=tcp',
      routes: ROUTES, localSequence: 1, remoteSequence: -1, isSecure: false,
    })
    expect(callee.data()).toEqual({
      callId: 'call-1', localTag: 'b1', remoteTag: 'a1', local: '<sip:bob@example.net>;tag=b1', remote: '<sip:alice@example.net>;tag=a1', remoteTarget: 'sip:alice@127.0.0.1:5061',
      routes: [...ROUTES].reverse(), localSequence: 0, remoteSequence: 1, isSecure: false,
    })
  })

  it('send requests the other end knows as its own', () => {
    const { caller, callee } = ends()
    const dialogs = new Dialogs<string>(1)
    dialogs.add(callee, 'callee')
    const bye = caller.request('BYE')
    expect([bye.requestUri, bye.getAll(Header.Route), bye.get(Header.CSeq), bye.get(Header.From), bye.get(Header.To)])
      .toEqual(['sip:bob@192.0.2.7:5062;transport=tcp', ROUTES, '2 BYE', '<sip:alice@example.net>;tag=a1', '<sip:bob@example.net>;tag=b1'])
    expect([dialogs.ofRequest(bye), dialogs.ofRequest(callee.request('BYE')), callee.accept(bye)]).toEqual(['callee', undefined, true])
    expect(caller.nextHop).toBe('sip:p1.example.net;lr')
  })

  it('acknowledge with the number of the INVITE and take none for it', () => {
    const { caller } = ends()
    expect([caller.ack(1).get(Header.CSeq), caller.request('BYE').get(Header.CSeq)]).toEqual(['1 ACK', '2 BYE'])
  })

  it('refuse a number at or below the last, and go on above a gap (RFC 3261 12.2.2)', () => {
    const { callee } = ends()
    const of = (number: number): SipMessage => invite().set(Header.CSeq, composed(`${number} INVITE`))
    expect([1, 0, 5, 5, 4, 6].map((number) => callee.accept(of(number)))).toEqual([false, false, true, false, false, true])
  })

  it('move their target with a target refresh, and with nothing else', () => {
    const { caller, callee } = ends()
    callee.accept(invite('INFO').set(Header.CSeq, composed('2 INFO')).set(Header.Contact, composed('<sip:elsewhere@192.0.2.1>')))
    expect(callee.remoteTarget).toBe('sip:alice@127.0.0.1:5061')
    callee.accept(invite().set(Header.CSeq, composed('3 INVITE')).set(Header.Contact, composed('<sip:alice@192.0.2.9>')))
    expect(callee.remoteTarget).toBe('sip:alice@192.0.2.9')
    caller.accepted(answer(invite()).set(Header.Contact, composed('<sip:bob@192.0.2.10>')))
    expect([caller.remoteTarget, caller.data().routes]).toEqual(['sip:bob@192.0.2.10', ROUTES])
  })

  it('without routes go straight to the target', () => {
    const request = requestOf('INVITE')
    const dialog = dialogOfResponse(request, answer(request), 'udp')!
    expect([dialog.nextHop, dialog.request('BYE').has(Header.Route)]).toEqual(['sip:bob@192.0.2.7:5062;transport=tcp', false])
  })

  it('hand a strict router the target as last route (RFC 3261 12.2.1.1)', () => {
    const request = requestOf('INVITE').append(Header.RecordRoute, composed('<sip:last.example.net;lr>, <sip:strict.example.net;method=INVITE>'))
    const bye = dialogOfResponse(request, answer(request), 'udp')!.request('BYE')
    expect([bye.requestUri, bye.getAll(Header.Route)]).toEqual(['sip:strict.example.net', ['<sip:last.example.net;lr>', '<sip:bob@192.0.2.7:5062;transport=tcp>']])
  })

  it('are secure over TLS to a sips URI only', () => {
    const secure = requestOf('INVITE')
    secure.requestUri = 'sips:bob@example.net'
    expect([dialogOfRequest(secure, 'b', 'tls')!.isSecure, dialogOfRequest(secure, 'b', 'tcp')!.isSecure, dialogOfRequest(requestOf('INVITE'), 'b', 'tls')!.isSecure]).toEqual([true, false, false])
  })
})

describe('a dialog is not made', () => {
  it('of a response without To tag or usable Contact, nor with routes that cannot be read or are too many', () => {
    const request = requestOf('INVITE')
    const bare = answer(request)
    bare.removeFirst(Header.Contact)
    expect(dialogOfResponse(request, bare, 'tcp')).toBeUndefined()
    expect(dialogOfResponse(request, answer(request).set(Header.Contact, composed('<mailto:bob@example.net>')), 'tcp')).toBeUndefined()
    expect(dialogOfResponse(request, answer(request).set(Header.To, composed('<sip:bob@example.net>')), 'tcp')).toBeUndefined()
    expect(dialogOfRequest(requestOf('INVITE').append(Header.RecordRoute, composed('<mailto:x@y>')), 'b', 'tcp')).toBeUndefined()
    expect(dialogOfRequest(requestOf('INVITE').append(Header.RecordRoute, composed(Array(ROUTES_MAX + 1).fill('<sip:p;lr>').join(','))), 'b', 'tcp')).toBeUndefined()
    expect(dialogOfRequest(requestOf('MESSAGE'), 'b', 'tcp')).toBeUndefined()
  })

  it('with headers in the target, which cannot stand in a Request-URI', () => {
    expect(dialogOfRequest(requestOf('INVITE').set(Header.Contact, composed('<sip:a@192.0.2.1?Route=%3Csip:x%3E>')), 'b', 'tcp')!.request('BYE').requestUri).toBe('sip:a@192.0.2.1')
  })
})

describe('the dialog of a NOTIFY', () => {
  it('has the routes of a callee and goes on numbering behind the SUBSCRIBE', () => {
    const subscribe = requestOf('SUBSCRIBE')
    const notify = new SipMessage({ method: 'NOTIFY', requestUri: 'sip:alice@127.0.0.1:5061' })
      .append(Header.From, composed('<sip:push@example.net>;tag=p5')).append(Header.To, composed('<sip:alice@example.net>;tag=a1')).append(Header.CallId, composed('call-1'))
      .append(Header.CSeq, composed('7 NOTIFY')).append(Header.Contact, CONTACT).append(Header.RecordRoute, composed(ROUTES.join(', ')))
    const dialog = dialogOfNotify(subscribe, notify, 'tcp')!
    expect(dialog.data()).toMatchObject({ localTag: 'a1', remoteTag: 'p5', routes: ROUTES, localSequence: 1, remoteSequence: 7 })
    expect(dialog.request('SUBSCRIBE').get(Header.CSeq)).toBe('2 SUBSCRIBE')
  })
})

describe('a stored dialog', () => {
  it('goes on behind its reserved block after a restart, so that no number is used twice', () => {
    const { callee } = ends()
    const bound = callee.nextBound()
    const stored = JSON.stringify(callee.data(bound))
    callee.reserve(bound)
    const used = Array.from({ length: 10 }, () => callee.request('NOTIFY').get(Header.CSeq)!)
    const restored = Dialog.restored(JSON.parse(stored))
    expect(restored.sequencesLeft).toBe(0)
    expect(() => restored.request('NOTIFY')).toThrow(BugError)
    restored.reserve(restored.nextBound())
    expect(restored.sequencesLeft).toBe(SEQUENCE_BLOCK)
    expect(used).not.toContain(restored.request('NOTIFY').get(Header.CSeq))
    expect(restored.data(bound + SEQUENCE_BLOCK)).toEqual({ ...callee.data(bound), localSequence: bound + SEQUENCE_BLOCK })
  })

  it('whatever is used between two crashes, numbers only grow', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 3 * SEQUENCE_BLOCK }), { minLength: 1, maxLength: 5 }), (runs) => {
      let { callee } = ends()
      let stored = callee.data(callee.nextBound())
      callee.reserve(stored.localSequence)
      const used: number[] = []
      for (const count of runs) {
        for (let request = 0; request < count; request++) {
          if (callee.sequencesLeft === 0) {
            stored = callee.data(callee.nextBound())
            callee.reserve(stored.localSequence)
          }
          used.push(Number.parseInt(callee.request('NOTIFY').get(Header.CSeq)!))
        }
        callee = Dialog.restored(stored)
        stored = callee.data(callee.nextBound())
        callee.reserve(stored.localSequence)
      }
      expect(used).toEqual([...new Set(used)].sort((a, b) => a - b))
    }))
  })
})

describe('the table of dialogs', () => {
  it('tells apart what differs in one part of the id only, and says when it is full', () => {
    const dialogs = new Dialogs<number>(1, 2)
    const { caller, callee } = ends()
    dialogs.add(caller, 1)
    expect([dialogs.size, dialogs.isFull]).toEqual([1, false])
    dialogs.add(callee, 2)
    expect(dialogs.isFull).toBe(true)
    expect([dialogs.ofRequest(callee.request('BYE')), dialogs.ofRequest(caller.request('BYE')), dialogs.ofResponse(answer(invite())), dialogs.ofResponse(answer(invite(), 'b2'))]).toEqual([1, 2, 1, undefined])
    dialogs.remove(caller)
    expect([dialogs.size, dialogs.ofRequest(callee.request('BYE'))]).toEqual([1, undefined])
  })
})
