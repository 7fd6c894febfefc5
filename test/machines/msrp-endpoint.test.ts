/** Two MSRP endpoints on a pipe: how sessions find and share connections, and how they end (RFC 4975 section 5.4, RFC 6135). */
import { describe, expect, it } from 'vitest'
import { MSRP_TICKET_FIRST } from '../../core/msrp/contract.js'
import { content, message, Pair } from './msrp-pair.js'

describe('an MSRP session', () => {
  it('delivers a message and confirms it by a success report over every octet', () => {
    const pair = new Pair()
    const [a] = pair.sessions()
    a.send(pair.now, message('push-0001', content('OMA push'), { headers: [{ name: 'Content-Disposition', value: 'attachment; filename="é"' }] }))
    pair.run()
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'confirmed' })
    expect(pair.right.user.received).toMatchObject([{ messageId: 'push-0001', contentType: 'text/plain', bytes: Buffer.from('OMA push'), state: 'complete' }])
    expect(pair.right.user.received[0]!.headers).toEqual([{ name: 'Content-Disposition', value: 'attachment; filename="é"' }])
  })

  it('has a URI of its own that nobody can guess, and the port it is told', () => {
    const pair = new Pair()
    const uris = [pair.left.session().uri, pair.left.session().uri, pair.left.session({ transport: 'tls', authority: '10.0.0.1:9' }).uri]
    expect(uris[0]).toMatch(/^msrp:\/\/10\.0\.0\.1:2855\/[0-9a-z]{20};tcp$/)
    expect(uris[1]).not.toBe(uris[0])
    expect(uris[2]).toMatch(/^msrps:\/\/10\.0\.0\.1:9\//)
  })

  it('is bound by a SEND without content when the active side has nothing to send', () => {
    const pair = new Pair()
    const [a, b] = pair.sessions()
    pair.run()
    expect([a.state, b.state]).toEqual(['bound', 'bound'])
    expect(pair.left.wire).toMatch(/^MSRP \S+ SEND\r\nTo-Path: .*\r\nFrom-Path: .*\r\nMessage-ID: \S+\r\n-------\S+\$\r\n$/)
    expect(pair.left.user.bound).toEqual([a])
    expect(pair.right.user.bound).toEqual([b])
    expect(pair.right.user.received).toEqual([])
  })

  it('is bound by the first content when there is some, and not asked twice', () => {
    const pair = new Pair()
    const [a] = pair.sessions()
    a.send(pair.now, message('push-0001', content('x')))
    pair.run()
    expect(pair.left.wire.match(/SEND/g)).toHaveLength(1)
  })

  it('carries messages from the passive side too, as soon as it is bound', () => {
    const pair = new Pair()
    const [, b] = pair.sessions()
    b.send(pair.now, message('push-0001', content('from the gateway')))
    pair.run()
    expect(pair.right.outcome('push-0001')).toEqual({ type: 'confirmed' })
    expect(pair.left.user.received[0]!.bytes.toString()).toBe('from the gateway')
  })

  it('is found by a peer that connects before our side has heard its answer', () => {
    const pair = new Pair()
    const ours = pair.right.session()
    const peer = pair.left.session({ authority: '10.0.0.1:9' })
    ours.send(pair.now, message('push-0001', content('early')))
    peer.start(pair.now, 'active', ours.uri)
    pair.run()
    expect(ours.state).toBe('bound')
    expect(pair.right.outcome('push-0001')).toBeUndefined()
    expect(ours.start(pair.now, 'passive', peer.uri)).toBe(true)
    pair.run()
    expect(pair.right.outcome('push-0001')).toEqual({ type: 'confirmed' })
    expect(pair.right.wire).toContain('To-Path: msrp://10.0.0.1:9/')
  })

  it('takes no path it cannot use, and says so without beginning', () => {
    const pair = new Pair()
    const a = pair.left.session()
    for (const path of ['', 'nonsense', 'msrps://10.0.0.2:2855/abc;tcp', 'msrp://phone.example:2855/abc;tcp']) expect(a.start(pair.now, 'active', path)).toBe(false)
    expect(a.state).toBe('new')
    expect(a.start(pair.now, 'passive', 'msrp://phone.example:9/abc;tcp')).toBe(true)
    expect(a.start(pair.now, 'active', 'msrp://10.0.0.2:2855/abc;tcp')).toBe(false)
  })

  it('sends along a path of several URIs and connects to the first', () => {
    const pair = new Pair()
    pair.autoConnect = false
    const a = pair.left.session()
    const path = 'msrp://10.0.0.9:4000/relay;tcp msrp://10.0.0.2:2855/end;tcp'
    expect(a.start(pair.now, 'active', path)).toBe(true)
    expect(pair.connects[0]!.out).toMatchObject({ remote: { address: '10.0.0.9', port: 4_000 }, transport: 'tcp' })
    pair.connectAll()
    expect(pair.left.wire).toContain(`To-Path: ${path}\r\n`)
  })
})

