/** Plans as a user asks for them: a file to start from, a plan on runs that are there, and words for what is wrong. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Schema } from 'effect'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PlanAnswer } from '../../reports/answers/plan.js'
import { capacityOf, runsOf } from '../machines/plan-evidence.js'
import { Folder } from './command.js'

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

/** Runs of a gateway whose costs are known, and a capacity search, as they lie after such work. */
function measured(): void {
  for (const { file, record, octets } of runsOf()) {
    const path = join(folder.path, 'work/trials', file.split('/')[1]!, 'run.json')
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, JSON.stringify({ ...record, scenarioYaml: `push: { size: ${octets}B }\n` }))
  }
  writeFileSync(join(folder.path, 'capacity.json'), JSON.stringify({ ...capacityOf(1_000).answer, scenarioYaml: 'name: sample\npush: { size: 300B }\n' }))
}

describe('pushbench plan', () => {
  it('writes a file to start from, which is the plan of one million subscribers', { timeout: 180_000 }, async () => {
    expect(await folder.command(['plan', '--init'])).toMatchObject({ code: 0, stdout: 'plan.yaml\n' })
    expect(await folder.command(['plan', 'plan.yaml', '--init'])).toMatchObject({ code: 1, stderr: expect.stringContaining('exists already') })
    measured()
    const { code, stdout, stderr } = await folder.command(['plan', 'plan.yaml', '--from', 'work', '--from', 'capacity.json'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.split('\n')
    expect(lines.filter((line) => line.length > 80 && !line.includes('pushbench plan'))).toEqual([])
    expect(stdout).toMatch(/PLAN +\d+ nodes: \d+ and \d+ spare/)
    expect(stdout).toContain('again       pushbench plan plan.yaml --from work --from capacity.json')
    const [name] = readdirSync(join(folder.path, 'runs'))
    const work = join(folder.path, 'runs', name!)
    const answer = Schema.decodeUnknownSync(PlanAnswer, { onExcessProperty: 'error' })(JSON.parse(readFileSync(join(work, 'answer.json'), 'utf8')))
    expect(answer).toMatchObject({ outcome: 'planned', subscribers: 1_000_000 })
    expect(answer.runs.every(({ leftOut }) => leftOut === undefined)).toBe(true)
    expect(answer.measurements[0]).toMatchObject({ name: 'capacity', value: 1_000, runs: ['capacity.json'] })
    expect(readFileSync(join(work, 'plan.csv'), 'utf8').split('\n')).toHaveLength(answer.outputs.length + 2)
    expect(readFileSync(join(work, 'answer.html'), 'utf8')).toContain('<!doctype html>')
  })

  it('says with file and line what is wrong in a plan file, a record, an option', { timeout: 180_000 }, async () => {
    folder.write('plan.yaml', 'subscribers: 1000\npushs: 3\ncontents: [{ size: 300B, share: 90% }]\n')
    expect(await folder.command(['plan', 'plan.yaml', '--from', 'work'])).toMatchObject({ code: 2, stderr: expect.stringContaining('plan.yaml:2:1 pushs: "pushs" is not known here; did you mean "pushes"?') })
    folder.write('plan.yaml', 'contents: [{ size: 300B, share: 90% }]\n')
    expect(await folder.command(['plan', 'plan.yaml', '--from', 'work'])).toMatchObject({ code: 2, stderr: expect.stringContaining('the shares add up to 90%; they must add up to 100%') })
    expect(await folder.command(['plan'])).toMatchObject({ code: 1, stderr: expect.stringContaining('--from') })
    expect(await folder.command(['plan', '--from', 'nowhere'])).toMatchObject({ code: 1, stderr: expect.stringContaining('nowhere') })
    expect(existsSync(join(folder.path, 'runs'))).toBe(false)
    folder.write('torn.json', '{"schemaVersion":1,')
    expect(await folder.command(['plan', '--from', 'torn.json'])).toMatchObject({ code: 1, stderr: expect.stringContaining('torn.json:1:') })
  })

  it('does the arithmetic of a scenario before any load, and refuses one that cannot run', { timeout: 180_000 }, async () => {
    const { code, stdout } = await folder.command(['plan', '--dry'])
    expect(code).toBe(0)
    expect(stdout).toContain('traffic set')
    folder.write('large.yaml', 'load: { rate: 100000/s, duration: 10h }\n')
    expect(await folder.command(['plan', 'large.yaml', '--dry'])).toMatchObject({ code: 2, stderr: expect.stringContaining('large.yaml') })
  })

  it('measures trial by trial, and says after Ctrl-C how to go on', { timeout: 180_000 }, async () => {
    let stopped = false
    const ended = await folder.command(['plan', '--measure', '--rate', '20', '--trial', '1'], (child, told) => {
      if (stopped || !told.includes('trial 1')) return
      stopped = true
      child.kill('SIGINT')
    })
    expect(ended).toMatchObject({ code: 130, left: [] })
    expect(ended.stderr).toMatch(/go on with: pushbench plan \.\.\. --resume \S+/)
    expect(ended.stderr).toContain('trial 1, message-5-300: 5/s of 300 octets: ')
  })
})
