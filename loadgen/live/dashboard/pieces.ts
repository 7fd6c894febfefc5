/**
 * What the dashboard shows of a run in progress, as pieces of HTML by the place they belong to. All of it follows from what was
 * told so far, so a browser that comes late is shown the same. Knows progress, not who looks.
 */
import { count, duration, octets, percent, rate } from '../../../reports/format.js'
import { list, tiles } from '../../../reports/html.js'
import { answer } from '../../../reports/page.js'
import type { RunRecord } from '../../../reports/record.js'
import { escapeText } from '../../../reports/svg.js'
import { table } from '../../../reports/table.js'
import type { Course } from '../course.js'
import type { Delays, Progress } from '../progress.js'
import { busyPicture, delaysPicture, heldPicture, ratesPicture } from './pictures.js'
import { PHASE_NAMES } from './words.js'

/** HTML by the id of its place on the page. */
export type Pieces = Readonly<Record<string, string>>

export interface Told {
  readonly progress: Progress
  readonly course: Course
  readonly notes: readonly string[]
}

/** Seconds in the table beside the pictures. */
const SECONDS_TOLD = 30

export function piecesOf({ progress, course, notes }: Told): Pieces {
  const points = course.points()
  return {
    scenario: escapeText(progress.scenario),
    phase: PHASE_NAMES[progress.phase],
    way: way(progress),
    tiles: tilesOf(progress, course),
    rate: rateWords(progress),
    rates: ratesPicture(points),
    delays: delaysPicture(points),
    held: heldPicture(points),
    busy: busyPicture(points),
    seconds: secondsTable(course),
    delaysSoFar: table(['<from planned time', 'pushes', 'p50', 'p90', 'p99', 'longest'], [row('to answer, last second', { ...progress.answered, ...nowOf(progress) }, false), row('to answer, load so far', progress.answered), row('to result, last second', progress.resultNow), row('to result, load so far', progress.result)], 'Delays from the planned time'),
    causes: progress.causes.length === 0 ? '<p class="soft">Every end so far is a delivery.</p>' : table(['<what', 'pushes'], progress.causes.map(({ words, count: times }) => [words, count(times)]), 'What was not delivered and why'),
    parts: table(['<part', 'busiest event loop', 'processor', 'memory, most'], progress.parts.map(({ name, busy, cores, rssBytesMax }) => [name, `${Math.round(100 * busy)} %`, `${cores.toFixed(2)} cores`, octets(rssBytesMax)]), 'What each part uses now'),
    notes: notes.map((note) => `<p class="soft">${escapeText(note)}</p>`).join(''),
  }
}

function way({ phase, elapsedSeconds, expectedSeconds, leftSeconds, registered, devices }: Progress): string {
  const done = phase === 'register' ? registered / Math.max(1, devices) : expectedSeconds === undefined || phase === 'drain' ? undefined : Math.min(1, elapsedSeconds / Math.max(0.001, expectedSeconds))
  const words = [
    phase === 'register' ? `${count(registered)} of ${count(devices)} devices` : `${Math.round(elapsedSeconds)} s`,
    ...(done === undefined ? [] : [`${Math.floor(100 * done)} %`]),
    ...(leftSeconds === undefined || phase === 'register' ? [] : [phase === 'drain' ? `at most ${Math.ceil(leftSeconds)} s left` : `${Math.ceil(leftSeconds)} s left`]),
  ]
  return `${done === undefined ? '' : `<progress aria-label="how far this phase is" max="1" value="${done.toFixed(3)}"></progress> `}<span>${words.join(' · ')}</span>`
}

function tilesOf(progress: Progress, { rates }: Course): string {
  const { accepted, delivered, inFlight, waiting, refused, unanswered, otherOutcomes, result, answered } = progress
  const delays = result.count > 0 ? result : answered
  const what = result.count > 0 ? 'result' : 'answer'
  return tiles([
    [`${count(rates.of('planned'))}/s`, `planned now, ${count(progress.planned)} so far`],
    [`${count(rates.of('delivered'))}/s`, `delivered now, ${count(delivered)} so far`],
    [percent(delivered, accepted), 'of the accepted delivered'],
    [count(inFlight), `in flight, ${count(waiting)} for offline recipients`],
    [count(refused + unanswered + otherOutcomes), `not delivered: ${count(refused)} refused, ${count(unanswered)} unanswered`],
    [delays.count === 0 ? '–' : duration(delays.p50Us), `planned to ${what}, median so far`],
    [delays.count === 0 ? '–' : duration(delays.p99Us), `planned to ${what}, 99th percentile so far`],
  ])
}

function rateWords({ wantedPerSecond, held }: Progress): string {
  if (wantedPerSecond === undefined) return 'There is no load with a rate under way.'
  return `${held ? 'Held at' : 'Wanted:'} <b>${rate(wantedPerSecond)}</b>`
}

function nowOf({ submitP50Us, submitP99Us, submitMaxUs }: Progress): Pick<Delays, 'p50Us' | 'p99Us' | 'maxUs'> {
  return { p50Us: submitP50Us, p99Us: submitP99Us, maxUs: submitMaxUs }
}

function row(name: string, { count: times, p50Us, p90Us, p99Us, maxUs }: Delays, isWhole = true): string[] {
  const shown = (micros: number): string => (micros === 0 ? '–' : duration(micros))
  return [name, isWhole ? count(times) : '', shown(p50Us), isWhole ? shown(p90Us) : '', shown(p99Us), shown(maxUs)]
}

function secondsTable({ recent }: Course): string {
  const rows = recent.slice(-SECONDS_TOLD).reverse().map(({ fromSecond, phase, rates, inFlight, answerP99Us, resultP50Us, resultP99Us }) =>
    [`${fromSecond} s`, PHASE_NAMES[phase], ...[rates.planned, rates.accepted, rates.delivered, rates.notAccepted, rates.otherwise].map((perSecond) => `${count(perSecond)}/s`), count(inFlight), ...[answerP99Us, resultP50Us, resultP99Us].map((micros) => (micros === 0 ? '–' : duration(micros)))])
  return table(['since begin', '<phase', 'planned', 'accepted', 'delivered', 'not accepted', 'otherwise', 'in flight', 'answer p99', 'result p50', 'result p99'], rows, 'The last seconds')
}

/** What takes the place of the way when the run is over. */
export function resultPieces(record: RunRecord, report: string): Pieces {
  const { valid, reasons } = record.verdict
  return {
    phase: 'over',
    way: '',
    rate: 'The load is over.',
    result: `<div class="verdict ${valid ? 'good' : 'bad'}">${valid ? 'VALID' : 'INVALID'}</div>${list(reasons)}<p>${escapeText(answer(record))}</p><p>The report lies in <code>${escapeText(report)}</code></p>`,
  }
}
