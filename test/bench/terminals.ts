/** A MESSAGE received, checked, counted and answered by the real terminals part over UDP, beside a bare echo of datagrams. */
import { compared } from './ims.js'
import type { Lab } from './lab.js'
import type { Measured } from './rows.js'

const TERMINALS = 2_000
const REGISTERS_PER_SECOND = 2_000
const REGISTER_MICROS = 60_000_000

export async function benchTerminals(lab: Lab): Promise<Measured[]> {
  const load = lab.child('terminal-load')
  const proxy = { address: '127.0.0.1', port: await load.ask<number>('open') }
  const terminals = await lab.part('terminals', {
    proxy, transport: 'udp', workers: 1, population: { subscribers: TERMINALS, devicesPerSubscriber: { 1: 1 }, applicationSets: [{ applications: ['push.sia', 'mms.ua'], weight: 1 }] },
  })
  const settled = await terminals.process.perform('register', { perSecond: REGISTERS_PER_SECOND, withinMicros: REGISTER_MICROS }) as { readonly done: number }
  if (settled.done !== TERMINALS) throw new Error(`${settled.done} of ${TERMINALS} terminals are registered`)
  const bare = lab.child('bare-sip')
  const echo = await bare.ask<number>('echo', 'MESSAGE')
  const measured = await compared(lab, 'terminal.answer.cpuUs.udp',
    { pid: terminals.pid, run: (count) => load.ask('messages', { count }) }, { pid: bare.pid, run: (count) => load.ask('messages', { count, echo }) })
  await lab.stopPart(terminals)
  await Promise.all([load.stop(), bare.stop()])
  return measured
}
