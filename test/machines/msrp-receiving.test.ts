/** What an MSRP endpoint makes of a peer's requests: reassembly, answers, reports, refusals (RFC 4975 section 7.3). */
import { describe, expect, it } from 'vitest'
import { CONTROL_BYTES_MAX } from '../../core/msrp/connection.js'
import { RawPeer, PEER } from './msrp-raw-peer.js'

const TEXT = ['Message-ID: msg-1', 'Content-Type: text/plain']

function reports(wire: string): string[] {
  return [...wire.matchAll(/REPORT\r\n(?:.*\r\n)*?Byte-Range: (\S+)\r\nStatus: 000 (\d+)/g)].map((match) => `${match[1]} ${match[2]}`)
}

describe('a received message', () => {
  it('of one SEND is whole at its end, answered 200 on the way it came', () => {
    const peer = new RawPeer().send('abcd', TEXT, 'hello')
    expect(peer.user.received).toMatchObject([{ messageId: 'msg-1', state: 'complete', bytes: Buffer.from('hello') }])
    expect(peer.take()).toBe(`MSRP abcd 200 OK\r\nTo-Path: ${PEER}\r\nFrom-Path: ${peer.session.uri}\r\n-------abcd$\r\n`)
  })

  it('of no octets is a message all the same', () => {
    const peer = new RawPeer().chunk('abcd', 'msg-1', '1-0/0', '', '$', ['Success-Report: yes'])
    expect(peer.user.received).toMatchObject([{ state: 'complete', bytes: Buffer.alloc(0) }])
    expect(reports(peer.take())).toEqual(['1-0/0 200'])
  })

  it('is put together from chunks in order, out of order and from several at once', () => {
    const peer = new RawPeer()
    peer.chunk('aaaa', 'msg-1', '1-*/10', 'abcd', '+').chunk('bbbb', 'msg-2', '5-8/8', '5678', '$').chunk('cccc', 'msg-1', '9-10/10', 'ij', '$')
    expect(peer.user.received.map(({ state }) => state)).toEqual(['open', 'open'])
    peer.chunk('dddd', 'msg-2', '1-*/8', '1234', '+').chunk('eeee', 'msg-1', '5-*/10', 'efgh', '+')
    expect(peer.user.received.map(({ messageId, state, bytes }) => `${messageId} ${state} ${bytes.toString()}`)).toEqual(['msg-1 complete abcdefghij', 'msg-2 complete 12345678'])
  })

  it('lets the later of two overlapping chunks win', () => {
    const peer = new RawPeer().chunk('aaaa', 'msg-1', '1-*/8', 'abcdef', '+').chunk('bbbb', 'msg-1', '3-8/8', 'CDEFGH', '$')
    expect(peer.user.received[0]).toMatchObject({ state: 'complete', bytes: Buffer.from('abCDEFGH') })
  })

  it('is as long as its octets, whatever Byte-Range says', () => {
    for (const range of ['1-25/25', '1-3/3', '1-*/*', '1-5000/5000']) {
      const peer = new RawPeer().chunk('abcd', 'msg-1', range, 'twenty-three characters', '$', ['Success-Report: yes'])
      expect(peer.user.received[0]).toMatchObject({ state: 'complete', bytes: Buffer.from('twenty-three characters') })
      expect(reports(peer.take())).toEqual(['1-23/23 200'])
    }
  })

  it('is handed over while its chunk is still coming', () => {
    const peer = new RawPeer()
    peer.give(`${peer.head('abcd', ['Message-ID: msg-1', 'Byte-Range: 1-*/*', 'Content-Type: a/b'])}\r\nfirst`).give(' second')
    expect(peer.user.received[0]).toMatchObject({ state: 'open', bytes: Buffer.from('first second') })
    expect(peer.take()).toBe('')
    peer.give('\r\n-------abcd$\r\n')
    expect(peer.user.received[0]!.state).toBe('complete')
  })

  it('that came already is acknowledged and reported again, and not shown again', () => {
    const peer = new RawPeer()
    for (const id of ['aaaa', 'bbbb']) {
      peer.chunk(id, 'msg-1', '1-5/5', 'hello', '$', ['Success-Report: yes'])
      const wire = peer.take()
      expect(wire).toContain(`MSRP ${id} 200 OK`)
      expect(reports(wire)).toEqual(['1-5/5 200'])
    }
    expect(peer.user.received).toHaveLength(1)
  })

  it('that came in chunks is reported once when it comes again in chunks', () => {
    const peer = new RawPeer()
    for (let round = 0; round < 2; round++) {
      peer.chunk('aaaa', 'msg-1', '1-*/8', 'abcd', '+', ['Success-Report: yes']).chunk('bbbb', 'msg-1', '5-8/8', 'efgh', '$', ['Success-Report: yes'])
      expect(reports(peer.take())).toEqual(['1-8/8 200'])
    }
    expect(peer.user.received).toHaveLength(1)
  })

  it('is remembered within a bound', () => {
    const peer = new RawPeer({}, { rememberedMessages: 2 })
    for (const id of ['msg-1', 'msg-2', 'msg-3', 'msg-1', 'msg-3']) peer.chunk('aaaa', id, '1-1/1', 'x')
    expect(peer.user.received.map(({ messageId }) => messageId)).toEqual(['msg-1', 'msg-2', 'msg-3', 'msg-1'])
  })

  it('is given up with #, and may come again', () => {
    const peer = new RawPeer().chunk('aaaa', 'msg-1', '1-*/8', 'abcd', '+').chunk('bbbb', 'msg-1', '5-*/8', '', '#')
    expect(peer.user.received[0]!.state).toBe('the sender gave it up')
    expect(peer.answers()).toEqual({ aaaa: 200, bbbb: 200 })
    peer.chunk('cccc', 'msg-1', '1-8/8', 'abcdefgh')
    expect(peer.user.received[1]).toMatchObject({ state: 'complete', bytes: Buffer.from('abcdefgh') })
  })

  it('is given up with # in the middle of a chunk, or by a SEND without content', () => {
    const peer = new RawPeer().chunk('aaaa', 'msg-1', '1-*/8', 'abcd', '#').chunk('bbbb', 'msg-2', '1-*/8', 'abcd', '+').send('cccc', ['Message-ID: msg-2'], undefined, '#')
    expect(peer.user.received.map(({ state }) => state)).toEqual(['the sender gave it up', 'the sender gave it up'])
  })

  it('that the user knows already is acknowledged without being shown', () => {
    const peer = new RawPeer()
    peer.user.verdict = () => 'discard'
    peer.chunk('aaaa', 'msg-1', '1-*/8', 'abcd', '+', ['Success-Report: yes']).chunk('bbbb', 'msg-1', '5-8/8', 'efgh', '$', ['Success-Report: yes'])
    expect(reports(peer.take())).toEqual(['1-8/8 200'])
    expect(peer.user.received).toEqual([])
  })
})

