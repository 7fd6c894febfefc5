/**
 * The main job as a user does it: one command loads a real gateway through the simulated IMS over real sockets, and
 * leaves a folder behind whose ledger balances. Limits are wide: this test is about truth, not speed.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Folder, childrenOf, commandLine } from './command.js'
import { LOADING, pageIn, recordIn, small } from './small-run.js'

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

describe('pushbench run', () => {
  it('ends with 0 and a balanced ledger, every row as expected, and leaves the whole folder', async () => {
    const { code, stdout, stderr, left } = await folder.command(['run', folder.write('small.yaml', small())])
    expect(left).toEqual([])
    const run = folder.run()
    const record = recordIn(run)
    expect(record.verdict, stderr).toEqual({ valid: true, reasons: [] })
    expect(code).toBe(0)

    const { ledger, findings, population, devices } = record
    expect(findings).toMatchObject({ balanced: true, lost: [], duplicated: [] })
    expect(ledger.attempted).toBe(ledger.accepted + ledger.refused + ledger.unanswered)
    expect(ledger.accepted).toBe(ledger.delivered + ledger.expired)
    expect(ledger).toMatchObject({ unanswered: 0, inFlight: 0, lost: 0, duplicated: 0 })
    expect(record.scenarios.map(({ name }) => name)).toEqual(['online', 'fanOut', 'gruu', 'offlineReturns', 'expires', 'duplicate'])
    for (const row of record.scenarios) expect(row, row.name).toMatchObject({ asExpected: row.attempts, inadequatelyHandled: 0 })
    expect(population.registered).toBe(population.provisioned)
    expect(devices.find(({ name }) => name === 'reference')!.received).toBeGreaterThan(0)
    for (const stage of ['lag', 'submit', 'firstSip', 'endToEnd', 'confirmation', 'notification']) expect(record.stages[stage]!.count, stage).toBeGreaterThan(0)
    expect(Object.keys(record.parts).sort()).toEqual(['gateway', 'generator', 'ims', 'terminals'])

    for (const name of ['report.html', 'scenario.yaml', 'submit.hdr', 'endToEnd.hdr', 'journals/initiator.journal', 'journals/gateway.journal']) expect(existsSync(join(run, name)), name).toBe(true)
    expect(existsSync(join(run, 'store'))).toBe(false)
    expect(parse(readFileSync(join(run, 'scenario.yaml'), 'utf8'))).toMatchObject({ name: 'small', seed: 7, terminals: { transport: 'tcp' } })
    expect(stdout).toContain('VALID small')
    expect(stdout).toContain('report.html')
    expect(stdout + stderr).not.toContain('\x1b[')
    expect(stdout.split('\n').every((line) => line.length <= 80)).toBe(true)
  }, 120_000)

  it('drains and still reports after Ctrl-C, ends with 130, and calls the run invalid', async () => {
    let stopped = false
    const long = small({ load: { rate: '20/s', warmUp: '1s', duration: '10m', drainMax: '30s' } })
    const { code, stderr, left } = await folder.command(['run', folder.write('long.yaml', long)], (child, told) => {
      if (stopped || !LOADING.test(told)) return
      stopped = true
      child.kill('SIGINT')
    })
    const record = recordIn(folder.run())
    expect({ code, left }).toEqual({ code: 130, left: [] })
    expect(stderr).toContain('Ctrl-C again ends at once')
    expect(pageIn(folder.run())).toContain('interrupted by Ctrl-C during the load')
    expect(record.interrupted).toMatch(/^interrupted by Ctrl-C during the load, after \d+ s of it$/)
    expect(record.verdict.valid).toBe(false)
    expect(record.findings).toMatchObject({ balanced: true, lost: [] })
    expect(record.ledger.attempted).toBeGreaterThan(10)
  }, 120_000)

  it('drains and still reports when its terminal is closed, which shell, system and parts all hear of, and ends with 129', async () => {
    let isClosed = false
    const long = small({ load: { rate: '20/s', warmUp: '1s', duration: '10m', drainMax: '30s' } })
    const { code, left } = await folder.command(['run', folder.write('long.yaml', long)], (child, told) => {
      if (isClosed || !LOADING.test(told)) return
      isClosed = true
      for (const pid of childrenOf(child.pid!)) process.kill(pid, 'SIGHUP')
      for (let times = 0; times < 2; times++) child.kill('SIGHUP')
    })
    const record = recordIn(folder.run())
    expect({ code, left }).toEqual({ code: 129, left: [] })
    expect(record.interrupted).toMatch(/^stopped by the end of its terminal \(SIGHUP\) during the load, after \d+ s of it$/)
    expect(record.findings).toMatchObject({ balanced: true, lost: [] })
  }, 120_000)

  it('ends at once after the second Ctrl-C and leaves no process behind', async () => {
    let signals = 0
    let parts: number[] = []
    const long = small({ load: { rate: '20/s', warmUp: '1s', duration: '10m', drainMax: '10m' } })
    const { code } = await folder.command(['run', folder.write('long.yaml', long)], (child, told) => {
      if ((signals === 0 && LOADING.test(told)) || (signals === 1 && told.includes('Stopping'))) {
        if (signals === 0) parts = childrenOf(child.pid!)
        signals++
        child.kill('SIGINT')
      }
    })
    expect(code).toBe(130)
    expect(parts).toHaveLength(3)
    expect(parts.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([])
    expect(existsSync(join(folder.run(), 'store'))).toBe(false)
  }, 60_000)

  it('writes a record and a report that say so when a part dies, and ends the others', async () => {
    let killed = false
    const { code, left } = await folder.command(['run', folder.write('small.yaml', small())], (child, told) => {
      if (killed || !LOADING.test(told)) return
      killed = true
      process.kill(childrenOf(child.pid!).find((pid) => commandLine(pid).includes('gateway-part'))!, 'SIGKILL')
    })
    const record = recordIn(folder.run())
    expect({ code, left }).toEqual({ code: 4, left: [] })
    expect(record.verdict.reasons[0]).toMatch(/^the gateway ended during the run: the part was ended by SIGKILL/)
    expect(record.interrupted).toContain('the gateway ended during the run')
    expect(pageIn(folder.run())).toContain('the gateway ended during the run: the part was ended by SIGKILL')
  }, 120_000)
})

describe('the command line', () => {
  it('ends with 2 for a wrong scenario, and says where and what was meant', async () => {
    const { code, stderr, stdout } = await folder.command(['run', folder.write('bad.yaml', 'load:\n  rat: 5/s\n')])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toBe('bad.yaml:2:3 load.rat: "rat" is not known here; did you mean "rate"?\n')
  })

  it('ends with 2 for a scenario that is not there, and with 1 for wrong words', async () => {
    expect(await folder.command(['check', 'missing.yaml'])).toMatchObject({ code: 2, stderr: expect.stringContaining('missing.yaml cannot be read') })
    expect(await folder.command(['run', '--sed', '3'])).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no option "--sed"; did you mean "--seed"?') })
    expect(await folder.command(['rum'])).toMatchObject({ code: 1, stdout: '' })
  })

  it('explains the reference scenario, as text or JSON, with options before or after the file', async () => {
    expect(await folder.command(['check'])).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('6,000 attempts in 30.0 s') })
    const { stdout } = await folder.command(['check', folder.write('own.yaml', 'name: own'), '--json', '--seed', '5'])
    expect(JSON.parse(stdout)).toMatchObject({ attempts: 6_000, scenario: { name: 'own', seed: 5 } })
  })

  it('writes a scenario that it can check, and overwrites none', async () => {
    expect(await folder.command(['init', 'mine.yaml'])).toMatchObject({ code: 0, stdout: 'mine.yaml\n' })
    expect(await folder.command(['check', 'mine.yaml'])).toMatchObject({ code: 0 })
    const before = readFileSync(join(folder.path, 'mine.yaml'), 'utf8')
    expect(await folder.command(['init', 'mine.yaml'])).toMatchObject({ code: 1, stderr: 'mine.yaml exists already; nothing was written\n' })
    expect(readFileSync(join(folder.path, 'mine.yaml'), 'utf8')).toBe(before)
  })

  it('helps on standard output without colours in a pipe', async () => {
    const { code, stdout } = await folder.command(['--help'])
    expect(code).toBe(0)
    for (const word of ['run', 'check', 'init', 'serve', 'ims', 'terminals', 'EXIT CODES']) expect(stdout).toContain(word)
    expect(stdout).not.toContain('\x1b[')
  })
})
