/**
 * The bare cost of SIP traffic. `relay` passes whatever comes on one side to the other over the same sockets; `echo`
 * answers each datagram with an answer of the usual size. Octets only: nothing is read.
 */
import { createSocket, type RemoteInfo, type Socket as Datagrams } from 'node:dgram'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { serve } from './serve.js'
import type { LinkTransport } from './sip-links.js'

export interface BareRelay {
  readonly pcscf: number
  readonly icscf: number
}

const BUFFER_BYTES = 4 * 1024 * 1024

function datagrams(onMessage: (bytes: Buffer, from: RemoteInfo) => void): Promise<Datagrams> {
  const socket = createSocket({
    type: 'udp4', recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES, lookup: (address, _options, callback) => callback(null, address, 4),
  })
  socket.on('message', onMessage)
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket)))
}

function connections(onOpen: (socket: Socket) => void): Promise<number> {
  const server = createServer({ noDelay: true }, onOpen)
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
}

/** Over UDP each side is known by the first datagram it sends: the terminals' side says hello with a REGISTER. */
async function relay(transport: LinkTransport): Promise<BareRelay> {
  if (transport === 'tcp') {
    const sides: { terminals?: Socket; gateway?: Socket } = {}
    const pcscf = await connections((socket) => {
      sides.terminals = socket
      socket.on('data', (bytes) => sides.gateway?.write(bytes))
      socket.on('error', () => {})
    })
    const icscf = await connections((socket) => {
      sides.gateway = socket
      socket.on('data', (bytes) => sides.terminals?.write(bytes))
      socket.on('error', () => {})
    })
    return { pcscf, icscf }
  }
  let terminalsPort = 0
  let gatewayPort = 0
  const pcscf = await datagrams((bytes, from) => {
    if (terminalsPort === 0) {
      terminalsPort = from.port
      pcscf.send(REGISTERED, from.port, '127.0.0.1')
    } else icscf.send(bytes, gatewayPort, '127.0.0.1')
  })
  const icscf = await datagrams((bytes, from) => {
    gatewayPort = from.port
    pcscf.send(bytes, terminalsPort, '127.0.0.1')
  })
  return { pcscf: pcscf.address().port, icscf: icscf.address().port }
}

/** An answer as long as a MESSAGE's usually is; and one as long as a REGISTER's. */
const ANSWERED = Buffer.from(`SIP/2.0 200 OK\r\nX: ${'x'.repeat(400)}\r\nContent-Length: 0\r\n\r\n`)
const REGISTERED = Buffer.from(`SIP/2.0 200 OK\r\nX: ${'x'.repeat(900)}\r\nContent-Length: 0\r\n\r\n`)

async function echo(what: 'MESSAGE' | 'REGISTER'): Promise<number> {
  const answer = what === 'MESSAGE' ? ANSWERED : REGISTERED
  const socket = await datagrams((_bytes, from) => socket.send(answer, from.port, from.address))
  return socket.address().port
}

serve({ relay, echo })
