/** Runs that end well and are judged badly: a promise broken is code 3, a run that spoilt its own measurement is code 4; both leave the whole record. */
import { createSocket } from 'node:dgram'
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Folder, HAS_PRLIMIT, allowFiles, childrenOf, commandLine } from './command.js'
import { LOADING, pageIn, recordIn, small } from './small-run.js'

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

describe('pushbench run', () => {
  it('ends with 3 when the run is valid and a threshold is crossed, and says which, by how much', async () => {
    // A tenth of the pushes expires long after the run: in flight when it ends, so not handled as they should be.
    const broken = small({
      load: { rate: '40/s', warmUp: '0s', duration: '2s', drainMax: '1s' },
      traffic: { online: { share: '90%', delayLimit: '30s' }, expires: { share: '10%', lifetime: '10m', delayLimit: '30s' } },
    })
    const { code, stdout, stderr, left } = await folder.command(['run', folder.write('broken.yaml', broken)])
    const record = recordIn(folder.run())
    expect(record.verdict, stderr).toEqual({ valid: true, reasons: [] })
    expect({ code, left }).toEqual({ code: 3, left: [] })
    expect(record.thresholds).toMatchObject([{ name: 'inadequately handled attempts', limit: 0.1, unit: '%', passed: false }, { name: 'duplicated copies', passed: true }])
    expect(record.ledger.inFlight).toBeGreaterThan(0)
    expect(stdout).toMatch(/^FAILED small {2}seed 7$/m)
    expect(stdout).toMatch(/^ {2}- inadequately handled attempts: [\d.]+ %, at most 0\.1 % are allowed$/m)
    expect(pageIn(folder.run())).toMatch(/>VALID<.*a threshold is crossed: inadequately handled attempts: [\d.]+ %, at most 0\.1 % are allowed/)
  }, 60_000)

  it('ends with 4 when its own process was frozen: the generator was late, its arrivals left in one bunch, and both are told', async () => {
    let frozen: Promise<void> | undefined
    const tight = small({ load: { rate: '100/s', warmUp: '0s', duration: '4s', drainMax: '20s' }, ...ONLINE, traffic: { online: { share: '100%', delayLimit: '1s' } }, objective: { lagShare: '10%', inadequatelyHandled: '100%' } })
    const { code, stderr, stdout } = await folder.command(['run', folder.write('frozen.yaml', tight)], (child, told) => {
      if (frozen === undefined && LOADING.test(told)) frozen = freeze(child.pid!)
    })
    await frozen
    const { verdict, ledger } = recordIn(folder.run())
    expect(verdict.checks, stderr).toEqual(expect.arrayContaining(['lag', 'bunched']))
    expect(verdict.reasons.join('\n')).toMatch(/generator lag: p99 [\d.]+ ms is more than 10% of the tightest delay limit \(100 ms\)\narrivals bunched: attempts in each [\d.]+ ms vary by \d+(\.\d)?% of their mean as they left/)
    expect({ code, lost: ledger.lost }).toEqual({ code: 4, lost: 0 })
    expect(stdout).toContain('arrivals bunched')
  }, 120_000)

  it('ends with 4 when the gateway was silent and all connections to it waited: the load was open no longer, and that is told', async () => {
    let frozen: Promise<void> | undefined
    const fast = small({ load: { rate: '500/s', warmUp: '0s', duration: '4s', drainMax: '20s' }, ...ONLINE, traffic: { online: { share: '100%', delayLimit: '1s' } }, objective: { lagShare: '10%', inadequatelyHandled: '100%' } })
    const { code, stderr } = await folder.command(['run', folder.write('fast.yaml', fast)], (child, told) => {
      if (frozen === undefined && LOADING.test(told)) frozen = freeze(childrenOf(child.pid!).find((pid) => commandLine(pid).includes('gateway-part'))!)
    })
    await frozen
    const { verdict, ledger } = recordIn(folder.run())
    expect(verdict.checks, stderr).toContain('limit')
    expect(verdict.reasons.join('\n')).toMatch(/limit hit: connections: all of the initiator's waited for answers, and attempts for one of them \(p99 [\d.]+ ms; limit 100 ms\)/)
    expect({ code, lost: ledger.lost }).toEqual({ code: 4, lost: 0 })
  }, 120_000)

  it('ends with 4 when the gateway had to turn submissions away, and says how many and by which limit', async () => {
    const full = small({
      load: { rate: '40/s', warmUp: '0s', duration: '3s', drainMax: '20s' }, gateway: { inFlightMax: 20 },
      ...ONLINE, population: { ...ONLINE.population, subscribers: 500, answerDelay: '1s' }, terminals: { reference: 0, registrationRate: '500/s' },
    })
    const { code, stderr } = await folder.command(['run', folder.write('full.yaml', full)])
    const { verdict, ledger } = recordIn(folder.run())
    expect(verdict.checks, stderr).toEqual(['limit'])
    expect(verdict.reasons[0]).toBe(`limit hit: admission: the gateway answered ${ledger.refused} submissions with 503 (gateway.inFlightMax 20)`)
    expect({ code, lost: ledger.lost }).toEqual({ code: 4, lost: 0 })
  }, 120_000)

  it.skipIf(!HAS_PRLIMIT)('ends with 4 when the system gave the initiator no more sockets, and names its limit', async () => {
    let frozen: Promise<void> | undefined
    const fast = small({ load: { rate: '200/s', warmUp: '0s', duration: '4s', drainMax: '20s' }, ...ONLINE, objective: { lagShare: '100%', inadequatelyHandled: '100%' } })
    const { code, stderr } = await folder.command(['run', folder.write('fast.yaml', fast)], (child, told) => {
      if (frozen !== undefined || !LOADING.test(told)) return
      // A silent gateway: each attempt needs a connection more.
      allowFiles(child.pid!, 20)
      frozen = freeze(childrenOf(child.pid!).find((pid) => commandLine(pid).includes('gateway-part'))!)
    })
    await frozen
    const { verdict, ledger } = recordIn(folder.run())
    expect(verdict.checks, stderr).toContain('limit')
    expect(verdict.reasons.join('\n')).toMatch(/limit hit: sockets: \d+ submissions had no connection, EMFILE: open files of the process \(ulimit -n\)/)
    expect({ code, lost: ledger.lost }).toEqual({ code: 4, lost: 0 })
  }, 120_000)

  it.each(['ims-part', 'terminals-part'])('leaves a record and a page that say so when %s is killed under load, and ends the others', async (part) => {
    let isKilled = false
    const { code, left } = await folder.command(['run', folder.write('small.yaml', small({ ...ONLINE, load: { rate: '40/s', warmUp: '0s', duration: '10s', drainMax: '10s' } }))], (child, told) => {
      if (isKilled || !LOADING.test(told)) return
      isKilled = true
      process.kill(childrenOf(child.pid!).find((pid) => commandLine(pid).includes(part))!, 'SIGKILL')
    })
    const record = recordIn(folder.run())
    const words = part === 'ims-part' ? 'the IMS ended during the run: the part was ended by SIGKILL' : 'the terminals ended during the run: the part was ended by SIGKILL'
    expect({ code, left }).toEqual({ code: 4, left: [] })
    expect(record.verdict.reasons[0]).toContain(words)
    expect(record.interrupted).toContain(words)
    expect(pageIn(folder.run())).toContain(words)
  }, 120_000)

  it('ends with 4 over UDP when the core network\'s own socket dropped datagrams, and names it', async () => {
    let flooding: Promise<void> | undefined
    const udp = small({ traffic: { online: { share: '100%', delayLimit: '30s' } }, gateway: { transport: 'udp' }, terminals: { reference: 0, transport: 'udp', registrationRate: '200/s' } })
    const { code, stdout, stderr } = await folder.command(['run', folder.write('udp.yaml', udp)], (child, told) => {
      if (flooding === undefined && LOADING.test(told)) flooding = flood(childrenOf(child.pid!).find((pid) => commandLine(pid).includes('ims-part'))!)
    })
    await flooding
    const record = recordIn(folder.run())
    expect(record.verdict.reasons, stderr).toEqual([expect.stringMatching(/^datagrams: the IMS lost \d+ at its own sockets \(\d+ at a full receive buffer, /)])
    expect(code).toBe(4)
    expect(record.parts['ims']!.datagramsDropped).toBeGreaterThan(0)
    expect(record.parts['gateway']).toMatchObject({ datagramsDropped: 0, datagramsFailed: 0 })
    expect(record.ledger).toMatchObject({ lost: 0, duplicated: 0, inFlight: 0 })
    expect(stdout).toContain('datagrams: the IMS lost')
    expect(pageIn(folder.run())).toContain('datagrams: the IMS lost')
  }, 120_000)
})

const ONLINE = { traffic: { online: { share: '100%', delayLimit: '30s' } }, population: { subscribers: 120, returning: { share: '0%' }, absent: '0%' }, terminals: { reference: 0, registrationRate: '200/s' } }
const FROZEN_MILLIS = 1_500

/** Takes the processor from a process for a while. */
async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  await new Promise((resolve) => { setTimeout(resolve, FROZEN_MILLIS) })
  process.kill(pid, 'SIGCONT')
}

const BATCH = 200
const BATCHES_MAX = 200

/** Stops the process for as long as it takes to overflow one of its UDP sockets with what it will not read. */
async function flood(pid: number): Promise<void> {
  const port = udpSockets(pid)[0]!.port
  const socket = createSocket('udp4')
  const junk = Buffer.alloc(1_000, 'x')
  process.kill(pid, 'SIGSTOP')
  try {
    for (let batch = 0; batch < BATCHES_MAX && udpSockets(pid).every(({ dropped }) => dropped === 0); batch++) {
      await Promise.all(Array.from({ length: BATCH }, () => new Promise((resolve) => { socket.send(junk, port, '127.0.0.1', resolve) })))
    }
  } finally {
    process.kill(pid, 'SIGCONT')
    socket.close()
  }
}

/** Port and drop counter of a process's IPv4 datagram sockets (proc(5)). */
function udpSockets(pid: number): { readonly port: number; readonly dropped: number }[] {
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]))
  return readFileSync('/proc/net/udp', 'latin1').trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/)).filter((columns) => own.has(columns[9]))
    .map((columns) => ({ port: parseInt(columns[1]!.split(':')[1]!, 16), dropped: Number(columns[12]) }))
}
