/**
 * Terminals and gateways for tests of the live core, on plain sockets with text handling and digest arithmetic of their
 * own, so that the project's codec is not its own judge.
 */
import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { eachMessage } from './sip-text.js'

export interface TextPeer {
  readonly port: number
  send(text: string): void
  /** The next whole message that came or comes. */
  next(): Promise<string>
  close(): void
}

class Inbox {
  private readonly waiting: string[] = []
  private readonly takers: ((message: string) => void)[] = []

  put(message: string): void {
    const taker = this.takers.shift()
    if (taker === undefined) this.waiting.push(message)
    else taker(message)
  }

  next(): Promise<string> {
    const message = this.waiting.shift()
    return message === undefined ? new Promise((resolve) => this.takers.push(resolve)) : Promise.resolve(message)
  }
}

export function tcpPeer(to: string): Promise<TextPeer> {
  const inbox = new Inbox()
  const [host, port] = to.split(':')
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host!, () => resolve({
      port: socket.localPort!,
      send: (text) => { socket.write(text, 'latin1') },
      next: () => inbox.next(),
      close: () => socket.destroy(),
    }))
    socket.once('error', reject)
    eachMessage(socket, (message) => inbox.put(message))
  })
}

export function udpPeer(to: string): Promise<TextPeer> {
  const inbox = new Inbox()
  const [host, port] = to.split(':')
  const socket = createSocket('udp4')
  socket.on('message', (bytes) => inbox.put(bytes.toString('latin1')))
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(0, '127.0.0.1', () => resolve({
      port: socket.address().port,
      send: (text) => { socket.send(text, Number(port), host) },
      next: () => inbox.next(),
      close: () => { socket.close() },
    }))
  })
}

export function headerOf(message: string, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}: ([^\\r]*)`, 'i').exec(message)?.[1]
}

export interface Account {
  readonly user: string
  readonly domain: string
  readonly impi: string
  readonly password: string
}

let serial = 0

/** One REGISTER; `authorization` is the whole header line or ''. */
export function registerText(peer: TextPeer, transport: 'TCP' | 'UDP', account: Account, cseq: number, authorization: string): string {
  const { user, domain } = account
  return [
    `REGISTER sip:${domain} SIP/2.0`, `Via: SIP/2.0/${transport} 127.0.0.1:${peer.port};branch=z9hG4bKlive${++serial};rport`, 'Max-Forwards: 70',
    `From: <sip:${user}@${domain}>;tag=live`, `To: <sip:${user}@${domain}>`, `Call-ID: live-${peer.port}`, `CSeq: ${cseq} REGISTER`,
    `Contact: <sip:${user}@127.0.0.1:${peer.port}${transport === 'TCP' ? ';transport=tcp' : ''}>;+sip.instance="<urn:uuid:00000000-0000-4000-8000-${String(peer.port).padStart(12, '0')}>";+g.oma.pusheventapp="push.sia"`,
    'Expires: 600', 'Supported: path, gruu', ...(authorization === '' ? [] : [authorization]), 'Content-Length: 0', '', '',
  ].join('\r\n')
}

/** REGISTER, challenge, REGISTER: the final answer. */
export async function registerAt(peer: TextPeer, transport: 'TCP' | 'UDP', account: Account): Promise<string> {
  peer.send(registerText(peer, transport, account, 1, ''))
  const challenge = await peer.next()
  const line = challenge.split('\r\n').find((each) => each.startsWith('WWW-Authenticate:') && each.includes('algorithm=MD5')) ?? ''
  const [realm, nonce] = [/realm="([^"]+)"/, /nonce="([^"]+)"/].map((pattern) => pattern.exec(line)?.[1] ?? '')
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
  const uri = `sip:${account.domain}`
  const response = md5(`${md5(`${account.impi}:${realm}:${account.password}`)}:${nonce}:00000001:live:auth:${md5(`REGISTER:${uri}`)}`)
  peer.send(registerText(peer, transport, account, 2,
    `Authorization: Digest username="${account.impi}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5, cnonce="live", qop=auth, nc=00000001`))
  return peer.next()
}

export function messageText(peer: TextPeer, transport: 'TCP' | 'UDP', to: string, body: string): string {
  return [
    `MESSAGE ${to} SIP/2.0`, `Via: SIP/2.0/${transport} 127.0.0.1:${peer.port};branch=z9hG4bKlive${++serial};rport`, 'Max-Forwards: 70',
    'From: <sip:push@ppg.example>;tag=g', `To: <${to}>`, `Call-ID: push-${serial}`, 'CSeq: 1 MESSAGE', 'P-Asserted-Identity: <sip:push@ppg.example>',
    'Accept-Contact: *;+g.oma.pusheventapp="push.sia";require;explicit', 'X-Push-Id: push-live', 'Content-Type: text/plain', `Content-Length: ${body.length}`, '', body,
  ].join('\r\n')
}
