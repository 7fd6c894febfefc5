/**
 * Every door of the running parts under malformed and hostile input, all at once, while good pushes go through: none of
 * them is touched, every door answers afterwards, and nothing is left behind.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { Schema } from 'effect'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ledgerOf } from '../../loadgen/reconcile/ledger.js'
import { Reconciler } from '../../loadgen/reconcile/reconciler.js'
import { Scenario } from '../../loadgen/scenario.js'
import { atMost, eventsOf } from '../live/load.js'
import { underLoad } from '../live/loaded-network.js'
import { damaged, drawn, inPieces, noise } from './octets.js'
import { CONTENT_TYPE, httpHorrors, papBodies, papPost } from './pap-texts.js'
import { sipHorrors, sipRequest, sipTexts } from './sip-texts.js'
import { answerOnConnection, answerOver, throwAll, throwAt, throwDatagrams, type Ending } from './throwers.js'

const SEED = 20_260
const PER_DOOR = 120
const DATAGRAMS_PER_DOOR = 400
const SILENT_CONNECTIONS = 100
const DESCRIPTORS_MORE_MAX = 16
const DRAIN_MILLIS = 30_000
const MEMORY_GROWTH_MAX = 256 * 1024 * 1024

const SCENARIO = Schema.decodeUnknownSync(Scenario)({
  name: 'hostile', seed: 3,
  load: { rate: '40/s', warmUp: '0s', duration: '10m' },
  traffic: { online: { share: '60%' }, fanOut: { share: '25%' }, gruu: { share: '15%' } },
  population: { subscribers: 100, returning: { share: '0%' }, absent: '0%' },
  terminals: { reference: 2 },
})

const ending: fc.Arbitrary<Ending> = fc.constantFrom('half-close', 'half-close', 'reset', 'silence')
const thrown = (octets: fc.Arbitrary<Buffer>, seed: number) => drawn(fc.record({ pieces: inPieces(octets), ending }), PER_DOOR, seed)
const alone = (texts: readonly string[]) => texts.map((text) => ({ pieces: [Buffer.from(text, 'latin1')], ending: 'half-close' as const }))

describe('hostile input at every door of the running parts', () => {
  it('leaves every other push untouched, every door answering, and no descriptor or memory behind', async () => {
    const { folder, journal, network, listener, generator, running } = await underLoad(SCENARIO, 200)
    await journal.when(() => journal.answers >= 40)

    const { gateway, ims } = network
    const doors = { gateway: network.sipPort, ...Object.fromEntries(['pcscf', 'icscf', 'scscf'].map((node) => [node, Number(ims.addresses[node]!.split(':')[1])])) }
    const pap = Number(network.papUrl.port)
    const before = [gateway, ims].map(({ pid }) => usedBy(pid))
    const silent = Array.from({ length: SILENT_CONNECTIONS }, (_, index) => throwAt(index % 2 === 0 ? pap : doors.gateway, [Buffer.from('POST /pap HT')], 'silence'))
    const http = await Promise.all([
      throwAll(pap, thrown(fc.oneof(noise, damaged(papBodies().map((body) => papPost(body)))), SEED)),
      throwAll(pap, alone(httpHorrors())),
      ...Object.values(doors).flatMap((port, index) => [
        throwAll(port, thrown(fc.oneof(noise, damaged(sipTexts('TCP'))), SEED + index)),
        throwAll(port, alone(sipHorrors('TCP'))),
        throwDatagrams(port, [...drawn(fc.oneof(noise, damaged(sipTexts('UDP'))), DATAGRAMS_PER_DOOR, SEED + index), ...sipHorrors('UDP').map((text) => Buffer.from(text, 'latin1'))]),
      ]),
    ])
    await Promise.all(silent)
    for (const heard of http.slice(0, 2).flatMap((each) => each ?? [])) expect(heard).not.toMatch(/HTTP\/1\.1 5(?!03|05)/)

    for (const [door, port] of Object.entries(doors)) {
      const over = (transport: 'TCP' | 'UDP') => (attempt = 0): string => sipRequest('OPTIONS', transport, `probe-${door}-${transport}-${attempt}`, 'sip:home1.example')
      expect(await answerOnConnection(port, over('TCP')()), `${door} over TCP`).toMatch(/^SIP\/2\.0 [2-6]\d\d /)
      expect(await answerOver(port, over('UDP')), `${door} over UDP`).toMatch(/^SIP\/2\.0 [2-6]\d\d /)
    }
    const whole = drawn(damaged(papBodies()), PER_DOOR, SEED).map((octets) => octets.toString('latin1'))
      .map((body) => papPost(body, [`Content-Type: ${CONTENT_TYPE}`, `Content-Length: ${body.length}`, 'Connection: close']))
    for (const answer of await throwAll(pap, alone(whole))) expect(answer).toMatch(/^HTTP\/1\.1 202 [^]*<pap>[^]*<(push-response|badmessage-response|cancel-response|statusquery-response|ccq-response|resultnotification-response) /)

    const meanwhile = journal.answers
    generator.stop()
    await running
    await atMost(DRAIN_MILLIS, journal, () => journal.allNotified)
    await generator.close()
    await listener.close()
    // A sample of the gateway's own says that it has gone round its loop since.
    const sample = network.gatewayCounters
    await atMost(DRAIN_MILLIS, journal, () => network.gatewayCounters !== sample)
    const after = [gateway, ims].map(({ pid }) => usedBy(pid))
    await network.stop()
    await journal.close()
    const reconciler = new Reconciler()
    await eventsOf(folder, 'initiator', (event) => reconciler.initiator(event))
    await eventsOf(folder, 'gateway', (event) => reconciler.gateway(event))
    await eventsOf(folder, 'terminals', (event) => reconciler.terminal('all', event))
    const { ledger, findings } = ledgerOf(reconciler.tables(), true)
    process.stdout.write(`hostile: ${meanwhile} good pushes meanwhile, ${ledger.delivered} of ${ledger.attempted} delivered, ${ledger.lost} lost, ${ledger.duplicated} duplicated; `
      + `memory ${before.map(({ bytes }, index) => `${Math.round(bytes / 1e6)} to ${Math.round(after[index]!.bytes / 1e6)} MB`).join(', ')}; descriptors ${before.map(({ descriptors }, index) => `${descriptors} to ${after[index]!.descriptors}`).join(', ')}\n`)
    expect(findings).toMatchObject({ lost: [], duplicated: [] })
    expect(ledger).toMatchObject({ attempted: ledger.delivered, unanswered: 0, refused: 0 })
    for (const [index, { bytes, descriptors }] of after.entries()) {
      expect(bytes - before[index]!.bytes).toBeLessThan(MEMORY_GROWTH_MAX)
      expect(descriptors - before[index]!.descriptors).toBeLessThan(DESCRIPTORS_MORE_MAX)
    }
  }, 120_000)
})

/** Resident memory and open descriptors of a process. */
function usedBy(pid: number): { readonly bytes: number; readonly descriptors: number } {
  const kibibytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  return { bytes: kibibytes * 1_024, descriptors: readdirSync(`/proc/${pid}/fd`).length }
}
