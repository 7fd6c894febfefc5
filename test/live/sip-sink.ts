/**
 * The far end for tests of the live gateway: a core network of one TCP listener that answers every MESSAGE 200 or keeps
 * silent, an initiator with its notification listener. Text handling of its own, so that the gateway's codec is not its judge.
 */
import { createServer as createHttpServer, request as httpRequest } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { answerTo, eachMessage, headOf } from './sip-text.js'

export interface SipSink {
  readonly hop: string
  /** Request heads seen, in order. */
  readonly requests: string[]
  close(): Promise<void>
}

export async function sipSink(answers: boolean): Promise<SipSink> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    eachMessage(socket, (request) => {
      requests.push(headOf(request))
      if (answers) socket.write(answerTo(request, '200 OK'), 'latin1')
    })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', () => resolve()) })
  return {
    hop: `tcp:127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () => new Promise((resolve) => {
      for (const socket of sockets) socket.destroy()
      server.close(() => resolve())
    }),
  }
}

export interface Initiator {
  readonly url: string
  /** The `push-id` of each result notification, in order. */
  readonly notified: string[]
  readonly documents: string[]
  close(): Promise<void>
}

export async function initiator(): Promise<Initiator> {
  const notified: string[] = []
  const documents: string[] = []
  const server = createHttpServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => { body += chunk.toString() })
    request.on('end', () => {
      const pushId = /push-id="([^"]+)"/.exec(body)?.[1] ?? ''
      documents.push(body)
      notified.push(pushId)
      response.writeHead(202, { 'content-type': 'application/xml' })
        .end(`<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.1//EN" "http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd"><pap><resultnotification-response push-id="${pushId}" code="1000"/></pap>`)
    })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', () => resolve()) })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`,
    notified, documents,
    close: () => new Promise((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    }),
  }
}

/** Submits one push as PAP 2.1 by hand; gives the status with the PAP code of the answer (0 when there is none) and its Retry-After. */
export function submit(pap: string, pushId: string, user: string, notifyUrl: string): Promise<{ readonly status: number; readonly code: number; readonly retryAfter?: string }> {
  const body = [
    '--edge', 'Content-Type: application/xml', '',
    '<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.1//EN" "http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd">'
    + `<pap><push-message push-id="${pushId}" ppg-notify-requested-to="${notifyUrl}"><address address-value="WAPPUSH=${user}/TYPE=USER@ppg.example.org"/></push-message></pap>`,
    '--edge', 'Content-Type: text/plain', 'X-Wap-Application-Id: x-wap-application:push.sia', '', `content of ${pushId}`, '--edge--', '',
  ].join('\r\n')
  return new Promise((resolve, reject) => {
    const request = httpRequest(pap, { method: 'POST', headers: { 'content-type': 'multipart/related; boundary=edge; type="application/xml"', 'content-length': Buffer.byteLength(body) } }, (response) => {
      let answer = ''
      response.on('data', (chunk: Buffer) => { answer += chunk.toString() })
      const retryAfter = response.headers['retry-after']
      response.on('end', () => resolve({ status: response.statusCode ?? 0, code: Number(/ code="(\d+)"/.exec(answer)?.[1] ?? 0), ...(retryAfter === undefined ? {} : { retryAfter }) }))
    })
    request.on('error', reject)
    request.end(body)
  })
}
