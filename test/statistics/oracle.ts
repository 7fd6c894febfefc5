/**
 * Reference values made by scipy, statsmodels and textbook forms (oracle/reference.py), as kept in oracle/reference.json. Knows their shape, not
 * what is held against them.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

type Pair = readonly [number, number]

export interface Reference {
  readonly versions: Readonly<Record<string, string>>
  readonly distributions: Readonly<Record<'normalCdf' | 'normalQuantile' | 'studentQuantile' | 'betaQuantile' | 'binomialQuantile', readonly (readonly number[])[]>>
  readonly proportions: {
    readonly intervals: readonly { readonly successes: number; readonly attempts: number; readonly level: number; readonly wilson: Pair; readonly clopperPearson: Pair }[]
    readonly clean: readonly { readonly share: number; readonly level: number; readonly attempts: number }[]
  }
  readonly students: {
    readonly intervals: readonly { readonly values: readonly number[]; readonly level: number; readonly mean: number; readonly standardDeviation: number; readonly low: number; readonly high: number }[]
    readonly further: readonly { readonly done: number; readonly half: number; readonly wanted: number; readonly level: number; readonly further: number }[]
  }
  readonly quantiles: {
    readonly points: readonly { readonly values: readonly number[]; readonly share: number; readonly quantile: number }[]
    readonly intervals: readonly { readonly values: readonly number[]; readonly share: number; readonly level: number; readonly low: number | null; readonly high: number | null }[]
  }
  readonly bootstraps: {
    readonly exact: readonly { readonly values: readonly number[]; readonly statistic: 'mean' | 'median'; readonly level: number; readonly percentile: Pair }[]
    readonly scipy: readonly { readonly statistic: string; readonly a: readonly number[]; readonly b: readonly number[]; readonly level: number; readonly percentile: Pair; readonly bca: Pair }[]
  }
  readonly rankTests: readonly {
    readonly a: readonly number[]; readonly b: readonly number[]; readonly u: number; readonly p: number; readonly exact: boolean; readonly cliffsDelta: number; readonly shift: number
  }[]
  readonly holms: readonly { readonly p: readonly number[]; readonly adjusted: readonly number[] }[]
  readonly warmUps: readonly { readonly name: string; readonly values: readonly number[]; readonly truncated: number; readonly marginalSquare: number | null; readonly verdict: string }[]
  readonly changePoints: {
    readonly splits: readonly { readonly values: readonly number[]; readonly least: number; readonly index: number; readonly end: number; readonly divergence: number }[]
    readonly divided: readonly { readonly values: readonly number[]; readonly least: number; readonly found: readonly { readonly index: number; readonly divergence: number }[] }[]
    readonly permuted: readonly { readonly values: readonly number[]; readonly p: number }[]
  }
  readonly scalability: readonly {
    readonly name: string; readonly n: readonly number[]; readonly x: readonly number[]; readonly lambda: number; readonly sigma: number; readonly kappa: number; readonly residual: number
  }[]
  readonly lines: readonly {
    readonly x: readonly number[]; readonly y: readonly number[]; readonly level: number
    readonly line: { readonly intercept: number; readonly slope: number; readonly interval: Pair; readonly residual: number }
    readonly origin: { readonly slope: number; readonly interval: Pair; readonly residual: number }
  }[]
  readonly queues: {
    readonly loss: readonly { readonly servers: number; readonly erlangs: number; readonly blocked: number }[]
    readonly waiting: readonly {
      readonly rate: number; readonly service: number; readonly servers: number
      readonly waitProbability: number; readonly present: number; readonly waiting: number; readonly wait: number; readonly time: number
    }[]
    readonly general: readonly { readonly rate: number; readonly service: number; readonly variation: number; readonly present: number }[]
  }
  readonly trends: readonly { readonly values: readonly number[]; readonly s: number; readonly slope: number; readonly p: number; readonly growth: number }[]
  readonly ecdfs: readonly { readonly sample: readonly number[]; readonly level: number; readonly values: readonly number[]; readonly share: readonly number[]; readonly low: readonly number[]; readonly high: readonly number[] }[]
}

export const reference = JSON.parse(readFileSync(fileURLToPath(new URL('oracle/reference.json', import.meta.url)), 'utf8')) as Reference

/** Equal to nine digits, or to within `floor` where a difference of nearly equal numbers leaves fewer. */
export function expectClose(ours: number, theirs: number, what: string, floor = 1e-300): void {
  const difference = Math.abs(ours - theirs)
  expect(ours === theirs || difference <= Math.max(1e-9 * Math.abs(theirs), floor), `${what}: ours ${ours}, the reference ${theirs}`).toBe(true)
}
