/**
 * The trials of `compare --run`: two scenarios in turns, ABBA or BAAB by chance, so that whatever the machine does meanwhile it does to
 * both. Both trials of a pair have the same seed: the same load meets both. Knows what to ask for, not who performs it.
 */
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { RunRecord } from '../../reports/record.js'
import { SEED_MAX, type Scenario } from '../scenario.js'
import type { Trial, TrialPlanner, TrialStep } from '../trials.js'

/** Records by side, each at its pair's place. */
export interface Pairs {
  readonly a: readonly RunRecord[]
  readonly b: readonly RunRecord[]
}

/** The trial of a side at a pair's place, from 0: `a/03`. Each side's trials lie in a folder of their own. */
export function trialId(side: 'a' | 'b', pair: number, pairs: number): string {
  return `${side}/${String(pair + 1).padStart(String(pairs).length, '0')}`
}

export class ComparisonTrials implements TrialPlanner<Pairs> {
  private readonly trials: readonly Trial[]
  private readonly records = new Map<string, RunRecord>()

  constructor(a: Scenario, b: Scenario, private readonly pairs: number) {
    const entropy = new SeededEntropy(a.seed, 'compare')
    const trials: Trial[] = []
    for (let pair = 0, aFirst = true; pair < pairs; pair++) {
      // Every second pair is the one before it turned round: a steady drift cancels over both.
      aFirst = pair % 2 === 0 ? entropy.unit() < 0.5 : !aFirst
      const seed = (a.seed + pair) % (SEED_MAX + 1)
      for (const side of aFirst ? ['a', 'b'] as const : ['b', 'a'] as const) {
        trials.push({ id: trialId(side, pair, pairs), words: `${side.toUpperCase()} of pair ${pair + 1}`, scenario: { ...(side === 'a' ? a : b), seed } })
      }
    }
    this.trials = trials
  }

  next(): TrialStep<Pairs> {
    const trial = this.trials[this.records.size]
    return trial === undefined ? { type: 'answer', answer: this.told() } : { type: 'trial', trial }
  }

  tell(trial: Trial, record: RunRecord): void {
    this.records.set(trial.id, record)
  }

  progress(): { readonly done: number; readonly atMost: number } {
    return { done: this.records.size, atMost: this.trials.length }
  }

  /** What there is, of whole pairs. */
  told(): Pairs {
    const a: RunRecord[] = []
    const b: RunRecord[] = []
    for (let pair = 0; pair < this.pairs; pair++) {
      const [ofA, ofB] = [this.records.get(trialId('a', pair, this.pairs)), this.records.get(trialId('b', pair, this.pairs))]
      if (ofA === undefined || ofB === undefined) continue
      a.push(ofA)
      b.push(ofB)
    }
    return { a, b }
  }
}
