/**
 * One worker thread of the terminals: a fleet shard on its own sockets with its own journal. Wires the machine to the
 * pump, the sockets and the journal, and passes words to it; decides nothing.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { systemCrypto } from '../../core/live/crypto.js'
import { SystemEntropy } from '../../core/live/entropy.js'
import { JournalWriter } from '../../core/live/journal.js'
import { readMediaTls } from '../../core/live/media-tls.js'
import { Pump } from '../../core/live/pump.js'
import { Sockets } from '../../core/live/sockets.js'
import { readTls } from '../../core/live/tls.js'
import { RADIO_TIMERS } from '../ims/settings.js'
import { Fleet } from '../terminal/fleet.js'
import type { FleetIn, FleetOut } from '../terminal/fleet-contract.js'
import { Population } from '../terminal/population.js'
import { Fetcher } from './fetcher.js'
import { reportBusy } from './worker-busy.js'
import type { FleetWorkerData, FromWorker, ToWorker } from './terminals-messages.js'

const COUNT_MILLIS = 500

const { config, shard, journalPath } = workerData as FleetWorkerData
const port = parentPort!

const say = (message: FromWorker): void => port.postMessage(message)
/** Uncaught: the part cannot go on without its journal, and the main thread hears of it as the worker's error. */
const fail = (error: Error): void => { setImmediate(() => { throw error }) }

const journal = journalPath === undefined ? undefined : new JournalWriter(journalPath, fail)
const media = config.tls === undefined ? undefined : readMediaTls(config.tls)
const fleet = new Fleet({
  shard, proxy: config.proxy, visited: config.visited, transport: config.transport, connections: config.connections, flows: config.flows, backoff: config.backoff,
  ...(config.furtherProxy === undefined ? {} : { furtherProxy: config.furtherProxy }),
  ...(config.timers === 'radio' ? { timers: RADIO_TIMERS } : {}), ...(media === undefined ? {} : { fingerprint: media.fingerprint }),
}, new Population(config.population), new SystemEntropy(), systemCrypto)
const sockets = new Sockets((input) => pump.input(input), config.tls === undefined ? undefined : readTls(config.tls), media)
const fetcher = new Fetcher((end) => pump.input(end))
const pump: Pump<FleetIn, FleetOut> = new Pump(fleet, output, () => sockets.flush())

function output(out: FleetOut): void {
  switch (out.type) {
    case 'journal':
      journal?.write(out.event, out.pushId, out.address, out.details)
      return
    case 'settled':
      count()
      say(out)
      return
    case 'fetch':
      fetcher.fetch(out)
      return
    default:
      sockets.output(out)
  }
}

/** Classes without a device in this shard have nothing to count. */
const groups = Object.entries(fleet.roster.groups).filter(([, group]) => group.devices > 0)

function count(): void {
  const counters = { ...fleet.counters, datagramsDropped: sockets.datagramsDropped(), datagramsFailed: sockets.counters.datagramsFailed }
  say({ type: 'counted', counters, groups: Object.fromEntries(groups.map(([name, group]) => [name, { ...group }])) })
}

async function stop(): Promise<void> {
  clearInterval(counting)
  clearInterval(reporting)
  pump.stop()
  // Before the sockets go, and with them what the system counted of them.
  count()
  await Promise.all([sockets.close(), fetcher.close()])
  await journal?.close()
  say({ type: 'stopped' })
  port.close()
}

if (config.transport === 'udp') for (let flow = 0; flow < config.flows; flow++) await sockets.listen(['udp'], { address: config.localAddress, port: 0 })
pump.start()
const counting = setInterval(count, COUNT_MILLIS)
const reporting = reportBusy(say)
port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'count': return count()
    case 'stop': return void stop()
    default: pump.input(message)
  }
})
say({ type: 'ready' })
