/**
 * Session mode when the other side refuses, is silent, late, gone or lying: each has its named outcome, concerns no other push, and
 * leaves no session, dialog or connection behind.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { MICROS_PER_SECOND } from '../../core/kit/time.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { responseTo } from '../../core/sip/write.js'
import { SessionWorld, type TerminalOptions } from './session-world.js'

const NOTHING = { sessions: 0, dialogs: 0, connections: 0, waiting: 0, flows: 0 }
const SECOND = MICROS_PER_SECOND
const MINUTES = 60 * SECOND
/** Shorter than any retry's wait may grow, longer than every time limit of a session. */
const REST = 3 * MINUTES

const worlds: SessionWorld[] = []

function open(options: TerminalOptions = {}, ...rest: ConstructorParameters<typeof SessionWorld> extends [unknown?, ...infer Rest] ? Rest : never): SessionWorld {
  const world = new SessionWorld(options, ...rest)
  worlds.push(world)
  return world
}

function count(world: SessionWorld, method: string): number {
  return world.methods().filter((each) => each === method).length
}

afterEach(() => {
  for (const world of worlds.splice(0)) {
    world.gateway.input({ type: 'drain' })
    world.advance(REST)
    expect(world.left()).toEqual(NOTHING)
  }
})

describe('an INVITE that is refused', () => {
  const ends: readonly (readonly [status: number, outcome: string])[] = [
    [603, 'aborted 5235 -'], [606, 'aborted 5238 -'], [488, 'undeliverable 3007 -'], [404, 'undeliverable 2002 -'], [403, 'undeliverable 2001 -'], [415, 'undeliverable 2006 -'], [400, 'undeliverable 4000 -'],
  ]
  for (const [status, outcome] of ends) it(`with ${status} ends: ${outcome}`, () => {
    const world = open({ invite: () => status })
    world.push('p1')
    expect(world.gateway.outcomes()).toEqual([outcome])
    expect(world.left()).toEqual(NOTHING)
  })

  it('with 488 is followed by a MESSAGE where a session is only preferred', () => {
    const world = open({ invite: () => 488 })
    world.push('p1', {}, { bearerRequired: false })
    expect(world.methods()).toEqual(['INVITE', 'ACK', 'MESSAGE'])
    // A request outside of the INVITE's dialog has a Call-ID of its own.
    expect(world.requests[2]!.get(Header.CallId)).not.toBe(world.requests[0]!.get(Header.CallId))
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('with 480 waits for the registration; with 486 it is tried again', () => {
    for (const status of [480, 486]) {
      let first = true
      const world = open({
        invite: (request) => {
          if (!first) return 'answer'
          first = false
          return status === 480 ? responseTo(request, 480, undefined, 'x').append(Header.RetryAfter, composed('20')) : 486
        },
      })
      world.push('p1')
      world.advance(SECOND)
      expect(world.gateway.outcomes()).toEqual([])
      world.advance(30 * SECOND)
      expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
      const invites = world.requests.filter((request) => request.method === 'INVITE')
      expect(new Set(invites.map((request) => request.get(Header.CallId))).size).toBe(1)
      const sequences = invites.map((request) => parseInt(request.get(Header.CSeq)!, 10))
      expect(sequences[1]).toBeGreaterThan(sequences[0]!)
    }
  })
})

describe('a file that is turned down', () => {
  it('by its description is not sent: no connection, no octet, aborted 5235', () => {
    const world = open({ invite: (request, terminal) => terminal.refusal(request) }, { fileFromOctets: 1 })
    world.push('p1', { body: 'x'.repeat(500) })
    expect(world.gateway.outcomes()).toEqual(['aborted 5235 -'])
    expect([world.octets, world.flows.size]).toEqual([0, 0])
    world.advance(SECOND)
    expect(world.methods()).toEqual(['INVITE', 'ACK', 'BYE'])
  })

  it('by a size that the terminal states is not sent', () => {
    const world = open({ media: { maxSize: 499 } })
    world.push('p1', { body: 'x'.repeat(500) })
    expect(world.gateway.outcomes()).toEqual(['undeliverable 2006 -'])
    world.push('p2', { body: 'x'.repeat(499) })
    expect(world.gateway.outcomes('p2')).toEqual(['delivered 1000 confirmed'])
    expect(count(world, 'INVITE')).toBe(1)
  })

  it('by types that do not include its own is not sent', () => {
    const world = open({ media: { acceptTypes: ['image/*', 'text/plain'] } })
    world.push('p1', { type: 'text/html' })
    world.push('p2', { type: 'image/png' })
    expect([world.gateway.outcomes('p1'), world.gateway.outcomes('p2')]).toEqual([['undeliverable 2006 -'], ['delivered 1000 confirmed']])
    expect(world.taken).toHaveLength(1)
  })
})

describe('a message that is refused within a session', () => {
  for (const [status, outcome] of [[413, 'aborted 5235 -'], [415, 'undeliverable 2006 -'], [403, 'undeliverable 2001 -'], [400, 'undeliverable 4000 -'], [501, 'undeliverable 3007 -']] as const) {
    it(`with ${status} ends: ${outcome}, and costs no other push`, () => {
      const world = open({ verdict: (message) => (message.headers.some(({ value }) => value === 'bad') ? status : 'take') })
      world.push('first')
      world.push('bad', { body: 'x'.repeat(60_000) })
      world.push('last')
      expect(world.gateway.outcomes('bad')).toEqual([outcome])
      expect([...world.gateway.outcomes('first'), ...world.gateway.outcomes('last')]).toEqual(['delivered 1000 confirmed', 'delivered 1000 confirmed'])
      expect(count(world, 'INVITE')).toBe(1)
    })
  }

  it('after every octet was taken ends as refused', () => {
    const world = open({ complete: () => 413 })
    world.push('p1', { body: 'x'.repeat(5_000) })
    expect(world.gateway.outcomes()).toEqual(['aborted 5235 -'])
  })

  it.each([481, 506])('with %i goes out once more in a new session under the same Message-ID', (status) => {
    const ids: string[] = []
    const world = open({ verdict: (message) => (ids.push(message.messageId) === 1 ? status : 'take') })
    world.push('p1')
    world.advance(SECOND)
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
    expect(ids[0]).toBe(ids[1])
    expect(world.methods()).toEqual(['INVITE', 'ACK', 'BYE', 'INVITE', 'ACK'])
  })

  it('with 481 every time waits before it is tried again', () => {
    const world = open({ verdict: () => 481 })
    world.push('p1')
    world.advance(SECOND / 2)
    expect(count(world, 'INVITE')).toBe(2)
    world.advance(MINUTES)
    expect(count(world, 'INVITE')).toBeGreaterThan(2)
    expect(count(world, 'INVITE')).toBeLessThan(16)
    expect(world.gateway.outcomes()).toEqual([])
  })
})

describe('a terminal that does not answer', () => {
  it('the INVITE at all is tried again when the transaction has failed', () => {
    const world = open({ invite: (_request, { requests }) => (requests.length === 1 ? undefined : 'answer') })
    world.push('p1')
    world.advance(40 * SECOND)
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('after 180 gets a CANCEL in time, and the push is tried again', () => {
    let ringing: SipMessage | undefined
    const world = open({
      invite: (request) => {
        if (ringing !== undefined) return 'answer'
        ringing = request
        return responseTo(request, 180, undefined, 'ue').append(Header.Contact, composed('<sip:anna@127.0.0.20:5060;transport=tcp>'))
      },
    })
    world.push('p1')
    world.advance(59 * SECOND)
    expect(world.methods()).toEqual(['INVITE'])
    world.advance(2 * SECOND)
    expect(world.methods()).toEqual(['INVITE', 'CANCEL'])
    world.gateway.answer(487, { request: ringing!, flow: world.sipFlow })
    world.advance(10 * SECOND)
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('but then, across our CANCEL, with 200, is thanked and left', () => {
    let ringing: SipMessage | undefined
    const world = open({
      invite: (request) => {
        ringing ??= request
        return responseTo(request, 180, undefined, 'ue').append(Header.Contact, composed('<sip:anna@127.0.0.20:5060;transport=tcp>'))
      },
    })
    world.push('p1', {}, { deliveryMethod: 'unconfirmed' })
    world.advance(61 * SECOND)
    world.gateway.answer(world.answer(ringing!), { request: ringing!, flow: world.sipFlow })
    expect(world.methods().slice(0, 4)).toEqual(['INVITE', 'CANCEL', 'ACK', 'BYE'])
    expect(world.taken).toHaveLength(0)
  })

  it('over MSRP what it was sent: given up in time, tried again in a session of its own', () => {
    const world = open()
    world.mute = true
    world.push('p1')
    world.advance(40 * SECOND)
    expect(world.gateway.outcomes()).toEqual([])
    world.mute = false
    world.cut()
    world.advance(MINUTES)
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('over MSRP any more, in a session that had been well, is sent nothing more in it: the next push has one of its own', () => {
    const world = open()
    world.push('p1')
    world.mute = true
    world.push('p2')
    world.advance(30 * SECOND + SECOND / 2)
    world.mute = false
    world.push('p3')
    expect([count(world, 'INVITE'), count(world, 'BYE'), world.gateway.outcomes('p3')]).toEqual([2, 1, ['delivered 1000 confirmed']])
  })

  it('with the report that was asked for is sent nothing more in that session', () => {
    const world = open()
    world.withoutReports = true
    world.push('p1', {}, { deliveryMethod: 'preferconfirmed' })
    world.advance(30 * SECOND + SECOND / 2)
    expect(world.gateway.outcomes('p1')).toEqual(['delivered 1000 unconfirmed'])
    world.withoutReports = false
    world.push('p2')
    expect([count(world, 'INVITE'), count(world, 'BYE'), world.gateway.outcomes('p2')]).toEqual([2, 1, ['delivered 1000 confirmed']])
  })

  it('by connecting, though it said it would: tried again', () => {
    const world = open({ invite: (request, terminal) => terminal.response(request, terminal.answerText(request).replace(/a=setup:\w+/, 'a=setup:active')) })
    world.push('p1')
    world.advance(29 * SECOND)
    expect(count(world, 'BYE')).toBe(0)
    world.advance(3 * SECOND)
    expect([count(world, 'BYE'), world.gateway.outcomes().length]).toEqual([1, 0])
  })

  it('twice to one INVITE, gets two ACKs and one message', () => {
    const world = open()
    world.push('p1')
    const invite = world.requests[0]!
    world.gateway.answer(world.response(invite, world.answerText(invite)), { request: invite, flow: world.sipFlow })
    expect([count(world, 'ACK'), world.taken.length, world.gateway.outcomes().length]).toEqual([2, 1, 1])
  })

  it('with a report where one is demanded: confirmed is not claimed', () => {
    const world = open()
    world.withoutReports = true
    world.push('p1')
    world.push('p2', {}, { deliveryMethod: 'preferconfirmed' }, 'ben')
    world.advance(35 * SECOND)
    expect([world.gateway.outcomes('p1'), world.gateway.outcomes('p2')]).toEqual([[], ['delivered 1000 unconfirmed']])
    world.withoutReports = false
    world.advance(MINUTES)
    expect(world.gateway.outcomes('p1')).toEqual(['delivered 1000 confirmed'])
  })
})

describe('a connection or dialog that ends under a push', () => {
  it('in the middle of a chunk: once more in a new session with the same Message-ID, from the first octet', () => {
    let cut = false
    const world = open({
      verdict: (_message, terminal) => {
        if (!cut) terminal.cut()
        cut = true
        return 'take'
      },
    })
    world.push('p1', { body: 'y'.repeat(60_000) })
    world.advance(SECOND)
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
    expect(world.taken.map(({ bytes }) => bytes.length)).toEqual([60_000])
    expect(world.methods().filter((method) => method !== 'ACK')).toEqual(['INVITE', 'BYE', 'INVITE'])
  })

  it('is not the end of an idle session that a push has joined meanwhile', () => {
    const world = open()
    world.push('p1')
    world.advance(20 * SECOND)
    world.withoutReports = true
    world.push('p2')
    world.advance(20 * SECOND)
    expect([count(world, 'INVITE'), count(world, 'BYE')]).toEqual([1, 0])
  })

  it('concerns each of several on its own: where the new session is refused, one ends by that, the other asks for itself', () => {
    let invites = 0
    const world = open({ invite: () => (++invites === 2 ? 603 : 'answer') })
    world.push('p1')
    world.mute = true
    for (const pushId of ['p2', 'p3']) world.push(pushId)
    world.mute = false
    world.cut()
    world.advance(10 * SECOND)
    expect([world.gateway.outcomes('p2'), world.gateway.outcomes('p3')].sort()).toEqual([['aborted 5235 -'], ['delivered 1000 confirmed']])
  })

  it('by BYE while it waits for its report: once more', () => {
    const world = open()
    world.mute = true
    world.push('p1')
    world.mute = false
    world.bye()
    world.advance(SECOND)
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
    expect(count(world, 'INVITE')).toBe(2)
  })

  it('by BYE while idle costs nothing; the next push has an INVITE of its own', () => {
    const world = open()
    world.push('p1')
    world.bye()
    expect(world.left()).toMatchObject({ sessions: 0, dialogs: 0 })
    world.push('p2')
    expect(world.gateway.outcomes()).toHaveLength(2)
    expect(count(world, 'INVITE')).toBe(2)
  })

  it('whenever it may: expired at the end of its lifetime, and only then', () => {
    const world = open({ invite: () => 500 })
    world.push('p1', {}, {})
    world.advance(30 * MINUTES)
    expect(world.gateway.outcomes()).toEqual([])
    world.advance(80 * 60 * MINUTES)
    expect(world.gateway.outcomes()).toEqual(['timeout 4000 -'])
  })
})

describe('an answer no session can be made of', () => {
  const answers: readonly (readonly [what: string, body: (text: string) => string])[] = [
    ['nothing', () => ''],
    ['no description', () => '<html/>'],
    ['octets at random', () => '\xff\xfe\x00\x01'],
    ['no media line', (text) => text.slice(0, text.indexOf('m='))],
    ['one media line too many', (text) => text + text.slice(text.indexOf('m='))],
    ['another medium', (text) => text.replace('m=message', 'm=audio')],
    ['MSRP over TLS', (text) => text.replace('TCP/MSRP', 'TCP/TLS/MSRP')],
    ['no path', (text) => text.replace(/a=path:.*\r\n/, '')],
    ['a path that is no URI', (text) => text.replace(/a=path:.*\r\n/, 'a=path:nowhere\r\n')],
    ['a path with a name for a host', (text) => text.replace(/a=path:.*\r\n/, 'a=path:msrp://phone.example:2855/abcdef;tcp\r\n')],
    ['no types', (text) => text.replace(/a=accept-types:.*\r\n/, '')],
    ['the wish to send', (text) => text.replace('a=recvonly', 'a=sendonly')],
    ['a port out of range', (text) => text.replace(/m=message \d+/, 'm=message 99999')],
    ['port 0', (text) => text.replace(/m=message \d+/, 'm=message 0')],
  ]
  for (const [what, body] of answers) it(`for it has ${what}: acknowledged, ended, another way tried`, () => {
    const world = open({ invite: (request, terminal) => terminal.response(request, body(terminal.answerText(request))) })
    world.push('p1')
    expect(world.gateway.outcomes()).toEqual(['undeliverable 3007 -'])
    world.push('p2', {}, { bearerRequired: false })
    expect(world.gateway.outcomes('p2')).toEqual(['delivered 1000 confirmed'])
    world.advance(SECOND)
    expect(world.methods()).toEqual(['INVITE', 'ACK', 'BYE', 'INVITE', 'ACK', 'BYE', 'MESSAGE'])
    expect(world.left()).toEqual(NOTHING)
  })

  it('for it is not of type application/sdp', () => {
    const world = open({
      invite: (request, terminal) => {
        const response = terminal.response(request, terminal.answerText(request))
        response.set(Header.ContentType, composed('text/plain'))
        return response
      },
    })
    world.push('p1')
    expect(world.gateway.outcomes()).toEqual(['undeliverable 3007 -'])
  })

  it('for it is about another file', () => {
    const world = open({ invite: (request, terminal) => terminal.response(request, terminal.answerText(request).replace(/a=file-transfer-id:.*\r\n/, 'a=file-transfer-id:other\r\n')) }, { fileFromOctets: 1 })
    world.push('p1')
    expect(world.gateway.outcomes()).toEqual(['undeliverable 3007 -'])
  })
})

describe('a terminal that lies over MSRP', () => {
  it('sends what is no MSRP: the connection goes, the push is tried again', () => {
    const world = open()
    world.mute = true
    world.push('p1')
    world.mute = false
    world.say('GET / HTTP/1.1\r\n\r\n')
    world.advance(SECOND)
    expect(world.gateway.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('sends content of its own: refused with 403, its session stands', () => {
    const world = open()
    world.push('p1')
    world.sendBack('spam')
    world.push('p2')
    expect([world.gateway.outcomes().length, count(world, 'INVITE')]).toEqual([2, 1])
    expect(world.statuses).toContain(403)
  })
})

describe('requests that are in no dialog of ours', () => {
  it('are answered: BYE 481, a new INVITE 405, a re-INVITE of a session 488, which stands', () => {
    const world = open()
    world.push('p1')
    const invite = world.requests[0]!
    const request = (method: string, cseq: number, to: string, callId: string = invite.get(Header.CallId)!): SipMessage =>
      new SipMessage({ method, requestUri: 'sip:127.0.0.1:5070' })
        .append(Header.Via, composed(`SIP/2.0/TCP 127.0.0.9:5060;branch=z9hG4bKx${method}${cseq}`)).append(Header.MaxForwards, composed('70'))
        .append(Header.From, composed(`${invite.get(Header.To)!};tag=ue`)).append(Header.To, composed(to)).append(Header.CallId, composed(callId))
        .append(Header.CSeq, composed(`${cseq} ${method}`)).append(Header.Contact, composed('<sip:anna@127.0.0.20>'))
    world.gateway.receive(request('BYE', 7, invite.get(Header.From)!, 'unknown@x'))
    world.gateway.receive(request('INVITE', 1, '<sip:push@ppg.example>', 'new@x'))
    world.gateway.receive(request('INVITE', 8, invite.get(Header.From)!))
    expect(world.gateway.responses.map((response) => response.status)).toEqual([481, 405, 488])
    world.push('p2')
    expect(count(world, 'INVITE')).toBe(1)
  })
})
