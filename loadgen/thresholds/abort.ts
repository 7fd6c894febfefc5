/**
 * Rules by which a run is cut short when there is no use in going on: expressions over what is known while it is under way, looked at
 * once a second after a time of grace. Knows a run's progress, not what is done about it.
 */
import type { Threshold } from '../../reports/record.js'
import type { Unit } from '../metrics.js'
import { holds, parseExpression, valueOf, type Comparison, type Expression, type Figures } from './expression.js'
import { rowOf } from './judge.js'

/** What of a run's progress rules may speak of. Counts are of the whole load so far, latencies of its last second. */
export interface Course {
  readonly phase: string
  /** Since the phase began. */
  readonly elapsedSeconds: number
  readonly planned: number
  readonly sent: number
  readonly accepted: number
  readonly refused: number
  readonly unanswered: number
  readonly dropped: number
  readonly delivered: number
  /** Final outcomes other than delivered. */
  readonly otherOutcomes: number
  readonly inFlight: number
  readonly waiting: number
  /** Planned time to answer. */
  readonly submitP50Us: number
  readonly submitP99Us: number
  readonly submitMaxUs: number
}

const COUNTS = ['planned', 'sent', 'accepted', 'refused', 'unanswered', 'dropped', 'delivered', 'otherOutcomes', 'inFlight', 'waiting'] as const
type Reader = readonly [unit: Unit, read: (course: Course) => number]
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ...COUNTS.map((name): [string, Reader] => [name, ['count', (course) => course[name]]]),
  ['submit.p50', ['micros', (course) => course.submitP50Us]], ['submit.p99', ['micros', (course) => course.submitP99Us]], ['submit.max', ['micros', (course) => course.submitMaxUs]],
])

/** What can be known of a run before it is over. */
export const LIVE_FIGURES: Figures = { unitOf: (name) => READERS.get(name)?.[0], names: [...READERS.keys()], where: 'while a run is under way' }

const OPPOSITE: Readonly<Record<Comparison, Comparison>> = { '<': '>=', '<=': '>', '>': '<=', '>=': '<' }

export class AbortRules {
  /** The rule that ended the run, as a threshold that was crossed. */
  crossed: typeof Threshold.Type | undefined
  private readonly expressions: readonly Expression[]
  private loadSeconds = 0
  private phase = ''
  private before = 0
  private looked = -1

  /** @param rules checked already; @param graceSeconds from the begin of the load, its warm-up included */
  constructor(rules: readonly string[], private readonly graceSeconds: number) {
    this.expressions = rules.flatMap((text) => {
      const parsed = parseExpression(text, LIVE_FIGURES)
      return parsed.ok ? [parsed.expression] : []
    })
  }

  /** Told as often as anybody likes. @returns why the run is to end now */
  look(course: Course): string | undefined {
    if (this.crossed !== undefined || (course.phase !== 'warm-up' && course.phase !== 'load')) return undefined
    if (course.phase !== this.phase) {
      this.before = this.phase === '' ? 0 : this.loadSeconds
      this.phase = course.phase
    }
    this.loadSeconds = this.before + course.elapsedSeconds
    const second = Math.floor(this.loadSeconds)
    if (second <= this.looked || this.loadSeconds < this.graceSeconds) return undefined
    this.looked = second
    for (const expression of this.expressions) {
      const value = valueOf(expression, (name) => READERS.get(name)?.[1](course))
      if (value === undefined || !holds(expression, value)) continue
      const name = `abortWhen ${expression.text}`
      this.crossed = rowOf(expression, name, value, OPPOSITE[expression.comparison], false)
      return `${name}: ${this.crossed.measured}${expression.unit} after ${second} s of load`
    }
    return undefined
  }
}
