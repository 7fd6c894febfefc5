/** The pcap of a part's sockets: packets by the published formats, and the same messages in tshark's eyes as in ours. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Capture } from '../../core/live/capture.js'
import { readCapture, wantsTshark } from './tshark.js'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pushbench-capture-'))
  path = join(folder, 'part.pcap')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const LOCAL = { address: '127.0.0.1', port: 5060 }
const REMOTE = { address: '127.0.0.2', port: 41_022 }
const message = (branch: string, body: string): string => `MESSAGE sip:alice@ims.example SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.2:41022;branch=z9hG4bK${branch}\r\nMax-Forwards: 70\r\n`
  + `From: <sip:push@ims.example>;tag=a\r\nTo: <sip:alice@ims.example>\r\nCall-ID: ${branch}@127.0.0.2\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const answer = (branch: string): string => `SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 127.0.0.2:41022;branch=z9hG4bK${branch}\r\nFrom: <sip:push@ims.example>;tag=a\r\nTo: <sip:alice@ims.example>;tag=b\r\n`
  + `Call-ID: ${branch}@127.0.0.2\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n`

async function captured(fill: (capture: Capture) => void): Promise<Buffer> {
  const capture = new Capture(path, (error) => { throw error })
  fill(capture)
  await capture.close()
  return readFileSync(path)
}

function tcpExchange(capture: Capture): void {
  capture.came({ type: 'flow-up', flow: 1, transport: 'tcp', local: LOCAL, remote: REMOTE, ticket: undefined })
  const text = message('one', 'x'.repeat(900)) + message('two', 'hello')
  // In three pieces, one of them in the middle of a header.
  for (const piece of [text.slice(0, 40), text.slice(40, 700), text.slice(700)]) capture.came({ type: 'bytes', flow: 1, bytes: Buffer.from(piece) })
  capture.left({ type: 'transmit', flow: 1, bytes: Buffer.from(answer('one') + answer('two')) })
  capture.came({ type: 'flow-down', flow: 1, reason: 'closed' })
}

describe('a capture', () => {
  it('is a pcap file of raw IP whose packets add up to the file', async () => {
    const bytes = await captured(tcpExchange)
    expect([bytes.readUInt32LE(0), bytes.readUInt16LE(4), bytes.readUInt16LE(6), bytes.readUInt32LE(20)]).toEqual([0xa1b2c3d4, 2, 4, 101])
    let at = 24
    let packets = 0
    for (; at < bytes.length; packets++) at += 16 + bytes.readUInt32LE(at + 8)
    expect([at, packets]).toEqual([bytes.length, 9])
  })

  it('leaves out flows it never saw come up, and octets of none', async () => {
    const bytes = await captured((capture) => {
      capture.left({ type: 'transmit', flow: 9, bytes: Buffer.from('lost') })
      capture.came({ type: 'flow-down', flow: 9, reason: 'closed' })
    })
    expect(bytes).toHaveLength(24)
  })

  it('tells once that its file cannot be written, and goes on without it', async () => {
    const failures: string[] = []
    const capture = new Capture(join(folder, 'no', 'such', 'folder.pcap'), (error) => failures.push(error.message))
    tcpExchange(capture)
    await capture.close()
    expect(failures).toHaveLength(1)
    expect(failures[0]).toContain('folder.pcap cannot be written')
  })
})

describe.runIf(wantsTshark)('tshark', () => {
  it('reads the methods, statuses and Call-IDs of a TCP stream, whatever its pieces', async () => {
    await captured(tcpExchange)
    const packets = readCapture(path, 'sip', ['sip.Method', 'sip.Status-Code', 'sip.Call-ID'])
    expect(packets.flatMap(([methods]) => methods)).toEqual(['MESSAGE', 'MESSAGE'])
    expect(packets.flatMap(([, statuses]) => statuses)).toEqual(['200', '200'])
    expect(packets.flatMap(([, , callIds]) => callIds)).toEqual(['one@127.0.0.2', 'two@127.0.0.2', 'one@127.0.0.2', 'two@127.0.0.2'])
  })

  it('reads SIP on ports that are registered for other protocols', async () => {
    await captured((capture) => {
      capture.came({ type: 'flow-up', flow: 1, transport: 'tcp', local: { address: '127.0.0.1', port: 44_818 }, remote: { address: '127.0.0.1', port: 502 }, ticket: undefined })
      capture.came({ type: 'bytes', flow: 1, bytes: Buffer.from(message('one', 'hello')) })
    })
    expect(readCapture(path, 'sip', ['sip.Call-ID'])).toEqual([[['one@127.0.0.2']]])
  })

  it('finds no sequence, length or header checksum wrong', async () => {
    await captured(tcpExchange)
    expect(readCapture(path, 'tcp.analysis.flags || _ws.malformed || ip.checksum.status == 0', ['frame.number'])).toEqual([])
  })

  it.each([['IPv4', '127.0.0.1', '127.0.0.2'], ['IPv6', '::1', '2001:db8::7:1']])('reads datagrams both ways over %s', async (_, local, remote) => {
    await captured((capture) => {
      capture.came({ type: 'flow-up', flow: 2, transport: 'udp', local: { address: local, port: 5060 }, remote: undefined, ticket: undefined })
      capture.came({ type: 'bytes', flow: 2, bytes: Buffer.from(message('one', 'hello')), from: { address: remote, port: 41_022 } })
      capture.left({ type: 'transmit', flow: 2, bytes: Buffer.from(answer('one')), to: { address: remote, port: 41_022 } })
    })
    expect(readCapture(path, 'sip', ['sip.Method', 'sip.Status-Code', 'udp.srcport', 'udp.dstport'])).toEqual([
      [['MESSAGE'], [], ['41022'], ['5060']], [[], ['200'], ['5060'], ['41022']],
    ])
  })

  it('follows a stream of more octets than one packet holds', async () => {
    await captured((capture) => {
      capture.came({ type: 'flow-up', flow: 1, transport: 'tcp', local: LOCAL, remote: REMOTE, ticket: 5 })
      capture.left({ type: 'transmit', flow: 1, bytes: Buffer.from(message('one', 'x'.repeat(50_000)) + message('two', 'hello')) })
    })
    expect(readCapture(path, 'sip', ['sip.Call-ID']).flat(2)).toEqual(['one@127.0.0.2', 'two@127.0.0.2'])
  })
})
