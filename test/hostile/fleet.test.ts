/**
 * The terminals behind a proxy that has gone bad: what it sends is noise, damaged or simply wrong, over TCP on the
 * connections the terminals opened, over UDP to the ports they send from. They go on and answer what can be answered.
 */
import { createSocket, type RemoteInfo } from 'node:dgram'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { startPart, type PartProcess } from '../../core/live/part-process.js'
import { damaged, drawn, inPieces, noise, type Pieces } from './octets.js'
import { sipHorrors, sipRequest, sipTexts } from './sip-texts.js'

const PART = fileURLToPath(new URL('../../dist/sim/live/terminals-part.js', import.meta.url))
const SEED = 77
const THROWN = 300
const DEVICES = 30
const WORD = { perSecond: 200, withinMicros: 4_000_000 }

const closers: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** An answer to a REGISTER that is not the one it wants: to be damaged further. */
function badAnswer(register: string): string {
  const copied = register.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line))
  return ['SIP/2.0 401 Unauthorized', ...copied, 'WWW-Authenticate: Digest realm="home1.example", nonce="abc", algorithm=MD5, qop="auth"', 'Service-Route: <sip:a.invalid;lr>', 'P-Associated-URI: <sip:b@home1.example>', 'Contact: <sip:c.invalid>;expires=60;pub-gruu="sip:x;gr=y"', 'Content-Length: 0', '', ''].join('\r\n')
}

const octetsFor = (transport: 'TCP' | 'UDP', register: string): fc.Arbitrary<Buffer> => fc.oneof(noise, damaged(sipTexts(transport)), damaged([badAnswer(register)]))
const probe = (transport: 'TCP' | 'UDP', serial: string): string => sipRequest('MESSAGE', transport, `probe-${serial}`, 'sip:user000001@home1.example')

async function fleet(transport: 'tcp' | 'udp', port: number): Promise<PartProcess> {
  const part = await startPart(PART, { proxy: { address: '127.0.0.1', port }, transport, backoff: { baseMicros: 50_000, maxMicros: 200_000 }, population: { subscribers: DEVICES, devicesPerSubscriber: { 1: 1 } } }, undefined, () => {})
  closers.push(() => part.kill())
  return part
}

describe('terminals behind a hostile proxy', () => {
  it('over TCP live through everything it writes, connect again, and answer a whole request', async () => {
    const registers: string[] = []
    let answer: (text: string) => void = () => {}
    const answered = new Promise<string>((resolve) => { answer = resolve })
    const pieces = { left: [] as Pieces[], drawn: false }
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      let heard = ''
      socket.on('data', (bytes) => {
        heard += bytes.toString('latin1')
        if (/^SIP\/2\.0 \d{3} [^]*probe-/m.test(heard)) answer(heard)
        if (!heard.includes('REGISTER')) return
        registers.push(heard)
        heard = ''
        if (!pieces.drawn) {
          pieces.drawn = true
          pieces.left = [...drawn(inPieces(octetsFor('TCP', registers[0]!)), THROWN, SEED), ...sipHorrors('TCP').map((text) => [Buffer.from(text, 'latin1')])]
        }
        // A few to each connection: one of them may end it.
        for (const piece of pieces.left.splice(0, 30).flat()) socket.write(piece)
        if (pieces.left.length === 0) socket.write(probe('TCP', String(registers.length)))
      })
    })
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', () => resolve()) })
    closers.push(() => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(resolve))
    })
    const part = await fleet('tcp', (server.address() as AddressInfo).port)
    const registering = part.perform('register', WORD)
    expect(await Promise.race([answered, part.ended])).toMatch(/^SIP\/2\.0 [4-6]\d\d /m)
    expect(await registering).toMatchObject({ wanted: DEVICES, done: 0 })
    expect(await part.perform('counters')).toMatchObject({ devices: DEVICES, registered: 0 })
    await part.stop(10_000)
  }, 60_000)

  it('over UDP live through every datagram, and answer a whole request', async () => {
    const socket = createSocket('udp4')
    let told: (text: string) => void = () => {}
    const answered = new Promise<string>((resolve) => { told = resolve })
    let asking: NodeJS.Timeout | undefined
    let serial = 0
    const begin = (register: string, { port, address }: RemoteInfo): void => {
      const send = (octets: Buffer): void => socket.send(octets.subarray(0, 60_000), port, address, () => {})
      for (const octets of [...drawn(octetsFor('UDP', register), THROWN, SEED), ...sipHorrors('UDP').map((text) => Buffer.from(text, 'latin1'))]) send(octets)
      // Datagrams may be lost, this one among them.
      asking = setInterval(() => send(Buffer.from(probe('UDP', String(serial++)), 'latin1')), 250)
    }
    socket.on('message', (bytes, from) => {
      const text = bytes.toString('latin1')
      if (/^SIP\/2\.0 \d{3} [^]*probe-/.test(text)) told(text)
      else if (asking === undefined && text.startsWith('REGISTER')) begin(text, from)
    })
    await new Promise<void>((resolve) => { socket.bind(0, '127.0.0.1', () => resolve()) })
    closers.push(() => {
      clearInterval(asking)
      socket.close()
    })
    const part = await fleet('udp', socket.address().port)
    const registering = part.perform('register', WORD)
    expect(await Promise.race([answered, part.ended])).toMatch(/^SIP\/2\.0 [4-6]\d\d /)
    expect(await registering).toMatchObject({ wanted: DEVICES, done: 0 })
    expect(await part.perform('counters')).toMatchObject({ devices: DEVICES, registered: 0 })
    await part.stop(10_000)
  }, 60_000)
})
