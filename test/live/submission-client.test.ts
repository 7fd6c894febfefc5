/** The generator's HTTP client against servers that answer oddly, late, in pieces or not at all: each submission is written at most once and ends exactly once. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SubmissionClient, type Submission } from '../../loadgen/live/submission-client.js'
import { until } from './until.js'

const BODY = 'push \xe9'
const OK = 'HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok'

/** A submission that writes down what it is told. */
class Witness implements Submission {
  readonly body = BODY
  readonly told: string[] = []

  constructor(readonly head: string) {}

  get ended(): boolean {
    return this.told.some((each) => each !== 'sent')
  }

  get last(): string | undefined {
    return this.told.at(-1)
  }

  onSent(): void {
    this.told.push('sent')
  }

  onAnswered(status: number, body: string): void {
    this.told.push(`${status} ${body}`)
  }

  onUnanswered(reason: string): void {
    this.told.push(`unanswered: ${reason}`)
  }
}

let server: Server
let port: number
/** What the server does with each whole request; `number` counts from 1. */
let serve: (socket: Socket, number: number) => void
let onConnection: (socket: Socket) => void
const requests: string[] = []
const sockets: Socket[] = []
const clients: SubmissionClient[] = []

beforeEach(async () => {
  requests.length = 0
  sockets.length = 0
  serve = (socket) => socket.write(OK)
  onConnection = () => {}
  server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    onConnection(socket)
    let text = ''
    socket.on('data', (octets) => {
      text += octets.toString('latin1')
      while (text.includes(BODY)) {
        const end = text.indexOf(BODY) + BODY.length
        requests.push(text.slice(0, end))
        text = text.slice(end)
        serve(socket, requests.length)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})

afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  for (const socket of sockets) socket.destroy()
  server.close()
})

function newClient(connectionsMax = 4, answerTimeoutMillis = 10_000): SubmissionClient {
  const client = new SubmissionClient(new URL(`http://127.0.0.1:${port}/pap?a=b`), { connectionsMax, answerTimeoutMillis })
  clients.push(client)
  return client
}

function submit(client: SubmissionClient, count = 1): Witness[] {
  const witnesses = Array.from({ length: count }, () => new Witness(client.head('text/plain')))
  for (const witness of witnesses) client.submit(witness)
  return witnesses
}

/** What one submission was told after 'sent', the server answering with this. */
async function outcomeOf(client: SubmissionClient, answer: (socket: Socket) => void): Promise<string | undefined> {
  serve = (socket) => answer(socket)
  const [witness] = submit(client)
  await until(() => witness!.ended)
  expect(witness!.told).toHaveLength(2)
  expect(witness!.told[0]).toBe('sent')
  return witness!.last
}

/** The octets one at a time, each in a segment of its own. */
function drip(socket: Socket, octets: string, at = 0): void {
  if (at === octets.length) return
  socket.write(octets[at]!, 'latin1', () => setImmediate(() => drip(socket, octets, at + 1)))
}

describe('the submission client', () => {
  it('writes one request per submission, with its length in octets, and keeps to one connection while one is enough', async () => {
    const client = newClient()
    for (let count = 0; count < 5; count++) expect(await outcomeOf(client, (socket) => socket.write(OK))).toBe('202 ok')
    expect(sockets).toHaveLength(1)
    expect(new Set(requests)).toEqual(new Set([`POST /pap?a=b HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\n${BODY}`]))
  })

  it('refuses an address that is not http, saying so', () => {
    expect(() => new SubmissionClient(new URL('https://ppg.example/pap'), { connectionsMax: 1, answerTimeoutMillis: 1 })).toThrow(/over http alone.*https:\/\/ppg\.example\/pap/)
  })

  it('reads the same answer whole and octet by octet: by length, in chunks, after interim answers, without a body', async () => {
    const answers: [string, string][] = [
      [OK, '202 ok'],
      ['HTTP/1.1 500 \r\ncontent-length:0\r\n\r\n', '500 '],
      ['HTTP/1.1 202 Accepted\r\nTransfer-Encoding: Chunked\r\n\r\n3;name="value"\r\n\xe9\r\n\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n', '202 \xe9\r\n0123456789'],
      ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok', '202 ok'],
      ['HTTP/1.1 204 No Content\r\n\r\n', '204 '],
      ['HTTP/1.0 202 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx', '202 x'],
    ]
    const client = newClient()
    for (const [octets, wanted] of answers) {
      expect(await outcomeOf(client, (socket) => socket.write(octets, 'latin1')), octets).toBe(wanted)
      expect(await outcomeOf(client, (socket) => drip(socket, octets)), octets).toBe(wanted)
    }
    // Every one of them left the connection fit for the next.
    expect(sockets).toHaveLength(1)
  })

  it('takes an answer without a length until the connection closes, and keeps the beginning of a long one', async () => {
    const client = newClient()
    expect(await outcomeOf(client, (socket) => { drip(socket, 'HTTP/1.1 503 Busy\r\n\r\nlater'); setImmediate(() => until(() => socket.bytesWritten === 26).then(() => socket.end())) })).toBe('503 later')
    expect(await outcomeOf(client, (socket) => socket.write(`HTTP/1.1 202 OK\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`))).toBe(`202 ${'x'.repeat(16_384)}`)
    expect(await outcomeOf(client, (socket) => socket.write(OK))).toBe('202 ok')
    expect(sockets).toHaveLength(2)
  })

  it('leaves a connection that is to be closed, or says more than its answer', async () => {
    const client = newClient()
    const answers = [
      'HTTP/1.1 202 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok', 'HTTP/1.0 202 OK\r\nContent-Length: 2\r\n\r\nok', `${OK}${OK}`,
      'HTTP/1.1 202 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok',
    ]
    for (const octets of answers) expect(await outcomeOf(client, (socket) => socket.write(octets)), octets).toBe('202 ok')
    expect(await outcomeOf(client, (socket) => socket.write(OK))).toBe('202 ok')
    expect(sockets).toHaveLength(5)
  })

  it.each([
    ['SSH-2.0-x', 'the answer is not HTTP/1'],
    ['HTTP/1.1 2024 OK\r\n\r\n', 'malformed status line'],
    ['HTTP/1.1 202\r\n\r\n', 'malformed status line'],
    ['HTTP/1.1 202 OK\r\nContent-Length : 2\r\n\r\nok', 'malformed header field'],
    ['HTTP/1.1 202 OK\r\nA: b\r\n folded\r\n\r\n', 'malformed header field'],
    ['HTTP/1.1 202 OK\r\nA: b\nContent-Length: 2\r\n\r\nok', 'malformed header field'],
    ['HTTP/1.1 202 OK\r\nContent-Length: +2\r\n\r\nok', 'malformed Content-Length'],
    ['HTTP/1.1 202 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok', 'malformed Content-Length'],
    ['HTTP/1.1 202 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'a length and chunks, or chunks in HTTP/1.0'],
    ['HTTP/1.0 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'a length and chunks, or chunks in HTTP/1.0'],
    ['HTTP/1.1 202 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 'a transfer coding other than chunked'],
    ['HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n', 'malformed chunk size'],
    ['HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n', 'a chunk is longer than its size'],
    ['HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nbad trailer\r\n', 'malformed trailer field'],
    ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 'a switch of protocols nobody asked for'],
    [`HTTP/1.1 202 OK\r\nA: ${'b'.repeat(20_000)}`, 'the head of the answer is too long'],
    ['HTTP/1.1 202 OK\r\nContent-Length: 2000000\r\n\r\n', 'the body of the answer is too long'],
    [`HTTP/1.1 202 OK\r\n\r\n${'x'.repeat(1_100_000)}`, 'the body of the answer is too long'],
    [`HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(5_000)}`, 'a line between chunks is too long'],
  ])('calls garbage unanswered with its reason, without waiting for more: %j', async (octets, reason) => {
    const client = newClient()
    expect(await outcomeOf(client, (socket) => socket.write(octets))).toBe(`unanswered: ${reason}`)
    expect(await outcomeOf(client, (socket) => socket.write(OK))).toBe('202 ok')
    expect(sockets).toHaveLength(2)
  })

  it('never writes a submission twice: a connection that closes under it, on its first request or a later one, leaves it unanswered', async () => {
    const client = newClient()
    expect(await outcomeOf(client, (socket) => socket.end())).toBe('unanswered: closed before an answer')
    expect(await outcomeOf(client, (socket) => socket.write(OK))).toBe('202 ok')
    expect(await outcomeOf(client, (socket) => socket.end())).toBe('unanswered: closed before an answer')
    expect(requests).toHaveLength(3)
  })

  it('does not take the beginning of an answer for one', async () => {
    const client = newClient()
    for (const octets of ['HTTP/1.1 202 OK\r\nContent-Length: 2\r\n\r\no', 'HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n', 'HTTP/1.1 202 OK\r\n']) {
      expect(await outcomeOf(client, (socket) => socket.end(octets)), octets).toBe('unanswered: closed within the answer')
    }
    expect(requests).toHaveLength(3)
  })

  it('says of a connection that was reset that it was', async () => {
    const witnesses: Witness[] = []
    // The kernel resets a connection that is closed while something on it was not read.
    const deaf = createServer({ pauseOnConnect: true }, (socket) => {
      sockets.push(socket)
      void until(() => witnesses[0]!.told.length > 0).then(() => socket.destroy())
    })
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve))
    port = (deaf.address() as AddressInfo).port
    witnesses.push(...submit(newClient()))
    await until(() => witnesses[0]!.ended)
    expect(witnesses[0]!.told).toEqual(['sent', 'unanswered: ECONNRESET'])
    deaf.close()
  })

  it.each([
    ['closes it', (socket: Socket) => socket.end()],
    ['speaks out of turn', (socket: Socket) => socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n')],
  ])('opens another connection when the server %s while it is unused', async (_how, treat) => {
    const client = newClient()
    expect(await outcomeOf(client, (socket) => socket.write(OK))).toBe('202 ok')
    let closed = false
    sockets[0]!.on('close', () => { closed = true })
    treat(sockets[0]!)
    await until(() => closed)
    expect(await outcomeOf(client, (socket) => socket.write(OK))).toBe('202 ok')
    expect(sockets).toHaveLength(2)
    expect(requests).toHaveLength(2)
  })

  it('gives up an answer that does not come in time, and one that never ends, and goes on', async () => {
    const client = newClient(1, 200)
    serve = (socket, number) => {
      if (number === 2) drip(socket, `HTTP/1.1 202 OK\r\nA: ${'b'.repeat(16_000)}`)
      else if (number === 3) socket.write(OK)
    }
    const witnesses = submit(client, 3)
    const begun = performance.now()
    await until(() => witnesses.every(({ ended }) => ended))
    expect(witnesses.map(({ last }) => last)).toEqual(['unanswered: no answer in time', 'unanswered: no answer in time', '202 ok'])
    // Twice the limit given above: never earlier, however busy the machine.
    expect(performance.now() - begun).toBeGreaterThan(390)
    expect(requests).toHaveLength(3)
  })

  it('holds what is more than its connections, in order, one under way on each', async () => {
    const client = newClient(3)
    const held: Socket[] = []
    serve = (socket) => held.push(socket)
    const witnesses = submit(client, 50)
    await until(() => held.length === 3)
    expect(witnesses.filter(({ told }) => told.length > 0)).toEqual(witnesses.slice(0, 3))
    serve = (socket, number) => {
      if (number % 10 === 0) socket.end()
      else socket.write(OK)
    }
    for (const socket of held) socket.write(OK)
    await until(() => witnesses.every(({ ended }) => ended))
    expect(requests).toHaveLength(50)
    expect(witnesses.every(({ told }) => told.length === 2 && told[0] === 'sent')).toBe(true)
    expect(witnesses.filter(({ last }) => last === 'unanswered: closed before an answer')).toHaveLength(5)
    expect(sockets.length).toBeLessThanOrEqual(8)
  })

  it('takes the connection used last, so that few are in use', async () => {
    const client = newClient(4)
    const held: Socket[] = []
    serve = (socket) => held.push(socket)
    const witnesses = submit(client, 4)
    await until(() => held.length === 4)
    for (const [index, socket] of held.entries()) {
      socket.write(OK)
      await until(() => witnesses.filter(({ ended }) => ended).length === index + 1)
    }
    const last = held[3]
    for (let count = 0; count < 3; count++) {
      let used: Socket | undefined
      await outcomeOf(client, (socket) => { used = socket; socket.write(OK) })
      expect(used).toBe(last)
    }
  })

  it('says of each submission that nobody listens, without calling it sent', async () => {
    const client = newClient(2)
    await new Promise<void>((resolve) => { server.close(() => resolve()) })
    const witnesses = submit(client, 20)
    await until(() => witnesses.every(({ ended }) => ended))
    expect(new Set(witnesses.flatMap(({ told }) => told))).toEqual(new Set(['unanswered: ECONNREFUSED']))
  })

  it('gives up everything when closed, under way, waiting or new, once each', async () => {
    const client = newClient(2)
    serve = () => {}
    const witnesses = submit(client, 5)
    await until(() => requests.length === 2)
    client.close()
    client.close()
    witnesses.push(...submit(client))
    await until(() => sockets.every(({ destroyed }) => destroyed))
    expect(witnesses.map(({ told }) => told.join(', '))).toEqual([
      'sent, unanswered: given up', 'sent, unanswered: given up', 'unanswered: given up', 'unanswered: given up', 'unanswered: given up', 'unanswered: given up',
    ])
  })
})
