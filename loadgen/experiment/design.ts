/**
 * From a plan to its cells: each combination of levels as a scenario of its own, or the rule that forbids it. A factor's levels
 * change keys of one scenario, so a cell is anything a scenario can say. Knows no trial and no order.
 */
import { Either, ParseResult, Schema } from 'effect'
import type { ExperimentFactor } from '../../reports/answers/experiment.js'
import { encodeScenario, Scenario, type ScenarioWritten } from '../scenario.js'
import { brokenRules } from '../scenario-rules.js'
import { obstacle, type Obstacle } from './obstacle.js'
import type { ExperimentPlan } from './plan-schema.js'

export interface DesignLevel {
  readonly name: string
  /** In the base unit, where the levels of the factor are quantities. */
  readonly value?: number
  /** Dotted keys of the scenario with the values they get. */
  readonly set: Readonly<Record<string, unknown>>
}

export interface DesignFactor extends ExperimentFactor {
  readonly levels: readonly DesignLevel[]
}

export interface DesignCell {
  readonly id: string
  /** Index into the levels of each factor. */
  readonly levels: readonly number[]
  readonly scenario: Scenario
  readonly infeasible: Obstacle | undefined
}

export interface Design {
  readonly base: Scenario
  readonly factors: readonly DesignFactor[]
  readonly cells: readonly DesignCell[]
}

/** A plan that makes no design: where in the plan, and what would be right. */
export interface PlanProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

export type Designed = { readonly ok: true; readonly design: Design } | { readonly ok: false; readonly problems: readonly PlanProblem[] }

export const CELLS_MAX = 10_000
const FACTORS_MIN_LEVELS = 2

/** @param wanted which combinations are cells, by their levels; all of them when absent */
export function designOf({ scenario, factors, name, seed }: Pick<ExperimentPlan, 'scenario' | 'factors' | 'name' | 'seed'>, wanted: (levels: readonly number[]) => boolean = () => true): Designed {
  const base = decoded({ ...scenario, name, seed }, ['scenario'])
  if (!base.ok) return { ok: false, problems: base.problems }
  const problems: PlanProblem[] = []
  const made = factors.map((factor, index): DesignFactor => {
    const levels = factor.levels.map((level): DesignLevel => {
      if (typeof level === 'object') return level
      return { name: String(level), set: { [factor.key ?? '']: level } }
    })
    problems.push(...factorProblems(factor, index, levels))
    return { name: factor.name ?? factor.key ?? '', levels }
  })
  const names = made.map(({ name: called }) => called)
  names.forEach((called, index) => {
    if (names.indexOf(called) !== index) problems.push({ path: ['factors', index], message: `there are two factors "${called}"; give each a name of its own` })
  })
  const count = made.reduce((product, { levels }) => product * levels.length, 1)
  if (count > CELLS_MAX) problems.push({ path: ['factors'], message: `${count} cells are more than the ${CELLS_MAX} one experiment can have` })
  if (problems.length > 0) return { ok: false, problems }
  return cellsOf(base.scenario, made, wanted)
}

function cellsOf(base: Scenario, factors: readonly DesignFactor[], wanted: (levels: readonly number[]) => boolean): Designed {
  const problems: PlanProblem[] = []
  const written = encodeScenario(base)
  const cells = combinations(factors.map(({ levels }) => levels.length)).filter(wanted).flatMap((levels, index): DesignCell[] => {
    const changed = factors.reduce<unknown>((result, factor, at) => changedBy(result, factor.levels[levels[at]!]!.set), written)
    const scenario = decoded(changed, [])
    if (!scenario.ok) {
      problems.push(...scenario.problems.map(({ path, message }) => placed(factors, levels, path, message)))
      return []
    }
    return [{ id: `c${String(index + 1).padStart(3, '0')}`, levels, scenario: scenario.scenario, infeasible: obstacle(scenario.scenario) }]
  })
  if (problems.length > 0) return { ok: false, problems: distinct(problems) }
  const [first] = cells
  // Nothing a level does repairs what the scenario itself breaks.
  if (first !== undefined && cells.every(({ infeasible }) => infeasible !== undefined)) {
    const [broken] = brokenRules(base)
    return { ok: false, problems: [{ path: ['scenario', ...(broken?.path ?? [])], message: broken?.message ?? `no cell can be measured; the first: ${first.infeasible!.words}` }] }
  }
  return { ok: true, design: { base, factors: factors.map((factor, at) => withValues(factor, at, cells)), cells } }
}