describe('reports and answers', () => {
  it('answer as Failure-Report asks: everything, errors, nothing', () => {
    const peer = new RawPeer({ acceptTypes: ['text/plain'] })
    const wrong = 'Content-Type: image/png'
    peer.send('yes1', ['Message-ID: ok-1', 'Content-Type: text/plain'], 'x').send('yes2', ['Message-ID: no-1', 'Failure-Report: yes', wrong], 'x')
    peer.send('par1', ['Message-ID: ok-2', 'Failure-Report: partial', 'Content-Type: text/plain'], 'x').send('par2', ['Message-ID: no-2', 'Failure-Report: partial', wrong], 'x')
    peer.send('non1', ['Message-ID: ok-3', 'Failure-Report: no', 'Content-Type: text/plain'], 'x').send('non2', ['Message-ID: no-3', 'Failure-Report: no', wrong], 'x')
    expect(peer.answers()).toEqual({ yes1: 200, yes2: 415, par2: 415 })
    expect(peer.user.received.map(({ messageId }) => messageId)).toEqual(['ok-1', 'ok-2', 'ok-3'])
  })

  it('report after each chunk where the session says so, the whole counted once it is known', () => {
    const peer = new RawPeer({ incrementalReports: true })
    peer.chunk('aaaa', 'msg-1', '1-*/8', 'abcd', '+', ['Success-Report: yes']).chunk('bbbb', 'msg-1', '5-8/8', 'efgh', '$', ['Success-Report: yes'])
    expect(reports(peer.take())).toEqual(['1-4/* 200', '5-8/8 200'])
  })

  it('report where none of the answers is asked for, back along the whole path', () => {
    const peer = new RawPeer()
    const path = `msrp://relay.example:2855/r1;tcp ${PEER}`
    peer.give(`MSRP abcd SEND\r\nTo-Path: ${peer.session.uri}\r\nFrom-Path: ${path}\r\nMessage-ID: msg-1\r\nSuccess-Report: yes\r\nFailure-Report: no\r\nContent-Type: a/b\r\n\r\nx\r\n-------abcd$\r\n`)
    const wire = peer.take()
    expect(wire).not.toContain('MSRP abcd 200')
    expect(wire).toContain(`REPORT\r\nTo-Path: ${path}\r\nFrom-Path: ${peer.session.uri}\r\nMessage-ID: msg-1\r\nByte-Range: 1-1/1\r\nStatus: 000 200 OK\r\n`)
  })

  it('answer a SEND to the first URI of its path, and another method along all of it', () => {
    const peer = new RawPeer()
    const path = `msrp://relay.example:2855/r1;tcp ${PEER}`
    peer.give(`MSRP abcd SEND\r\nTo-Path: ${peer.session.uri}\r\nFrom-Path: ${path}\r\nMessage-ID: msg-1\r\n-------abcd$\r\nMSRP efgh AUTH\r\nTo-Path: ${peer.session.uri}\r\nFrom-Path: ${path}\r\n-------efgh$\r\n`)
    expect(peer.take()).toBe(
      `MSRP abcd 200 OK\r\nTo-Path: msrp://relay.example:2855/r1;tcp\r\nFrom-Path: ${peer.session.uri}\r\n-------abcd$\r\n`
      + `MSRP efgh 501 Unknown Method\r\nTo-Path: ${path}\r\nFrom-Path: ${peer.session.uri}\r\n-------efgh$\r\n`)
  })

  it('never answer a REPORT, be it for nobody or unreadable', () => {
    const peer = new RawPeer()
    peer.give(`${peer.head('abcd', ['Message-ID: none', 'Byte-Range: 1-1/1', 'Status: 000 200 OK'], undefined, 'REPORT')}-------abcd$\r\n`)
    peer.give(`${peer.head('efgh', ['Message-ID: none', 'Byte-Range: what', 'Status: 000 200 OK'], undefined, 'REPORT')}-------efgh$\r\n`)
    peer.give(`${peer.head('ijkl', ['Message-ID: none'], 'msrp://192.0.2.40:2855/nobody;tcp', 'REPORT')}-------ijkl$\r\n`)
    expect(peer.take()).toBe('')
    expect(peer.closes).toEqual([])
  })

  it('let a hash that does not match refuse the last chunk', () => {
    const peer = new RawPeer()
    peer.user.atEnd = () => 403
    peer.chunk('aaaa', 'msg-1', '1-5/5', 'hello', '$', ['Success-Report: yes'])
    const wire = peer.take()
    expect(wire).toContain('MSRP aaaa 403 Forbidden')
    expect(reports(wire)).toEqual([])
  })
})

