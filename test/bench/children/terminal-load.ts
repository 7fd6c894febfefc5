/**
 * A stand-in for the P-CSCF over one UDP socket: takes every REGISTER, remembers the contact, and sends MESSAGEs to the
 * contacts back to back. Also sends them to a bare echo, whose port is then the only contact.
 */
import { createSocket } from 'node:dgram'
import { ClosedLoop, type LoopResult } from './closed-loop.js'
import { serve } from './serve.js'
import { answerTo, valueOf } from '../../live/sip-text.js'

const WINDOW = 64
const BUFFER_BYTES = 4 * 1024 * 1024
const BODY = 'x'.repeat(300)

const socket = createSocket({
  type: 'udp4', recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES, lookup: (address, _options, callback) => callback(null, address, 4),
})
const contacts: { readonly uri: string; readonly port: number; readonly aor: string }[] = []
const ECHO = { uri: 'sip:ue-0-0@127.0.0.1', aor: 'sip:user000000@home1.example' }
let loop: ClosedLoop | undefined
let serial = 0

socket.on('message', (bytes, from) => {
  const text = bytes.toString('latin1')
  if (text.startsWith('SIP/2.0')) {
    if (!text.startsWith('SIP/2.0 200')) throw new Error(`a MESSAGE was answered ${text.slice(0, text.indexOf('\r\n'))}`)
    loop?.end()
    return
  }
  const contact = valueOf(text, 'Contact')
  contacts.push({ uri: contact.slice(contact.indexOf('<') + 1, contact.indexOf('>')), port: from.port, aor: text.slice(text.indexOf('sip:', text.indexOf('\r\nTo:')), text.indexOf('>', text.indexOf('\r\nTo:'))) })
  socket.send(Buffer.from(answerTo(text, '200 OK', `Contact: ${contact};expires=600000\r\n`), 'latin1'), from.port, from.address)
})

function messages({ count, echo }: { readonly count: number; readonly echo?: number }): Promise<LoopResult> {
  loop = new ClosedLoop(count, (index) => {
    const { uri, port, aor } = echo === undefined ? contacts[index % contacts.length]! : { ...ECHO, port: echo }
    const number = ++serial
    socket.send(Buffer.from(`MESSAGE ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bKp${number}\r\n`
      + `Via: SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bKs${number}\r\nVia: SIP/2.0/TCP 127.0.0.1:5070;branch=z9hG4bKi${number}\r\nVia: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKg${number}\r\n`
      + `Max-Forwards: 67\r\nFrom: <sip:push@home1.example>;tag=g${number}\r\nTo: <${aor}>\r\nCall-ID: ${number}-abcdef0123456789@127.0.0.1\r\nCSeq: 1 MESSAGE\r\n`
      + `P-Asserted-Identity: <sip:push@home1.example>\r\nP-Called-Party-ID: <${aor}>\r\nAccept-Contact: *;+g.oma.pusheventapp="push.sia";require;explicit\r\n`
      + `User-Agent: pushbench-ppg\r\nX-Wap-Application-Id: x-wap-application:push.sia\r\nX-Push-Id: push-${number}\r\nContent-Type: text/vnd.wap.si\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`, 'latin1'),
    port, '127.0.0.1')
  })
  loop.start(WINDOW)
  return loop.finished
}

serve({
  open: () => new Promise<number>((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket.address().port))),
  messages,
})
