/** What the left side of an MSRP pair has sent, and the peer's answers to it by hand. Text only; it expects nothing. */
import type { MsrpLimits, MsrpSession } from '../../core/msrp/contract.js'
import { Pair } from './msrp-pair.js'

/** What the left side wrote: transact-id, Message-ID, range, octets of content, flag of each SEND with content. */
export function chunks(pair: Pair): { id: string; message: string; range: string; length: number; flag: string }[] {
  return [...pair.left.wire.matchAll(/MSRP (\S+) SEND\r\n(?:[^\r]+\r\n)*?Message-ID: (\S+)\r\n(?:[^\r]+\r\n)*?Byte-Range: (\S+)\r\n(?:[^\r]+\r\n)+\r\n([^]*?)\r\n-------\1([$+#])\r\n/g)]
    .map(([, id, messageId, range, body, flag]) => ({ id: id!, message: messageId!, range: range!, length: body!.length, flag: flag! }))
}

/** The peer's response to a SEND of session `a`, by hand. */
export function answer(a: MsrpSession, id: string, status: number): string {
  return `MSRP ${id} ${status}\r\nTo-Path: ${a.uri}\r\nFrom-Path: msrp://10.0.0.2:2855/b;tcp\r\n-------${id}$\r\n`
}

/** The peer's report on push-0001 of session `a`, by hand. */
export function report(a: MsrpSession, range: string, status = '000 200 OK'): string {
  return `MSRP rep1 REPORT\r\nTo-Path: ${a.uri}\r\nFrom-Path: msrp://10.0.0.2:2855/b;tcp\r\nMessage-ID: push-0001\r\nByte-Range: ${range}\r\nStatus: ${status}\r\n-------rep1$\r\n`
}

/** A pair with one session on which nothing is moving yet. */
export function bound(limits: Partial<MsrpLimits> = {}): { pair: Pair; a: MsrpSession; b: MsrpSession } {
  const pair = new Pair(limits)
  const [a, b] = pair.sessions()
  pair.run()
  pair.left.wire = ''
  pair.right.wire = ''
  return { pair, a, b }
}
