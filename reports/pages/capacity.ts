/** The page of a capacity answer: the rate and its interval first, then the load curve, every step against the limit, and the search itself. From answer.json alone. */
import { again, machineTable } from '../answer-tables.js'
import type { CapacityAnswer, CapacityTrialRow } from '../answers/capacity.js'
import { count, duration, percent, rate, shareText } from '../format.js'
import { figure, opening, section, sheet, tiles, type Tone } from '../html.js'
import { loadPicture } from '../pictures/load-curve.js'
import { JUDGED, JUDGEMENTS, ratesScale, stepsPicture, type Judgement, type Step } from '../pictures/steps.js'
import { STRIP, stripPicture } from '../pictures/trial-strip.js'
import { table } from '../table.js'

/** The whole page as HTML text. */
export function renderCapacityPage(answer: CapacityAnswer): string {
  const { capacity, limit, trials } = answer
  const steps = trials.filter(({ attempts }) => attempts > 0)
  const edge = steps.filter(({ phase }) => phase === 'edge')
  return sheet(`Capacity of ${answer.scenario} · ${badgeOf(answer).text} · pushbench`, [
    header(answer), tiles(tilesOf(answer)),
    section('Load, delivery and latency', 'Each mark is a trial: a complete fresh run at one rate. A cross failed the objective. Beyond the capacity the curve is measured, not extended.',
      figure(loadPicture(steps.map(loadPoint), capacity, answer.delayLimitUs), loadTable(steps))),
    section('Handled inadequately, by rate', `Failed or late, with the ${shareText(answer.level)} interval of each trial (Wilson). The limit is ${shareText(limit)}.`,
      figure(stepsPicture('Share of inadequately handled attempts at each rate, with intervals, against the limit', steps.map(stepOf), limit, capacity), stepsTable(steps))),
    section('The edge, closer', 'The same for the independent bisections alone, whose spread is the interval of the capacity.',
      figure(stepsPicture('Share of inadequately handled attempts at the rates of the independent bisections', edge.map(stepOf), limit, capacity), stepsTable(edge))),
    section('The search', 'Stairs until a rate fails, bisection until the bracket is narrow, then independent bisections with seeds of their own, then loads beyond the capacity.',
      figure(searchStrip(answer), trialsTable(trials))),
    answer.disclosure === undefined ? '' : section('Disclosure', '', machineTable(answer.disclosure, [
      ['scenario', `${answer.scenario}, seed ${answer.seed}`],
      ['objective', `at most ${shareText(limit)} of the attempts failed or late`],
      ['method', `bisection until a rate that failed is within ${shareText(answer.resolution - 1)} of one that passed; geometric mean over ${capacity?.replicates.length ?? 0} bisections, Student’s interval on the logarithm`],
    ])),
    again(answer.command, answer.scenarioYaml),
  ])
}

function badgeOf({ outcome, capacity, bound }: CapacityAnswer): { readonly text: string; readonly tone: Tone } {
  if (outcome === 'found' && capacity !== undefined) return { text: rate(capacity.perSecond), tone: 'good' }
  if (outcome === 'at-least' && bound !== undefined) return { text: `AT LEAST ${rate(bound)}`, tone: 'open' }
  if (outcome === 'at-most' && bound !== undefined) return { text: `LESS THAN ${rate(bound)}`, tone: 'bad' }
  return { text: 'NOT MEASURED', tone: 'open' }
}

function header(answer: CapacityAnswer): string {
  const { capacity } = answer
  const badge = badgeOf(answer)
  const found = capacity === undefined ? '' : `The design objective capacity is ${rate(capacity.perSecond)}: the highest load at which at most ${shareText(answer.limit)} of the attempts fail or come late. ${shareText(answer.level)} interval ${rate(capacity.low)} to ${rate(capacity.high)}, from ${capacity.replicates.length} independent bisections.`
  return opening({
    heading: `Capacity of ${answer.scenario}`, origin: `${answer.startedAt} · seed ${answer.seed}${answer.disclosure === undefined ? '' : ` · pushbench ${answer.disclosure.pushbench}`}`,
    badge: badge.text, tone: badge.tone, reasons: answer.why === undefined ? [] : [answer.why],
    sentences: [found, answer.constraint === undefined ? '' : `What gave way first: ${answer.constraint}.`],
  })
}

