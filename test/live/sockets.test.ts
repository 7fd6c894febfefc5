/** Real sockets as flows: bytes in any split, credit, refusals, sizes, and one flow-down for each flow-up. */
import { spawn } from 'node:child_process'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as tlsConnect, createServer as createTlsServer } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { FLOW_BYTES_MAX, type NetworkIn, type NetworkOut } from '../../core/kit/network.js'
import { Pump } from '../../core/live/pump.js'
import { Sockets } from '../../core/live/sockets.js'
import { readTls, TlsConfig, type TlsConfigWritten, type TlsMaterial } from '../../core/live/tls.js'
import { Schema } from 'effect'
import { certify, makeAuthority, type Authority } from './certificates.js'
import { EchoMachine, type EchoIn } from './echo-machine.js'
import { until } from './until.js'

const LOOPBACK = '127.0.0.1'
const closers: (() => Promise<unknown> | void)[] = []

const folder = mkdtempSync(join(tmpdir(), 'pushbench-tls-'))
let authority: Authority
let own: { certificate: string; key: string; authorities: string }

beforeAll(async () => {
  authority = await makeAuthority(folder)
  own = await certify(folder, authority, 'loopback')
})
afterAll(() => rmSync(folder, { recursive: true }))

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

function tlsOf(more: Partial<TlsConfigWritten> = {}): TlsMaterial {
  return readTls(Schema.decodeSync(TlsConfig)({ ...own, ...more }))
}

function drive(echo = true, tls = tlsOf()): { machine: EchoMachine; sockets: Sockets; pump: Pump<EchoIn, NetworkOut>; order(order: NetworkOut): void } {
  const machine = new EchoMachine(echo)
  const sockets: Sockets = new Sockets((input) => pump.input(input), tls)
  const pump = new Pump<EchoIn, NetworkOut>(machine, (output) => sockets.output(output), () => sockets.flush())
  closers.push(async () => {
    await sockets.close()
    pump.stop()
  })
  return { machine, sockets, pump, order: (order) => pump.input({ type: 'order', order }) }
}

function peerServer(transport: 'tcp' | 'tls', onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const held = new Set<Socket>()
    const accept = (socket: Socket): void => {
      held.add(socket)
      socket.on('error', () => {})
      onSocket(socket)
    }
    const server = transport === 'tcp' ? createServer(accept) : createTlsServer(tlsOf().files, accept)
    closers.push(() => {
      for (const socket of held) socket.destroy()
      server.close()
    })
    server.listen(0, LOOPBACK, () => resolve({ server, port: (server.address() as AddressInfo).port }))
  })
}

/** A peer's own socket to a port of ours; told when it can be used. */
function peerSocket(transport: 'tcp' | 'tls', port: number, onUp: (socket: Socket) => void, allowHalfOpen = false): Socket {
  const options = { host: LOOPBACK, port, noDelay: true, allowHalfOpen }
  const socket = transport === 'tcp' ? connect(options) : tlsConnect({ ...options, ca: readFileSync(authority.file) })
  socket.once(transport === 'tcp' ? 'connect' : 'secureConnect', () => onUp(socket))
  return socket
}

