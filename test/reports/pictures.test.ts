/** What is drawn lies where its figure says: intervals around their values, steps at their rates, changes where they happened. */
import { describe, expect, it } from 'vitest'
import { dkwHalfWidth } from '../../reports/statistics/ecdf.js'
import { alongPicture } from '../../reports/pictures/along.js'
import { ecdfPicture, ecdfTable } from '../../reports/pictures/ecdf.js'
import { forestPicture } from '../../reports/pictures/forest.js'
import { historyPicture } from '../../reports/pictures/history.js'
import { staircasePicture } from '../../reports/pictures/staircase.js'
import { stepsPicture, type Step } from '../../reports/pictures/steps.js'

const numbers = (text: string): number[] => [...text.matchAll(/-?\d+(?:\.\d+)?/g)].map(([value]) => Number(value))

/** [x, y] of every filled or hollow mark, with its title. */
function marks(picture: string): { x: number; y: number; title: string }[] {
  return [...picture.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="4.5"[^>]*><title>([^<]*)</g)].map(([, x, y, title]) => ({ x: Number(x), y: Number(y), title: title! }))
}

describe('inadequately handled attempts by rate', () => {
  const step = (perSecond: number, share: number, judgement: Step['judgement'] = 'passed'): Step => ({ perSecond, share, interval: { low: share / 2, high: share * 2 + 0.001 }, judgement })
  const picture = stepsPicture('steps', [step(100, 0), step(1_000, 0.0005), step(10_000, 0.2, 'failed')], 0.001, { perSecond: 2_000, low: 1_800, high: 2_200 })

  it('keeps none at all apart from hardly any: it lies on the ground line, under every share', () => {
    const [none, hardly] = marks(picture).slice(-2)
    expect(none!.title).toContain('0 %')
    expect(none!.y).toBe(340 - 48)
    expect(hardly!.y).toBeLessThan(none!.y - 18)
  })

  it('places rates by their logarithm: a decade is as wide as the next', () => {
    const [first, second] = marks(picture).slice(-2)
    const failed = numbers([...picture.matchAll(/<path d="M([\d. ]+)l8 8/g)].at(-1)![1]!)[0]! + 4
    expect(second!.x - first!.x).toBeCloseTo(failed - second!.x, 0)
  })

  it('names the limit and the capacity with its interval', () => {
    expect(picture).toContain('limit 0.1 %')
    expect(picture).toContain('DOC 2,000/s, 1,800/s to 2,200/s')
  })

  it('stands when a step had no attempt, and when there is no limit', () => {
    expect(stepsPicture('steps', [{ perSecond: 10, share: 0, interval: undefined, judgement: 'left out' }], 0, undefined)).not.toMatch(/NaN|Infinity|undefined/)
  })
})

describe('the forest plot', () => {
  const picture = forestPicture('effects', [
    { name: 'half', ratio: 0.5, low: 0.4, high: 0.6, finding: 'better' }, { name: 'none', ratio: 1, low: 0.9, high: 1.1, finding: 'inconclusive' }, { name: 'twice', ratio: 2, low: 1.5, high: 2.5, finding: 'worse' },
  ], 'ratio', 0.05)

  it('puts half and twice equally far from the line of no difference', () => {
    const [half, none, twice] = marks(picture).map(({ x }) => x)
    expect(none! - half!).toBeCloseTo(twice! - none!, 0)
  })

  it('says by a word what it says by colour', () => {
    for (const word of ['better', 'inconclusive', 'worse']) expect(picture).toContain(`>${word}</text>`)
  })

  it('stands when a ratio is beyond all measure, or has no interval', () => {
    const odd = forestPicture('effects', [{ name: 'a', ratio: 5_000, low: 0, high: Infinity, finding: 'worse' }, { name: 'b', ratio: 1.1, low: undefined, high: undefined, finding: 'inconclusive' }], 'ratio')
    expect(odd).not.toMatch(/="[^"]*(?:NaN|Infinity)/)
  })
})

describe('latency by mode', () => {
  const modes = [{ name: 'message', className: 'c1', points: [[1_000, 0.5], [2_000, 1]] as [number, number][], trials: 20 }, { name: 'session', className: 'c4', points: [[1_500, 1]] as [number, number][], trials: 5 }, { name: 'none', className: 'c2', points: [], trials: 0 }]

  it('has a panel for each mode that was measured, with the band of its trials', () => {
    const picture = ecdfPicture('latency', modes, 0.95)
    expect(picture).toContain('message, 20 trials')
    expect(picture).toContain('session, 5 trials')
    expect(picture).not.toContain('none')
    expect(ecdfTable(modes, 0.95)).toContain(`${(100 * dkwHalfWidth(20, 0.95)).toFixed(1)} %`)
  })
})

describe('a measure along a quantity', () => {
  const series = [{ name: 'message', className: 'c1', points: [1, 10, 100].map((x) => ({ x, mean: x * 5, low: x * 4, high: x * 6 })) }]
  const along = (at: number) => alongPicture({ name: 'cost', caption: 'size', xLabel: String, yLabel: String, series, crossings: [{ at, low: at / 1e6, high: undefined, name: 'it changes' }] })

  it('shows where the better one changes, and no more of its interval than there is room for', () => {
    const [left] = numbers(/<rect x="([\d.]+)"[^>]*class="track"/.exec(along(30))![1]!)
    expect(left).toBeGreaterThanOrEqual(84)
    expect(along(30)).toContain('it changes')
  })

  it('leaves a change beyond the measured quantities to the table', () => {
    expect(along(1_000)).not.toContain('it changes')
  })
})

describe('the history', () => {
  it('marks a change between the run before and the first that differs', () => {
    const picture = historyPicture({ name: 'p99', label: String, runs: [1, 1, 1, 2, 2, 2].map((value) => ({ value, title: String(value) })), changes: [{ index: 3, name: 'since abc' }] })
    const border = numbers(/<line x1="([\d.]+)"[^>]*class="line thin dashed bad"/.exec(picture)![1]!)[0]!
    const runs = marks(picture).map(({ x }) => x)
    expect(border).toBeGreaterThan(runs[2]!)
    expect(border).toBeLessThan(runs[3]!)
  })
})

describe('the staircase of nodes', () => {
  it('steps where a node is added, and nowhere else', () => {
    const picture = staircasePicture([{ name: 'needed', className: 'c1', steps: [[0, 1], [100, 2], [200, 3]] }], { subscribers: 150, nodes: 2 }, 300, undefined)
    const course = /<path d="M([^"]+)" class="line c1"/.exec(picture)![1]!.split('L').map((point) => point.split(' ').map(Number) as [number, number])
    for (let index = 1; index < course.length; index++) expect(course[index]![0] === course[index - 1]![0] || course[index]![1] === course[index - 1]![1]).toBe(true)
    expect(new Set(course.map(([, y]) => y)).size).toBe(3)
  })
})
