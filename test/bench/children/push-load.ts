/**
 * Everything around a gateway in one cheap process: initiators that submit over kept connections, a SIP sink that
 * answers each MESSAGE, and a listener that answers result notifications. Bytes made by hand; no stack of ours but
 * the template of a submission.
 *
 * Words: `sinks` opens both sinks; `push` submits back to back and ends when the last answer of the sinks is out.
 */
import { createServer, type Socket } from 'node:net'
import { SubmissionTemplate } from '../../../loadgen/submission.js'
import { answerTo, eachMessage } from '../../live/sip-text.js'
import { awayUserOf, CONTENT, initiatorAddress, userOf } from '../population.js'
import { ClosedLoop, type LoopResult } from './closed-loop.js'
import { GatheredWriter } from './gathered-writer.js'
import { listen, open, submissionHead, takeAnswers, takeNotifications } from './pap-peers.js'
import { serve } from './serve.js'

export interface PushLoad {
  readonly pap: string
  readonly count: number
  /** Connections, each with one submission at a time. */
  readonly connections: number
  /** The population the pushes go round. */
  readonly users: number
  readonly notify: boolean
  /** Each push is for another user, who is away: it is over for the load when the sink has said so. */
  readonly away?: boolean
}

let sipDone = 0
let awayDone = 0
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
    if (isAway) awayDone++
    else sipDone++
    onProgress()
  })
}

function notifySink(socket: Socket): void {
  takeNotifications(socket, () => {
    notified++
    onProgress()
  })
}

async function push({ pap, count, connections, users, notify, away = false }: PushLoad): Promise<LoopResult> {
  const url = new URL(pap)
  const template = new SubmissionTemplate(CONTENT, notify ? `http://127.0.0.1:${notifyPort}/notify` : undefined, false)
  const head = submissionHead(url, template.contentType)
  const initiators = await Promise.all(Array.from({ length: Math.min(connections, count) }, () => open(url)))
  const done = (): number => (away ? awayDone : sipDone)
  const startedSip = done()
  const startedNotified = notified
  const submissions = new ClosedLoop(count, (index) => {
    const number = ++serial
    const body = template.body(`${process.pid}-${number}@pi.example`, initiatorAddress(away ? awayUserOf(number) : userOf(number % users)))
    initiators[index < initiators.length ? index : idle]!.write(`${head}${body.length}\r\n\r\n${body.toString('latin1')}`, 'latin1')
  })
  let idle = 0
  let refused = 0
  initiators.forEach((socket, index) => {
    takeAnswers(socket, (isAccepted) => {
      if (!isAccepted) refused++
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
    onProgress = () => { if (done() - startedSip >= count && (!notify || notified - startedNotified >= count)) resolve() }
    onProgress()
  })
  onProgress = () => {}
  return { count, micros: Number(process.hrtime.bigint() - begun) / 1_000 }
}

serve({
  sinks: async () => {
    notifyPort = await listen(createServer(notifySink))
    return { sip: await listen(createServer(sipSink)), notify: notifyPort }
  },
  push,
})
