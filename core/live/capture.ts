/**
 * A packet capture of what crosses a part's sockets, as a pcap file that Wireshark and tshark read: each flow's octets
 * stand in made-up IP packets between the flow's own addresses, in order, with nothing lost or repeated. What TLS carried
 * is written as it was before encryption. Knows flows and packets; not what they say.
 *
 * Format: libpcap 2.4, microseconds, link type RAW (101). TCP checksums are left zero: there was no such packet.
 */
import { createWriteStream, type WriteStream } from 'node:fs'
import { isIPv4 } from 'node:net'
import type { Endpoint, FlowId, NetworkIn, NetworkOut } from '../kit/network.js'
import { monoMicros } from './clock.js'

const LINK_TYPE_RAW = 101
/** What one made-up packet carries at most; an IPv4 packet ends at 65,535 octets. */
const SEGMENT_BYTES_MAX = 32_768
const SNAPSHOT_BYTES = 65_535
const PROTOCOL_TCP = 6
const PROTOCOL_UDP = 17
const FIN = 1
const SYN = 2
const PUSH = 8
const ACK = 16

interface CapturedFlow {
  readonly local: Endpoint
  /** Undefined for a bound UDP socket. */
  readonly remote: Endpoint | undefined
  readonly opened: boolean
  /** The next sequence number of each side. */
  localSequence: number
  remoteSequence: number
}

export class Capture {
  private readonly stream: WriteStream
  private readonly flows = new Map<FlowId, CapturedFlow>()
  /** Microseconds from the monotonic clock to the wall clock, taken once, so that no step of the wall clock shows. */
  private readonly wallAhead = Date.now() * 1_000 - monoMicros()

  /** Overwrites `path`. `onFailure` is told once when it cannot be written. */
  constructor(path: string, onFailure: (error: Error) => void) {
    this.stream = createWriteStream(path)
    this.stream.once('error', (error) => {
      this.stream.on('error', () => {})
      onFailure(new Error(`the capture ${path} cannot be written: ${error.message}`))
    })
    const head = Buffer.alloc(24)
    head.writeUInt32LE(0xa1b2c3d4, 0)
    head.writeUInt16LE(2, 4)
    head.writeUInt16LE(4, 6)
    head.writeUInt32LE(SNAPSHOT_BYTES, 16)
    head.writeUInt32LE(LINK_TYPE_RAW, 20)
    this.stream.write(head)
  }

  /** What came from the network, before or after the machine sees it. */
  came(input: NetworkIn): void {
    if (input.type === 'flow-up') this.up(input.flow, { local: input.local, remote: input.remote, opened: input.ticket !== undefined, localSequence: 0, remoteSequence: 0 })
    else if (input.type === 'bytes') this.octets(input.flow, input.bytes, input.from, false)
    else if (input.type === 'flow-down') this.down(input.flow)
  }

  /** What the machine gave to the network. */
  left(output: NetworkOut): void {
    if (output.type === 'transmit') this.octets(output.flow, output.bytes, output.to, true)
  }