describe.each(['tcp', 'tls'] as const)('%s flows', (transport) => {
  it('carry bytes in whatever split, in order, both ways', async () => {
    const { machine, sockets } = drive()
    const at = await sockets.listen([transport], { address: LOOPBACK, port: 0 })
    const text = Buffer.from('MESSAGE sip:alice@example.com SIP/2.0\r\n\r\n'.repeat(20))
    const echoed: Buffer[] = []
    await new Promise<void>((resolve, reject) => {
      const socket = peerSocket(transport, at.port, async () => {
        for (const byte of text) await new Promise<void>((written) => { socket.write(Buffer.of(byte), () => written()) })
      })
      socket.on('error', reject)
      socket.on('data', (bytes) => {
        echoed.push(bytes)
        if (Buffer.concat(echoed).length === text.length) socket.end()
      })
      socket.on('close', () => resolve())
    })
    await machine.saw((log) => log.some((entry) => entry.type === 'flow-down'))
    expect(Buffer.concat(echoed).equals(text)).toBe(true)
    expect(Buffer.concat(machine.all('bytes').map((entry) => entry.bytes)).equals(text)).toBe(true)
    expect(machine.all('flow-up')).toMatchObject([{ transport, local: at, ticket: undefined }])
    expect(machine.all('flow-down').length).toBe(1)
    expect(sockets.counters.connections).toBe(0)
  })

  it('leave as one write per turn however many transmits there were', async () => {
    const writes: Buffer[] = []
    const { port } = await peerServer(transport, (socket) => socket.on('data', (bytes) => writes.push(bytes)))
    const { machine, order } = drive(false)
    order({ type: 'connect', ticket: 1, transport, remote: { address: LOOPBACK, port } })
    await machine.saw((log) => log.some((entry) => entry.type === 'flow-up'))
    const flow = machine.all('flow-up')[0]!.flow
    for (let index = 0; index < 100; index++) order({ type: 'transmit', flow, bytes: Buffer.from('x') })
    order({ type: 'close', flow })
    await machine.saw((log) => log.some((entry) => entry.type === 'flow-down'))
    await until(() => Buffer.concat(writes).length === 100)
    expect(writes.length).toBe(1)
  })

  it('lose credit when the peer does not read and gain it again when all was written', async () => {
    let reader: Socket | undefined
    const { port } = await peerServer(transport, (socket) => {
      reader = socket
      socket.pause()
    })
    const { machine, order } = drive(false)
    order({ type: 'connect', ticket: 7, transport, remote: { address: LOOPBACK, port } })
    await machine.saw((log) => log.some((entry) => entry.type === 'flow-up'))
    const { flow, ticket } = machine.all('flow-up')[0]!
    expect(ticket).toBe(7)
    let sent = 0
    while (machine.all('full').length === 0) {
      order({ type: 'transmit', flow, bytes: Buffer.alloc(256 * 1024) })
      sent += 256 * 1024
      await new Promise<void>((resolve) => { setImmediate(resolve) })
    }
    expect(sent).toBeGreaterThan(FLOW_BYTES_MAX)
    let read = 0
    reader!.on('data', (bytes) => { read += bytes.length })
    reader!.resume()
    await machine.saw((log) => log.some((entry) => entry.type === 'writable'))
    expect(machine.log.map((entry) => entry.type)).toEqual(['flow-up', 'full', 'writable'])
    expect(read).toBeGreaterThan(sent - FLOW_BYTES_MAX)
  })

  it('say why a connection was refused', async () => {
    const { server, port } = await peerServer(transport, () => {})
    await new Promise<void>((resolve) => { server.close(() => resolve()) })
    const { machine, order } = drive()
    order({ type: 'connect', ticket: 3, transport, remote: { address: LOOPBACK, port } })
    await machine.saw((log) => log.some((entry) => entry.type === 'connect-failed'))
    expect(machine.all('connect-failed')).toMatchObject([{ ticket: 3, reason: expect.stringContaining('ECONNREFUSED') }])
  })

  it('give up a connection that nobody answers after five seconds', async () => {
    // A stopped process accepts nothing: once the kernel's queue of its listener is full, SYNs go unanswered.
    const listener = spawn(process.execPath, ['-e', `
      const server = require('node:net').createServer().listen({ host: '${LOOPBACK}', port: 0, backlog: 1 }, () => console.log(server.address().port))`])
    closers.push(() => { listener.kill('SIGKILL') })
    const port = Number(await new Promise<Buffer>((resolve) => { listener.stdout.once('data', resolve) }))
    listener.kill('SIGSTOP')
    const { machine, order } = drive()
    const from = performance.now()
    for (let ticket = 1; ticket <= 6; ticket++) order({ type: 'connect', ticket, transport, remote: { address: LOOPBACK, port } })
    await machine.saw((log) => log.some((entry) => entry.type === 'connect-failed'))
    expect(machine.all('connect-failed')[0]).toMatchObject({ reason: `no answer from ${LOOPBACK}:${port} within 5 s` })
    // The limit of 5 s, not our speed: a busy machine has as much again, and the system's own limit is beyond two minutes.
    expect(performance.now() - from).toBeGreaterThan(4_900)
    expect(performance.now() - from).toBeLessThan(10_000)
  })

  it('go down once when the peer resets the connection', async () => {
    const { machine, sockets } = drive()
    const at = await sockets.listen([transport], { address: LOOPBACK, port: 0 })
    const raw = connect(at.port, LOOPBACK)
    raw.on('error', () => {})
    if (transport === 'tls') tlsConnect({ socket: raw, host: LOOPBACK, ca: readFileSync(authority.file) }).on('error', () => {})
    await machine.saw((log) => log.some((entry) => entry.type === 'flow-up'))
    raw.resetAndDestroy()
    await machine.saw((log) => log.some((entry) => entry.type === 'flow-down'))
    await new Promise<void>((resolve) => { setImmediate(resolve) })
    expect(machine.all('flow-down').length).toBe(1)
  })

  it('go down when the peer only half closes, after writing out what was owed', async () => {
    const { machine, sockets } = drive()
    const at = await sockets.listen([transport], { address: LOOPBACK, port: 0 })
    const echoed: Buffer[] = []
    await new Promise<void>((resolve) => {
      const socket = peerSocket(transport, at.port, () => socket.end('last words'), true)
      socket.on('data', (bytes) => echoed.push(bytes))
      socket.on('end', () => {
        socket.end()
        resolve()
      })
    })
    expect(Buffer.concat(echoed).toString()).toBe('last words')
    expect(machine.all('flow-down')).toMatchObject([{ reason: 'the peer closed the connection' }])
  })
})

