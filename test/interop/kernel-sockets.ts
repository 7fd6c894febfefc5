/** What Linux's tables say of sockets on loopback, where nobody could be asked: another program's port, its end of a connection. */
import { readFileSync } from 'node:fs'

/** Of RFC 9293 section 3.3.2 those in which a program still holds its end: ESTABLISHED and CLOSE-WAIT, as the table numbers them. */
const HELD = ['01', '08']

export function hasUdpPort(port: number): boolean {
  return rows('udp').some(([local]) => local === hex(port))
}

/** Whether whoever listens at one port still holds its end of a connection from another. */
export function holdsConnection(listening: number, from: number): boolean {
  return rows('tcp').some(([local, remote, state]) => local === hex(listening) && remote === hex(from) && HELD.includes(state))
}

/** Local port, remote port, state. */
function rows(table: 'tcp' | 'udp'): (readonly [string, string, string])[] {
  return readFileSync(`/proc/net/${table}`, 'latin1').split('\n').slice(1, -1).map((line) => {
    const [, local = '', remote = '', state = ''] = line.trim().split(/\s+/)
    return [local.slice(-4), remote.slice(-4), state]
  })
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}
