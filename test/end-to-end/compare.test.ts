/** Comparing, thresholds, abort rules, history and exports as a user calls them, with real parts, and exit codes a CI job can go by. */
import { createServer } from 'node:http'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Schema } from 'effect'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ComparisonAnswer } from '../../reports/answers/comparison.js'
import { Folder } from './command.js'
import { recordIn, small } from './small-run.js'

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

const OLD = fileURLToPath(new URL('../reports/records/v1-first.json', import.meta.url))
const FEW = {
  traffic: { online: { share: '100%', delayLimit: '60s' } }, population: { subscribers: 20, returning: { share: '0%' }, absent: '0%' }, terminals: { reference: 0 },
  objective: { lagShare: '100%', inadequatelyHandled: '100%' },
}

/** Runs of the old record, so many a side, those of B slower by a factor. */
function sides(count: number, factor: number): void {
  for (const side of ['A', 'B']) {
    for (let index = 1; index <= count; index++) {
      mkdirSync(join(folder.path, side, String(index)), { recursive: true })
      const record = JSON.parse(readFileSync(OLD, 'utf8')) as { seed: number; stages: Record<string, Record<string, number>> }
      record.seed = index
      for (const stage of Object.values(record.stages)) {
        for (const key of Object.keys(stage)) if (key.endsWith('Us')) stage[key] = Math.round(stage[key]! * (side === 'A' ? 1 : factor) * (1 + 0.002 * index))
      }
      writeFileSync(join(folder.path, side, String(index), 'run.json'), JSON.stringify(record))
    }
  }
}

describe('pushbench compare', () => {
  it('ends with 5 for a regression, 0 for the same or better, 6 where nothing can be told, 4 where nothing may be compared', { timeout: 120_000 }, async () => {
    sides(6, 1.2)
    const worse = await folder.command(['compare', 'A', 'B', '--metric', 'endToEnd.p50,endToEnd.p99', '--json'])
    expect([worse.code, worse.stderr]).toEqual([5, ''])
    const answer = Schema.decodeUnknownSync(ComparisonAnswer)(JSON.parse(worse.stdout))
    expect(answer.metrics.map(({ verdict }) => verdict)).toEqual(['worse', 'worse'])
    const markdown = await folder.command(['compare', 'B', 'A', '--metric', 'endToEnd.p50', '--markdown'])
    expect([markdown.code, markdown.stdout.split('\n')[0]]).toEqual([0, '### Push delivery: better'])
    expect((await folder.command(['compare', 'A', 'A', '--metric', 'endToEnd.p50'])).code).toBe(0)
    expect((await folder.command(['compare', 'A/1', 'B/1'])).code).toBe(6)

    const other = readFileSync(OLD, 'utf8').replace('"cores": 2', '"cores": 64')
    mkdirSync(join(folder.path, 'C'))
    writeFileSync(join(folder.path, 'C/run.json'), other)
    const refused = await folder.command(['compare', 'A', 'C'])
    expect([refused.code, refused.stdout]).toEqual([4, ''])
    expect(refused.stderr).toContain('the machine’s cores is 2 in A and 64 in B')
    const anyway = await folder.command(['compare', 'A', 'C', '--anyway'])
    expect([anyway.code, anyway.stdout.replace(/\s+/g, ' ')]).toEqual([6, expect.stringContaining('note: the machine’s cores is 2 in A and 64 in B')])
    writeFileSync(join(folder.path, 'C/run.json'), other.slice(0, 5_000))
    expect(await folder.command(['compare', 'A', 'C'])).toMatchObject({ code: 4, stderr: expect.stringMatching(/^C\/run\.json:\d+:\d+ the record is torn/) })
    expect(await folder.command(['compare', 'A', 'B', '--metric', 'endToEnd.p98'])).toMatchObject({ code: 1, stderr: expect.stringContaining('did you mean "endToEnd.p9') })
  })

  it('makes trials of two scenarios in turns', { timeout: 400_000 }, async () => {
    const load = { rate: '20/s', warmUp: '0s', duration: '2s', drainMax: '60s' }
    folder.write('a.yaml', small({ ...FEW, load }))
    folder.write('b.yaml', small({ ...FEW, load, push: { size: '1000B' } }))
    const { code, stdout, stderr } = await folder.command(['compare', '--run', 'a.yaml', 'b.yaml', '--trials', '2', '--metric', 'endToEnd.p50', '--json'])
    const answer = Schema.decodeUnknownSync(ComparisonAnswer)(JSON.parse(stdout))
    expect([0, 5, 6], stderr).toContain(code)
    expect(answer).toMatchObject({ plan: 'pairs', metrics: [{ name: 'endToEnd.p50' }] })
    expect(answer.differences).toContainEqual({ of: 'scenario', key: 'push.size', a: '300B', b: '1000B' })
    const [work] = readdirSync(join(folder.path, 'runs'))
    expect(['a/1', 'a/2', 'b/1', 'b/2'].filter((trial) => existsSync(join(folder.path, 'runs', work!, 'trials', trial, 'run.json')))).toHaveLength(4)
    // The same trials again, each side a folder of runs.
    expect((await folder.command(['compare', `runs/${work}/trials/a`, `runs/${work}/trials/b`, '--metric', 'endToEnd.p50'])).code).toBe(4)
  })
})

