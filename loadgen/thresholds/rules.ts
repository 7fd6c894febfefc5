/** What can be wrong with the promises and abort rules of a scenario before it is run: no expression, a figure there is not, or one its load never makes. */
import { ROWS, type RowName, type Scenario } from '../scenario.js'
import { LIVE_FIGURES } from './abort.js'
import { complaint, parseExpression, type Figures } from './expression.js'
import { RECORD_FIGURES } from './judge.js'

interface BrokenRule {
  readonly path: readonly string[]
  readonly message: string
}

export function thresholdRules(scenario: Pick<Scenario, 'thresholds' | 'abortWhen' | 'traffic'>): BrokenRule[] {
  return [...wrongIn('thresholds', scenario.thresholds, RECORD_FIGURES, scenario.traffic), ...wrongIn('abortWhen', scenario.abortWhen, LIVE_FIGURES, scenario.traffic)]
}

function wrongIn(key: string, expressions: readonly string[], figures: Figures, traffic: Scenario['traffic']): BrokenRule[] {
  return expressions.flatMap((text, index) => {
    const path = [key, String(index)]
    const parsed = parseExpression(text, figures)
    if (!parsed.ok) return [{ path, message: complaint(parsed) }]
    const { figure, under } = parsed.expression
    const idle = [figure, ...(under === undefined ? [] : [under])].map(rowOf).find((row) => row !== undefined && traffic[row].share === 0)
    return idle === undefined ? [] : [{ path, message: `traffic.${idle} has no share, so that nothing of it is ever measured` }]
  })
}

function rowOf(figure: string): RowName | undefined {
  return ROWS.find((row) => figure.startsWith(`${row}.`))
}
