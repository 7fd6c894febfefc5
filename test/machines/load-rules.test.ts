/** Rules between the keys of a load: a shape that cannot be is told with line, column and what would be right. */
import { describe, expect, it } from 'vitest'
import { decodeYaml, formatProblems } from '../../core/live/yaml-schema.js'
import { CheckedScenario } from '../../loadgen/scenario-rules.js'

const problems = (text: string): string => {
  const decoded = decodeYaml(CheckedScenario, text, 'x.yaml')
  return decoded.ok ? '' : formatProblems(decoded.problems)
}

describe('a load', () => {
  it.each([
    ['a shape that is none', 'load:\n  shape: stair', 'x.yaml:2:10 load.shape: '],
    ['a spike after the end', 'load:\n  shape: spike\n  spike: { at: 24s }', 'x.yaml:3:16 load.spike.at: a spike until 29s ends after the measured window of 25s'],
    ['steps shorter than a second', 'load:\n  shape: stairs\n  stairs: { steps: 30 }', 'x.yaml:3:20 load.stairs.steps: 30 steps in 25s are shorter than a second each; raise load.duration'],
    ['a campaign longer than its run', 'load:\n  shape: campaign\n  campaign: { window: 1m }\ntraffic: { online: { share: 100% } }', 'x.yaml:3:23 load.campaign.window: the window of a campaign lies within the measured window: more than 0s, at most 25s'],
    ['a campaign that would push to somebody twice', 'load: { shape: campaign }', 'traffic.gruu.share: a campaign pushes to nobody twice: of gruu some would be; give it no share'],
    ['a shape of a closed load', 'load:\n  shape: ramp\n  closed: { initiators: 3 }', 'x.yaml:2:10 load.shape: a closed load has no rate that could have a shape'],
    ['a day of no time', 'load:\n  shape: day\n  day: { length: 10ms }', 'x.yaml:3:18 load.day.length: give a day at least 1s'],
    ['stairs with more attempts than a run can hold', 'load:\n  shape: stairs\n  duration: 2h\n  stairs: { increment: 10000/s }', 'x.yaml:3:13 load.duration: '],
  ])('with %s', (_what, text, told) => {
    expect(problems(text)).toContain(told)
  })

  it('of any shape is right with that shape\'s defaults, where its recipients allow it', () => {
    for (const shape of ['steady', 'ramp', 'stairs', 'spike', 'bursts', 'day', 'replay']) expect(problems(`load: { shape: ${shape} }`), shape).toBe('')
    expect(problems('load: { shape: campaign }\ntraffic: { online: { share: 70% }, fanOut: { share: 30% } }')).toBe('')
    expect(problems('load: { closed: { initiators: 20 } }')).toBe('')
  })
})