describe('connections', () => {
  it('to the same place are shared by many sessions, opened once', () => {
    const pair = new Pair()
    const sessions = Array.from({ length: 20 }, () => pair.sessions())
    sessions.forEach(([a, b], index) => {
      a.send(pair.now, message(`left-${index}`, content(`to the right ${index}`)))
      b.send(pair.now, message(`right-${index}`, content(`to the left ${index}`)))
    })
    pair.run()
    expect(pair.left.sent.filter(({ type }) => type === 'connect')).toHaveLength(1)
    expect(pair.left.endpoint.connections).toBe(1)
    expect([...pair.left.user.outcomes, ...pair.right.user.outcomes].map(([, outcome]) => outcome.type)).toEqual(Array.from({ length: 40 }, () => 'confirmed'))
    expect(new Set(pair.right.user.received.map(({ bytes }) => bytes.toString())).size).toBe(20)
    // One more session later finds it open.
    const [a] = pair.sessions()
    a.send(pair.now, message('late-1', content('x')))
    pair.run()
    expect(pair.left.outcome('late-1')).toEqual({ type: 'confirmed' })
    expect(pair.left.endpoint.connections).toBe(1)
  })

  it('are apart in apart lanes: the end of one phone\'s leaves the other\'s', () => {
    const pair = new Pair()
    const [a] = pair.sessions({ lane: 1 })
    const [b] = pair.sessions({ lane: 2 })
    pair.sessions({ lane: 2 })
    pair.run()
    expect(pair.left.endpoint.connections).toBe(2)
    pair.drop(1)
    expect([a.state, b.state]).toEqual(['down', 'bound'])
  })

  it('have tickets apart from the SIP endpoint\'s, and flows of others are left alone', () => {
    const pair = new Pair()
    pair.autoConnect = false
    pair.sessions()
    expect(pair.connects[0]!.out.ticket).toBeGreaterThanOrEqual(MSRP_TICKET_FIRST)
    const local = { address: '10.0.0.2', port: 5_060 }
    const remote = { address: '10.0.0.1', port: 40_000 }
    pair.right.endpoint.input(pair.now, { type: 'flow-up', flow: 900, transport: 'tcp', local, remote, ticket: undefined })
    pair.right.endpoint.input(pair.now, { type: 'flow-up', flow: 901, transport: 'tcp', local: { ...local, port: 2_855 }, remote, ticket: 1_000_000_000 })
    pair.right.endpoint.input(pair.now, { type: 'flow-up', flow: 902, transport: 'udp', local: { ...local, port: 2_855 }, remote: undefined, ticket: undefined })
    for (const flow of [900, 901, 902]) {
      pair.right.endpoint.input(pair.now, { type: 'bytes', flow, bytes: Buffer.from('INVITE sip:a@b SIP/2.0\r\n') })
      pair.right.endpoint.input(pair.now, { type: 'full', flow })
      pair.right.endpoint.input(pair.now, { type: 'writable', flow })
      pair.right.endpoint.input(pair.now, { type: 'flow-down', flow, reason: '' })
    }
    pair.right.endpoint.input(pair.now, { type: 'connect-failed', ticket: 1_000_000_000, reason: '' })
    expect(pair.right.endpoint.connections).toBe(0)
    expect(pair.right.sent).toEqual([])
  })

  it('that cannot be opened fail their sessions and the messages in them', () => {
    const pair = new Pair()
    pair.autoConnect = false
    const [a] = pair.sessions()
    a.send(pair.now, message('push-0001', content('x')))
    pair.refuseAll()
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'failed', cause: 'connection', reason: 'refused' })
    expect(pair.left.user.downs).toEqual(['connect: refused'])
    expect(pair.left.endpoint).toMatchObject({ openSessions: 0, connections: 0 })
    pair.sessions()
    expect(pair.connects).toHaveLength(1)
  })

  it('that end fail all their sessions, each message once', () => {
    const pair = new Pair()
    const first = pair.sessions()
    const second = pair.sessions()
    pair.run()
    pair.held = true
    first[0].send(pair.now, message('push-0001', content('x')))
    second[0].send(pair.now, message('push-0002', content('y')))
    pair.run()
    pair.held = false
    pair.drop(1)
    expect(pair.left.user.outcomes.map(([id, outcome]) => [id, outcome.type === 'failed' ? outcome.cause : outcome.type])).toEqual([['push-0001', 'connection'], ['push-0002', 'connection']])
    expect(pair.left.user.downs).toEqual(['connection: reset', 'connection: reset'])
    expect(pair.right.user.downs).toEqual(['connection: reset', 'connection: reset'])
    expect(pair.left.endpoint).toMatchObject({ openSessions: 0, connections: 0 })
    expect(first[0].state).toBe('down')
  })

  it('stay while a session uses them, and go two seconds after the last', () => {
    const pair = new Pair()
    const [a, b] = pair.sessions()
    const [c] = pair.sessions()
    pair.run()
    a.close(pair.now)
    b.close(pair.now)
    pair.pass(60_000_000)
    expect(pair.left.endpoint.connections).toBe(1)
    c.close(pair.now)
    pair.pass(1_000_000)
    const [d] = pair.sessions()
    pair.pass(60_000_000)
    expect(pair.left.sent.filter(({ type }) => type === 'connect')).toHaveLength(1)
    expect(d.state).toBe('bound')
    d.close(pair.now)
    pair.pass(2_000_000)
    expect(pair.left.endpoint).toMatchObject({ openSessions: 0, connections: 0 })
    expect(pair.openFlows).toEqual([])
    expect(pair.left.user.downs).toEqual([])
  })

  it('are closed by who opened them: a session whose first SEND is on its way as they fall idle keeps its own', () => {
    const pair = new Pair()
    const [a, b] = pair.sessions()
    pair.run()
    a.close(pair.now)
    b.close(pair.now)
    pair.pass(1_999_999)
    pair.held = true
    const [c, d] = pair.sessions()
    pair.pass(1_000_000)
    pair.held = false
    pair.run()
    expect([c.state, d.state]).toEqual(['bound', 'bound'])
    expect([...pair.left.user.downs, ...pair.right.user.downs]).toEqual([])
    expect(pair.left.sent.filter(({ type }) => type === 'connect')).toHaveLength(1)
  })

  it('that were accepted and are left open without a session go after 30 seconds', () => {
    const pair = new Pair({ idleMicros: 60_000_000 })
    const [a, b] = pair.sessions()
    pair.run()
    a.close(pair.now)
    b.close(pair.now)
    pair.pass(29_999_999)
    expect(pair.right.endpoint.connections).toBe(1)
    pair.pass(1)
    expect([pair.left.endpoint.connections, pair.right.endpoint.connections]).toEqual([0, 0])
  })
})

