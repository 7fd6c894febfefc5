/** Records read back: those of earlier versions by everything that reads records, and torn, foreign and newer ones named with what would be right. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { compare } from '../../loadgen/compare/compare.js'
import { comparisonLines } from '../../loadgen/compare/summary.js'
import { figuresCsv } from '../../loadgen/export/figures-csv.js'
import { githubSummary } from '../../loadgen/export/github.js'
import { junitXml } from '../../loadgen/export/junit.js'
import { otlpMetrics } from '../../loadgen/export/otlp.js'
import { prometheusText } from '../../loadgen/export/prometheus.js'
import { appendHistory, readHistoryFile } from '../../loadgen/live/history-file.js'
import { readRun, readSide, recordOf } from '../../loadgen/live/record-reader.js'
import { summaryLines } from '../../loadgen/summary.js'
import { renderPage } from '../../reports/page.js'

const folder = mkdtempSync(join(tmpdir(), 'pushbench-records-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Kept as real runs wrote them: the first of its kind, without anything that became known later, and one with thresholds of its own. */
const OLD = ['v1-first.json', 'v1-with-thresholds.json'].map((name) => fileURLToPath(new URL(`../reports/records/${name}`, import.meta.url)))
const text = readFileSync(OLD[0]!, 'utf8')

describe('a record of an earlier version', () => {
  it.each(OLD)('is read by everything that reads records (%s)', async (file) => {
    const run = await readRun(file)
    const { record } = run
    expect(summaryLines(record, false).length).toBeGreaterThan(10)
    expect(renderPage(record)).toContain('</html>')
    for (const make of [junitXml, githubSummary, prometheusText, figuresCsv]) expect(make(record).length).toBeGreaterThan(500)
    expect(otlpMetrics(record).resourceMetrics).toHaveLength(1)
    const side = { name: file, runs: [run] }
    const answer = compare({ a: side, b: side, plan: 'apart', metrics: undefined, margin: 0.05, resamples: 200, command: '' })!
    expect(answer.verdict).toBe('inconclusive')
    expect(comparisonLines(answer, false).length).toBeGreaterThan(5)
    // A key of a scenario that came later has its default in an old record.
    expect(run.scenario.get('gateway.devices')).toBe('any')
    const out = join(folder, `out-${record.scenario}`)
    mkdirSync(out)
    await appendHistory(out, run, 'runs/1')
    expect((await readHistoryFile(join(out, 'history.csv'))).rows).toMatchObject([{ commit: record.disclosure.commit, scenario: record.scenario, valid: true }])
  })
})

describe('what is no record', () => {
  const told = (broken: string): string => {
    try {
      recordOf(broken, 'run.json')
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
    return 'nothing'
  }

  it('is named with its place and what would be right', async () => {
    // Wherever it is torn, in the middle of a number or a word among others.
    for (let length = 3_900; length < 4_200; length++) expect(told(text.slice(0, length))).toMatch(/^run\.json:\d+:\d+ the record is torn: the file ends in the middle of it; repeat the run$/)
    expect(told('')).toBe('run.json:1:1 the record is torn: the file ends in the middle of it; repeat the run')
    expect(told('name: x\n')).toBe('run.json:1:2 this is no JSON; give the folder of a run, or its run.json')
    expect(told('{"a": 1,\n "b": mothing}')).toMatch(/^run\.json:2:7 this is no JSON/)
    expect(told('[]')).toContain('this is no run record of pushbench')
    expect(told('{"kind":"capacity","schemaVersion":1}')).toContain('but an answer of the kind capacity')
    expect(told(text.replace('"schemaVersion": 1', '"schemaVersion": 2'))).toBe('run.json: schemaVersion: the record has version 2 and was written by a newer pushbench; this one reads versions up to 1')
    expect(told(text.replace(/"seed": \d+/, '"seed": "one"'))).toMatch(/^run\.json: seed: Expected /)
    await expect(readRun(join(folder, 'nowhere'))).rejects.toThrow(/nowhere cannot be read: .*; give the folder of a run, its run\.json, or a folder of runs/)
  })

  it('may hold more than this version knows', () => {
    expect(recordOf(text.replace('"schemaVersion": 1', '"schemaVersion": 1, "later": {}'), 'run.json').schemaVersion).toBe(1)
  })

  it('in a folder without a run is said', async () => {
    mkdirSync(join(folder, 'empty'))
    await expect(readSide(join(folder, 'empty'))).rejects.toThrow('holds no run: neither run.json nor a folder with one')
  })
})

describe('a folder of runs', () => {
  it('is a side of trials in the order of their names; unfinished ones are none', async () => {
    for (const name of ['10', '9', 'unfinished']) mkdirSync(join(folder, 'work', 'trials', name), { recursive: true })
    for (const name of ['10', '9']) cpSync(OLD[0]!, join(folder, 'work', 'trials', name, 'run.json'))
    expect((await readSide(join(folder, 'work'))).runs.map(({ file }) => file)).toEqual([join(folder, 'work/trials/9/run.json'), join(folder, 'work/trials/10/run.json')])
  })
})

describe('the file of a history', () => {
  it('is only ever added to: a torn last line stays what it is, a foreign file is not touched', async () => {
    const run = await readRun(OLD[0]!)
    const out = join(folder, 'history')
    mkdirSync(out)
    const file = join(out, 'history.csv')
    await appendHistory(out, run, 'runs/1')
    await appendHistory(out, run, 'runs/2')
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -20))
    const before = readFileSync(file, 'utf8')
    await appendHistory(out, run, 'runs/3')
    expect(readFileSync(file, 'utf8').startsWith(`${before}\n`)).toBe(true)
    const { rows, problems } = await readHistoryFile(file)
    expect([rows.length, problems.length]).toEqual([2, 1])
    expect(problems[0]).toContain('history.csv:3')
    writeFileSync(file, 'date,value\n2026,1\n')
    await expect(appendHistory(out, run, 'runs/4')).rejects.toThrow('is no history of pushbench')
    expect(readFileSync(file, 'utf8')).toBe('date,value\n2026,1\n')
  })
})
