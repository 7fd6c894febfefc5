/**
 * The bare cost of a push's traffic: an HTTP server that reads the body, one flushed LMDB put of the same octets, an
 * answer of the same size, the same octets over one TCP connection, a second put when the sink has answered, and where
 * asked for a notification of the same size. Nothing is parsed, decided or remembered.
 */
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { open } from 'lmdb'
import { Pool } from 'undici'
import { serve } from './serve.js'

export interface BareStart {
  readonly store: string
  readonly sip: number
  /** The port to notify; undefined for none. */
  readonly notify: number | undefined
}

const ANSWER = `<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd"><pap><push-response push-id="1-1@pi.example" ${'x'.repeat(120)}>`
  + '<response-result code="1001" desc="Accepted for Processing"/></push-response></pap>'
const MESSAGE = Buffer.from('MESSAGE sip:user000001@ims.example.org SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bK0123456789abcdef\r\nMax-Forwards: 70\r\n'
  + 'From: <sip:push@ims.example.org>;tag=0123456789abc\r\nTo: <sip:user000001@ims.example.org>\r\nCall-ID: 0123456789abcdef0123.0@127.0.0.1:5080\r\nCSeq: 1 MESSAGE\r\n'
  + 'P-Asserted-Identity: <sip:push@ims.example.org>\r\nAccept-Contact: *;+g.oma.pusheventapp="wml.ua";require;explicit\r\nRequest-Disposition: fork, parallel\r\n'
  + `User-Agent: pushbench-ppg\r\nX-Push-Id: 1234-5678@pi.example\r\nContent-Type: text/vnd.wap.si\r\nContent-Length: 300\r\n\r\n${'x'.repeat(300)}`)
const NOTIFICATION = `<?xml version="1.0"?><pap>${'x'.repeat(560)}</pap>`
const NOTHING = Buffer.alloc(0)
const OUTCOME = Buffer.alloc(200, 1)

let recorded = 0

async function start({ store, sip, notify }: BareStart): Promise<number> {
  const database = open<Buffer, Buffer>({ path: store, encoding: 'binary', keyEncoding: 'binary', overlappingSync: false, eventTurnBatching: false })
  const sink = connect(sip, '127.0.0.1')
  const pool = notify === undefined ? undefined : new Pool(`http://127.0.0.1:${notify}`, { connections: 64, pipelining: 1 })
  sink.setNoDelay(true)
  let keyLast = 0
  let values: Buffer[] = []
  let answers: (ServerResponse | undefined)[] = []
  let isWriting = false
  let isDue = false

  const put = (value: Buffer, answer: ServerResponse | undefined): void => {
    values.push(value)
    answers.push(answer)
    if (isDue) return
    isDue = true
    setImmediate(() => {
      isDue = false
      if (!isWriting) void write()
    })
  }
  const write = async (): Promise<void> => {
    isWriting = true
    while (values.length > 0) {
      const [puts, waiting] = [values, answers]
      values = []
      answers = []
      await database.batch(() => {
        for (const value of puts) {
          const key = Buffer.allocUnsafe(9)
          key[0] = 0x50
          key.writeDoubleBE(++keyLast, 1)
          void database.put(key, value)
        }
      })
      flushed(waiting)
    }
    isWriting = false
  }
  const flushed = (waiting: readonly (ServerResponse | undefined)[]): void => {
    const messages: Buffer[] = []
    for (const response of waiting) {
      if (response === undefined) {
        if (pool === undefined) recorded++
        else pool.dispatch({ path: '/notify', method: 'POST', headers: ['content-type', 'application/xml'], body: NOTIFICATION }, NOTIFIED)
        continue
      }
      response.writeHead(202, ['Content-Type', 'application/xml', 'Content-Length', String(ANSWER.length)])
      response.end(ANSWER)
      messages.push(MESSAGE)
    }
    if (messages.length > 0) sink.write(Buffer.concat(messages))
  }
  // Every answer of the sink ends with the only CR LF CR LF in it, which two arrivals may share.
  let rest = NOTHING
  sink.on('data', (bytes) => {
    const arrived = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    let counted = 0
    for (let end = arrived.indexOf('\r\n\r\n'); end >= 0; end = arrived.indexOf('\r\n\r\n', counted)) {
      counted = end + 4
      put(OUTCOME, undefined)
    }
    rest = arrived.subarray(Math.max(counted, arrived.length - 3))
  })
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => put(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), response))
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
}

const NOTIFIED = {
  onRequestStart() {},
  onResponseStart() {},
  onResponseData() {},
  onResponseEnd() { recorded++ },
  onResponseError(_controller: unknown, error: Error) { throw error },
}

serve({ start, recorded: () => recorded })
