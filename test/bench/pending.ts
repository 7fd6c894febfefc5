/**
 * What pushes cost that wait for devices which are away: anonymous memory of the gateway for each, and how long a gateway
 * with 100,000 of them in its store takes from the start of its process to its first 1001.
 */
import { request as httpRequest } from 'node:http'
import { SubmissionTemplate } from '../../loadgen/submission.js'
import type { LoopResult } from './children/closed-loop.js'
import type { PushLoad } from './children/push-load.js'
import type { Sinks } from './gateway.js'
import type { Child, Lab } from './lab.js'
import { CONTENT, initiatorAddress, userOf } from './population.js'
import type { Measured } from './rows.js'
import { seedStore } from './seeding.js'

const PENDING = 100_000
/** Before memory is looked at first, so that code, buffers and pools are what they are under load. */
const WARM_UP = 40_000
const CONNECTIONS = 256
const RESTARTS = 3
/** After this a start has failed, whatever it still does. */
const START_MILLIS_MAX = 60_000

/** Submitted by HTTP, tried, and found away. */
export async function benchPendingMemory(lab: Lab): Promise<Measured[]> {
  const load = lab.child('push-load')
  const sinks = await load.ask<Sinks>('sinks')
  const child = lab.child('memory', ['--expose-gc', '--max-semi-space-size=1'])
  const { pap } = await child.ask<Record<string, string>>('gateway', configFor(sinks, lab.newFolder()))
  const wait = async (count: number, waiting: number): Promise<void> => {
    await load.ask<LoopResult>('push', { pap: pap!, count, connections: CONNECTIONS, users: 1, notify: false, away: true } satisfies PushLoad)
    await waitingAre(child, waiting)
  }
  await wait(WARM_UP, WARM_UP)
  const before = await child.ask<number>('bytes')
  await wait(PENDING, WARM_UP + PENDING)
  const bytes = (await child.ask<number>('bytes') - before) / PENDING
  lab.progress(`a push that waits: ${bytes.toFixed(0)} bytes of memory`)
  await Promise.all([load.stop(), child.stop()])
  return [{ name: 'gateway.pending.bytes', unit: 'bytes', values: [bytes], floors: [] }]
}

/** As after kill -9: the real part, on a store of 100,000 pushes without an outcome, each of which it tries again at once. */
export async function benchRestart(lab: Lab): Promise<Measured[]> {
  const load = lab.child('push-load')
  const sinks = await load.ask<Sinks>('sinks')
  const seconds: number[] = []
  const store = lab.newFolder()
  await seedStore(store, { devices: 0, waiting: PENDING })
  for (let repeat = 0; repeat < RESTARTS; repeat++) {
    const begun = performance.now()
    const part = await lab.part('gateway', configFor(sinks, store))
    await firstAccepted(part.addresses['pap']!, `first-${repeat}@pi.example`, begun + START_MILLIS_MAX)
    seconds.push((performance.now() - begun) / 1_000)
    lab.progress(`restart with ${PENDING} pushes that wait, repeat ${repeat + 1} of ${RESTARTS}: first 1001 after ${seconds[repeat]!.toFixed(2)} s`)
    await part.process.kill()
  }
  await load.stop()
  return [{ name: 'gateway.restart.seconds', unit: 's', values: seconds, floors: [] }]
}

function configFor(sinks: Sinks, store: string): { readonly pap: object; readonly content: object; readonly sip: object; readonly store: string } {
  return { pap: { listen: '127.0.0.1:0' }, content: { listen: '127.0.0.1:0' }, sip: { listen: '127.0.0.1:0', nextHops: [`tcp:127.0.0.1:${sinks.sip}`] }, store }
}

async function waitingAre(child: Child, count: number): Promise<void> {
  while ((await child.ask<Record<string, number>>('counters'))['waiting'] !== count) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Submits until it is accepted: a 503 says that the store is still being read. */
async function firstAccepted(pap: string, pushId: string, until: number): Promise<void> {
  const template = new SubmissionTemplate(CONTENT, undefined, false)
  const body = template.body(pushId, initiatorAddress(userOf(0)))
  while (!(await isAccepted(pap, template.contentType, body))) if (performance.now() > until) throw new Error('the gateway with pushes that wait accepted nothing for a minute')
}

function isAccepted(pap: string, contentType: string, body: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(pap, { method: 'POST', agent: false, headers: { 'content-type': contentType, 'content-length': body.length } }, (response) => {
      let answer = ''
      response.setEncoding('latin1')
      response.on('data', (text: string) => { answer += text })
      response.on('end', () => resolve(answer.includes('code="1001"')))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}