  /** Resolves when everything is with the system. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.stream.errored) resolve()
      else this.stream.close(() => resolve())
    })
  }

  private up(id: FlowId, flow: CapturedFlow): void {
    this.flows.set(id, flow)
    if (flow.remote === undefined) return
    this.segment(flow, flow.opened, SYN, NOTHING)
    this.segment(flow, !flow.opened, SYN | ACK, NOTHING)
    this.segment(flow, flow.opened, ACK, NOTHING)
  }

  private down(id: FlowId): void {
    const flow = this.flows.get(id)
    if (flow?.remote !== undefined) {
      this.segment(flow, true, FIN | ACK, NOTHING)
      this.segment(flow, false, FIN | ACK, NOTHING)
    }
    this.flows.delete(id)
  }

  private octets(id: FlowId, bytes: Buffer, peer: Endpoint | undefined, outward: boolean): void {
    const flow = this.flows.get(id)
    if (flow === undefined) return
    if (flow.remote === undefined) {
      if (peer !== undefined) this.datagram(flow.local, peer, bytes, outward)
      return
    }
    for (let at = 0; at < bytes.length; at += SEGMENT_BYTES_MAX) this.segment(flow, outward, PUSH | ACK, bytes.subarray(at, at + SEGMENT_BYTES_MAX))
  }

  private segment(flow: CapturedFlow, outward: boolean, flags: number, payload: Buffer): void {
    const [source, target] = outward ? [flow.local, flow.remote!] : [flow.remote!, flow.local]
    const head = Buffer.alloc(20)
    head.writeUInt16BE(source.port, 0)
    head.writeUInt16BE(target.port, 2)
    head.writeUInt32BE(outward ? flow.localSequence : flow.remoteSequence, 4)
    if ((flags & ACK) !== 0) head.writeUInt32BE(outward ? flow.remoteSequence : flow.localSequence, 8)
    head[12] = 5 << 4
    head[13] = flags
    head.writeUInt16BE(65_535, 14)
    // SYN and FIN take one number each (RFC 9293 section 3.4).
    const taken = payload.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1)
    if (outward) flow.localSequence = (flow.localSequence + taken) >>> 0
    else flow.remoteSequence = (flow.remoteSequence + taken) >>> 0
    this.packet(source, target, PROTOCOL_TCP, head, payload)
  }

  private datagram(local: Endpoint, peer: Endpoint, payload: Buffer, outward: boolean): void {
    const [source, target] = outward ? [local, peer] : [peer, local]
    const head = Buffer.alloc(8)
    head.writeUInt16BE(source.port, 0)
    head.writeUInt16BE(target.port, 2)
    head.writeUInt16BE(head.length + payload.length, 4)
    this.packet(source, target, PROTOCOL_UDP, head, payload)
  }

  private packet(source: Endpoint, target: Endpoint, protocol: number, head: Buffer, payload: Buffer): void {
    const network = isIPv4(source.address) ? headOfVersion4(source, target, protocol, head.length + payload.length) : headOfVersion6(source, target, protocol, head.length + payload.length)
    const record = Buffer.alloc(16)
    const at = monoMicros() + this.wallAhead
    const length = network.length + head.length + payload.length
    record.writeUInt32LE(Math.floor(at / 1_000_000), 0)
    record.writeUInt32LE(at % 1_000_000, 4)
    record.writeUInt32LE(length, 8)
    record.writeUInt32LE(length, 12)
    this.stream.write(Buffer.concat([record, network, head, payload]))
  }
}

const NOTHING = Buffer.alloc(0)

/** RFC 791 section 3.1. */
function headOfVersion4(source: Endpoint, target: Endpoint, protocol: number, length: number): Buffer {
  const head = Buffer.alloc(20)
  head[0] = 0x45
  head.writeUInt16BE(head.length + length, 2)
  head[8] = 64
  head[9] = protocol
  head.set(source.address.split('.').map(Number), 12)
  head.set(target.address.split('.').map(Number), 16)
  let sum = 0
  for (let at = 0; at < head.length; at += 2) sum += head.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  head.writeUInt16BE(~sum & 0xffff, 10)
  return head
}

/** RFC 8200 section 3. */
function headOfVersion6(source: Endpoint, target: Endpoint, protocol: number, length: number): Buffer {
  const head = Buffer.alloc(40)
  head[0] = 0x60
  head.writeUInt16BE(length, 4)
  head[6] = protocol
  head[7] = 64
  head.set(groupsOf(source.address), 8)
  head.set(groupsOf(target.address), 24)
  return head
}

/** The 16 octets of an IPv6 address that a socket reported. */
function groupsOf(address: string): number[] {
  const [front = '', back] = address.split('::')
  const octets = (part: string): number[] => part.split(':').filter((group) => group !== '')
    .flatMap((group) => (group.includes('.') ? group.split('.').map(Number) : [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]))
  const before = octets(front)
  const after = back === undefined ? [] : octets(back)
  return [...before, ...Array.from({ length: 16 - before.length - after.length }, () => 0), ...after]
}
