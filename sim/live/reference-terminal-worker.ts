/**
 * The worker thread of the reference panel: its terminals, their pace, their counts and their journal. Speaks the words
 * of the terminals' workers; knows no SIP.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { monoMicros } from '../../core/live/clock.js'
import { JournalWriter } from '../../core/live/journal.js'
import { readMediaTls } from '../../core/live/media-tls.js'
import { readTls } from '../../core/live/tls.js'
import { Population } from '../terminal/population.js'
import { ReferenceMedia } from './reference-media.js'
import { ReferenceTerminal, type ReferenceWatcher } from './reference-terminal.js'
import { reportBusy } from './worker-busy.js'
import type { FromWorker, ReferenceWorkerData, ToWorker } from './terminals-messages.js'

const COUNT_MILLIS = 500

const { config, journalPath } = workerData as ReferenceWorkerData
const port = parentPort!
const say = (message: FromWorker): void => port.postMessage(message)
const fail = (error: Error): void => { setImmediate(() => { throw error }) }
const journal = journalPath === undefined ? undefined : new JournalWriter(journalPath, fail)

const group = { devices: 0, registered: 0, received: 0, repeats: 0, refused: 0, rejectedByCheck: 0 }
const watcher: ReferenceWatcher = {
  registered(instance) {
    group.registered += 1
    journal?.write('device-up', '', '', [instance])
  },
  unregistered(instance) {
    group.registered -= 1
    journal?.write('device-down', '', '', [instance])
  },
  received({ target, pushId, instance, status, isRepeat, binding }) {
    group[status !== 200 ? 'rejectedByCheck' : isRepeat ? 'repeats' : 'received'] += 1
    journal?.write('received', pushId, '', [target, instance, String(status), isRepeat ? 'repeat' : 'first', binding])
  },
}

const population = new Population(config.population)
const tls = config.transport === 'tls' && config.tls !== undefined ? readTls(config.tls) : undefined
const { from, to } = population.range('reference')
const media = new ReferenceMedia(config.localAddress, config.tls === undefined ? undefined : readMediaTls(config.tls))
const terminals = Array.from({ length: to - from }, (_, index) => new ReferenceTerminal(population.subscriber(from + index), { ...config, tls }, watcher, media))
group.devices = terminals.length

function count(): void {
  say({ type: 'counted', counters: {}, groups: { reference: { ...group } } })
}

/** Starts one terminal after the other at the pace asked for, and tells when all have come to an end or the time is over. */
async function paced({ type, ticket, perSecond, withinMicros }: Extract<ToWorker, { type: 'register' | 'deregister' }>): Promise<void> {
  const startedAt = monoMicros()
  const result = { wanted: 0, done: 0, refused: 0 }
  let stopWaiting: NodeJS.Timeout | undefined
  const timeUp = new Promise<void>((resolve) => { stopWaiting = setTimeout(resolve, withinMicros / 1_000) })
  const all = terminals.map(async (terminal, index) => {
    result.wanted += 1
    const dueMillis = (index * 1_000) / perSecond - (monoMicros() - startedAt) / 1_000
    await new Promise((resolve) => { setTimeout(resolve, dueMillis) })
    if (await (type === 'register' ? terminal.register() : terminal.deregister())) {
      result.done += 1
      if (type === 'register' && population.subscriber(from + index).devices[0]!.capabilities.subscribes) await terminal.subscribe(population.settings.events.server)
    } else result.refused += 1
  })
  await Promise.race([Promise.all(all), timeUp])
  clearTimeout(stopWaiting)
  count()
  say({ type: 'settled', ticket, ...result, pending: result.wanted - result.done - result.refused })
}

async function stop(): Promise<void> {
  await Promise.all([...terminals.map((terminal) => terminal.stop()), media.stop()])
  await journal?.close()
  count()
  say({ type: 'stopped' })
  clearInterval(counting)
  clearInterval(reporting)
  // sip.js holds refresh and transaction timers that nothing but this ends; it ends this thread only.
  setImmediate(() => process.exit())
}

const counting = setInterval(count, COUNT_MILLIS)
const reporting = reportBusy(say)
port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'count': return count()
    case 'register':
    case 'deregister': return void paced(message)
    case 'stop': return void stop()
    // Its devices stay on: sip.js ends no registration without a word.
    case 'switch': return
  }
})
say({ type: 'ready' })
