/**
 * One bound UDP socket as a flow: every datagram names its peer, sends leave at once, and losses are counted where
 * the system shows them. It knows nothing of what the datagrams hold.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { FLOW_BYTES_MAX, type Endpoint, type FlowId, type NetworkIn } from '../kit/network.js'
import type { SocketCounters } from './sockets.js'

/** Asked of the system, which may grant less (net.core.rmem_max): a burst of registrations must fit. */
const SOCKET_BUFFER_BYTES = FLOW_BYTES_MAX

export interface DatagramFlow {
  readonly local: Endpoint
  transmit(bytes: Buffer, to: Endpoint): void
  /** Datagrams the system dropped at this socket so far. */
  dropped(): number
  close(reason: string): void
}

/** Resolves when bound; rejects with the system's error (`EADDRINUSE` when the port is taken). */
export function bindDatagrams(
  wanted: Endpoint, id: FlowId, counters: SocketCounters, report: (input: NetworkIn) => void,
): Promise<DatagramFlow> {
  const family = isIPv6(wanted.address) ? 6 : 4
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // Endpoints are literal addresses: answering at once saves a turn of the loop and a name lookup per datagram.
    lookup: (address, _options, callback) => callback(null, address, family),
  })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address: wanted.address, port: wanted.port }, () => {
      socket.off('error', reject)
      resolve(datagramFlow(socket, id, counters, report))
    })
  })
}

function datagramFlow(socket: Socket, id: FlowId, counters: SocketCounters, report: (input: NetworkIn) => void): DatagramFlow {
  socket.setRecvBufferSize(SOCKET_BUFFER_BYTES)
  socket.setSendBufferSize(SOCKET_BUFFER_BYTES)
  const bound = socket.address()
  const local = { address: bound.address, port: bound.port }
  let down = false
  const onSent = (error: Error | null): void => {
    if (error !== null) counters.datagramsFailed += 1
  }
  socket.on('message', (bytes: Buffer, from: RemoteInfo) => {
    if (down) return
    counters.datagramsIn += 1
    report({ type: 'bytes', flow: id, bytes, from })
  })
  // A datagram that could not be received is a lost datagram; the socket stays usable.
  socket.on('error', () => { counters.datagramsFailed += 1 })
  return {
    local,
    transmit(bytes, to) {
      // The queue is Node's own, beyond the socket buffer. A datagram may be lost; the sender's memory may not.
      if (socket.getSendQueueSize() + bytes.length > FLOW_BYTES_MAX) {
        counters.datagramsFailed += 1
        return
      }
      counters.datagramsOut += 1
      socket.send(bytes, to.port, to.address, onSent)
    },
    dropped: () => droppedAt(local),
    close(reason) {
      if (down) return
      down = true
      socket.close()
      report({ type: 'flow-down', flow: id, reason })
    },
  }
}

/** The drop counter of the socket on this port (last column of /proc/net/udp, proc(5)); 0 where there is no such file. */
function droppedAt(local: Endpoint): number {
  let table: string
  try {
    table = readFileSync(isIPv6(local.address) ? '/proc/net/udp6' : '/proc/net/udp', 'latin1')
  } catch {
    return 0
  }
  const port = `:${local.port.toString(16).toUpperCase().padStart(4, '0')}`
  let total = 0
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/)
    if (columns[1]?.endsWith(port)) total += Number(columns.at(-1))
  }
  return total
}
