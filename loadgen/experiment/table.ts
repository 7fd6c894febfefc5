/**
 * What was measured, to be looked up: a value by response, cell and block. Only trials that count are in it, and what follows from an
 * experiment is drawn from here alone. Knows numbers by their place.
 */
import type { ExperimentTrialRow, ResponseName } from '../../reports/answers/experiment.js'
import type { Design, DesignCell } from './design.js'

export class MeasuredTable {
  private readonly cells = new Map<string, DesignCell>()
  private readonly values = new Map<string, number>()
  private readonly blockNumbers = new Set<number>()

  constructor(readonly design: Design, trials: readonly ExperimentTrialRow[]) {
    for (const cell of design.cells) this.cells.set(cell.levels.join(), cell)
    for (const { cell, block, counted, measures } of trials) {
      if (!counted) continue
      this.blockNumbers.add(block)
      for (const [response, value] of Object.entries(measures)) this.values.set(`${response} ${cell} ${block}`, value)
    }
  }

  /** Blocks of which anything counts, ascending. */
  get blocks(): readonly number[] {
    return [...this.blockNumbers].sort((a, b) => a - b)
  }

  /** The cell of these levels; undefined where the design has none. */
  cell(levels: readonly number[]): DesignCell | undefined {
    return this.cells.get(levels.join())
  }

  value(response: ResponseName, cell: DesignCell, block: number): number | undefined {
    return this.values.get(`${response} ${cell.id} ${block}`)
  }

  /** How many times larger the response is in one cell than in another, as a logarithm, by block; blocks in which either is missing or not above 0 are not there. */
  logRatios(response: ResponseName, of: DesignCell, against: DesignCell): Map<number, number> {
    const logs = new Map<number, number>()
    for (const block of this.blocks) {
      const above = this.value(response, of, block)
      const below = this.value(response, against, block)
      if (above !== undefined && below !== undefined && above > 0 && below > 0) logs.set(block, Math.log(above / below))
    }
    return logs
  }
}

/** The levels with another one of one factor. */
export function withLevel(levels: readonly number[], factor: number, level: number): number[] {
  return levels.map((other, index) => (index === factor ? level : other))
}

/** Combinations of the other factors' levels that the design has, told by cells at the first level of this one that has a cell there. */
export function combinationsWithout({ cells }: Design, factor: number): number[][] {
  const seen = new Map<string, number[]>()
  for (const { levels } of cells) {
    const rest = withLevel(levels, factor, 0)
    seen.set(rest.join(), rest)
  }
  return [...seen.values()]
}
