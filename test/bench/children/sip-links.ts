/** Links to a SIP node under test or to its bare stand-in: whole messages in and out, over one TCP connection or one UDP socket. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { eachMessage } from '../../live/sip-text.js'
import { GatheredWriter } from './gathered-writer.js'

export type LinkTransport = 'udp' | 'tcp'

export interface SipLink {
  readonly localPort: number
  send(text: string): void
}

const BUFFER_BYTES = 4 * 1024 * 1024

export function openLink(transport: LinkTransport, port: number, onMessage: (text: string) => void): Promise<SipLink> {
  return new Promise((resolve, reject) => {
    if (transport === 'tcp') {
      const socket = connect(port, '127.0.0.1', () => {
        const writer = new GatheredWriter(socket)
        resolve({ localPort: socket.localPort ?? 0, send: (text) => writer.write(text) })
      })
      socket.setNoDelay(true)
      socket.once('error', reject)
      eachMessage(socket, onMessage)
      return
    }
    const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES })
    socket.once('error', reject)
    socket.on('message', (bytes) => onMessage(bytes.toString('latin1')))
    socket.bind(0, '127.0.0.1', () => {
      socket.connect(port, '127.0.0.1', () => resolve({ localPort: socket.address().port, send: (text) => socket.send(Buffer.from(text, 'latin1')) }))
    })
  })
}
