/**
 * The durability promise with load on: the gateway is ended by SIGKILL ten times in the middle of its work and started
 * again on the same store and ports. The operating system keeps its page cache through a kill, so this shows recovery,
 * not flushing: that is shown by strace (test/live) and by the simulated store (test/simulation).
 */
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { ledgerOf, type LedgerResult } from '../../loadgen/reconcile/ledger.js'
import { Reconciler } from '../../loadgen/reconcile/reconciler.js'
import { Scenario } from '../../loadgen/scenario.js'
import { atMost, eventsOf } from '../live/load.js'
import { underLoad } from '../live/loaded-network.js'
import { asJournalEvents, readStore, type StoreContents } from './outcomes.js'

const CRASHES = 10
/** Answers 1001 from one gateway process before it is killed: as many as these, and up to as many more by the seed. */
const ACCEPTED_MIN = 60
const ACCEPTED_MORE = 120
const DRAIN_MILLIS = 30_000

const SCENARIO = Schema.decodeUnknownSync(Scenario)({
  name: 'kill-9', seed: 9,
  load: { rate: '150/s', warmUp: '0s', duration: '10m' },
  traffic: {
    online: { share: '50%' }, fanOut: { share: '15%' }, gruu: { share: '10%' }, offlineReturns: { share: '15%' }, expires: { share: '5%', lifetime: '3s' }, duplicate: { share: '5%' },
  },
  population: { subscribers: 240, returning: { share: '20%', on: '1s', off: '2s' } },
  terminals: { reference: 0 },
})

describe('a gateway killed by SIGKILL ten times under load', () => {
  it('loses no accepted push: each has exactly one outcome, notified as it is kept, and what was delivered was seen by a terminal', async () => {
    const { folder, journal, network, generator, running } = await underLoad(SCENARIO, 400)
    const killedAt: number[] = []
    const moments = new SeededEntropy(SCENARIO.seed, 'kills')
    for (let crash = 0; crash < CRASHES; crash++) {
      const enough = journal.answers + ACCEPTED_MIN + moments.below(ACCEPTED_MORE)
      await journal.when(() => journal.answers >= enough)
      killedAt.push(Date.now())
      await network.gateway.kill()
      await network.startGateway()
    }
    const enough = journal.answers + ACCEPTED_MIN
    await journal.when(() => journal.answers >= enough)
    generator.stop()
    await running
    await atMost(DRAIN_MILLIS, journal, () => network.gatewayCounters?.['inFlight'] === 0 && journal.allNotified)
    await network.stop()
    await journal.close()

    const store = await readStore(network.store)
    const { result, lines } = await reconciled(folder, store)
    const { ledger, findings } = result
    const kept = new Map(store.outcomes.map((outcome) => [outcome.pushId, outcome]))
    process.stdout.write(`kill -9: ${CRASHES} crashes, ${ledger.accepted} accepted (${ledger.delivered} delivered, ${ledger.expired} expired), ${ledger.unanswered} unanswered of which `
      + `${ledger.recovered} recovered, ${ledger.lost} lost, ${ledger.duplicated} duplicated; ${store.outcomes.length - lines.outcomes} outcomes known from the store alone\n`)

    expect(findings.lost).toEqual([])
    expect({ ...findings, duplicated: [], notes: [] }, findings.notes.join('\n')).toEqual({ balanced: true, lost: [], duplicated: [], notes: [] })
    expect(ledger).toMatchObject({ lost: 0, inFlight: 0, accepted: ledger.delivered + ledger.expired })
    expect(ledger.accepted).toBeGreaterThanOrEqual(CRASHES * ACCEPTED_MIN)
    // Each kill interrupts something: no answer comes while the gateway is away.
    expect(ledger.unanswered).toBeGreaterThanOrEqual(CRASHES)
    // One row per push for what was answered 1001 and what was taken without an answer, none more than once, nothing left over.
    expect(kept.size).toBe(store.outcomes.length)
    expect(store).toMatchObject({ pending: 0, unacknowledged: 0 })
    expect(store.outcomes.length).toBe(ledger.accepted + ledger.recovered)
    expect(lines.doubled).toEqual([])
    expect(journal.allNotified).toBe(true)
    // A second copy is the price of a kill between the content's leaving and its outcome's being kept, and of nothing else.
    for (const { pushId } of findings.duplicated) {
      const { acceptedAt, endedAt } = kept.get(pushId)!
      expect(killedAt.some((killed) => acceptedAt <= killed && killed <= endedAt), `${pushId} was delivered twice without a crash in its life`).toBe(true)
    }
  }, 180_000)
})

interface GatewayLines {
  /** Outcomes that reached a journal. */
  readonly outcomes: number
  readonly doubled: readonly string[]
}

async function reconciled(folder: string, store: StoreContents): Promise<{ readonly result: LedgerResult; readonly lines: GatewayLines }> {
  const reconciler = new Reconciler()
  await eventsOf(folder, 'initiator', (event) => reconciler.initiator(event))
  const told = { accepted: new Set<string>(), outcome: new Set<string>() }
  const doubled: string[] = []
  await eventsOf(folder, 'gateway', (event) => {
    reconciler.gateway(event)
    if (event.event === 'outcome' && told.outcome.has(event.pushId)) doubled.push(event.pushId)
    if (event.event === 'accepted' || event.event === 'outcome') told[event.event].add(event.pushId)
  })
  for (const [accepted, outcome] of store.outcomes.map(asJournalEvents)) {
    if (!told.accepted.has(accepted.pushId)) reconciler.gateway(accepted)
    if (!told.outcome.has(outcome.pushId)) reconciler.gateway(outcome)
  }
  await eventsOf(folder, 'ims', (event) => reconciler.ims(event))
  await eventsOf(folder, 'terminals', (event) => reconciler.terminal('virtual', event))
  return { result: ledgerOf(reconciler.tables(), true), lines: { outcomes: told.outcome.size, doubled } }
}
