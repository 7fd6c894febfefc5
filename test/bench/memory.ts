/**
 * Memory of 100,000 bindings in the core, of 50,000 registered terminals in one process and of 10,000 standing subscriptions
 * in the gateway: what the process holds more than when it was empty. A fresh process for each repeat, and whoever it talks to in another one.
 */
import type { GatewayConfigWritten } from '../../core/live/config.js'
import { freePort } from '../../loadgen/live/machine.js'
import type { ImsLinks } from './children/ims-load.js'
import type { Lab } from './lab.js'
import { coreConfig, registerAll, terminalsConfig } from './push-network.js'
import type { Measured } from './rows.js'

const BINDINGS = 100_000
const TERMINALS = 50_000
const SUBSCRIPTIONS = 10_000
const REPEATS = 3
/** Memory hardly differs from one repeat to the next: a slow machine may leave the later ones out. */
const BUDGET_MILLIS = 30_000
const DOMAIN = 'home1.example'

export async function benchMemory(lab: Lab): Promise<Measured[]> {
  return [
    { name: 'ims.binding.bytes', unit: 'bytes', values: await repeated(lab, 'ims.binding.bytes', bindingBytes), floors: [] },
    { name: 'terminal.idle.bytes', unit: 'bytes', values: await repeated(lab, 'terminal.idle.bytes', terminalBytes), floors: [] },
  ]
}

export async function benchSubscriptionMemory(lab: Lab): Promise<Measured[]> {
  return [{ name: 'event.subscription.bytes', unit: 'bytes', values: await repeated(lab, 'event.subscription.bytes', subscriptionBytes), floors: [] }]
}

async function repeated(lab: Lab, name: string, measure: (lab: Lab) => Promise<number>): Promise<number[]> {
  const values: number[] = []
  const until = Date.now() + BUDGET_MILLIS
  for (let repeat = 0; repeat < REPEATS && (repeat === 0 || Date.now() < until); repeat++) {
    values.push(await measure(lab))
    lab.progress(`${name}, repeat ${repeat + 1} of ${REPEATS}: ${values[repeat]!.toFixed(0)}`)
  }
  return values
}

async function bindingBytes(lab: Lab): Promise<number> {
  const child = lab.child('memory', ['--expose-gc'])
  const load = lab.child('ims-load')
  const addresses = await child.ask<Record<'pcscf' | 'icscf', string>>('core', BINDINGS)
  const port = (node: 'pcscf' | 'icscf'): number => Number(addresses[node].split(':')[1])
  await load.ask('open', { transport: 'tcp', pcscf: port('pcscf'), icscf: port('icscf'), domain: DOMAIN } satisfies ImsLinks)
  const before = await child.ask<number>('bytes')
  await load.ask('register', BINDINGS)
  const bytes = (await child.ask<number>('bytes') - before) / BINDINGS
  await Promise.all([load.stop(), child.stop()])
  return bytes
}

/** The device objects count as much as what registering adds to them, so the empty process is one without a fleet. */
async function terminalBytes(lab: Lab): Promise<number> {
  const core = await lab.part('ims', { population: { subscribers: TERMINALS } })
  const child = lab.child('memory', ['--expose-gc'])
  const before = await child.ask<number>('bytes')
  await child.ask('fleet', { port: Number(core.addresses['pcscf']!.split(':')[1]), devices: TERMINALS })
  const { done } = await child.ask<{ readonly done: number }>('register')
  if (done !== TERMINALS) throw new Error(`${done} of ${TERMINALS} terminals are registered`)
  const bytes = (await child.ask<number>('bytes') - before) / TERMINALS
  await Promise.all([child.stop(), lab.stopPart(core)])
  return bytes
}

/** The core tells the gateway of no registration: what it holds more are subscriptions alone, and the small young generation leaves out what is garbage. */
async function subscriptionBytes(lab: Lab): Promise<number> {
  const sip = { address: '127.0.0.1', port: await freePort() }
  const core = await lab.part('ims', coreConfig(sip, SUBSCRIPTIONS, true, 'untold'))
  const child = lab.child('memory', ['--expose-gc', '--max-semi-space-size=1'])
  const addresses = await child.ask<Record<string, string>>('gateway', {
    pap: { listen: '127.0.0.1:0' }, content: { listen: '127.0.0.1:0' }, sip: { listen: `127.0.0.1:${sip.port}`, nextHops: [`tcp:${core.addresses['icscf']}`] }, store: lab.newFolder(),
  } satisfies GatewayConfigWritten)
  if (addresses['sip'] !== `127.0.0.1:${sip.port}`) throw new Error(`port ${sip.port}, which the core knows the gateway by, was taken meanwhile; run again`)
  const terminals = await lab.part('terminals', terminalsConfig(core, SUBSCRIPTIONS, true))
  const before = await child.ask<number>('bytes')
  await registerAll(terminals, SUBSCRIPTIONS, true)
  const bytes = (await child.ask<number>('bytes') - before) / SUBSCRIPTIONS
  await lab.stopPart(terminals)
  await Promise.all([child.stop(), lab.stopPart(core)])
  return bytes
}
