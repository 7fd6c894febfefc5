/** The page of a history: each figure over the runs, with where it changed for good and since which commit. From the answer alone. */
import type { HistoryAnswer } from '../answers/history.js'
import { count, times } from '../format.js'
import { figure, opening, section, sheet } from '../html.js'
import { historyPicture } from '../pictures/history.js'
import { quantity } from '../quantity.js'
import { escapeText } from '../svg.js'
import { table } from '../table.js'

type Series = HistoryAnswer['series'][number]
type Metric = Series['metrics'][number]

/** The whole page as HTML text. */
export function renderHistoryPage(answer: HistoryAnswer): string {
  const changes = answer.series.flatMap((series) => series.metrics.flatMap((metric) => metric.changes.map((change) => ({ series, metric, change }))))
  const worse = changes.filter(({ change }) => change.verdict === 'worse')
  return sheet('History · pushbench', [
    opening({
      heading: 'History', origin: `${count(answer.series.reduce((sum, { runs }) => sum + runs.length, 0))} runs in ${count(answer.series.length)} series`,
      badge: changes.length === 0 ? 'NO CHANGE SEEN' : `${count(changes.length)} CHANGE${changes.length === 1 ? '' : 'S'}`, tone: worse.length > 0 ? 'bad' : changes.length > 0 ? 'good' : 'open', reasons: answer.problems,
      sentences: [`A change is believed when chance alone would do as much in at most ${times(answer.significance).replace(' ×', '')} of histories (E-divisive). A series of fewer than ${count(answer.runsLeast)} runs cannot show any.`],
    }),
    section('Changes', 'The first run that differs for good; what changed lies between the two commits.', changes.length === 0 ? '' : table(['<scenario', '<figure', '<since', '<commit', '<after', 'before', 'since', '<verdict'], changes.map(({ series, metric, change }) => [
      series.scenario, metric.name, change.time, change.commit, change.commitBefore, quantity(change.before, metric.unit), quantity(change.after, metric.unit), change.verdict,
    ]), 'Changes of all series')),
    ...answer.series.map((series) => section(series.scenario, `Series ${escapeText(series.series)}${series.leftOut === 0 ? '' : `, ${count(series.leftOut)} invalid runs left out`}.`, series.metrics.map((metric) => metricFigure(series, metric)).join(''))),
  ])
}

function metricFigure({ runs }: Series, { name, unit, values, changes }: Metric): string {
  const told = values.flatMap((value, index) => (value === null ? [] : [{ value, index, title: `${runs[index]?.time ?? ''} at ${runs[index]?.commit ?? ''}: ${quantity(value, unit)}` }]))
  const picture = historyPicture({
    name: `${name} over the runs, with its changes`, runs: told, label: (value) => quantity(value, unit),
    // Runs without the figure are not drawn: a change is where its run, or the next that has one, stands.
    changes: changes.map(({ index, commit, before, after }) => ({ index: told.filter((run) => run.index < index).length, name: `since ${commit}${before > 0 ? `: ${times(after / before)}` : ''}` })),
  })
  return picture === '' ? '' : `<h3>${escapeText(name)}</h3>${figure(picture, table(['run', '<time', '<commit', name], told.map(({ value, index }) => [String(index + 1), runs[index]?.time ?? '', runs[index]?.commit ?? '', quantity(value, unit)]), `${name} of every run`))}`
}
