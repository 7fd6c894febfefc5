/**
 * A gateway's side and the terminals' side of the core network in one cheap process: registrations with digest,
 * refreshes that need no challenge, MESSAGEs back to back with the terminals' answers.
 */
import { systemCrypto } from '../../../core/live/crypto.js'
import { answerChallenge, credentialsText, firstChallenge } from '../../../core/sip/digest.js'
import { parsedText } from '../../../core/sip/header-text.js'
import { ClosedLoop, type LoopResult } from './closed-loop.js'
import { serve } from './serve.js'
import { openLink, type LinkTransport, type SipLink } from './sip-links.js'
import { answerTo } from '../../live/sip-text.js'

export interface ImsLinks {
  readonly transport: LinkTransport
  /** Where terminals and gateways reach the core. */
  readonly pcscf: number
  readonly icscf: number
  readonly domain: string
}

const WINDOW = 64
const BODY = 'x'.repeat(300)

let links: { readonly terminals: SipLink; readonly gateway: SipLink; readonly via: string; readonly domain: string; readonly contactEnd: string } | undefined
let loop: ClosedLoop | undefined
let onRegistered: (answer: string) => void = () => {}
const devices: { cseq: number; authorization: string }[] = []
let serial = 0

async function open({ transport, pcscf, icscf, domain }: ImsLinks): Promise<void> {
  const terminals = await openLink(transport, pcscf, (text) => {
    if (text.startsWith('SIP/2.0')) onRegistered(text)
    else terminals.send(answerTo(text, '200 OK'))
  })
  const gateway = await openLink(transport, icscf, (text) => {
    if (text.startsWith('SIP/2.0 1')) return
    if (!text.startsWith('SIP/2.0 200')) throw new Error(`a MESSAGE was answered ${text.slice(0, text.indexOf('\r\n'))}`)
    loop?.end()
  })
  links = { terminals, gateway, domain, via: `SIP/2.0/${transport.toUpperCase()} 127.0.0.1`, contactEnd: transport === 'tcp' ? ';transport=tcp' : '' }
}

function held() {
  if (links === undefined) throw new Error('"open" comes first')
  return links
}

function user(number: number): string {
  return `user${String(number).padStart(6, '0')}`
}

function sendRegister(number: number): void {
  const { terminals, via, domain, contactEnd } = held()
  const device = (devices[number] ??= { cseq: 0, authorization: '' })
  const aor = `<sip:${user(number)}@${domain}>`
  const instance = `urn:uuid:00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
  terminals.send(`REGISTER sip:${domain} SIP/2.0\r\nVia: ${via}:${terminals.localPort};branch=z9hG4bKr${++serial};rport\r\nMax-Forwards: 70\r\nFrom: ${aor};tag=f${number}\r\nTo: ${aor}\r\n`
    + `Call-ID: reg${number}-${process.pid}-0123456789abcdef\r\nCSeq: ${++device.cseq} REGISTER\r\nContact: <sip:ue-${number}-0@127.0.0.1:${terminals.localPort}${contactEnd}>`
    + `;+sip.instance="<${instance}>";+g.oma.pusheventapp="push.sia,mms.ua,wml.ua";methods="MESSAGE,OPTIONS"\r\nExpires: 600000\r\nSupported: path, gruu\r\n`
    + `${device.authorization}User-Agent: bench\r\nContent-Length: 0\r\n\r\n`)
}

/** With the digest exchange, once for each. */
async function register(users: number): Promise<void> {
  const registrations = new ClosedLoop(users, sendRegister)
  onRegistered = (answer) => {
    const number = parseInt(answer.slice(answer.indexOf('\r\nCall-ID: reg') + 14), 10)
    if (answer.startsWith('SIP/2.0 200')) return registrations.end()
    if (!answer.startsWith('SIP/2.0 401')) throw new Error(`a REGISTER was answered ${answer.slice(0, answer.indexOf('\r\n'))}`)
    const lines = [...answer.matchAll(/^WWW-Authenticate: ([^\r]*)/gm)].map((match) => parsedText(match[1]!))
    const id = String(number).padStart(6, '0')
    const credentials = answerChallenge(systemCrypto, firstChallenge(lines)!, {
      username: `user${id}@${held().domain}`, password: `secret-${id}`, method: 'REGISTER', uri: `sip:${held().domain}`, cnonce: 'c', nc: 1,
    })
    devices[number]!.authorization = `Authorization: ${credentialsText(credentials)}\r\n`
    sendRegister(number)
  }
  registrations.start(WINDOW)
  await registrations.finished
}

/** REGISTERs with the credentials of before; `users` go round. */
function refresh({ count, users }: { readonly count: number; readonly users: number }): Promise<LoopResult> {
  const refreshes = new ClosedLoop(count, (index) => sendRegister(index % users))
  onRegistered = (answer) => {
    if (!answer.startsWith('SIP/2.0 200')) throw new Error(`a refresh was answered ${answer.slice(0, answer.indexOf('\r\n'))}`)
    refreshes.end()
  }
  refreshes.start(WINDOW)
  return refreshes.finished
}

function messages({ count, users }: { readonly count: number; readonly users: number }): Promise<LoopResult> {
  const { gateway, via, domain } = held()
  loop = new ClosedLoop(count, (index) => {
    const number = ++serial
    const uri = `sip:${user(index % users)}@${domain}`
    gateway.send(`MESSAGE ${uri} SIP/2.0\r\nVia: ${via}:${gateway.localPort};branch=z9hG4bKm${number};rport\r\nRoute: <sip:icscf.${domain};lr>\r\nMax-Forwards: 70\r\n`
      + `From: <sip:push@${domain}>;tag=m${number}\r\nTo: <${uri}>\r\nCall-ID: ${number}-abcdef0123456789@127.0.0.1\r\nCSeq: 1 MESSAGE\r\nP-Asserted-Identity: <sip:push@${domain}>\r\n`
      + `Accept-Contact: *;+g.oma.pusheventapp="wml.ua";require;explicit\r\nRequest-Disposition: fork, parallel\r\nUser-Agent: pushbench-ppg\r\n`
      + `X-Wap-Application-Id: x-wap-application:wml.ua\r\nX-Push-Id: push-${number}\r\nContent-Type: text/vnd.wap.si\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`)
  })
  loop.start(WINDOW)
  return loop.finished
}

serve({ open, register, refresh, messages })