describe('pushbench run', () => {
  it('is cut short by an abort rule and says so, keeps its history, and ends with 3', { timeout: 200_000 }, async () => {
    folder.write('a.yaml', small({ ...FEW, load: { rate: '20/s', warmUp: '0s', duration: '60s', drainMax: '60s' }, thresholds: ['endToEnd.p99 < 1us'], abortWhen: ['sent > 20'], abortAfter: '2s' }))
    const { code, stdout, stderr } = await folder.command(['run', 'a.yaml', '--summary', 'summary.md'])
    expect(code, stderr).toBe(3)
    expect(stderr).toContain('Ending the load early, abortWhen sent > 20: ')
    const runs = readdirSync(join(folder.path, 'runs')).filter((name) => name !== 'history.csv')
    const record = recordIn(join(folder.path, 'runs', runs[0]!))
    expect(record.endedEarly).toContain('abortWhen sent > 20')
    expect(record.durations.loadSeconds).toBeLessThan(50)
    expect(record.thresholds!.slice(2)).toMatchObject([{ name: 'endToEnd.p99 < 1us', passed: false }, { name: 'abortWhen sent > 20', passed: false, limit: 20 }])
    expect(stdout.replace(/\s+/g, ' ')).toContain('endToEnd.p99 < 1us: ')
    expect(readFileSync(join(folder.path, 'runs/history.csv'), 'utf8').split('\n')).toHaveLength(3)
    expect(readFileSync(join(folder.path, 'summary.md'), 'utf8')).toContain('❌ FAILED')
    expect((await folder.command(['history'])).stdout).toContain('too few runs')
  })

  it('is not begun with a threshold nobody can measure', async () => {
    folder.write('a.yaml', small({ thresholds: ['endToEnd.p99 < 50'] }))
    expect(await folder.command(['check', 'a.yaml'])).toMatchObject({ code: 2, stderr: expect.stringContaining('thresholds.0: character 16: "50" is not a time') })
  })
})

describe('pushbench export', () => {
  it('writes to a file or sends to a collector, and says when that would not take it', { timeout: 60_000 }, async () => {
    cpSync(OLD, join(folder.path, 'run.json'))
    const taken: string[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => { body += chunk.toString() })
      request.on('end', () => {
        taken.push(`${request.method} ${request.url} ${request.headers['content-type']} ${body.slice(0, 20)}`)
        response.writeHead(taken.length === 1 ? 200 : 503).end()
      })
    })
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
    try {
      const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/metrics`
      expect((await folder.command(['export', '.', '--format', 'junit', '--to', 'junit.xml'])).code).toBe(0)
      expect(readFileSync(join(folder.path, 'junit.xml'), 'utf8')).toContain('<testsuites name="pushbench"')
      expect(await folder.command(['export', 'run.json', '--format', 'otlp', '--endpoint', endpoint])).toMatchObject({ code: 0, stdout: '' })
      expect(taken).toEqual(['POST /v1/metrics application/json {"resourceMetrics":['])
      expect(await folder.command(['export', 'run.json', '--format', 'otlp', '--endpoint', endpoint])).toMatchObject({ code: 1, stderr: expect.stringContaining('did not take the metrics: it answered 503') })
    } finally {
      await new Promise((resolve) => { server.close(resolve) })
    }
  })
})
