/**
 * An experiment as a planner of trials: block by block every cell once, in an order drawn from the seed; a trial that says nothing is asked for
 * again at the end of its block. Decides which trial is next and keeps what the trials measured; what follows from it, others reckon.
 */
import { assert } from '../../core/kit/assert.js'
import { EXPERIMENT_SCHEMA_VERSION, type ExperimentAnswer, type ExperimentTrialRow } from '../../reports/answers/experiment.js'
import type { RunRecord } from '../../reports/record.js'
import { SEED_MAX } from '../scenario.js'
import type { Trial, TrialPlanner, TrialStep } from '../trials.js'
import { answerCells } from './cells.js'
import { crossoversOf } from './crossovers.js'
import type { Design, DesignCell } from './design.js'
import { effectsOf } from './effects.js'
import { LatencyPool } from './latency-pool.js'
import { RESPONSE_ROWS, measuresOf } from './measures.js'
import { OFFERS_MAX, searchObjective, type Offer } from './objective.js'
import { blockOrder } from './order.js'
import { MeasuredTable } from './table.js'

export interface ExperimentOptions {
  readonly design: Design
  readonly name: string
  readonly seed: number
  /** Trials of each cell. */
  readonly blocks: number
  readonly equal: ExperimentAnswer['equal']
  readonly startedAt: string
  readonly command: string
  /** Of the scenario that the cells change. */
  readonly scenarioYaml: string
}

/** A trial that says nothing is repeated this often within its block, with another seed. */
export const REPEATS_MAX = 2
const LEVEL = 0.95

interface Ask {
  readonly cell: DesignCell
  readonly block: number
  /** 0 at first. */
  readonly repeat: number
  /** Of a search: which of its trials, and at what rate. */
  readonly offer: Offer | undefined
}

export class Experiment implements TrialPlanner<ExperimentAnswer> {
  private readonly trials: ExperimentTrialRow[] = []
  private readonly latencies = new LatencyPool()
  private readonly course: Generator<Ask, void, RunRecord>
  private readonly feasible: readonly DesignCell[]
  private asked: { readonly ask: Ask; readonly trial: Trial } | undefined
  private disclosure: ExperimentAnswer['disclosure']

  constructor(private readonly options: ExperimentOptions) {
    this.feasible = options.design.cells.filter(({ infeasible }) => infeasible === undefined)
    this.course = this.blocks()
    this.advance(this.course.next())
  }

  next(): TrialStep<ExperimentAnswer> {
    return this.asked === undefined ? { type: 'answer', answer: this.answer() } : { type: 'trial', trial: this.asked.trial }
  }

  tell(trial: Trial, record: RunRecord): void {
    const { asked } = this
    assert(asked?.trial.id === trial.id, 'what is told was asked for')
    this.disclosure ??= record.disclosure
    const { cell, block, offer } = asked.ask
    const { valid, reasons } = record.verdict
    const why = valid ? undefined : reasons[0] ?? 'it says not why'
    this.trials.push({
      id: trial.id, cell: cell.id, block, seed: trial.scenario.seed, perSecond: trial.scenario.load.rate, valid, counted: valid && offer === undefined,
      ...(why === undefined ? {} : { why }), measures: valid ? measuresOf(record) : {},
    })
    if (valid && offer === undefined) this.latencies.add(cell.id, record)
    this.advance(this.course.next(record))
  }

  progress(): { readonly done: number; readonly atMost: number } {
    const { blocks } = this.options
    return { done: this.trials.length, atMost: this.asked === undefined ? this.trials.length : (1 + REPEATS_MAX) * blocks * this.feasible.length * (this.options.equal === 'load' ? 1 : OFFERS_MAX) }
  }

  /** How many trials there are when none has to be repeated; of a search nobody knows. */
  get planned(): number | undefined {
    return this.options.equal === 'load' ? this.options.blocks * this.feasible.length : undefined
  }

