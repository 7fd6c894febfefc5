/**
 * Terminals with two flows each (RFC 5626) on real sockets, through ways that fail under them: every push is delivered, and
 * each device has it once. Judged by the ledger of all journals.
 */
import { Schema } from 'effect'
import { afterEach, describe, expect, it } from 'vitest'
import { populationFor } from '../../loadgen/live/part-configs.js'
import { CheckedScenario } from '../../loadgen/scenario-rules.js'
import { eventsOf } from './load.js'
import { finished, underLoad } from './loaded-network.js'
import { Relay } from './relay.js'

/** Octets on their way to terminals: several pushes. */
const HELD_BYTES = 5_000

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

describe('terminals with two flows', () => {
  it('that lose one while pushes are on their way over it get each push over the other, exactly once', async () => {
    const scenario = Schema.decodeUnknownSync(CheckedScenario)({
      name: 'outbound', seed: 3, load: { rate: '100/s', warmUp: '0s', duration: '10m' }, traffic: { online: { share: '60%' }, fanOut: { share: '20%' }, gruu: { share: '20%' } },
      population: { subscribers: 30, absent: '0%', returning: { share: '0%' } }, terminals: { ownConnections: '100%', flows: 2, reference: 0 }, gateway: { devices: 'all' },
    })
    const population = populationFor(scenario)
    const devices = Array.from({ length: population.size }, (_, index) => population.subscriber(index).devices.length).reduce((sum, each) => sum + each, 0)
    const relays: Relay[] = []
    let look = (): void => {}
    const loaded = await underLoad(scenario, 200, async (config) => {
      expect(config.furtherProxy!.port).not.toBe(config.proxy.port)
      for (const proxy of [config.proxy, config.furtherProxy!]) relays.push(await Relay.to(proxy, () => look()))
      const [proxy, furtherProxy] = relays.map(({ port }) => ({ address: '127.0.0.1', port }))
      return { ...config, proxy: proxy!, furtherProxy: furtherProxy!, backoff: { baseMicros: 200_000, maxMicros: 1_000_000 } }
    })
    closers.push(...relays.map((relay) => () => relay.close()))
    const { journal, network } = loaded
    look = () => journal.look()
    const [first, second] = relays as [Relay, Relay]
    const counters = async () => await network.terminals.perform('counters') as Record<string, number>
    const cut = async (relay: Relay): Promise<void> => {
      const before = (await counters())['registersAccepted']!
      relay.cut()
      // Each device registers anew over the flow it lost, which is from then on the one registered last.
      while ((await counters())['registersAccepted']! < before + devices) {
        const { answers } = journal
        await journal.when(() => journal.answers > answers)
      }
    }
    expect(second.open).toBe(devices)
    await journal.when(() => journal.notified.size >= 50)
    second.hold()
    await journal.when(() => second.heldBytes > HELD_BYTES)
    await cut(second)
    await cut(first)
    first.hold()
    await journal.when(() => first.heldBytes > HELD_BYTES)
    await cut(first)
    const { ledger, findings, terminals, core } = await finished(loaded)
    const copies = new Map<string, number>()
    await eventsOf(loaded.folder, 'terminals', ({ event, pushId, details }) => {
      if (event === 'received') copies.set(`${pushId} ${details[1]}`, (copies.get(`${pushId} ${details[1]}`) ?? 0) + 1)
    })
    let failed = 0
    await eventsOf(loaded.folder, 'ims', ({ event, details }) => { if (event === 'branch' && details[1] === '430') failed += 1 })
    process.stdout.write(`two flows: ${ledger.accepted} pushes accepted, ${ledger.delivered} delivered, ${failed} branches failed by 430, ${ledger.lost} lost, ${ledger.duplicated} seen twice\n`)
    expect(findings).toMatchObject({ balanced: true, lost: [] })
    expect(failed).toBeGreaterThan(0)
    expect(ledger.delivered).toBe(ledger.accepted)
    expect([...copies.values()].filter((count) => count !== 1)).toEqual([])
    expect(terminals).toMatchObject({ registered: devices, repeats: 0, unheard: 0 })
    expect(core['bindings']).toBe(2 * devices)
  }, 90_000)
})
