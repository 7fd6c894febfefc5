/**
 * How much a level changes what is measured: ratios against the first level of its factor, taken within blocks, where the machine was as it
 * was for both, and only where all else was the same. A ratio of a response that is 0 anywhere says nothing and is left out.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { ExperimentEffect } from '../../reports/answers/experiment.js'
import { bootstrap } from '../../reports/statistics/bootstrap.js'
import { holm } from '../../reports/statistics/holm.js'
import { mean } from '../../reports/statistics/location.js'
import { zeroMeanTest } from '../../reports/statistics/student-test.js'
import { RESPONSE_ROWS } from './measures.js'
import { combinationsWithout, withLevel, type MeasuredTable } from './table.js'

type ResponseRow = (typeof RESPONSE_ROWS)[number]
type Unjudged = Omit<ExperimentEffect, 'verdict' | 'adjustedPValue'>

const RESAMPLES = 1_000

export interface EffectOptions {
  /** What intervals cover, and 1 - what is the chance of any false finding. */
  readonly level: number
  readonly seed: number
}

/**
 * Over all combinations of the other factors, for every factor; and at each of them by itself, for the factors whose levels are no quantities
 * (those that are have crossovers). Holm's correction is made within each of the two kinds.
 */
export function effectsOf(table: MeasuredTable, options: EffectOptions): ExperimentEffect[] {
  const { factors } = table.design
  const overall: Unjudged[] = []
  const single: Unjudged[] = []
  factors.forEach(({ levels }, factor) => {
    const places = combinationsWithout(table.design, factor)
    const isQuantity = levels.every(({ value }) => value !== undefined)
    for (let level = 1; level < levels.length; level++) {
      for (const response of RESPONSE_ROWS) {
        overall.push(...effect(table, response, factor, level, places, options))
        if (isQuantity || places.length < 2) continue
        for (const place of places) single.push(...effect(table, response, factor, level, [place], options).map((row) => ({ ...row, at: placeOf(table, factor, place) })))
      }
    }
  })
  return [...judged(overall, options.level), ...judged(single, options.level)]
}

function effect(table: MeasuredTable, { name: response }: ResponseRow, factor: number, level: number, places: readonly number[][], { level: covered, seed }: EffectOptions): Unjudged[] {
  const byPlace = places.flatMap((place) => {
    const of = table.cell(withLevel(place, factor, level))
    const against = table.cell(withLevel(place, factor, 0))
    if (of === undefined || against === undefined) return []
    const logs = table.logRatios(response, of, against)
    return logs.size === 0 ? [] : [logs]
  })
  const logs = blockMeans(table.blocks, byPlace)
  if (logs.length === 0) return []
  const centre = mean(logs)
  const row = { response, factor, level, against: 0, blocks: logs.length, ratio: Math.exp(centre) }
  if (logs.length < 2) return [row]
  const unit = new SeededEntropy(seed, `${response} ${factor} ${level} ${places.join(' ')}`)
  const { expanded } = bootstrap(logs, mean, { level: covered, resamples: RESAMPLES, unit: () => unit.unit() })
  return [{ ...row, low: Math.exp(expanded.low), high: Math.exp(expanded.high), pValue: zeroMeanTest(logs) }]
}

/**
 * One mean for each block over the same places, so that blocks can be compared: a place that lacks a block which others have is left out, a
 * block that most places lack (work that was stopped within it) is.
 */
function blockMeans(blocks: readonly number[], places: readonly ReadonlyMap<number, number>[]): number[] {
  const kept = blocks.filter((block) => 2 * places.filter((logs) => logs.has(block)).length > places.length)
  const whole = places.filter((logs) => kept.every((block) => logs.has(block)))
  return whole.length === 0 ? [] : kept.map((block) => mean(whole.map((logs) => logs.get(block)!)))
}

function placeOf(table: MeasuredTable, factor: number, place: readonly number[]): Record<string, number> {
  return Object.fromEntries(table.design.factors.flatMap(({ name }, index) => (index === factor ? [] : [[name, place[index]!]])))
}

function judged(rows: readonly Unjudged[], level: number): ExperimentEffect[] {
  const tested = rows.filter(({ pValue }) => pValue !== undefined)
  const adjusted = new Map(holm(tested.map(({ pValue }) => pValue!)).map((pValue, index) => [tested[index]!, pValue]))
  return rows.map((row) => {
    const adjustedPValue = adjusted.get(row)
    if (adjustedPValue === undefined) return { ...row, verdict: 'inconclusive' }
    const isLower = row.ratio < 1
    const lowerIsBetter = RESPONSE_ROWS.find(({ name }) => name === row.response)!.better === 'lower'
    const verdict = adjustedPValue > 1 - level ? 'inconclusive' : isLower === lowerIsBetter ? 'better' : 'worse'
    return { ...row, adjustedPValue, verdict }
  })
}
