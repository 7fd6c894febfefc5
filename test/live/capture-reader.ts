/**
 * Our own reading of a capture, to be held against tshark's: every flow's octets put together in the order of the file and
 * taken apart by the framers of core/sip and core/msrp, as the parts that received them did.
 */
import { readFileSync } from 'node:fs'
import { MsrpFramer } from '../../core/msrp/framing.js'
import { StreamFramer } from '../../core/sip/framing.js'
import { Header } from '../../core/sip/header-names.js'

export interface SipRead {
  /** A method, or a status as text. */
  readonly what: string
  readonly callId: string
  readonly cseq: string
}

export interface MsrpRead {
  readonly what: string
  readonly transactionId: string
  readonly messageId: string
}

export interface CaptureRead {
  readonly sip: readonly SipRead[]
  readonly msrp: readonly MsrpRead[]
  /** Packets whose octets begin with an MSRP start line. */
  readonly msrpPackets: number
}

/** TCP over IPv4 only, which is what runs on loopback write. */
export function readOwn(path: string): CaptureRead {
  const sip: SipRead[] = []
  const msrp: MsrpRead[] = []
  let msrpPackets = 0
  const readers = new Map<string, (bytes: Buffer) => void>()
  for (const { flow, payload } of segments(readFileSync(path))) {
    const isMsrp = payload.toString('latin1', 0, 5) === 'MSRP '
    if (isMsrp) msrpPackets++
    let reader = readers.get(flow)
    if (reader === undefined) readers.set(flow, (reader = isMsrp ? msrpReader(msrp) : sipReader(sip)))
    reader(payload)
  }
  return { sip, msrp, msrpPackets }
}

function sipReader(into: SipRead[]): (bytes: Buffer) => void {
  const framer = new StreamFramer()
  return (bytes) => {
    framer.push(bytes)
    for (let result = framer.next(); result !== undefined; result = framer.next()) {
      const message = result.message
      if (message === undefined) throw new Error(`we cannot read a message we wrote: ${result.problem?.what ?? ''}`)
      into.push({ what: message.isRequest ? message.method : String(message.status), callId: message.get(Header.CallId) ?? '', cseq: message.get(Header.CSeq) ?? '' })
    }
  }
}

function msrpReader(into: MsrpRead[]): (bytes: Buffer) => void {
  const framer = new MsrpFramer({
    onHead: ({ method, status, transactionId, messageId }) => into.push({ what: method === '' ? String(status) : method, transactionId, messageId }),
    onBody: () => {},
    onEnd: () => {},
    onBroken: (_message, what) => { throw new Error(`we cannot read MSRP we wrote: ${what}`) },
  })
  return (bytes) => framer.push(bytes)
}

function* segments(file: Buffer): Generator<{ readonly flow: string; readonly payload: Buffer }> {
  for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) {
    const packet = file.subarray(at + 16, at + 16 + file.readUInt32LE(at + 8))
    const payload = packet.subarray(20 + (packet[32]! >> 4) * 4)
    if (packet[9] !== 6 || payload.length === 0) continue
    const ports = packet.readUInt32BE(20)
    yield { flow: `${packet.readUInt32BE(12)} ${packet.readUInt32BE(16)} ${ports}`, payload }
  }
}
