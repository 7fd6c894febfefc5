/** A capacity answer in a screenful, and a trial in a line: plain text of at most 80 columns, colours only where asked. Knows text, not terminals. */
import { duration, rate, significant } from '../../reports/format.js'
import type { CapacityAnswer, CapacityTrialRow } from '../../reports/answers/capacity.js'
import { styled, wrapped } from '../text-style.js'

export function capacityLines(answer: CapacityAnswer, colour: boolean): string[] {
  const style = styled(colour)
  const { capacity, constraint, why } = answer
  const head = capacity === undefined ? style.warn(boundWords(answer)) : `${style.good(' CAPACITY ')} ${style.bold(`${rate(capacity.perSecond)}`)}   ${Math.round(100 * answer.level)} % interval ${rate(capacity.low)} to ${rate(capacity.high)}`
  const sentences = [
    capacity === undefined ? '' : `the highest load at which at most ${percent(answer.limit)} of the attempts fail or come late; each of ${capacity.replicates.length} bisections ended within ${percent(answer.resolution - 1)}`,
    why ?? '',
    constraint === undefined ? '' : `gave way first: ${constraint}`,
  ].filter((sentence) => sentence !== '')
  return [
    head, style.dim(`  ${answer.scenario}, seed ${answer.seed}`),
    ...sentences.flatMap((sentence) => wrapped(sentence, '  ', '  ')),
    '',
    style.dim(`  ${'phase'.padEnd(9)}${'offered'.padStart(9)}${'result'.padStart(11)}${'late/failed'.padStart(13)}${'delivered'.padStart(11)}${'p99'.padStart(9)}  busiest`),
    ...answer.trials.map((trial) => row(trial, style.warn)),
  ]
}

function boundWords({ outcome, bound }: CapacityAnswer): string {
  if (bound === undefined || outcome === 'unmeasured') return `NOT MEASURED${bound === undefined ? '' : `, though ${rate(bound)} passed`}`
  return outcome === 'at-least' ? `AT LEAST ${rate(bound)}` : `LESS THAN ${rate(bound)}`
}

function row(trial: CapacityTrialRow, warn: (text: string) => string): string {
  const { busiest } = trial
  const result = trial.result.padStart(11)
  return `  ${trial.phase.padEnd(9)}${rate(trial.perSecond).padStart(9)}${trial.result === 'passed' ? result : warn(result)}${lateText(trial).padStart(13)}${rate(trial.deliveredPerSecond).padStart(11)}`
    + `${(trial.endToEndP99Us === undefined ? '–' : duration(trial.endToEndP99Us)).padStart(9)}  ${busiest === undefined ? '' : `${busiest.part} ${Math.round(100 * busiest.share)}%`}`
}

/** A trial when it is over, for progress. */
export function trialLine(trial: CapacityTrialRow, done: number): string {
  const reason = trial.why === undefined ? '' : `: ${trial.why}`
  return `trial ${done}, ${trial.phase}, ${rate(trial.perSecond)}: ${trial.result}${trial.result === 'passed' ? `, ${lateText(trial)} late or failed` : reason}`
}

function lateText({ attempts, inadequatelyHandled }: CapacityTrialRow): string {
  return attempts === 0 ? '–' : percent(inadequatelyHandled / attempts)
}

function percent(share: number): string {
  return share === 0 ? '0 %' : `${significant(100 * share).replace(/\.?0+$/, '')} %`
}
