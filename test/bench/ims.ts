/**
 * The collapsed core: one MESSAGE relayed with its answer, stateful, over UDP and over TCP; a refresh of a registration
 * without a challenge, over UDP. Each beside a process that relays or answers the same traffic without reading it.
 */
import type { BareRelay } from './children/bare-sip.js'
import type { LoopResult } from './children/closed-loop.js'
import type { ImsLinks } from './children/ims-load.js'
import type { LinkTransport } from './children/sip-links.js'
import { countFor } from './gateway.js'
import { cpuMicros, type Lab } from './lab.js'
import type { Measured } from './rows.js'

const DOMAIN = 'home1.example'
const USERS = 1_000
const WARM_UP = 20_000
const REPEATS = 5
const REPEAT_SECONDS = 1.5

interface Side {
  readonly pid: number
  run(count: number): Promise<LoopResult>
}

export async function benchIms(lab: Lab): Promise<Measured[]> {
  return [...await benchMessages(lab, 'udp'), ...await benchRefreshes(lab), ...await benchMessages(lab, 'tcp')]
}

async function benchMessages(lab: Lab, transport: LinkTransport): Promise<Measured[]> {
  const { core, load, end } = await loadedCore(lab, transport)
  const bare = await bareRelay(lab, transport)
  const measured = await compared(lab, `ims.message.cpuUs.${transport}`, { pid: core.pid, run: (count) => load.ask('messages', { count, users: USERS }) }, bare.side)
  await bare.stop()
  await end()
  return measured
}

async function benchRefreshes(lab: Lab): Promise<Measured[]> {
  const { core, load, end } = await loadedCore(lab, 'udp')
  const echo = await bareEcho(lab)
  const measured = await compared(lab, 'ims.register.cpuUs', { pid: core.pid, run: (count) => load.ask('refresh', { count, users: USERS }) }, echo.side)
  await echo.stop()
  await end()
  return measured
}

/** A core of its own for each row, with its users registered: one that served UDP still forgets its transactions half a minute later (timer J). */
async function loadedCore(lab: Lab, transport: LinkTransport) {
  const core = await lab.part('ims', { population: { subscribers: USERS } })
  const load = lab.child('ims-load')
  await load.ask('open', { transport, pcscf: portOf(core.addresses['pcscf']), icscf: portOf(core.addresses['icscf']), domain: DOMAIN } satisfies ImsLinks)
  await load.ask('register', USERS)
  return { core, load, end: async () => {
    await load.stop()
    await lab.stopPart(core)
  } }
}

async function bareRelay(lab: Lab, transport: LinkTransport) {
  const relay = lab.child('bare-sip')
  const load = lab.child('ims-load')
  const { pcscf, icscf } = await relay.ask<BareRelay>('relay', transport)
  await load.ask('open', { transport, pcscf, icscf, domain: DOMAIN } satisfies ImsLinks)
  if (transport === 'udp') await load.ask('register', 1)
  const side: Side = { pid: relay.pid, run: (count) => load.ask('messages', { count, users: USERS }) }
  return { side, stop: () => Promise.all([relay.stop(), load.stop()]) }
}

async function bareEcho(lab: Lab) {
  const echo = lab.child('bare-sip')
  const load = lab.child('ims-load')
  const port = await echo.ask<number>('echo', 'REGISTER')
  await load.ask('open', { transport: 'udp', pcscf: port, icscf: port, domain: DOMAIN } satisfies ImsLinks)
  const side: Side = { pid: echo.pid, run: (count) => load.ask('refresh', { count, users: USERS }) }
  return { side, stop: () => Promise.all([echo.stop(), load.stop()]) }
}

/** The cost of one exchange in the part and in its bare stand-in, in turns. */
export async function compared(lab: Lab, name: string, part: Side, bare: Side): Promise<Measured[]> {
  const values: number[] = []
  const rates: number[] = []
  const floors: number[] = []
  let counts: readonly [number, number] = [WARM_UP, WARM_UP]
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    const own = await cost(part, counts[0])
    const floor = await cost(bare, counts[1])
    lab.progress(`${name}, ${repeat < 0 ? 'warm-up' : `repeat ${repeat + 1} of ${REPEATS}`}: ${own.cpu.toFixed(1)} µs at ${own.perSecond.toFixed(0)}/s, bare ${floor.cpu.toFixed(1)} µs`)
    if (repeat < 0) {
      counts = [countFor(own.perSecond, REPEAT_SECONDS), countFor(floor.perSecond, REPEAT_SECONDS)]
      continue
    }
    values.push(own.cpu)
    rates.push(own.perSecond)
    floors.push(floor.cpu)
  }
  return [{ name, unit: 'µs', values, floors }, { name: name.replace('cpuUs', 'perSecond'), unit: '1/s', values: rates, floors: [] }]
}

async function cost({ pid, run }: Side, count: number): Promise<{ readonly cpu: number; readonly perSecond: number }> {
  const before = cpuMicros(pid)
  const { micros } = await run(count)
  return { cpu: (cpuMicros(pid) - before) / count, perSecond: count * 1_000_000 / micros }
}

function portOf(address: string | undefined): number {
  return Number(address?.split(':').pop())
}
