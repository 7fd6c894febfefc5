/** Trials one after another: each a fresh run with real parts, none repeated after a stop, and one whose result is clear ended early. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Schema } from 'effect'
import { afterAll, describe, expect, it } from 'vitest'
import type { RunRecord } from '../../reports/record.js'
import type { Watcher } from '../../loadgen/live/progress.js'
import { Scenario } from '../../loadgen/scenario.js'
import type { Trial, TrialPlanner } from '../../loadgen/trials.js'
import { childrenOf, commandLine } from './command.js'
import { SMALL } from './small-run.js'

// Parts are processes of their own and start from what was built.
const { performTrials } = await import('../../dist/loadgen/live/trials.js' as string) as typeof import('../../loadgen/live/trials.js')

const folder = mkdtempSync(join(tmpdir(), 'pushbench-trials-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SILENT: Watcher = { progress: () => {}, note: () => {}, end: () => {} }

function trial(id: string, changes: Partial<typeof Scenario.Encoded> = {}): Trial {
  const load = { rate: '30/s', warmUp: '0s', duration: '3s', drainMax: '20s' }
  const scenario = { ...SMALL, traffic: { online: { share: '100%', delayLimit: '30s' } }, population: { subscribers: 20, returning: { share: '0%' }, absent: '0%' }, terminals: { reference: 0 }, load, ...changes }
  return { id, words: id, scenario: Schema.decodeUnknownSync(Scenario)(scenario) }
}

/** Asks for each trial once; its answer is what was delivered in each. */
class InOrder implements TrialPlanner<number[]> {
  readonly records: RunRecord[] = []
  constructor(private readonly trials: readonly Trial[]) {}
  next(): ReturnType<TrialPlanner<number[]>['next']> {
    const asked = this.trials[this.records.length]
    return asked === undefined ? { type: 'answer', answer: this.records.map(({ ledger }) => ledger.delivered) } : { type: 'trial', trial: asked }
  }
  tell(_trial: Trial, record: RunRecord): void { this.records.push(record) }
  progress(): { done: number; atMost: number } { return { done: this.records.length, atMost: this.trials.length } }
}

/** Of the work that is stopped and gone on with. */
const work = join(folder, 'work')
const never = (): AbortSignal => new AbortController().signal

describe('trials', () => {
  it('go on after a stop where they were: a finished one is read, one that was cut short is run anew', { timeout: 90_000 }, async () => {
    const trials = [trial('first'), trial('second')]
    const stop = new AbortController()
    const begun = process.cpuUsage()
    const niceness: Record<string, number> = {}
    const stopped = await performTrials({
      planner: new InOrder(trials), folder: work, kill: never(), interrupt: stop.signal,
      watcher: ({ id }) => ({ ...SILENT, progress: ({ phase }) => {
        if (phase !== 'load') return
        for (const pid of childrenOf(process.pid)) niceness[/(\w+)-part\.js/.exec(commandLine(pid))?.[1] ?? ''] = getPriority(pid)
        if (id === 'second') stop.abort('the test stops it')
      } }),
    })
    expect(stopped).toBeUndefined()
    const told: [string, boolean][] = []
    const planner = new InOrder(trials)
    const answer = await performTrials({ planner, folder: work, kill: never(), interrupt: never(), watcher: () => SILENT, told: ({ id }, _record, found) => told.push([id, found]) })
    expect(told).toEqual([['first', true], ['second', false]])
    expect(answer).toEqual(planner.records.map(({ ledger }) => ledger.attempted))
    expect(planner.records.every(({ verdict }) => verdict.valid)).toBe(true)
    expect(existsSync(join(work, 'trials/first/report.html'))).toBe(true)
    // This process was the generator of both, one after the other.
    const { user, system } = process.cpuUsage(begun)
    const [one, two] = planner.records.map(({ parts }) => parts['generator']!.cpuSeconds)
    expect(one! + two!).toBeLessThanOrEqual((user + system) / 1e6)
    // What is measured goes short before what measures it; where there is no /proc, nobody can tell.
    if (commandLine(process.pid) !== '') expect(niceness).toMatchObject({ gateway: 10, ims: 10, terminals: 0 })
    // Their records say what the parts did in the window, and what it cost.
    const { gateway, terminals } = planner.records[0]!.work!
    expect(gateway!.counts['delivered']).toBeGreaterThan(20)
    expect(gateway!.counts['wireBytesOut']! / gateway!.counts['delivered']!).toBeGreaterThan(300)
    expect(gateway!.cpuSeconds).toBeGreaterThan(0)
    expect(terminals!.counts['received']! / terminals!.seconds).toBeGreaterThan(15)
    expect(Object.keys(gateway!.counts)).not.toContain('connections')
  })

  it('of another work in the same folder are not mistaken for its own, and a torn record is none', { timeout: 60_000 }, async () => {
    const other = trial('first', { seed: 8 })
    await expect(performTrials({ planner: new InOrder([other]), folder: work, kill: never(), interrupt: never(), watcher: () => SILENT }))
      .rejects.toThrow(/run\.json is of another scenario than the trial "first".*--out/)
    writeFileSync(join(work, 'trials/first/run.json'), '{"schemaVersion":1,')
    const planner = new InOrder([other])
    await performTrials({ planner, folder: work, kill: never(), interrupt: never(), watcher: () => SILENT })
    expect(planner.records[0]!.seed).toBe(8)
  })

  it('end early when their result is clear, and count as far as they went', { timeout: 60_000 }, async () => {
    const planner = new InOrder([trial('long', { load: { rate: '30/s', warmUp: '0s', duration: '60s', drainMax: '20s' } })])
    await performTrials({
      planner, folder: join(folder, 'early'), kill: never(), interrupt: never(), watcher: () => SILENT,
      enough: () => ({ phase, elapsedSeconds }) => (phase === 'load' && elapsedSeconds > 2 ? 'two seconds say it all' : undefined),
    })
    const [record] = planner.records
    expect(record!.endedEarly).toBe('two seconds say it all')
    expect(record!.verdict).toEqual({ valid: true, reasons: [] })
    expect(record!.durations.loadSeconds).toBeGreaterThan(1.9)
    expect(record!.durations.loadSeconds).toBeLessThan(30)
    expect(record!.ledger.attempted).toBeLessThan(900)
    expect(record!.throughput.offeredPerSecond).toBeGreaterThan(20)
  })
})
