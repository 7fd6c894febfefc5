/**
 * Each way to deliver, required of the gateway by PAP's bearer, through every real part: every push is delivered once, by
 * that binding, and tshark reads in the gateway's capture what we read in it. Session mode over TLS too, also to sip.js.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readOwn } from '../live/capture-reader.js'
import { certify, makeAuthority } from '../live/certificates.js'
import { readCapture, wantsTshark } from '../live/tshark.js'
import { Folder } from './command.js'
import { recordIn, small } from './small-run.js'

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

/** What must cross the gateway's sockets for a binding. */
const SIGNS: readonly (readonly [binding: 'message' | 'session' | 'event' | 'indirection', over: 'TCP' | 'TLS', size: string, methods: readonly string[], msrp: readonly string[]])[] = [
  ['message', 'TCP', '300B', ['MESSAGE'], []],
  ['session', 'TCP', '20 kB', ['INVITE', 'ACK'], ['SEND', 'REPORT', '200']],
  ['session', 'TLS', '20 kB', ['INVITE', 'ACK'], ['SEND', 'REPORT', '200']],
  ['event', 'TCP', '500B', ['SUBSCRIBE', 'NOTIFY'], []],
  ['indirection', 'TCP', '20 kB', ['MESSAGE'], []],
]

describe.each(SIGNS)('a run that requires the binding %s, over %s,', (binding, over, size, methods, msrp) => {
  it('delivers every push once, by it alone, as both readers of the wire see', async () => {
    const scenario = small({
      name: binding,
      load: { rate: '20/s', warmUp: '0s', duration: '4s', drainMax: '40s' },
      traffic: { online: { share: '70%', delayLimit: '30s' }, gruu: { share: '30%', delayLimit: '30s' } },
      push: { binding, size, deliveryMethod: 'confirmed' },
      population: { subscribers: 40, returning: { share: '0%' }, absent: '0%', subscribing: binding === 'event' ? '100%' : '0%' },
      terminals: { reference: over === 'TLS' ? 4 : 0, registrationRate: '200/s' },
      ...(over === 'TLS' ? { tls: await certify(folder.path, await makeAuthority(folder.path), 'loopback') } : {}),
      capture: true,
    })
    const { code, stderr } = await folder.command(['run', folder.write(`${binding}.yaml`, scenario)])
    const record = recordIn(folder.run())
    expect(record.verdict, stderr).toEqual({ valid: true, reasons: [] })
    const { ledger } = record
    expect({ ...ledger, code }).toMatchObject({ code: 0, attempted: ledger.delivered, accepted: ledger.delivered, lost: 0, duplicated: 0, inFlight: 0 })
    expect(record.bindings).toMatchObject([{ name: binding, pushes: ledger.delivered, delivered: ledger.delivered }])
    const capture = join(folder.run(), 'gateway.pcap')
    // TLS is written down as it was before encryption.
    const written = readFileSync(capture, 'latin1')
    for (const [sign, isThere] of [['To-Path: msrps://', over === 'TLS'], ['a=fingerprint:sha-256 ', over === 'TLS'], ['To-Path: msrp://', over === 'TCP' && msrp.length > 0]] as const) expect([sign, written.includes(sign)]).toEqual([sign, isThere])
    if (!wantsTshark) return
    const ours = readOwn(capture)
    for (const method of methods) expect(ours.sip.map(({ what }) => what)).toContain(method)
    for (const what of msrp) expect(ours.msrp.map((read) => read.what)).toContain(what)
    expectSameSip(capture, ours)
    expectSameMsrp(capture, ours)
  }, 90_000)
})

/**
 * Every SIP message of the capture is the same message to tshark. It also reads those inside the bodies of third-party
 * REGISTERs, a terminal's REGISTER and its 200 each, which are nobody's at the gateway.
 */
function expectSameSip(capture: string, { sip }: ReturnType<typeof readOwn>): void {
  const known = new Set(sip.map(({ callId }) => callId))
  const theirs = readCapture(capture, 'sip', ['sip.Call-ID', 'sip.CSeq']).flatMap(([callIds, cseqs]) => callIds!.map((callId, index) => ({ callId, cseq: cseqs![index]! })))
  const inside = theirs.filter(({ callId }) => !known.has(callId)).length
  expect(counted(theirs.filter(({ callId }) => known.has(callId)).map(({ callId, cseq }) => `${callId} ${cseq}`))).toEqual(counted(sip.map(({ callId, cseq }) => `${callId} ${cseq}`)))
  const methods = counted(readCapture(capture, 'sip.Method', ['sip.Method']).flat(2))
  const statuses = counted(readCapture(capture, 'sip.Status-Code', ['sip.Status-Code']).flat(2))
  methods['REGISTER']! -= inside / 2
  statuses['200']! -= inside / 2
  expect({ ...methods, ...statuses }).toEqual(counted(sip.map(({ what }) => what)))
}

/** tshark reads one MSRP message in a packet, the first: each that it reads is one of ours, and no packet is passed over. */
function expectSameMsrp(capture: string, { msrp, msrpPackets }: ReturnType<typeof readOwn>): void {
  const ours = new Map(msrp.map(({ what, transactionId, messageId }) => [`${what} ${transactionId}`, messageId]))
  const theirs = readCapture(capture, 'msrp', ['msrp.method', 'msrp.status.code', 'msrp.transaction.id', 'msrp.messageid'])
  for (const [methods, statuses, ids, messageIds] of theirs) {
    const key = `${methods![0] ?? statuses![0] ?? ''} ${ids![0]!}`
    expect([key, ours.get(key)]).toEqual([key, messageIds![0] ?? ''])
  }
  expect(theirs.length).toBe(msrpPackets)
}

function counted(list: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of [...list].sort()) counts[item] = (counts[item] ?? 0) + 1
  return counts
}
