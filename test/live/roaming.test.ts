/**
 * Terminals away from home and TLS on every hop, with the real parts on real sockets: registration through a visited
 * network's P-CSCF, AKA, connections of their own, and handover under load; judged by the ledger of all journals.
 */
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { populationFor } from '../../loadgen/live/part-configs.js'
import { CheckedScenario } from '../../loadgen/scenario-rules.js'
import type { ScenarioWritten } from '../../loadgen/scenario.js'
import { certify, makeAuthority } from './certificates.js'
import { diskFolder } from './disk.js'
import { eventsOf } from './load.js'
import { finished, underLoad } from './loaded-network.js'

const VISITED = 'visited1.example'

const scenario = (more: Partial<ScenarioWritten>) => Schema.decodeUnknownSync(CheckedScenario)({
  name: 'roaming', seed: 5, load: { rate: '60/s', warmUp: '0s', duration: '10m' },
  traffic: { online: { share: '60%' }, fanOut: { share: '20%' }, gruu: { share: '20%' } },
  ...more,
})

async function certificates(): Promise<{ certificate: string; key: string; authorities: string }> {
  const folder = diskFolder()
  return certify(folder, await makeAuthority(folder), 'loopback')
}

describe('TLS on every hop', () => {
  it('carries registrations and pushes: terminals, P-CSCF, I-CSCF, S-CSCF, gateway, and the panel of independent terminals', async () => {
    const tls = await certificates()
    const loaded = await underLoad(scenario({
      tls, gateway: { transport: 'tls' }, ims: { mode: 'split', transport: 'tls' }, terminals: { transport: 'tls', ownConnections: '50%', reference: 4 }, population: { subscribers: 30, aka: '30%' },
    }), 100)
    await loaded.journal.when(() => loaded.journal.notified.size >= 150)
    const { ledger, findings, core, terminals } = await finished(loaded)
    expect(findings).toMatchObject({ balanced: true, lost: [] })
    expect(ledger.delivered).toBeGreaterThanOrEqual(150)
    expect(core['scscf.akaChallenges']).toBeGreaterThan(0)
    expect(terminals['reference.received']).toBeGreaterThan(0)
  }, 60_000)
})

describe('terminals that roam', () => {
  it('get their pushes in a visited network, and lose none while they move between networks', async () => {
    const written = scenario({ population: { subscribers: 40, roaming: { [VISITED]: '40%' }, answerDelay: '40ms' }, terminals: { ownConnections: '100%', reference: 0 } })
    const population = populationFor(written)
    const loaded = await underLoad(written, 200)
    const { journal, network } = loaded
    const away = new Set(Array.from({ length: population.size }, (_, index) => index).filter((index) => population.access.networkOf(index) !== undefined))
    expect(away.size).toBeGreaterThan(5)
    await journal.when(() => journal.notified.size >= 60)
    // Everybody moves, one after the other while pushes are under way, and those who were away come home.
    for (let turn = 0; turn < 3; turn++) {
      for (let subscriber = 0; subscriber < population.size; subscriber++) {
        const before = journal.answers
        await network.terminals.perform('move', { subscriber, ...(away.delete(subscriber) ? {} : { network: (away.add(subscriber), VISITED) }) })
        await journal.when(() => journal.answers > before)
      }
    }
    const { ledger, findings, core, terminals } = await finished(loaded)
    const given: string[] = []
    await eventsOf(loaded.folder, 'ims', ({ event, pushId, details }) => { if (event === 'branch' && details[1] === '430') given.push(pushId) })
    process.stdout.write(`handover: ${3 * population.size} moves of subscribers, ${ledger.accepted} pushes accepted, ${ledger.delivered} delivered, ${given.length} branches given back by 430, `
      + `${ledger.lost} lost, ${ledger.duplicated} seen twice\n`)
    expect(given.length).toBeGreaterThan(0)
    expect(findings).toMatchObject({ balanced: true, lost: [] })
    expect(ledger.delivered).toBe(ledger.accepted)
    expect(core['pcscf2.registeredUsers']).toBeGreaterThan(0)
    // What was under way to a device that had left was given back by its P-CSCF (430) and followed the device.
    expect(terminals['unheard']).toBe(0)
  }, 90_000)
})