describe('a refused request', () => {
  it('is 481 for a session that is none, has other capitals, another port, another scheme, or lies behind us', () => {
    const peer = new RawPeer()
    const { uri } = peer.session
    const others = ['msrp://192.0.2.40:2855/nobody;tcp', uri.replace(/\/([^/]+);/, (_all, id: string) => `/${id.toUpperCase()};`), uri.replace(':2855', ':2856'), uri.replace('msrp:', 'msrps:'), `${uri} ${PEER}`, 'msrp://192.0.2.40:2855;tcp']
    others.forEach((to, index) => peer.send(`tid${index}`, TEXT, 'x', '$', to))
    expect(Object.values(peer.answers())).toEqual(others.map(() => 481))
    expect(peer.user.received).toEqual([])
    expect(peer.user.bound).toEqual([])
  })

  it('is 481 over TCP for a session that asks for TLS', () => {
    const peer = new RawPeer({ transport: 'tls' })
    peer.send('abcd', TEXT, 'x')
    expect(peer.answers()).toEqual({ abcd: 481 })
    peer.connect('tls')
    expect(peer.send('efgh', TEXT, 'x').answers()).toEqual({ efgh: 200 })
  })

  it('is 506 on another connection than the one that serves the session', () => {
    const peer = new RawPeer()
    peer.send('aaaa', TEXT, 'x')
    peer.connect()
    peer.send('bbbb', ['Message-ID: msg-2', 'Content-Type: text/plain'], 'x')
    expect(peer.answers()).toEqual({ aaaa: 200, bbbb: 506 })
  })

  it('is 415 for a type the session does not take', () => {
    const peer = new RawPeer({ acceptTypes: ['text/*', 'Image/PNG'] })
    const types = { 'text/html': 200, 'TEXT/plain; charset=utf-8': 200, 'image/png': 200, 'image/jpeg': 415, 'textual/x': 415 }
    Object.keys(types).forEach((type, index) => peer.send(`tid${index}`, [`Message-ID: msg-${index}`, `Content-Type: ${type}`], 'x'))
    expect(Object.values(peer.answers())).toEqual(Object.values(types))
  })

  it('is 413 for a message that says it is too large, before a byte of it was taken', () => {
    const peer = new RawPeer({ maxSize: 10 }).give('')
    peer.give(`${peer.head('abcd', ['Message-ID: msg-1', 'Byte-Range: 1-*/11', 'Content-Type: a/b'])}\r\n`)
    expect(peer.answers()).toEqual({ abcd: 413 })
    expect(peer.user.received).toEqual([])
  })

  it('is 413 as soon as a message that lied grows too large, and for all that comes of it after', () => {
    const peer = new RawPeer({ maxSize: 10 })
    peer.give(`${peer.head('aaaa', ['Message-ID: msg-1', 'Byte-Range: 1-*/5', 'Content-Type: a/b'])}\r\n12345678901`)
    expect(peer.answers()).toEqual({ aaaa: 413 })
    expect(peer.user.received[0]!.state).toContain('longer than 10')
    peer.give('more and more\r\n-------aaaa+\r\n').chunk('bbbb', 'msg-1', '25-*/*', 'x', '+').chunk('cccc', 'msg-1', '26-*/*', '', '#')
    expect(peer.answers()).toEqual({ bbbb: 413, cccc: 413 })
    // The sender has stopped: the same message may be tried again, and is judged again.
    expect(peer.chunk('dddd', 'msg-1', '1-5/5', 'short').answers()).toEqual({ dddd: 200 })
  })

  it('is 200 for a message of the largest size, said or not', () => {
    const peer = new RawPeer({ maxSize: 10 })
    expect(peer.chunk('aaaa', 'msg-1', '1-10/10', '1234567890').chunk('bbbb', 'msg-2', '1-*/*', '1234567890').answers()).toEqual({ aaaa: 200, bbbb: 200 })
    expect(peer.user.received.map(({ state }) => state)).toEqual(['complete', 'complete'])
  })

  it('is 413 far behind the largest size, without its octets', () => {
    const peer = new RawPeer({ maxSize: 10 }).chunk('aaaa', 'msg-1', '999999999999999-*/*', 'x', '+')
    expect(peer.answers()).toEqual({ aaaa: 413 })
  })

  it('is the status the user chose, at the first chunk and at all that follow', () => {
    const peer = new RawPeer()
    peer.user.verdict = () => 403
    peer.chunk('aaaa', 'msg-1', '1-*/8', 'abcd', '+').chunk('bbbb', 'msg-1', '5-8/8', 'efgh', '$')
    expect(peer.answers()).toEqual({ aaaa: 403, bbbb: 403 })
    expect(peer.user.received).toEqual([])
  })

  it('is the status the user chooses in the middle of a chunk, or between two', () => {
    const peer = new RawPeer()
    let pieces = 0
    peer.user.onBytesMore = (now, message) => { if (++pieces === 2) message.session.refuse(now, message, 413) }
    peer.give(`${peer.head('aaaa', ['Message-ID: msg-1', 'Content-Type: a/b'])}\r\nfirst`).give('second')
    expect(peer.answers()).toEqual({ aaaa: 413 })
    peer.give('third\r\n-------aaaa$\r\n')
    expect(peer.answers()).toEqual({})
    expect(peer.user.received[0]).toMatchObject({ state: 'open', pieces: 2 })
    expect(peer.chunk('bbbb', 'msg-2', '1-*/*', 'x', '+').answers()).toEqual({ bbbb: 200 })
  })

  it('is 413 for one open message too many, and for one gap too many', () => {
    const peer = new RawPeer({}, { openMessages: 2, gaps: 2 })
    for (const id of ['msg-1', 'msg-2', 'msg-3']) peer.chunk(`t${id}`, id, '1-*/*', 'x', '+')
    expect(Object.values(peer.answers())).toEqual([200, 200, 413])
    peer.chunk('gap1', 'msg-1', '3-*/*', 'x', '+').chunk('gap2', 'msg-1', '5-*/*', 'x', '+')
    expect(peer.answers()).toEqual({ gap1: 200, gap2: 413 })
  })

  it('is 400 for what cannot be read but can be answered, and the connection goes on', () => {
    const peer = new RawPeer()
    peer.send('aaaa', ['Message-ID: x', 'Content-Type: a/b'], 'x').send('bbbb', ['Content-Type: a/b'], 'x').send('cccc', ['Message-ID: msg-1'], 'no type').send('dddd', ['Message-ID: msg-2', 'Byte-Range: 0-1/1', 'Content-Type: a/b'], 'x')
    expect(peer.answers()).toEqual({ aaaa: 400, bbbb: 400, cccc: 400, dddd: 400 })
    expect(peer.send('eeee', TEXT, 'x').answers()).toEqual({ eeee: 200 })
    expect(peer.closes).toEqual([])
  })

  it('ends the connection where nobody can say who asked or what comes next', () => {
    for (const text of ['nonsense\r\n', 'MSRP abcd SEND\r\nMessage-ID: abcd\r\n-------abcd$\r\n', `MSRP abcd SEND\r\nX: ${'x'.repeat(20_000)}`]) {
      const peer = new RawPeer().send('aaaa', TEXT, 'x')
      peer.give(text)
      expect(peer.closes).toEqual([1])
      expect(peer.user.downs).toMatchObject([expect.stringContaining('connection: unreadable')])
      expect(peer.endpoint).toMatchObject({ openSessions: 0, connections: 0 })
      peer.send('bbbb', TEXT, 'x')
    }
  })

  it('answers 400 before it ends the connection over a head without end', () => {
    const peer = new RawPeer()
    peer.give(`${peer.head('abcd', [])}X: ${'x'.repeat(20_000)}`)
    expect(peer.answers()).toEqual({ abcd: 400 })
    expect(peer.closes).toEqual([1])
  })

  it('ends the connection over a body that only a SEND may have', () => {
    const peer = new RawPeer().send('aaaa', TEXT, 'x')
    peer.give(`${peer.head('abcd', ['Content-Type: a/b'], undefined, 'AUTH')}\r\n${'x'.repeat(10_240)}`)
    expect(peer.closes).toEqual([])
    peer.give('y')
    expect(peer.closes).toEqual([1])
  })
})

