/** Loads of every kind as a user has them: presets, campaigns, traces, closed loads and stairs, each run for a few seconds; and what cannot run, refused before anything starts. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { ScenarioWritten } from '../../loadgen/scenario.js'
import { formatProblems } from '../../core/live/yaml-schema.js'
import { examine } from '../../loadgen/live/examination.js'
import { readScenario } from '../../loadgen/live/scenario-file.js'
import { Folder } from './command.js'
import { SMALL, recordIn, small } from './small-run.js'

const PRESETS = ['after-etsi-186-008', 'campaign', 'register-storm', 'subscribe-storm', 'offline-flush', 'night-expiry', 'soak']
const presetIn = (name: string): string => fileURLToPath(new URL(`../../docs/presets/${name}.yaml`, import.meta.url))
/** Online recipients only, with limits that no busy machine breaks. */
const ONLINE = { traffic: { online: { share: '100%', delayLimit: '30s' } }, population: { subscribers: 120, returning: { share: '0%' }, absent: '0%' }, terminals: { reference: 0, registrationRate: '200/s' } }

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

describe('the presets', () => {
  it('are what lies in their folder, and nothing else is taken for one', async () => {
    expect(readdirSync(fileURLToPath(new URL('../../docs/presets/', import.meta.url))).sort()).toEqual(PRESETS.map((name) => `${name}.yaml`).sort())
    expect(await folder.command(['check', '--preset', 'sock'])).toMatchObject({ code: 1, stderr: 'there is no preset "sock"; did you mean "soak"?\n' })
    expect(await folder.command(['check', 'x.yaml', '--preset', 'soak'])).toMatchObject({ code: 1 })
  }, 120_000)

  it.each(PRESETS)('%s is a scenario without a mistake, says how it is run, and nothing in its arithmetic is refused or warned of', async (name) => {
    const read = await readScenario(presetIn(name))
    if (!read.ok) throw new Error(formatProblems(read.problems))
    expect(read.value.name).toBe(name)
    expect(readFileSync(presetIn(name), 'utf8')).toContain(`pushbench run --preset ${name} `)
    const { needs } = await examine(read.value, folder.path)
    expect({ refusals: needs.refusals, warnings: needs.warnings }).toEqual({ refusals: [], warnings: [] })
  })

  it('are explained by their names, and written as commented files that are the same scenario', async () => {
    expect(await folder.command(['check', '--preset', 'night-expiry'])).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('night-expiry, seed 1') })
    expect(await folder.command(['init', '--preset', 'night-expiry'])).toMatchObject({ code: 0, stdout: 'night-expiry.yaml\n' })
    const [first, ...rest] = readFileSync(join(folder.path, 'night-expiry.yaml'), 'utf8').split('\n')
    expect(first).toMatch(/^# yaml-language-server: \$schema=.*scenario\.schema\.json$/)
    expect(rest.join('\n')).toBe(readFileSync(presetIn('night-expiry'), 'utf8'))
    expect(await folder.command(['init', '--preset', 'night-expiry'])).toMatchObject({ code: 1, stderr: 'night-expiry.yaml exists already; nothing was written\n' })
  }, 120_000)

  it('of a campaign: everybody gets it once, and those who stay away never', async () => {
    const written = parse(readFileSync(presetIn('campaign'), 'utf8')) as ScenarioWritten
    const brief: ScenarioWritten = {
      ...written, load: { ...written.load, rate: '10/s', warmUp: '1s', duration: '5s', drainMax: '40s', campaign: { recipients: 60, window: '3s' } },
      traffic: { online: { share: '60%', delayLimit: '30s' }, fanOut: { share: '20%', delayLimit: '30s' }, expires: { share: '20%', lifetime: '6s', delayLimit: '30s' } },
      population: { subscribers: 150, returning: { share: '0%' }, absent: '20%' }, terminals: ONLINE.terminals, objective: SMALL.objective!,
    }
    const { code, stderr } = await folder.command(['run', folder.write('brief.yaml', JSON.stringify(brief))])
    const record = recordIn(folder.run())
    expect(record.verdict, stderr).toEqual({ valid: true, reasons: [] })
    expect(code).toBe(0)
    expect(record.load).toEqual({ type: 'open', shape: 'campaign' })
    expect(record.scenarios.map(({ name, attempts, asExpected }) => [name, attempts, asExpected])).toEqual([['online', 36, 36], ['fanOut', 12, 12], ['expires', 12, 12]])
    expect(addressesOf(folder.run(), record.durations.warmUpSeconds)).toEqual({ attempts: 60, addresses: 60 })
  }, 120_000)

  it('of a night: what was pushed at once expires at once, and is told', async () => {
    const written = parse(readFileSync(presetIn('night-expiry'), 'utf8')) as ScenarioWritten
    const brief: ScenarioWritten = {
      ...written, load: { ...written.load, rate: '10/s', warmUp: '0s', duration: '5s', drainMax: '40s', spike: { factor: 5, at: '1s', length: '1s' } },
      traffic: { expires: { share: '80%', lifetime: '5s', delayLimit: '30s' }, online: { share: '20%', delayLimit: '30s' } },
      population: { ...ONLINE.population, absent: '50%' }, terminals: ONLINE.terminals, objective: SMALL.objective!,
    }
    const { code, stderr } = await folder.command(['run', folder.write('brief.yaml', JSON.stringify(brief))])
    const { verdict, ledger, intervals } = recordIn(folder.run())
    expect(verdict, stderr).toEqual({ valid: true, reasons: [] })
    expect({ code, accepted: ledger.accepted }).toEqual({ code: 0, accepted: ledger.delivered + ledger.expired })
    expect(ledger.expired).toBeGreaterThan(30)
    expect(intervals[1]!.planned).toBeGreaterThan(2 * intervals[0]!.planned)
  }, 120_000)
})