describe('a session', () => {
  it('nobody connects to ends after 30 seconds', () => {
    const pair = new Pair()
    const b = pair.right.session()
    b.start(pair.now, 'passive', 'msrp://10.0.0.1:9/abc;tcp')
    b.send(pair.now, message('push-0001', content('x')))
    pair.pass(29_999_999)
    expect(pair.right.user.downs).toEqual([])
    pair.pass(1)
    expect(pair.right.user.downs).toEqual(['unbound: no connection came within 30 s'])
    expect(pair.right.outcome('push-0001')).toMatchObject({ type: 'failed', cause: 'session' })
  })

  it('whose connection neither comes nor fails ends after 30 seconds', () => {
    const pair = new Pair()
    pair.autoConnect = false
    pair.sessions()
    pair.pass(30_000_000)
    expect(pair.left.user.downs).toEqual(['connect: no connection to the peer could be opened'])
  })

  it('the peer does not know ends with its messages', () => {
    const pair = new Pair()
    const a = pair.left.session()
    a.start(pair.now, 'active', 'msrp://10.0.0.2:2855/nobody;tcp')
    a.send(pair.now, message('push-0001', content('x')))
    a.send(pair.now, message('push-0002', content('y')))
    pair.run()
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'refused', status: 481, comment: 'No Such Session' })
    expect(pair.left.outcome('push-0002')).toMatchObject({ type: 'failed', cause: 'session' })
    expect(pair.left.user.downs).toEqual(['refused: the peer answered 481 No Such Session'])
  })

  it('whose first SEND is never answered ends', () => {
    const pair = new Pair()
    pair.sessions()
    pair.held = true
    pair.pass(30_000_000)
    expect(pair.left.user.downs).toEqual(['unbound: the peer did not answer the first SEND within 30 s'])
  })

  it('that is closed fails its messages at once, and takes no others', () => {
    const pair = new Pair()
    const [a] = pair.sessions()
    pair.run()
    pair.held = true
    a.send(pair.now, message('push-0001', content('x')))
    a.close(pair.now)
    expect(pair.left.outcome('push-0001')).toEqual({ type: 'failed', cause: 'session', reason: 'the session was closed' })
    a.send(pair.now, message('push-0002', content('x')))
    expect(pair.left.outcome('push-0002')).toBeUndefined()
    pair.run()
    expect(pair.left.outcome('push-0002')).toMatchObject({ type: 'failed', cause: 'session' })
    a.close(pair.now)
    pair.held = false
    pair.run()
    expect(pair.left.user.outcomes).toHaveLength(2)
    expect(pair.left.user.downs).toEqual([])
  })

  it('leaves nothing behind: no deadline, no connection, no session', () => {
    const pair = new Pair()
    const sessions = Array.from({ length: 5 }, () => pair.sessions())
    sessions.forEach(([a], index) => a.send(pair.now, message(`push-${index}`, content('x'.repeat(index * 50_000)))))
    pair.run()
    expect(pair.left.user.outcomes).toHaveLength(5)
    for (const [a, b] of sessions) {
      a.close(pair.now)
      b.close(pair.now)
    }
    pair.pass(2_000_000)
    for (const side of [pair.left, pair.right]) {
      expect(side.endpoint).toMatchObject({ openSessions: 0, connections: 0 })
      expect(side.endpoint.deadline()).toBe(Infinity)
    }
  })
})