describe('a connection being opened', () => {
  it('comes up when this process was too busy to hear of the answer until its five seconds were over', async () => {
    const { port } = await peerServer('tcp', () => {})
    const { machine, order } = drive()
    // From here on in the loop's phase of timers, where a late one fires: before anything is heard of the network.
    await new Promise((resolve) => setTimeout(resolve))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    order({ type: 'connect', ticket: 7, transport: 'tcp', remote: { address: LOOPBACK, port } })
    vi.advanceTimersByTime(5_000)
    vi.useRealTimers()
    await machine.saw((log) => log.some((entry) => entry.type === 'flow-up' || entry.type === 'connect-failed'))
    expect(machine.log.map(({ type }) => type)).toEqual(['flow-up'])
  })
})

describe('TLS', () => {
  async function attempt(server: Partial<TlsConfigWritten>, client: Partial<TlsConfigWritten>): Promise<{ readonly to: EchoMachine; readonly from: EchoMachine; readonly at: Sockets }> {
    const to = drive(true, tlsOf(server))
    const at = await to.sockets.listen(['tls'], { address: LOOPBACK, port: 0 })
    const from = drive(false, tlsOf(client))
    from.order({ type: 'connect', ticket: 1, transport: 'tls', remote: at })
    await from.machine.saw((log) => log.length > 0)
    return { to: to.machine, from: from.machine, at: to.sockets }
  }

  it('accepts only a certificate for the address connected to, or for the configured name, of an authority that is trusted', async () => {
    expect((await attempt({}, {})).from.all('flow-up')).toHaveLength(1)
    const elsewhere = await certify(folder, authority, 'elsewhere', ['pcscf.example'], ['192.0.2.1'])
    const wrong = await attempt(elsewhere, {})
    expect(wrong.from.all('connect-failed')[0]!.reason).toContain('127.0.0.1')
    expect(wrong.to.all('flow-up').length).toBe(wrong.to.all('flow-down').length)
    expect((await attempt(elsewhere, { peerName: 'pcscf.example' })).from.all('flow-up')).toHaveLength(1)
    expect((await attempt(elsewhere, { peerName: 'icscf.example' })).from.all('connect-failed')).toHaveLength(1)
    expect((await attempt(elsewhere, { verify: false })).from.all('flow-up')).toHaveLength(1)
    const stranger = await certify(folder, await makeAuthority(folder, 'stranger'), 'strange')
    expect((await attempt(stranger, {})).from.all('connect-failed')).toHaveLength(1)
  })

  it('can ask for a client certificate, and takes none of a stranger', async () => {
    await (await attempt({ clients: 'certified' }, {})).to.saw((log) => log.some((entry) => entry.type === 'flow-up'))
    const { certificate, key } = await certify(folder, await makeAuthority(folder, 'other'), 'unknown')
    const refused = await attempt({ clients: 'certified' }, { certificate, key })
    await until(() => refused.at.counters.handshakesFailed === 1)
    expect(refused.to.all('flow-up')).toEqual([])
    // TLS 1.3: the client is done before the server has looked at it, and then hears that it is not wanted.
    await refused.from.saw((log) => log.some((entry) => entry.type === 'flow-down' || entry.type === 'connect-failed'))
  })

  it('lets go of a connection that never shakes hands, at once when the driver closes', async () => {
    const { machine, sockets } = drive()
    const at = await sockets.listen(['tls'], { address: LOOPBACK, port: 0 })
    const silent = connect(at.port, LOOPBACK)
    const wrong = connect(at.port, LOOPBACK, () => wrong.write('OPTIONS sip:x SIP/2.0\r\n\r\n'))
    for (const socket of [silent, wrong]) socket.on('error', () => {})
    await until(() => sockets.counters.handshakesFailed === 1)
    const gone = new Promise<void>((resolve) => { silent.once('close', () => resolve()) })
    await sockets.close()
    await gone
    expect(machine.all('flow-up')).toEqual([])
  })

  it('says what is missing: a certificate, a file, a matching key', async () => {
    const told: NetworkIn[] = []
    const plain = new Sockets((input) => told.push(input))
    closers.push(() => plain.close())
    await expect(plain.listen(['tls'], { address: LOOPBACK, port: 0 })).rejects.toThrow('no certificate is configured')
    plain.output({ type: 'connect', ticket: 9, transport: 'tls', remote: { address: LOOPBACK, port: 9 } })
    expect(told).toMatchObject([{ type: 'connect-failed', ticket: 9, reason: expect.stringContaining('no certificate is configured') }])
    expect(() => tlsOf({ authorities: join(folder, 'nowhere.pem') })).toThrow('tls.authorities cannot be read')
    expect(() => tlsOf({ key: authority.file })).toThrow('TLS cannot be used with')
  })
})