function factorProblems({ key, name, levels: written }: ExperimentPlan['factors'][number], index: number, levels: readonly DesignLevel[]): PlanProblem[] {
  const problems: PlanProblem[] = []
  const at = (message: string, ...path: (string | number)[]): void => void problems.push({ path: ['factors', index, ...path], message })
  if (key === undefined && name === undefined) at('give the factor a key of the scenario, or a name and levels that set keys')
  else if (key === undefined && written.some((level) => typeof level !== 'object')) at('levels that are plain values need the key of the scenario they are for', 'levels')
  if (levels.length < FACTORS_MIN_LEVELS) at('a factor needs two levels or more', 'levels')
  const names = levels.map((level) => level.name)
  const twice = names.findIndex((called, place) => names.indexOf(called) !== place)
  if (twice >= 0) at(`there are two levels "${names[twice]}"`, 'levels', twice)
  return problems
}

/** Every combination of indices below the counts, the last running fastest. */
export function combinations(counts: readonly number[]): number[][] {
  return counts.reduce<number[][]>((before, count) => before.flatMap((levels) => Array.from({ length: count }, (_, index) => [...levels, index])), [[]])
}

/** The written scenario with other values; groups on the way are made where there are none. */
function changedBy(written: unknown, set: Readonly<Record<string, unknown>>): unknown {
  return Object.entries(set).reduce((result, [key, value]) => withKey(result, key.split('.'), value), written)
}

function withKey(written: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  const group: Readonly<Record<string, unknown>> = isGroup(written) ? written : {}
  return { ...group, [key!]: rest.length === 0 ? value : withKey(group[key!], rest, value) }
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type DecodedScenario = { readonly ok: true; readonly scenario: Scenario } | { readonly ok: false; readonly problems: readonly PlanProblem[] }

function decoded(written: unknown, under: readonly string[]): DecodedScenario {
  const result = Schema.decodeUnknownEither(Scenario, { errors: 'all', onExcessProperty: 'error' })(written)
  if (Either.isRight(result)) return { ok: true, scenario: result.right }
  const problems = ParseResult.ArrayFormatter.formatErrorSync(result.left).map(({ _tag, path, message }): PlanProblem => {
    const keys = path.map(String)
    return { path: [...under, ...keys], message: _tag === 'Unexpected' ? `"${keys.join('.')}" is no key of a scenario${knownIn(keys.slice(0, -1))}` : message }
  })
  return { ok: false, problems: distinct(problems) }
}

function knownIn(path: readonly string[]): string {
  const group = path.reduce<unknown>((value, key) => (isGroup(value) ? value[key] : undefined), DEFAULT_WRITTEN)
  return isGroup(group) ? `; known ${path.length === 0 ? 'here' : `in ${path.join('.')}`}: ${Object.keys(group).join(', ')}` : ''
}

const DEFAULT_WRITTEN: ScenarioWritten = encodeScenario(Schema.decodeSync(Scenario)({}))

/** A wrong value belongs to the level that set it. */
function placed(factors: readonly DesignFactor[], levels: readonly number[], path: readonly (string | number)[], message: string): PlanProblem {
  const key = path.join('.')
  const factor = factors.findIndex(({ levels: all }, at) => Object.keys(all[levels[at]!]!.set).some((set) => key === set || key.startsWith(`${set}.`) || set.startsWith(`${key}.`)))
  if (factor < 0) return { path: [], message: `${key}: ${message}` }
  return { path: ['factors', factor, 'levels', levels[factor]!], message: `${key}: ${message}` }
}

function distinct(problems: readonly PlanProblem[]): PlanProblem[] {
  const seen = new Set<string>()
  return problems.filter(({ path, message }) => {
    const known = seen.size
    return seen.add(`${path.join('.')}\n${message}`).size > known
  })
}

/** The levels as quantities, where each sets one and the same key to a number. */
function withValues(factor: DesignFactor, at: number, cells: readonly DesignCell[]): DesignFactor {
  const [key, ...others] = new Set(factor.levels.flatMap(({ set }) => Object.keys(set)))
  if (key === undefined || others.length > 0) return factor
  const values = factor.levels.map((_, level) => {
    const cell = cells.find(({ levels }) => levels[at] === level)
    return key.split('.').reduce<unknown>((value, step) => (isGroup(value) ? value[step] : undefined), cell?.scenario)
  })
  if (!values.every((value): value is number => typeof value === 'number')) return factor
  return { ...factor, levels: factor.levels.map((level, index) => ({ ...level, value: values[index]! })) }
}