function tilesOf({ capacity, limit, trials, delayLimitUs }: CapacityAnswer): [string, string][] {
  const best = trials.filter(({ result }) => result === 'passed').reduce<CapacityTrialRow | undefined>((found, trial) => (found === undefined || trial.perSecond > found.perSecond ? trial : found), undefined)
  return [
    ...(capacity === undefined ? [] : [[rate(capacity.perSecond), 'capacity'], [`${rate(capacity.low).replace('/s', '')}–${rate(capacity.high)}`, 'its interval']] as [string, string][]),
    [shareText(limit), 'may fail or be late'],
    ...(delayLimitUs === undefined ? [] : [[duration(delayLimitUs), 'is in time']] as [string, string][]),
    ...(best === undefined ? [] : [[rate(best.perSecond), 'highest rate that passed'], [best.endToEndP99Us === undefined ? '–' : duration(best.endToEndP99Us), 'its 99th percentile']] as [string, string][]),
    [count(trials.length), 'trials'],
  ]
}

function judgementOf({ result }: CapacityTrialRow): Judgement {
  return result === 'passed' || result === 'failed' ? result : 'left out'
}

function loadPoint(trial: CapacityTrialRow): Parameters<typeof loadPicture>[0][number] {
  return { perSecond: trial.perSecond, deliveredPerSecond: trial.deliveredPerSecond, p50Us: trial.endToEndP50Us, p99Us: trial.endToEndP99Us, judgement: judgementOf(trial) }
}

function stepOf(trial: CapacityTrialRow): Step {
  return { perSecond: trial.perSecond, share: trial.inadequatelyHandled / trial.attempts, interval: trial.interval, judgement: judgementOf(trial) }
}

function searchStrip({ trials, capacity }: CapacityAnswer): string {
  const rates = ratesScale(trials.map(({ perSecond }) => perSecond), STRIP)
  // The same steps of the logarithm, upright.
  const width = STRIP.width - STRIP.right - STRIP.left
  const height = STRIP.height - STRIP.bottom - STRIP.top
  const y = { ticks: rates.ticks, at: (perSecond: number) => STRIP.height - STRIP.bottom - ((rates.at(perSecond) - STRIP.left) / width) * height }
  const judgements = trials.map(judgementOf)
  return stripPicture({
    name: 'The rate of each trial in the order of the search', y, label: rate,
    trials: trials.map((trial) => ({ value: trial.perSecond, ...JUDGED[judgementOf(trial)], title: `${trial.phase}, ${rate(trial.perSecond)}: ${trial.result}` })),
    entries: JUDGEMENTS.filter((name) => judgements.includes(name)).map((name) => ({ name, ...JUDGED[name] })),
    ...(capacity === undefined ? {} : { level: { at: capacity.perSecond, low: capacity.low, high: capacity.high, name: `DOC ${rate(capacity.perSecond)}` } }),
  })
}

function byRate(trials: readonly CapacityTrialRow[]): CapacityTrialRow[] {
  return [...trials].sort((a, b) => a.perSecond - b.perSecond)
}

function loadTable(trials: readonly CapacityTrialRow[]): string {
  return table(['offered', '<result', 'delivered', 'not accepted', 'e2e p50', 'e2e p99', '<busiest part'], byRate(trials).map((trial) => [
    rate(trial.perSecond), trial.result, rate(trial.deliveredPerSecond), shareText(trial.refusedShare),
    trial.endToEndP50Us === undefined ? '–' : duration(trial.endToEndP50Us), trial.endToEndP99Us === undefined ? '–' : duration(trial.endToEndP99Us),
    trial.busiest === undefined ? '–' : `${trial.busiest.part}, ${Math.round(100 * trial.busiest.share)} % of its loop`,
  ]), 'Load, delivery and latency of each trial, by rate')
}

function stepsTable(trials: readonly CapacityTrialRow[]): string {
  return table(['offered', '<result', 'attempts', 'IHS', 'share', 'interval from', 'to'], byRate(trials).map((trial) => [
    rate(trial.perSecond), trial.result, count(trial.attempts), count(trial.inadequatelyHandled), percent(trial.inadequatelyHandled, trial.attempts),
    trial.interval === undefined ? '–' : shareText(trial.interval.low), trial.interval === undefined ? '–' : shareText(trial.interval.high),
  ]), 'Inadequately handled attempts of each trial, by rate')
}

function trialsTable(trials: readonly CapacityTrialRow[]): string {
  return table(['trial', '<phase', 'offered', 'seed', '<result', '<why', '<folder'], trials.map((trial, index) => [
    String(index + 1), trial.replicate === undefined ? trial.phase : `${trial.phase} ${trial.replicate}`, rate(trial.perSecond), String(trial.seed), trial.result, trial.why ?? '', `trials/${trial.id}/`,
  ]), 'The trials in their order')
}