describe('a session that ends', () => {
  it('within a callback takes nothing more of what is arriving', () => {
    const peer = new RawPeer()
    peer.user.onBytesMore = (now, message) => message.session.close(now)
    peer.give(`${peer.head('aaaa', TEXT)}\r\none`).give('two\r\n-------aaaa$\r\n')
    expect(peer.user.received).toMatchObject([{ bytes: Buffer.from('one'), state: 'the session was closed' }])
    expect(peer.answers()).toEqual({ aaaa: 481 })
    expect(peer.user.downs).toEqual([])
  })

  it('between two pieces of a chunk answers 481 at its end, and takes no message on the same connection', () => {
    const peer = new RawPeer()
    peer.give(`${peer.head('aaaa', TEXT)}\r\none`)
    peer.session.close(peer.now)
    peer.give('two\r\n-------aaaa$\r\n').chunk('bbbb', 'msg-2', '1-1/1', 'x')
    expect(peer.answers()).toEqual({ aaaa: 481, bbbb: 481 })
    expect(peer.user.received).toMatchObject([{ bytes: Buffer.from('one'), state: 'the session was closed' }])
  })

  it('when its message is complete still answers and reports it', () => {
    const peer = new RawPeer()
    peer.user.atEnd = (message) => {
      message.session.close(peer.now)
      return 200
    }
    peer.chunk('aaaa', 'msg-1', '1-5/5', 'hello', '$', ['Success-Report: yes'])
    const wire = peer.take()
    expect(wire).toContain('MSRP aaaa 200 OK')
    expect(reports(wire)).toEqual(['1-5/5 200'])
    expect(peer.user.received[0]!.state).toBe('complete')
  })

  it('in the same arrival in which it was bound is told to have ended, not to be bound', () => {
    const peer = new RawPeer()
    peer.give(`${peer.head('aaaa', ['Message-ID: bind'])}-------aaaa$\r\nnonsense\r\n`)
    expect(peer.user.bound).toEqual([])
    expect(peer.user.downs).toHaveLength(1)
  })

  it('with its connection tells of half received messages once', () => {
    const peer = new RawPeer().chunk('aaaa', 'msg-1', '1-*/*', 'x', '+')
    peer.endpoint.input(peer.now, { type: 'flow-down', flow: 1, reason: 'reset by peer' })
    expect(peer.user.received[0]!.state).toBe('reset by peer')
    expect(peer.user.downs).toEqual(['connection: reset by peer'])
    expect(peer.endpoint).toMatchObject({ openSessions: 0, connections: 0 })
  })
})

