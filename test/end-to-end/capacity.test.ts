/** The capacity search as a user calls it: with real parts, stopped and gone on with, and honest about what it did not see. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Schema } from 'effect'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CapacityAnswer } from '../../reports/answers/capacity.js'
import { Folder } from './command.js'
import { small } from './small-run.js'

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

const scenario = (): string => folder.write('small.yaml', small({
  load: { rate: '20/s', warmUp: '0s', drainMax: '20s' }, traffic: { online: { share: '100%', delayLimit: '30s' } },
  population: { subscribers: 20, returning: { share: '0%' }, absent: '0%' }, terminals: { reference: 0 }, objective: { lagShare: '100%', inadequatelyHandled: '30%' },
}))
const SEARCH = ['--trial', '2', '--rate-max', '40', '--replicates', '2']
const answerIn = (work: string): CapacityAnswer => Schema.decodeUnknownSync(CapacityAnswer)(JSON.parse(readFileSync(join(work, 'answer.json'), 'utf8')))

describe('pushbench capacity', () => {
  it('goes on after Ctrl-C with the trials it has, and ends at the highest rate asked for', { timeout: 120_000 }, async () => {
    let stopped = false
    const first = await folder.command(['capacity', scenario(), ...SEARCH], (child, told) => {
      if (stopped || !told.includes('trial 1')) return
      stopped = true
      child.kill('SIGINT')
    })
    expect(first).toMatchObject({ code: 130, left: [] })
    expect(first.stderr).toContain('trial 1, stairs, 20.0/s: passed, 0 % late or failed')
    const work = /go on with: pushbench capacity .*--resume (\S+)/.exec(first.stderr)![1]!
    expect(answerIn(join(folder.path, work))).toMatchObject({ outcome: 'unmeasured', bound: 20, why: 'the search was stopped before its end' })

    const second = await folder.command(['capacity', 'small.yaml', ...SEARCH, '--resume', work])
    expect(second).toMatchObject({ code: 0, left: [] })
    expect(second.stdout).toContain('AT LEAST 40.0/s')
    expect(second.stdout).toContain('no higher rate than 40/s was asked for')
    expect(second.stdout.split('\n').every((line) => line.length <= 80 || line.includes('pushbench capacity'))).toBe(true)
    const answer = answerIn(join(folder.path, work))
    expect(answer.trials.map(({ id, result }) => [id, result])).toEqual([['01-stairs-20', 'passed'], ['02-stairs-40', 'passed']])
    expect(answer.command).toBe('pushbench capacity small.yaml --seed 7 --trial 2 --rate-max 40 --replicates 2')
    expect(readdirSync(join(folder.path, work, 'trials'))).toEqual(['01-stairs-20', '02-stairs-40'])
    expect(readFileSync(join(folder.path, work, 'trials.csv'), 'utf8').split('\n')).toHaveLength(4)
    expect(readFileSync(join(folder.path, work, 'answer.html'), 'utf8')).toContain('>AT LEAST 40.0/s<')
  })

  it('refuses what makes no search, and says what would', async () => {
    expect(await folder.command(['capacity', '--replicates', '1'])).toMatchObject({ code: 1, stderr: expect.stringContaining('--replicates 1: give at least 2') })
    expect(await folder.command(['capacity', '--rate', '5'])).toMatchObject({ code: 1 })
  })
})
