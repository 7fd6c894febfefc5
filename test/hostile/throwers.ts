/**
 * Raw clients that send whatever they are given and believe nothing that comes back: TCP connections that write, half
 * close or fall silent, datagrams, and a plain request that wants an answer. They know sockets, not protocols.
 */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { Pieces } from './octets.js'

/** How long a connection on which nothing more is said stays open before it is cut by us. */
const SILENCE_MILLIS = 300
/** How long the other side may take to answer and close what we have half closed. */
const CLOSE_MILLIS = 10_000
const PROBE_MILLIS = 1_000
const PROBES = 10
/** Connections at a time. */
const AT_ONCE = 16

export type Ending = 'half-close' | 'reset' | 'silence'

/** Writes the pieces on a connection of their own, each in a turn of the loop of its own; resolves with what came back when it is over. */
export function throwAt(port: number, pieces: Pieces, ending: Ending): Promise<string> {
  return new Promise((resolve) => {
    let heard = ''
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let cut: NodeJS.Timeout | undefined
    socket.on('error', () => {})
    socket.on('data', (bytes) => { heard += bytes.toString('latin1') })
    socket.once('close', () => {
      clearTimeout(cut)
      resolve(heard)
    })
    const write = (index: number): void => {
      const piece = pieces[index]
      if (socket.destroyed) return
      if (piece !== undefined) {
        socket.write(piece)
        setImmediate(write, index + 1)
        return
      }
      if (ending === 'reset') return void socket.resetAndDestroy()
      if (ending === 'half-close') socket.end()
      cut = setTimeout(() => socket.destroy(), ending === 'half-close' ? CLOSE_MILLIS : SILENCE_MILLIS)
    }
    socket.once('connect', () => write(0))
  })
}

/** All of them, a few at a time; resolves with what came back to each. */
export async function throwAll(port: number, thrown: readonly { readonly pieces: Pieces; readonly ending: Ending }[]): Promise<string[]> {
  const heard: string[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < thrown.length) {
      const index = next++
      heard[index] = await throwAt(port, thrown[index]!.pieces, thrown[index]!.ending)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return heard
}

/** Sends every piece as a datagram; resolves when the last one has left. */
export async function throwDatagrams(port: number, datagrams: Pieces): Promise<void> {
  const socket = createSocket('udp4')
  socket.on('error', () => {})
  for (const datagram of datagrams) {
    // Longer ones do not fit a datagram at all.
    await new Promise<void>((resolve) => { socket.send(datagram.subarray(0, 60_000), port, '127.0.0.1', () => resolve()) })
  }
  socket.close()
}

/** What comes back first on a connection of its own; empty when it is closed before, or nothing comes. */
export function answerOnConnection(port: number, request: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(request, 'latin1'))
    socket.setTimeout(CLOSE_MILLIS, () => socket.destroy())
    socket.on('error', () => {})
    socket.once('close', () => resolve(''))
    socket.once('data', (bytes) => {
      resolve(bytes.toString('latin1'))
      socket.destroy()
    })
  })
}

/** Asks over UDP until something comes back, since datagrams may be lost; rejects when nothing ever does. */
export function answerOver(port: number, request: (attempt: number) => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    let attempt = 0
    const ask = (): void => {
      if (attempt === PROBES) {
        clearInterval(timer)
        socket.close()
        reject(new Error(`no answer from port ${port} over UDP`))
      } else socket.send(Buffer.from(request(attempt++), 'latin1'), port, '127.0.0.1')
    }
    const timer = setInterval(ask, PROBE_MILLIS)
    socket.once('message', (bytes) => {
      clearInterval(timer)
      socket.close()
      resolve(bytes.toString('latin1'))
    })
    ask()
  })
}
