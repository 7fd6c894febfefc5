/** A history in a screenful: for each series what changed, by how much and since which commit. Plain lines, colours only where asked. Knows text, not terminals. */
import type { HistoryAnswer } from '../../reports/answers/history.js'
import { quantity } from '../../reports/quantity.js'
import { styled, wrapped, type Style } from '../text-style.js'

type Series = HistoryAnswer['series'][number]

export function historyLines(answer: HistoryAnswer, colour: boolean): string[] {
  const style = styled(colour)
  const none = answer.series.length === 0 ? ['  no run yet: "pushbench run" appends one each time'] : []
  return [...answer.problems.flatMap((problem) => wrapped(problem, '  - ', '    ')).map((line) => style.warn(line)), ...none, ...answer.series.flatMap((series) => [...seriesLines(series, answer, style), ''])]
}

function seriesLines({ scenario, series, runs, leftOut, metrics }: Series, { runsLeast, significance }: HistoryAnswer, style: Style): string[] {
  const head = `  ${style.bold(scenario)}${style.dim(`  ${runs.length} run${runs.length === 1 ? '' : 's'}${leftOut === 0 ? '' : `, ${leftOut} invalid left out`}, series ${series}`)}`
  if (runs.length < runsLeast) return [head, `  too few runs to see a change: ${runsLeast} are needed`]
  const changed = metrics.flatMap(({ name, unit, changes }) => changes.flatMap((change) => {
    const word = change.verdict === 'worse' ? style.bad(' worse ') : style.good(' better ')
    const percent = change.before === 0 ? '' : ` (${change.after >= change.before ? '+' : '−'}${Math.abs(100 * (change.after / change.before - 1)).toFixed(1)} %)`
    return [
      `  ${word} ${name}: ${quantity(change.before, unit)} → ${quantity(change.after, unit)}${percent}`,
      style.dim(`    since ${change.commit} (${change.time.slice(0, 16)}), run ${change.index + 1}; ${change.commitBefore} was as before`),
    ]
  }))
  return [head, ...(changed.length === 0 ? [`  no change: chance alone would do as much in more than ${100 * significance} % of histories`] : changed)]
}
