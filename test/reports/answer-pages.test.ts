/** What the pages of answers promise: the answer and its interval first, every picture named and with its table, nothing fetched, nothing injected, small, and readable when there is hardly anything. */
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { CapacityAnswer } from '../../reports/answers/capacity.js'
import { ComparisonAnswer } from '../../reports/answers/comparison.js'
import { ExperimentAnswer } from '../../reports/answers/experiment.js'
import { HistoryAnswer } from '../../reports/answers/history.js'
import { PlanAnswer } from '../../reports/answers/plan.js'
import { renderCapacityPage } from '../../reports/pages/capacity.js'
import { renderComparisonPage } from '../../reports/pages/comparison.js'
import { renderExperimentPage } from '../../reports/pages/experiment.js'
import { renderHistoryPage } from '../../reports/pages/history.js'
import { renderPlanPage } from '../../reports/pages/plan.js'
import { sampleCapacity, sampleComparison, sampleHistory, samplePlan, singleComparison, stoppedCapacity, unmeasuredPlan } from './sample-answers.js'
import { sampleExperiment } from './sample-experiment.js'

const HOSTILE = '<script>alert(1)</script>'

const PAGES = {
  capacity: { page: renderCapacityPage(sampleCapacity()), badge: '924/s', pictures: ['Delivered pushes and latency', 'Share of inadequately handled', 'independent bisections', 'The rate of each trial'] },
  comparison: { page: renderComparisonPage(sampleComparison()), badge: 'WORSE', pictures: ['Ratio of B to A', 'Every trial of A and of B', 'percentile for each run'] },
  experiment: { page: renderExperimentPage(sampleExperiment()), badge: 'COMPLETE', pictures: ['along size', 'along burst', 'Effects as ratios', 'Distribution of latency', 'each trial against the mean'] },
  history: { page: renderHistoryPage(sampleHistory()), badge: '1 CHANGE', pictures: ['endToEnd.p99 over the runs', 'throughput.delivered over the runs'] },
  plan: { page: renderPlanPage(samplePlan()), badge: '6 NODES', pictures: ['Nodes by the number of subscribers', 'a fifth smaller or larger', 'What was predicted', 'measured and by the model'] },
}
const KINDS = Object.keys(PAGES) as (keyof typeof PAGES)[]

describe('the page of an answer', () => {
  it('is made from an answer that its own schema accepts', () => {
    const accepts = <A, I>(schema: Schema.Schema<A, I>, answer: unknown) => expect(() => Schema.decodeUnknownSync(schema, { onExcessProperty: 'error' })(JSON.parse(JSON.stringify(answer)))).not.toThrow()
    for (const answer of [sampleCapacity(), stoppedCapacity()]) accepts(CapacityAnswer, answer)
    for (const answer of [sampleComparison(), singleComparison()]) accepts(ComparisonAnswer, answer)
    accepts(ExperimentAnswer, sampleExperiment())
    accepts(HistoryAnswer, sampleHistory())
    for (const answer of [samplePlan(), unmeasuredPlan()]) accepts(PlanAnswer, answer)
  })

  it.each(KINDS)('%s: opens with the answer, before any figure', (kind) => {
    const { page, badge } = PAGES[kind]
    expect(page.indexOf(`>${badge}<`)).toBeGreaterThan(0)
    expect(page.indexOf(`>${badge}<`)).toBeLessThan(page.indexOf('<section>'))
  })

  it.each(KINDS)('%s: needs no script and no network, and shows no figure that is none', (kind) => {
    const { page } = PAGES[kind]
    expect(page).not.toMatch(/<script|<link|<img|\bsrc=|@import|url\(|https?:\/\//)
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
  })

  it.each(KINDS)('%s: each of its pictures is named for a reader who cannot see it, and has its figures in a table behind it', (kind) => {
    const { page, pictures } = PAGES[kind]
    const names = [...page.matchAll(/<svg [^>]*role="img" aria-label="([^"]+)"/g)].map(([, name]) => name!)
    for (const picture of pictures) expect(names.some((name) => name.includes(picture)), `${picture} among: ${names.join('; ')}`).toBe(true)
    expect(page.match(/<\/figure>/g)).toHaveLength(names.length)
    expect(page.match(/<\/figure><details><summary>the figures behind it<\/summary><div class="scroll"/g)).toHaveLength(names.length)
  })

  it('shows hostile text as text', () => {
    const named = { name: HOSTILE, runs: [] }
    for (const page of [
      renderCapacityPage(sampleCapacity({ scenario: HOSTILE, why: HOSTILE, command: HOSTILE, scenarioYaml: HOSTILE, constraint: HOSTILE })),
      renderComparisonPage(sampleComparison({ a: { ...sampleComparison().a, ...named }, b: { ...sampleComparison().b, ...named }, command: HOSTILE, unmeasured: [HOSTILE], metrics: sampleComparison().metrics.map((metric) => ({ ...metric, name: HOSTILE })) })),
      renderExperimentPage(sampleExperiment(1, { name: HOSTILE, factors: sampleExperiment(1).factors.map(({ levels }) => ({ name: HOSTILE, levels: levels.map((level) => ({ ...level, name: HOSTILE })) })), responses: sampleExperiment(1).responses.map((response) => ({ ...response, words: HOSTILE })) })),
      renderPlanPage(samplePlan({ name: HOSTILE, planYaml: HOSTILE, models: samplePlan().models.map((model) => ({ ...model, words: HOSTILE, formula: HOSTILE, along: HOSTILE })), heldOut: { words: HOSTILE, predictions: samplePlan().heldOut!.predictions } })),
    ]) {
      expect(page).toContain('&lt;script&gt;')
      expect(page).not.toContain('<script')
    }
  })

  it('says what is missing when hardly anything was measured', () => {
    const stopped = renderCapacityPage(stoppedCapacity())
    expect(stopped).toContain('>NOT MEASURED<')
    expect(stopped).toContain('the search was stopped before its end')
    const single = renderComparisonPage(singleComparison())
    expect(single).toContain('>INCONCLUSIVE<')
    expect(single).toContain('about 4 more trials a side')
    const none = renderExperimentPage(sampleExperiment(1, { trials: [], effects: [], crossovers: [], complete: false, cells: sampleExperiment(1).cells.map(({ id, levels }) => ({ id, levels, measured: {} })) }))
    expect(none).toContain('>STOPPED<')
    const unmeasured = renderPlanPage(unmeasuredPlan())
    expect(unmeasured).toContain('no run had two rates')
    for (const page of [stopped, single, none, unmeasured]) expect(page).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('marks a search that found only a bound, and says so instead of a capacity', () => {
    const { capacity, ...bounded } = sampleCapacity({ outcome: 'at-least', bound: 5_120, why: 'beyond it the instruments, not the system under test, were the limit' })
    const page = renderCapacityPage(bounded)
    expect(page).toContain('>AT LEAST 5,120/s<')
    expect(page).not.toContain('DOC ')
  })

  it('stays under 1 MB for an experiment of 1,600 trials', () => {
    const answer = sampleExperiment(10)
    expect(answer.trials.length).toBeGreaterThan(1_600)
    expect(renderExperimentPage(answer).length).toBeLessThan(1_000_000)
  })
})
