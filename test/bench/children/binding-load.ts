/**
 * A push initiator for the real gateway before real terminals: submits back to back, so many pushes outstanding, each until
 * its result notification has come, or, where none is asked for, until the bench has counted one more as delivered. A push that
 * ends otherwise than delivered spoils the measurement: it is told by its notification's words, or by nothing coming back.
 */
import { createServer } from 'node:net'
import { SubmissionTemplate, type PushSettings } from '../../../loadgen/submission.js'
import { initiatorAddress, userOf } from '../population.js'
import { ClosedLoop, type LoopResult } from './closed-loop.js'
import { listen, open, submissionHead, takeAnswers, takeNotifications } from './pap-peers.js'
import { serve } from './serve.js'

export interface BindingLoad {
  readonly pap: string
  readonly push: PushSettings
  readonly count: number
  /** Pushes submitted and not yet known to have ended. */
  readonly outstanding: number
  /**
   * Users pushed to, in turn. As many as are outstanding: a user's next push waits for the notification of the last, so that none shares
   * a session with one under way; so where it is absent. More: no notification is asked for, and the word `delivered` tells how many
   * have ended.
   */
  readonly users?: number
}

/** The slot a push was submitted from stands in its push-id, and so in its notification. */
const NOTIFIED_SLOT = /push-id="[^"]*\.(\d+)@/

let notifyUrl = ''
let serial = 0
let onNotification = (_text: string): void => {}
let onDelivered = (_total: number): void => {}

async function push({ pap, push, count, outstanding, users = outstanding }: BindingLoad): Promise<LoopResult> {
  const url = new URL(pap)
  const isNotified = users === outstanding
  const template = new SubmissionTemplate(push, isNotified ? notifyUrl : undefined, false)
  const head = submissionHead(url, template.contentType)
  const slots = await Promise.all(Array.from({ length: Math.min(users, count) }, () => open(url)))
  /** What each slot still waits for: the answer to its submission and the notification, in whichever order. */
  const awaited = slots.map(() => 0)
  const failures: string[] = []
  let idle = 0
  let delivered = 0
  const loop = new ClosedLoop(count, (index) => {
    const slot = isNotified && index >= slots.length ? idle : index % slots.length
    const body = template.text(`${process.pid}-${++serial}.${slot}@pi.example`, initiatorAddress(userOf(slot)))
    awaited[slot]! += isNotified ? 2 : 1
    slots[slot]!.write(`${head}${body.length}\r\n\r\n${body}`, 'latin1')
  })
  const came = (slot: number): void => {
    if (--awaited[slot]! !== 0 || !isNotified) return
    idle = slot
    loop.end()
  }
  slots.forEach((socket, slot) => takeAnswers(socket, (isAccepted) => {
    if (!isAccepted) {
      failures.push('a submission was not accepted')
      // Nothing will be told of it.
      if (isNotified) awaited[slot]! -= 1
    }
    came(slot)
  }))
  onNotification = (text) => {
    if (!text.includes('message-state="delivered"')) failures.push(text.slice(text.indexOf('<resultnotification-message')))
    came(Number(NOTIFIED_SLOT.exec(text)?.[1]))
  }
  onDelivered = (total) => { for (; delivered < total; delivered++) loop.end() }
  loop.start(Math.min(outstanding, count))
  try {
    const result = await loop.finished
    if (failures.length > 0) throw new Error(`${failures.length} of ${count} pushes were not delivered; the first: ${failures[0]}`)
    return result
  } finally {
    onNotification = () => {}
    onDelivered = () => {}
    for (const socket of slots) socket.destroy()
  }
}

serve({
  listen: async () => {
    notifyUrl = `http://127.0.0.1:${await listen(createServer((socket) => takeNotifications(socket, (text) => onNotification(text))))}/notify`
  },
  push,
  delivered: (total: number) => onDelivered(total),
})