/** Attempts planned in the measured window by the initiator's journal, and how many addresses they have. */
function addressesOf(run: string, warmUpSeconds: number): { attempts: number; addresses: number } {
  const planned = readFileSync(join(run, 'journals/initiator.journal'), 'latin1').split('\n').map((line) => line.split('\t')).filter((cells) => cells[1] === 'planned')
  const first = Number(planned[0]![0])
  // The first attempt comes within the first moments of the load.
  const measured = planned.filter((cells) => Number(cells[0]) - first > (warmUpSeconds - 0.5) * 1e6).slice(-60)
  return { attempts: measured.length, addresses: new Set(measured.map((cells) => cells[3])).size }
}

describe('a replay', () => {
  it('attempts what its trace says, when it says so, and keeps the trace with the run', async () => {
    const trace = `offset,row,size\n${Array.from({ length: 40 }, (_unused, index) => `${(index * 0.1).toFixed(1)},online,${index % 2 === 0 ? 400 : ''}`).join('\n')}\n`
    folder.write('trace.csv', trace)
    const replay = small({ ...ONLINE, load: { warmUp: '1s', duration: '3s', drainMax: '40s', shape: 'replay', replay: { file: 'trace.csv' } } })
    const { code, stderr } = await folder.command(['run', folder.write('replay.yaml', replay)])
    const record = recordIn(folder.run())
    expect(record.verdict, stderr).toEqual({ valid: true, reasons: [] })
    expect(code).toBe(0)
    expect(record.ledger).toMatchObject({ attempted: 40, delivered: 40 })
    expect(record.intervals.map(({ planned }) => planned)).toEqual([10, 10, 10])
    expect(record.load).toMatchObject({ type: 'open', shape: 'replay', trace: { file: 'trace.csv', attempts: 40 } })
    expect(readFileSync(join(folder.run(), 'trace.csv'), 'utf8')).toBe(trace)
  }, 120_000)

  it('of a trace that is wrong, torn or not there is refused with file and line, and no run is begun', async () => {
    const replay = folder.write('replay.yaml', small({ load: { shape: 'replay', replay: { file: 'trace.csv' } } }))
    expect(await folder.command(['run', replay])).toMatchObject({ code: 2, stderr: expect.stringContaining('load.replay.file: trace.csv cannot be read') })
    folder.write('trace.csv', 'offset,row\n0.1,online\n0.05,online\n0.2,onl')
    const told = 'trace.csv:3 0.05 lies before the line above it: a trace is in the order of time\ntrace.csv:4 "onl" is no row of the traffic set'
    expect(await folder.command(['check', replay])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(told) })
    expect(await folder.command(['run', replay])).toMatchObject({ code: 2, stderr: expect.stringContaining(told) })
    expect(existsSync(join(folder.path, 'runs'))).toBe(false)
    expect(readFileSync(join(folder.path, 'trace.csv'), 'utf8')).toContain('0.2,onl')
  }, 120_000)
})

