/** The terminals part over real sockets: worker threads that register and answer, the sip.js panel beside them, a clean end. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { parseJournalLine, type JournalEvent } from '../../core/kit/journal.js'
import { startPart, type PartProcess, type PartSample } from '../../core/live/part-process.js'
import { Header } from '../../core/sip/header-names.js'
import { decodeImsConfig } from '../../sim/live/ims-config.js'
import { startIms } from '../../sim/live/ims-service.js'
import type { TerminalsConfigEncoded } from '../../sim/live/terminals-config.js'
import { standardLines } from './small-registrar.js'
import { startSmallRegistrar, type LiveRegistrar } from './small-registrar-live.js'

const PART = fileURLToPath(new URL('../../dist/sim/live/terminals-part.js', import.meta.url))
const CLEAN_STOP = fileURLToPath(new URL('../../dist/test/live/terminals-clean-stop.js', import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'pushbench-terminals-'))
afterAll(() => rmSync(folder, { recursive: true }))

const open: { stop(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.stop()
})

async function registrarUp(): Promise<LiveRegistrar> {
  const registrar = await startSmallRegistrar({ domain: 'home1.example', algorithms: ['SHA-256', 'MD5'], passwordOf: (impi) => `secret-${impi.slice(4, 10)}`, expirySeconds: 3_600 })
  open.push({ stop: () => registrar.close() })
  return registrar
}

async function partUp(config: Omit<TerminalsConfigEncoded, 'proxy'>, port: number, journal: string, onSample: (sample: PartSample) => void = () => {}): Promise<PartProcess> {
  const part = await startPart(PART, { proxy: { address: '127.0.0.1', port }, ...config }, join(folder, `${journal}.journal`), onSample)
  open.push({ stop: () => part.kill() })
  return part
}

const paced = { perSecond: 2_000, withinMicros: 20_000_000 }

function journal(name: string): JournalEvent[] {
  return readFileSync(join(folder, `${name}.journal`), 'utf8').split('\n').filter((line) => line !== '').map((line) => parseJournalLine(line)!)
}

describe.each(['tcp', 'udp'] as const)('terminals over %s', (transport) => {
  it('register with digest in several threads, answer pushes, keep a journal each, and deregister', async () => {
    const registrar = await registrarUp()
    const part = await partUp({ transport, workers: 2, connections: 2, population: { subscribers: 40, shares: { absent: 0.25, refusing: 0.1 } } }, registrar.port, transport)
    const result = await part.perform('register', paced)
    const { bindings } = registrar.machine
    expect(result).toEqual({ wanted: bindings.size, done: bindings.size, refused: 0, pending: 0 })
    const pushes = [...bindings.values()].map(async ({ aor, contact }, index) => (await registrar.push({ contact, target: aor, pushId: `p${index}@test` })).status)
    const statuses = await Promise.all(pushes)
    const refused = statuses.filter((status) => status === 486).length
    expect(refused).toBeGreaterThan(0)
    expect(statuses.filter((status) => status === 200)).toHaveLength(bindings.size - refused)
    const first = [...bindings.values()][0]!
    expect((await registrar.push({ contact: first.contact, target: first.aor, pushId: 'p0@test' })).status).toBe(200)
    expect(await part.perform('counters')).toMatchObject({
      registered: bindings.size, received: bindings.size - refused, repeats: 1, refused, 'refusing.refused': refused, 'always-online.repeats': 1, flows: transport === 'tcp' ? 4 : 2,
      datagramsDropped: 0, datagramsFailed: 0,
    })
    const wanted = bindings.size
    expect(await part.perform('deregister', paced)).toEqual({ wanted, done: wanted, refused: 0, pending: 0 })
    expect(bindings.size).toBe(0)
    await part.stop(5_000)
    const lines = [...journal(`${transport}-0`), ...journal(`${transport}-1`)]
    const count = (event: string): number => lines.filter((line) => line.event === event).length
    expect([count('device-up'), count('device-down'), count('received')]).toEqual([wanted, wanted, wanted + 1])
    expect(lines.filter(({ pushId }) => pushId === 'p0@test').map(({ details }) => details.slice(2))).toEqual([['200', 'first', 'message'], ['200', 'repeat', 'message']])
    for (const name of ['0', '1']) expect(journal(`${transport}-${name}`).length).toBeGreaterThan(wanted / 2)
  })
})

describe('the reference panel', () => {
  it('registers sip.js terminals with digest, answers MESSAGE by their own API, and is counted apart', async () => {
    const registrar = await registrarUp()
    const part = await partUp({ population: { subscribers: 12, referenceTerminals: 10, devicesPerSubscriber: { 1: 1 } } }, registrar.port, 'panel')
    expect(await part.perform('register', paced)).toEqual({ wanted: 12, done: 12, refused: 0, pending: 0 })
    const panel = [...registrar.machine.bindings.values()].filter(({ contact }) => !contact.startsWith('sip:ue-'))
    expect(panel).toHaveLength(10)
    for (const { params } of panel) expect(params).toMatch(/\+sip\.instance="<urn:uuid:[^>]*>".*\+g\.oma\.pusheventapp="push\.sia/)
    const push = async (pushId: string, lines = standardLines('home1.example'), body = 'content'): Promise<number> =>
      (await registrar.push({ contact: panel[0]!.contact, target: `${panel[0]!.aor};gr=urn:uuid:1`, pushId, lines, body })).status
    const without = (id: number) => standardLines('home1.example').filter(([each]) => each !== id)
    expect(await push('a@test')).toBe(200)
    expect(await push('a@test')).toBe(200)
    expect(await push('b@test', standardLines('home1.example'), 'blåbær \u0000 €')).toBe(200)
    expect(await push('c@test', without(Header.PAssertedIdentity))).toBe(403)
    expect(await push('d@test', [...without(Header.AcceptContact), [Header.AcceptContact, '*;+g.oma.pusheventapp="loc.ua";require;explicit']])).toBe(480)
    expect(await push('e@test', [...without(Header.ContentType), [Header.ContentType, 'image/png']])).toBe(415)
    expect(await part.perform('counters')).toMatchObject({ 'reference.devices': 10, 'reference.registered': 10, 'reference.received': 2, 'reference.repeats': 1, 'reference.rejectedByCheck': 3, received: 0, registered: 2 })
    await part.perform('deregister', paced)
    expect(registrar.machine.bindings.size).toBe(0)
    await part.stop(5_000)
    const received = journal('panel-reference').filter(({ event }) => event === 'received')
    expect(received.map(({ pushId, details }) => [pushId, details[0], ...details.slice(2)])).toEqual(
      [['a', '200', 'first'], ['a', '200', 'repeat'], ['b', '200', 'first'], ['c', '403', 'first'], ['d', '480', 'first'], ['e', '415', 'first']]
        .map(([id, ...rest]) => [`${id}@test`, `${panel[0]!.aor};gr=urn:uuid:1`, ...rest, 'message']))
  })

  it('and the fleet register with the simulated core, every device with its binding', async () => {
    const population = { subscribers: 60, referenceTerminals: 5, shares: { absent: 0.2 } }
    const ims = await startIms(decodeImsConfig({ population }))
    open.push(ims)
    const part = await partUp({ population, workers: 2 }, ims.ports.pcscf[0], 'ims')
    const result = await part.perform('register', paced) as { readonly wanted: number }
    expect(result).toMatchObject({ done: result.wanted, refused: 0, pending: 0 })
    expect(ims.population()).toEqual({ users: 48, bindings: result.wanted })
    await part.perform('deregister', paced)
    expect(ims.population()).toEqual({ users: 0, bindings: 0 })
  })
})

describe('the terminals part', () => {
  it('says what is wrong with its configuration, with a word it does not know, and with a journal it cannot write', async () => {
    const registrar = await registrarUp()
    await expect(startPart(PART, { proxy: { address: '127.0.0.1', port: registrar.port }, transports: 'tcp' }, undefined, () => {})).rejects.toThrow('transports')
    const part = await partUp({ population: { subscribers: 2 } }, registrar.port, 'words')
    await expect(part.perform('sing')).rejects.toThrow('do not know the word "sing"; they know register')
    await expect(part.perform('register', { perSecond: -1, withinMicros: 5 })).rejects.toThrow('perSecond')
    const lost = await partUp({ population: { subscribers: 2 } }, registrar.port, 'no/such/folder')
    expect(await lost.ended).toContain('cannot be written')
  })

  it('settles by its deadline when nobody answers, and samples how busy its busiest thread is', async () => {
    const samples: PartSample[] = []
    const registrar = await registrarUp()
    registrar.machine.instead = () => 'silence'
    const sampled: { resolve(): void } = { resolve: () => {} }
    const enough = new Promise<void>((resolve) => { sampled.resolve = resolve })
    const part = await partUp({ population: { subscribers: 3, devicesPerSubscriber: { 1: 1 } } }, registrar.port, 'silent', (sample) => {
      samples.push(sample)
      if (samples.length === 2) sampled.resolve()
    })
    expect(await part.perform('register', { perSecond: 100, withinMicros: 300_000 })).toEqual({ wanted: 3, done: 0, refused: 0, pending: 3 })
    await enough
    expect(samples[1]!.counters).toMatchObject({ devices: 3, registered: 0, registersSent: 3 })
    for (const { resources } of samples) expect(resources.loopUtilisation).toBeLessThanOrEqual(1)
    const { resources, histograms } = await part.stop(5_000)
    expect(histograms).toEqual({})
    // Asked before the threads' next report was due: three devices that wait are not a saturated thread.
    expect(resources.loopUtilisation).toBeLessThan(1)
  })

  it('leaves no handle behind: the process of a stopped service ends by itself', async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [CLEAN_STOP], { timeout: 20_000 })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ refused: 0, pending: 0 })
  })
})
