/**
 * SIP over a stream as text, for the tests' own peers, load drivers and sinks: whole messages out of it, and answers made of a
 * request's own lines. Text work without understanding: the project's codec is not its own judge, and the process under test
 * does nearly all of what is done.
 */
import type { Socket } from 'node:net'

/** Calls `onMessage` with each whole message of a connection, one character per octet. */
export function eachMessage(socket: Socket, onMessage: (text: string) => void): void {
  let rest = ''
  socket.on('data', (bytes: Buffer) => {
    rest += bytes.toString('latin1')
    let start = 0
    for (;;) {
      const headEnd = rest.indexOf('\r\n\r\n', start)
      if (headEnd < 0) break
      const lengthAt = rest.indexOf('\r\nContent-Length: ', start) + 18
      const end = headEnd + 4 + parseInt(rest.slice(lengthAt, lengthAt + 8), 10)
      if (!(end <= rest.length)) break
      onMessage(rest.slice(start, end))
      start = end
    }
    rest = rest.slice(start)
  })
}

/** Start line and headers, without the empty line. */
export function headOf(message: string): string {
  return message.slice(0, message.indexOf('\r\n\r\n'))
}

/** The answer to a request: the lines it must repeat (RFC 3261 section 8.2.6.2), a tag on a To without one, lines of one's own (each with its end) and a body. */
export function answerTo(request: string, status: string, more = '', body = ''): string {
  const end = request.indexOf('\r\n\r\n') + 2
  let text = `SIP/2.0 ${status}\r\n`
  for (let at = request.indexOf('\r\n') + 2; at < end;) {
    const next = request.indexOf('\r\n', at) + 2
    const line = request.slice(at, next)
    if (line.startsWith('Via:') || line.startsWith('From:') || line.startsWith('Call-ID:') || line.startsWith('CSeq:')) text += line
    else if (line.startsWith('To:')) text += line.includes(';tag=') ? line : `${line.slice(0, -2)};tag=sink\r\n`
    at = next
  }
  return `${text}${more}Content-Length: ${body.length}\r\n\r\n${body}`
}

/** The value of the first line with this name, spelt as the project writes it; '' when there is none. */
export function valueOf(message: string, name: string): string {
  const at = message.indexOf(`\r\n${name}: `)
  return at < 0 ? '' : message.slice(at + name.length + 4, message.indexOf('\r\n', at + 2))
}