describe('UDP flows', () => {
  it('name the peer of every datagram, from empty to the largest', async () => {
    const { machine, sockets } = drive()
    const at = await sockets.listen(['udp'], { address: LOOPBACK, port: 0 })
    const client = createSocket('udp4')
    closers.push(() => { client.close() })
    const sizes = [0, 1, 1_300, 1_301, 9_000, 65_507]
    const answers: number[] = []
    await new Promise<void>((resolve) => {
      client.on('message', (bytes) => {
        answers.push(bytes.length)
        if (answers.length === sizes.length) resolve()
        else client.send(Buffer.alloc(sizes[answers.length]!, 'u'), at.port, LOOPBACK)
      })
      client.send(Buffer.alloc(0), at.port, LOOPBACK)
    })
    expect(answers).toEqual(sizes)
    expect(machine.all('bytes').every((entry) => entry.from?.port === client.address().port && entry.from.address === LOOPBACK)).toBe(true)
    expect(sockets.counters).toMatchObject({ datagramsIn: sizes.length, datagramsOut: sizes.length, datagramsFailed: 0 })
  })

  it('count a datagram that the system does not take', async () => {
    const { machine, sockets, order } = drive()
    await sockets.listen(['udp'], { address: LOOPBACK, port: 0 })
    const { flow } = machine.all('flow-up')[0]!
    order({ type: 'transmit', flow, bytes: Buffer.alloc(70_000), to: { address: LOOPBACK, port: 9 } })
    await until(() => sockets.counters.datagramsFailed === 1)
    expect(machine.all('flow-down')).toEqual([])
  })
})

describe('ports', () => {
  it('are the wanted one for UDP and TCP alike, or a free one where it is taken', async () => {
    const first = drive()
    const at = await first.sockets.listen(['udp', 'tcp'], { address: LOOPBACK, port: 0 })
    const second = drive()
    const other = await second.sockets.listen(['udp', 'tcp'], at)
    expect(other.port).not.toBe(at.port)
    expect(second.machine.all('flow-up').map((entry) => entry.local)).toEqual([other])
    await first.sockets.close()
    const third = drive()
    expect(await third.sockets.listen(['udp', 'tcp'], at)).toEqual(at)
  })

  it('fail with the system’s reason where the address is not ours', async () => {
    const { sockets } = drive()
    await expect(sockets.listen(['tcp'], { address: '192.0.2.1', port: 0 })).rejects.toThrow('EADDRNOTAVAIL')
  })
})
