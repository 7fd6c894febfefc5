/**
 * The far end of session mode for tests of the live gateway: a core network of one TCP listener that answers every INVITE with an
 * MSRP listener of its own, which takes whatever is sent, digests it, answers each SEND and reports at the end. Text handling of
 * its own, so that the gateway's codecs are not its judge.
 */
import { createHash, type Hash } from 'node:crypto'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { answerTo, eachMessage, headOf } from './sip-text.js'

export interface SinkMessage {
  readonly messageId: string
  readonly octets: number
  readonly sha1: string
  readonly headers: string
}

export interface MsrpSink {
  readonly hop: string
  /** Start lines of SIP requests, in order. */
  readonly requests: string[]
  /** Session descriptions offered. */
  readonly offers: string[]
  readonly messages: SinkMessage[]
  /** Octets of content taken so far. */
  octets: number
  /** MSRP connections that are open. */
  readonly connections: Set<Socket>
  close(): Promise<void>
}

/** @param answers whether INVITEs are answered at all */
export async function msrpSink(answers = true): Promise<MsrpSink> {
  const sockets = new Set<Socket>()
  const sink = { requests: [] as string[], offers: [] as string[], messages: [] as SinkMessage[], octets: 0, connections: new Set<Socket>() }
  const msrp = createServer({ noDelay: true }, (socket) => {
    sink.connections.add(socket)
    socket.on('close', () => sink.connections.delete(socket))
    receive(socket, sink)
  })
  const sip = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    eachMessage(socket, (request) => {
      sink.requests.push(request.slice(0, request.indexOf('\r\n')))
      if (request.startsWith('ACK ') || !answers) return
      if (!request.startsWith('INVITE ')) return void socket.write(answerTo(request, '200 OK'), 'latin1')
      const offer = request.slice(headOf(request).length + 4)
      sink.offers.push(offer)
      socket.write(answerTo(request, '200 OK', `Contact: <sip:sink@127.0.0.1:${portOf(sip)};transport=tcp>\r\nContent-Type: application/sdp\r\n`, descriptionFor(offer, portOf(msrp))), 'latin1')
    })
  })
  for (const server of [msrp, sip]) await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', () => resolve()) })
  return Object.assign(sink, {
    hop: `tcp:127.0.0.1:${portOf(sip)}`,
    close: async () => {
      for (const socket of [...sockets, ...sink.connections]) socket.destroy()
      for (const server of [msrp, sip]) await new Promise<void>((resolve) => { server.close(() => resolve()) })
    },
  })
}

function descriptionFor(offer: string, port: number): string {
  const file = offer.split('\r\n').filter((line) => line.startsWith('a=file-transfer-id:')).concat(offer.includes('a=file-selector') ? ['a=file-selector'] : [])
  return ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', `m=message ${port} TCP/MSRP *`, 'a=recvonly', `a=path:msrp://127.0.0.1:${port}/sinksinksinksink;tcp`,
    'a=setup:passive', 'a=accept-types:*', ...file, ''].join('\r\n')
}

interface Growing { octets: number; readonly hash: Hash }

/** Whole chunks at a time: a head, its octets, an end-line with the transaction's id. */
function receive(socket: Socket, sink: Omit<MsrpSink, 'hop' | 'close'>): void {
  const growing = new Map<string, Growing>()
  let rest: Buffer = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    for (;;) {
      const id = /^MSRP (\S+) /.exec(rest.toString('latin1', 0, 64))?.[1]
      if (id === undefined) return
      const endLine = rest.indexOf(`\r\n-------${id}`)
      const end = endLine + 2 + 7 + id.length + 1 + 2
      if (endLine < 0 || rest.length < end) return
      take(socket, sink, growing, id, rest.subarray(0, endLine), String.fromCharCode(rest[end - 3]!))
      rest = rest.subarray(end)
    }
  })
}

function take(socket: Socket, sink: Omit<MsrpSink, 'hop' | 'close'>, growing: Map<string, Growing>, id: string, chunk: Buffer, flag: string): void {
  const headEnd = chunk.indexOf('\r\n\r\n')
  const head = chunk.toString('latin1', 0, headEnd < 0 ? chunk.length : headEnd)
  if (!/^MSRP \S+ SEND/.test(head)) return
  const value = (name: string): string => new RegExp(`\\r\\n${name}: ([^\\r]*)`).exec(head)?.[1] ?? ''
  const paths = `To-Path: ${value('From-Path')}\r\nFrom-Path: ${value('To-Path')}\r\n`
  socket.write(`MSRP ${id} 200 OK\r\n${paths}-------${id}$\r\n`)
  if (headEnd < 0) return
  const messageId = value('Message-ID')
  const message = growing.get(messageId) ?? { octets: 0, hash: createHash('sha1') }
  growing.set(messageId, message)
  const body = chunk.subarray(headEnd + 4)
  message.octets += body.length
  message.hash.update(body)
  sink.octets += body.length
  if (flag !== '$') return
  growing.delete(messageId)
  sink.messages.push({ messageId, octets: message.octets, sha1: message.hash.digest('hex'), headers: head })
  if (value('Success-Report') !== 'yes') return
  socket.write(`MSRP rep${id.slice(0, 20)} REPORT\r\n${paths}Message-ID: ${messageId}\r\nByte-Range: 1-${message.octets}/${message.octets}\r\nStatus: 000 200 OK\r\n-------rep${id.slice(0, 20)}$\r\n`)
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
