/**
 * The push initiators' two ends of a connection, made by hand: one that submits over a kept connection, one that takes
 * result notifications and acknowledges each. They know where a PAP document ends, not what is in it.
 */
import { connect, type AddressInfo, type Server, type Socket } from 'node:net'

const ACKNOWLEDGEMENT = '<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd">'
  + '<pap><resultnotification-response push-id="x" address="x" code="1000" desc="OK"/></pap>'
const NOTIFIED = `HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: ${ACKNOWLEDGEMENT.length}\r\n\r\n${ACKNOWLEDGEMENT}`
const DOCUMENT_END = '</pap>'

/** Acknowledges each notification of a connection. @param onNotification its text, HTTP head included */
export function takeNotifications(socket: Socket, onNotification: (text: string) => void): void {
  let rest = ''
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    rest += bytes.toString('latin1')
    for (let end = rest.indexOf(DOCUMENT_END); end >= 0; end = rest.indexOf(DOCUMENT_END)) {
      const text = rest.slice(0, end)
      rest = rest.slice(end + DOCUMENT_END.length)
      socket.write(NOTIFIED, 'latin1')
      onNotification(text)
    }
  })
}

/** Calls back for each answer to a submission; what is no PAP document, such as a 503, is one too when its head is there. */
export function takeAnswers(socket: Socket, onAnswer: (isAccepted: boolean) => void): void {
  let answer = ''
  socket.on('data', (bytes) => {
    answer += bytes.toString('latin1')
    if (!answer.includes(DOCUMENT_END) && !answer.startsWith('HTTP/1.1 503')) return
    const isAccepted = answer.includes('code="1001"')
    answer = ''
    onAnswer(isAccepted)
  })
}

/** What stands before the length of each submission's body. */
export function submissionHead(url: URL, contentType: string): string {
  return `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: ${contentType}\r\nContent-Length: `
}

export function open(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => resolve(socket))
    socket.setNoDelay(true)
    socket.once('error', reject)
  })
}

/** On a free port of this machine's own network. */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
}
