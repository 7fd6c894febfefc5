/** An experiment as a user calls it: with real parts, stopped and gone on with, its rows beside its answer. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Schema } from 'effect'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ExperimentAnswer } from '../../reports/answers/experiment.js'
import { Folder } from './command.js'

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

/** Two cells, a trial of 2 s each; limits so wide that a busy machine keeps them. */
const PLAN = JSON.stringify({
  name: 'tiny', seed: 4, trials: 1,
  scenario: {
    load: { rate: '20/s', warmUp: '0s', duration: '2s', drainMax: '20s', arrival: 'constant' }, traffic: { online: { share: '100%', delayLimit: '30s' } },
    population: { subscribers: 20, devicesPerSubscriber: { 1: '100%' }, returning: { share: '0%' }, absent: '0%' }, terminals: { reference: 0 }, objective: { lagShare: '100%' },
  },
  factors: [{ name: 'way', key: 'push.binding', levels: ['message', 'session'] }],
})
const answerIn = (work: string): ExperimentAnswer => Schema.decodeUnknownSync(ExperimentAnswer)(JSON.parse(readFileSync(join(work, 'answer.json'), 'utf8')))

describe('pushbench experiment', () => {
  it('goes on after Ctrl-C with the trials it has, and tells what each way costs', { timeout: 480_000 }, async () => {
    folder.write('tiny.yaml', PLAN)
    let stopped = false
    const first = await folder.command(['experiment', 'tiny.yaml'], (child, told) => {
      if (stopped || !told.includes('trial 1 of 2')) return
      stopped = true
      child.kill('SIGINT')
    })
    expect(first).toMatchObject({ code: 130, left: [] })
    const work = /go on with: pushbench experiment tiny\.yaml .*--resume (\S+)/.exec(first.stderr)![1]!
    const before = answerIn(join(folder.path, work))
    expect(before).toMatchObject({ complete: false, blocks: 1 })
    expect(before.trials).toHaveLength(1)

    const second = await folder.command(['experiment', 'tiny.yaml', '--resume', work])
    expect(second).toMatchObject({ left: [] })
    const answer = answerIn(join(folder.path, work))
    expect(answer.complete).toBe(true)
    expect(answer.trials[0]).toEqual(before.trials[0])
    const { trials } = answer
    const ids = trials.map(({ id }) => id)
    expect(readdirSync(join(folder.path, work, 'trials')).sort()).toEqual([...ids].sort())
    expect(ids.filter((id) => !id.includes('again')).sort()).toEqual(['b01-c001', 'b01-c002'])
    expect(readFileSync(join(folder.path, work, 'trials.csv'), 'utf8').split('\n')).toHaveLength(trials.length + 2)
    // What was measured was measured at the sockets: a session takes an INVITE, an ACK and a BYE beside the message.
    for (const { counted, cell, measures } of trials) {
      if (!counted || measures.messagesPerPush === undefined) continue
      if (cell === 'c001') expect(measures).toMatchObject({ msrpMessagesPerPush: 0, sessionsPerPush: 0 })
      else expect(measures.msrpMessagesPerPush!).toBeGreaterThan(1)
      expect(measures.wireBytesPerPush!).toBeGreaterThan(500)
      expect(measures.gatewayCpuMicrosPerPush!).toBeGreaterThan(0)
    }
    expect(second.code).toBe(trials.some(({ counted }) => counted) ? 0 : 4)
    expect(second.stdout).toContain('again       pushbench experiment tiny.yaml --seed 4 --trials 1')
  })

  it('refuses what makes no experiment, and says what would', { timeout: 120_000 }, async () => {
    folder.write('wrong.yaml', 'name: x\nfactors:\n  - key: push.sizes\n    levels: [1B, 2B]\n')
    expect(await folder.command(['experiment', 'wrong.yaml'])).toMatchObject({ code: 2, stderr: expect.stringContaining('wrong.yaml:4:') })
    expect(await folder.command(['experiment', 'absent.yaml'])).toMatchObject({ code: 2, stderr: expect.stringContaining('the ready-made plan is message-vs-session') })
    expect(await folder.command(['experiment', 'wrong.yaml', '--quick'])).toMatchObject({ code: 1, stderr: expect.stringContaining('--quick is for message-vs-session') })
    expect(await folder.command(['experiment', 'message-vs-session', '--trials', '0'])).toMatchObject({ code: 1, stderr: expect.stringContaining('--trials 0 is not between 1 and 1000') })
  })
})
