/**
 * Everything around a gateway in one cheap process: initiators that submit over kept connections, a SIP sink that
 * answers each MESSAGE, and a listener that answers result notifications. Bytes made by hand; no stack of ours but
 * the template of a submission.
 *
 * Words: `sinks` opens both sinks; `push` submits back to back and ends when the last answer of the sinks is out.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { SubmissionTemplate } from '../../../loadgen/submission.js'
import { CONTENT, initiatorAddress, userOf } from '../population.js'
import { ClosedLoop, type LoopResult } from './closed-loop.js'
import { serve } from './serve.js'
import { answerTo, eachMessage, GatheredWriter } from './sip-text.js'

export interface PushLoad {
  readonly pap: string
  readonly count: number
  /** Connections, each with one submission at a time. */
  readonly connections: number
  /** The population the pushes go round. */
  readonly users: number
  readonly notify: boolean
}

let sipDone = 0
let notified = 0
let onProgress = (): void => {}
let notifyPort = 0
let serial = 0

/** Answers 480 for users who are away, 200 for all others. */
function sipSink(socket: Socket): void {
  const writer = new GatheredWriter(socket)
  socket.setNoDelay(true)
  socket.on('error', () => {})
  eachMessage(socket, (request) => {
    const isAway = request.startsWith('MESSAGE sip:away')
    writer.write(answerTo(request, isAway ? '480 Temporarily Unavailable' : '200 OK'))
    if (isAway) return
    sipDone++
    onProgress()
  })
}

const ACKNOWLEDGEMENT = '<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd">'
  + '<pap><resultnotification-response push-id="x" address="x" code="1000" desc="OK"/></pap>'
const NOTIFIED = `HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: ${ACKNOWLEDGEMENT.length}\r\n\r\n${ACKNOWLEDGEMENT}`

function notifySink(socket: Socket): void {
  let rest = ''
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    rest += bytes.toString('latin1')
    for (let end = rest.indexOf('</pap>'); end >= 0; end = rest.indexOf('</pap>')) {
      rest = rest.slice(end + 6)
      socket.write(NOTIFIED, 'latin1')
      notified++
      onProgress()
    }
  })
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
}

async function push({ pap, count, connections, users, notify }: PushLoad): Promise<LoopResult> {
  const url = new URL(pap)
  const template = new SubmissionTemplate(CONTENT, notify ? `http://127.0.0.1:${notifyPort}/notify` : undefined, false)
  const head = `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: ${template.contentType}\r\nContent-Length: `
  const initiators = await Promise.all(Array.from({ length: Math.min(connections, count) }, () => open(url)))
  const startedSip = sipDone
  const startedNotified = notified
  const submissions = new ClosedLoop(count, (index) => {
    const number = ++serial
    const body = template.body(`${process.pid}-${number}@pi.example`, initiatorAddress(userOf(number % users)))
    initiators[index < initiators.length ? index : idle]!.write(`${head}${body.length}\r\n\r\n${body.toString('latin1')}`, 'latin1')
  })
  let idle = 0
  let refused = 0
  initiators.forEach((socket, index) => {
    let answer = ''
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1')
      if (!answer.includes('</pap>') && !answer.startsWith('HTTP/1.1 503')) return
      if (!answer.includes('code="1001"')) refused++
      answer = ''
      idle = index
      submissions.end()
    })
  })
  const begun = process.hrtime.bigint()
  submissions.start(initiators.length)
  await submissions.finished
  for (const socket of initiators) socket.destroy()
  if (refused > 0) throw new Error(`${refused} of ${count} submissions were not accepted`)
  await new Promise<void>((resolve) => {
    onProgress = () => { if (sipDone - startedSip >= count && (!notify || notified - startedNotified >= count)) resolve() }
    onProgress()
  })
  onProgress = () => {}
  return { count, micros: Number(process.hrtime.bigint() - begun) / 1_000 }
}

function open(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => resolve(socket))
    socket.setNoDelay(true)
    socket.once('error', reject)
  })
}

serve({
  sinks: async () => {
    notifyPort = await listen(createServer(notifySink))
    return { sip: await listen(createServer(sipSink)), notify: notifyPort }
  },
  push,
})
