/**
 * The far end of session mode for tests of the live gateway: a core network of one TCP listener that answers every INVITE with an
 * MSRP listener of its own, which takes whatever is sent, digests it, answers each SEND and reports at the end. Text handling of
 * its own, so that the gateway's codecs are not its judge.
 */
import { createHash, type Hash } from 'node:crypto'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { connect as tlsConnect, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { answerTo, eachMessage, headOf } from './sip-text.js'

export interface SinkMessage {
  readonly messageId: string
  readonly octets: number
  readonly sha1: string
  readonly headers: string
}

/** In place of a handshake: nothing at all, MSRP as over TCP, or the end of the connection. */
export type Instead = 'silence' | 'MSRP' | 'goodbye'

/** How the sink is a peer over TLS, good or bad. Node's own tls is an independent one: it verifies nothing, and writes down what it was shown. */
export interface SinkTls {
  /** What its answer says its certificate is; undefined says nothing. */
  readonly fingerprint: string | undefined
  /** What it shows, PEM; undefined shows nothing. */
  readonly files: { readonly cert: Buffer; readonly key: Buffer } | undefined
  /** Who connects. */
  readonly setup: 'active' | 'passive'
  /** In place of TLS. One that connects so does it right afterwards. */
  readonly instead?: Instead
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
  /** SHA-256 fingerprints of the certificates it was shown. */
  readonly shown: string[]
  /** Its connections without TLS, to the other side, that are over. */
  gone: number
  /** Over TLS from the next INVITE on, so; undefined: over TCP. */
  tls: SinkTls | undefined
  close(): Promise<void>
}

/** @param answers whether INVITEs are answered at all */
export async function msrpSink(answers = true): Promise<MsrpSink> {
  const sockets = new Set<Socket>()
  const sink: State = { requests: [], offers: [], messages: [], octets: 0, connections: new Set(), shown: [], gone: 0, opened: [], tls: undefined }
  const msrp = createServer({ noDelay: true }, (socket) => {
    keep(sink, socket)
    if (sink.tls?.instead === undefined) return receive(socket, sink)
    // Who reads nothing would never hear that the other side has gone.
    socket.resume()
    misbehave(socket, sink.tls.instead, 'MSRP hello 200 OK\r\n')
  })
  let secure: Server | undefined
  const listening = async (): Promise<Server> => {
    const { tls } = sink
    secure?.close()
    secure = tls?.files === undefined || tls.instead !== undefined ? undefined : createTlsServer({ ...tls.files, requestCert: true, rejectUnauthorized: false }, (socket) => shaken(sink, socket))
    secure?.on('connection', (socket: Socket) => keep(sink, socket))
    if (secure !== undefined) await listen(secure)
    return secure ?? msrp
  }
  const sip = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    eachMessage(socket, (request) => {
      sink.requests.push(request.slice(0, request.indexOf('\r\n')))
      if (request.startsWith('ACK ') || !answers) return
      // Who opened a connection closes it.
      if (request.startsWith('BYE ')) for (const opened of sink.opened.splice(0)) opened.end()
      if (!request.startsWith('INVITE ')) return void socket.write(answerTo(request, '200 OK'), 'latin1')
      const offer = request.slice(headOf(request).length + 4)
      sink.offers.push(offer)
      void listening().then((server) => {
        socket.write(answerTo(request, '200 OK', `Contact: <sip:sink@127.0.0.1:${portOf(sip)};transport=tcp>\r\nContent-Type: application/sdp\r\n`, descriptionFor(offer, portOf(server), sink.tls)), 'latin1')
        if (sink.tls?.setup === 'active') towards(sink, offer, sink.tls)
      })
    })
  })
  for (const server of [msrp, sip]) await listen(server)
  return Object.assign(sink, {
    hop: `tcp:127.0.0.1:${portOf(sip)}`,
    close: async () => {
      for (const socket of [...sockets, ...sink.connections]) socket.destroy()
      secure?.close()
      for (const server of [msrp, sip]) await new Promise<void>((resolve) => { server.close(() => resolve()) })
    },
  })
}

type State = Omit<MsrpSink, 'hop' | 'close'> & {
  /** Its connections that it opened itself. */
  readonly opened: Socket[]
}

function keep(sink: State, socket: Socket): void {
  sink.connections.add(socket)
  socket.on('error', () => {})
  socket.on('close', () => sink.connections.delete(socket))
}

/** The handshake is done. */
function shaken(sink: State, socket: TLSSocket): void {
  sink.shown.push(socket.getPeerX509Certificate()?.fingerprint256 ?? 'nothing')
  receive(socket, sink)
}

function misbehave(socket: Socket, instead: Instead, msrp: string): void {
  if (instead === 'MSRP') socket.write(msrp, 'latin1')
  else if (instead === 'goodbye') socket.end()
}

/** To the path of an offer, which is then told whose connection it is. */
function towards(sink: State, offer: string, { files, instead }: SinkTls): void {
  const [, path = '', port = ''] = /a=path:(msrps?:\/\/127\.0\.0\.1:(\d+)\S*)/.exec(offer) ?? []
  const binding = `MSRP abcd1234 SEND\r\nTo-Path: ${path}\r\nFrom-Path: ${OURS}\r\nMessage-ID: bind1\r\n-------abcd1234$\r\n`
  const rightly = (): void => {
    const socket = tlsConnect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false, ...files }, () => {
      shaken(sink, socket)
      socket.write(binding)
    })
    keep(sink, socket)
    sink.opened.push(socket)
  }
  if (instead === undefined) return rightly()
  const socket = connect(Number(port), '127.0.0.1', () => misbehave(socket, instead, binding)).resume()
  keep(sink, socket)
  socket.on('close', () => {
    sink.gone++
    rightly()
  })
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve()) })
}

const OURS = 'msrps://127.0.0.1:9/sinksinksinksink;tcp'

function descriptionFor(offer: string, port: number, tls: SinkTls | undefined): string {
  const file = offer.split('\r\n').filter((line) => line.startsWith('a=file-transfer-id:')).concat(offer.includes('a=file-selector') ? ['a=file-selector'] : [])
  const place = tls?.setup === 'active' ? 9 : port
  return ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', `m=message ${place} TCP/${tls === undefined ? '' : 'TLS/'}MSRP *`, 'a=recvonly',
    `a=path:${tls === undefined ? 'msrp' : 'msrps'}://127.0.0.1:${place}/sinksinksinksink;tcp`, `a=setup:${tls?.setup ?? 'passive'}`,
    ...(tls?.fingerprint === undefined ? [] : [`a=fingerprint:sha-256 ${tls.fingerprint}`]), 'a=accept-types:*', ...file, ''].join('\r\n')
}

interface Growing { octets: number; readonly hash: Hash }

/** Whole chunks at a time: a head, its octets, an end-line with the transaction's id. */
function receive(socket: Socket, sink: State): void {
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

function take(socket: Socket, sink: State, growing: Map<string, Growing>, id: string, chunk: Buffer, flag: string): void {
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