  /** The latest trial, for progress. */
  get latest(): ExperimentTrialRow | undefined {
    return this.trials.at(-1)
  }

  /** What a cell is, by its levels: `message, 64B, 1`. */
  words(cellId: string): string {
    const { cells, factors } = this.options.design
    const cell = cells.find(({ id }) => id === cellId)
    assert(cell !== undefined, 'a trial is of a cell')
    return factors.map(({ levels }, index) => levels[cell.levels[index]!]!.name).join(', ')
  }

  /** What there is, as an answer: also before the end, for an experiment that is stopped. */
  answer(): ExperimentAnswer {
    const { design, name, seed, blocks, equal, startedAt, command, scenarioYaml } = this.options
    const table = new MeasuredTable(design, this.trials)
    return {
      kind: 'experiment', schemaVersion: EXPERIMENT_SCHEMA_VERSION, name, seed, startedAt, level: LEVEL, blocks, complete: this.asked === undefined, equal,
      factors: design.factors.map((factor) => ({ name: factor.name, levels: factor.levels.map(({ name: level, value }) => ({ name: level, ...(value === undefined ? {} : { value }) })) })),
      responses: [...RESPONSE_ROWS], cells: answerCells(table, this.latencies, LEVEL), trials: [...this.trials],
      effects: effectsOf(table, { level: LEVEL, seed }), crossovers: crossoversOf(table, LEVEL),
      ...(this.disclosure === undefined ? {} : { disclosure: this.disclosure }), scenarioYaml, command,
    }
  }

  private advance(step: IteratorResult<Ask, void>): void {
    this.asked = step.done === true ? undefined : { ask: step.value, trial: this.trialOf(step.value) }
  }

  private trialOf({ cell, block, repeat, offer }: Ask): Trial {
    const { scenario } = cell
    const place = `b${String(block).padStart(2, '0')}-${cell.id}${repeat === 0 ? '' : `-again${repeat}`}`
    // Within a block every cell has the same arrivals, so that they cancel in ratios; a repeat has others, since these may be what failed.
    const seed = (this.options.seed + block + repeat * 1_000_003) % (SEED_MAX + 1)
    return {
      id: offer === undefined ? place : `${place}-${String(offer.index).padStart(2, '0')}`,
      words: `block ${block}: ${this.words(cell.id)}${offer === undefined ? '' : ` at ${offer.perSecond}/s`}`,
      scenario: { ...scenario, seed, load: { ...scenario.load, rate: offer?.perSecond ?? scenario.load.rate } },
    }
  }

  private *blocks(): Generator<Ask, void, RunRecord> {
    const { blocks, seed } = this.options
    for (let block = 1; block <= blocks; block++) {
      let left = blockOrder(this.feasible.length, block, seed).map((index) => this.feasible[index]!)
      for (let repeat = 0; repeat <= REPEATS_MAX && left.length > 0; repeat++) {
        const again: DesignCell[] = []
        for (const cell of left) {
          const told = this.options.equal === 'load' ? (yield { cell, block, repeat, offer: undefined }).verdict.valid : yield* this.atObjective(cell, block, repeat)
          if (!told) again.push(cell)
        }
        left = again
      }
    }
  }

  /** Trials at one rate after another, of which the highest that keeps the objective counts. False when the search came to nothing. */
  private *atObjective(cell: DesignCell, block: number, repeat: number): Generator<Ask, boolean, RunRecord> {
    const tried: { readonly row: number; readonly record: RunRecord }[] = []
    const search = searchObjective(cell.scenario)
    let step = search.next()
    while (step.done !== true) {
      const record = yield { cell, block, repeat, offer: step.value }
      tried.push({ row: this.trials.length - 1, record })
      step = search.next(record)
    }
    if (step.value === undefined) return false
    const { row, record } = tried[step.value]!
    this.trials[row] = { ...this.trials[row]!, counted: true }
    this.latencies.add(cell.id, record)
    return true
  }
}
