/** What became of the promises a scenario makes by expression: each one held against the record of its run. Knows records, not how they were measured. */
import type { RunRecord, Threshold } from '../../reports/record.js'
import { METRICS } from '../metrics.js'
import { holds, parseExpression, valueOf, type Expression, type Figures } from './expression.js'

type ThresholdRow = typeof Threshold.Type

/** Every figure of a record. */
export const RECORD_FIGURES: Figures = { unitOf: (name) => METRICS.get(name)?.unit, names: [...METRICS.keys()], where: '' }

/** One row for each expression. A figure the run does not have was not measured, and what was not measured is not kept. */
export function judgedThresholds(expressions: readonly string[], record: RunRecord): ThresholdRow[] {
  return expressions.map((text) => {
    const parsed = parseExpression(text, RECORD_FIGURES)
    // A scenario is checked before it is run; a record read back may be of one that never was.
    if (!parsed.ok) return { name: text, limit: 0, unit: '', passed: false }
    const { expression } = parsed
    const value = valueOf(expression, (name) => METRICS.get(name)?.of(record))
    return rowOf(expression, expression.text, value, expression.comparison, value !== undefined && holds(expression, value))
  })
}

/** In the unit the author wrote. */
export function rowOf(expression: Expression, name: string, value: number | undefined, comparison: Expression['comparison'], passed: boolean): ThresholdRow {
  const inUnit = (base: number): number => Number((base / expression.factor).toPrecision(6))
  return { name, ...(value === undefined ? {} : { measured: inUnit(value) }), limit: inUnit(expression.limit), unit: expression.unit, passed, comparison }
}