describe('a connection', () => {
  it('that names no session goes after the time for an answer', () => {
    const peer = new RawPeer()
    peer.pass(29_999_999)
    expect(peer.closes).toEqual([])
    peer.pass(1)
    expect(peer.closes).toEqual([1])
    expect(peer.user.downs).toEqual(['unbound: no connection came within 30 s'])
    expect(peer.endpoint.deadline()).toBe(Infinity)
  })

  it('whose peer sends without reading what it is answered is ended', () => {
    const peer = new RawPeer().send('aaaa', TEXT, 'x')
    peer.endpoint.input(peer.now, { type: 'full', flow: 1 })
    peer.take()
    for (let count = 0; count < 3_000 && peer.closes.length === 0; count++) peer.chunk('bbbb', 'msg-1', '1-1/1', 'x')
    expect(peer.closes).toEqual([1])
    expect(peer.take()).toBe('')
  })

  it('whose peer reads late, but reads, stays however often that is', () => {
    const peer = new RawPeer().send('aaaa', TEXT, 'x')
    for (let round = 0; round < 25; round++) {
      peer.endpoint.input(peer.now, { type: 'full', flow: 1 })
      for (let count = 0; count < 100; count++) peer.chunk('bbbb', 'msg-1', '1-1/1', 'x')
      peer.endpoint.input(peer.now, { type: 'writable', flow: 1 })
    }
    expect(peer.closes).toEqual([])
    expect(peer.take().length).toBeGreaterThan(CONTROL_BYTES_MAX)
  })

  it('gets its answers when the driver has room again', () => {
    const peer = new RawPeer().send('aaaa', TEXT, 'x')
    peer.take()
    peer.endpoint.input(peer.now, { type: 'full', flow: 1 })
    peer.chunk('bbbb', 'msg-1', '1-1/1', 'x')
    expect(peer.answers()).toEqual({})
    peer.endpoint.input(peer.now, { type: 'writable', flow: 1 })
    expect(peer.answers()).toEqual({ bbbb: 200 })
  })
})