describe('a closed load', () => {
  it('has no more under way than its initiators, and record, summary and page say that latency means less', async () => {
    const closed = small({ ...ONLINE, load: { warmUp: '1s', duration: '4s', drainMax: '40s', closed: { initiators: 5, think: '100ms' } } })
    const { code, stdout, stderr } = await folder.command(['run', folder.write('closed.yaml', closed)])
    const record = recordIn(folder.run())
    expect(record.verdict, stderr).toEqual({ valid: true, reasons: [] })
    expect(code).toBe(0)
    expect(record.load).toEqual({ type: 'closed', initiators: 5, thinkSeconds: 0.1 })
    // Five initiators, each at most ten times a second, in five seconds.
    expect(record.ledger.attempted).toBeLessThanOrEqual(300)
    expect(record.ledger.attempted).toBeGreaterThan(20)
    expect(stdout).toContain('A closed load: 5 initiators')
    expect(readFileSync(join(folder.run(), 'report.html'), 'utf8')).toContain('A closed load: 5 initiators')
  }, 120_000)
})

describe('stairs', () => {
  it('have a row for each step, in the record and in the summary', async () => {
    const stairs = small({ ...ONLINE, load: { rate: '20/s', warmUp: '1s', duration: '6s', drainMax: '40s', shape: 'stairs', stairs: { increment: '20/s', steps: 3 } } })
    const { stdout, stderr } = await folder.command(['run', folder.write('stairs.yaml', stairs)])
    const { verdict, steps } = recordIn(folder.run())
    expect(verdict, stderr).toEqual({ valid: true, reasons: [] })
    expect(steps!.map(({ perSecond, fromSecond, toSecond }) => [perSecond, fromSecond, toSecond])).toEqual([[20, 0, 2], [40, 2, 4], [60, 4, 6]])
    for (const step of steps!) expect(step.attempts, JSON.stringify(step)).toBeGreaterThan(0)
    expect(stdout).toMatch(/^ {2}step +attempts/m)
    expect(stdout.split('\n').every((line) => line.length <= 80)).toBe(true)
  }, 120_000)
})

describe('a scenario that cannot run', () => {
  it('is refused by check and run with the arithmetic and code 2, before anything is started or written', async () => {
    const file = folder.write('few.yaml', small({ ...ONLINE, load: { rate: '4000/s', warmUp: '0s', duration: '2s' } }))
    const told = 'few.yaml traffic.online: 4,000/s x 50 ms = 200.0 recipients are busy at once (Little\'s law), and there are'
    const checked = await folder.command(['check', file])
    expect(checked).toMatchObject({ code: 2, stderr: expect.stringContaining(told) })
    expect(checked.stdout).toContain('8,000 attempts')
    const ran = await folder.command(['run', file])
    expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(told) })
    expect(existsSync(join(folder.path, 'runs'))).toBe(false)
  }, 120_000)
})
