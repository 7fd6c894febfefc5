/**
 * In what runs differ that are to be compared: scenario, machine, versions. What was compared on unlike grounds is no comparison, so each
 * difference is named, and whoever means it says so. Knows records, not what they measured.
 */
import type { ComparisonAnswer } from '../../reports/answers/comparison.js'
import type { ReadRun, Side } from './sides.js'

export type Difference = ComparisonAnswer['differences'][number]

/** Keys that change nothing of what is measured: each trial has a seed of its own, and promises are judged elsewhere. */
const NOT_COMPARED = /^(?:\$schema|name|seed|objective|thresholds|abortWhen|abortAfter)(?:\.|$)/

/** Whether a scenario's key, dotted, has a say in what is measured. */
export function comparable(key: string): boolean {
  return !NOT_COMPARED.test(key)
}

const MACHINE = ['cpu', 'cores', 'memoryBytes'] as const
const VERSIONS = ['pushbench', 'node', 'kernel'] as const

/** Between the first runs of both sides, and between each side's first run and its others. */
export function differencesOf(a: Side, b: Side): Difference[] {
  const [firstA, firstB] = [a.runs[0]!, b.runs[0]!]
  return [
    ...between(firstA, firstB),
    ...unique(a.runs.slice(1).flatMap((run) => between(firstA, run)).map((difference): Difference => ({ ...difference, within: 'a' }))),
    ...unique(b.runs.slice(1).flatMap((run) => between(firstB, run)).map((difference): Difference => ({ ...difference, within: 'b' }))),
  ]
}

/** Those that forbid a comparison unless they are meant. Another commit is what most comparisons are about; within one side it is a mixture. */
export function forbidding(differences: readonly Difference[]): Difference[] {
  return differences.filter(({ of, within }) => of !== 'commit' || within !== undefined)
}

/** `load.rate is 200/s in A and 100/s in B`. */
export function differenceText({ of, key, a, b, within }: Difference): string {
  const what = of === 'scenario' ? key : of === 'commit' ? 'the commit' : `the ${of === 'machine' ? 'machine’s ' : 'version of '}${key}`
  return within === undefined ? `${what} is ${a} in A and ${b} in B` : `${what} is ${a} in the first run of ${within.toUpperCase()} and ${b} in another`
}

function between(a: ReadRun, b: ReadRun): Difference[] {
  const keys = [...new Set([...a.scenario.keys(), ...b.scenario.keys()])].filter(comparable)
  const found = keys.map((key) => difference('scenario', key, a.scenario.get(key) ?? 'absent', b.scenario.get(key) ?? 'absent'))
  const [ofA, ofB] = [a.record.disclosure, b.record.disclosure]
  return [
    ...found,
    difference('scenario', 'what was changed for the run', ofA.deviations.join('; ') || 'nothing', ofB.deviations.join('; ') || 'nothing'),
    ...MACHINE.map((key) => difference('machine', key, String(ofA[key]), String(ofB[key]))),
    ...VERSIONS.map((key) => difference('versions', key, ofA[key], ofB[key])),
    difference('commit', 'commit', ofA.commit, ofB.commit),
  ].filter((each) => each !== undefined)
}

function difference(of: Difference['of'], key: string, a: string, b: string): Difference | undefined {
  return a === b ? undefined : { of, key, a, b }
}

function unique(differences: readonly Difference[]): Difference[] {
  return [...new Map(differences.map((each) => [`${each.key} ${each.b}`, each])).values()]
}
