/** The page of an experiment: where one mode overtakes another, the course of every measure, effects with their intervals, latency by mode, and every trial. From answer.json alone. */
import { again, machineTable } from '../answer-tables.js'
import type { ExperimentAnswer, ExperimentTrialRow } from '../answers/experiment.js'
import { count, rate, shareText, times } from '../format.js'
import { figure, foldedTable, opening, section, sheet, tiles } from '../html.js'
import { ecdfPicture, ecdfTable } from '../pictures/ecdf.js'
import { forestPicture, type ForestRow } from '../pictures/forest.js'
import { STRIP, stripPicture } from '../pictures/trial-strip.js'
import { chanceText } from '../quantity.js'
import { escapeText, logScale, niceTicks } from '../svg.js'
import { table } from '../table.js'
import { alongFigures, crossoverSentence, crossoversTable, foundIn } from './experiment-along.js'
import { classOf, combinations, levelName, modeFactor, responseText, settingText } from './experiment-words.js'

/** Overall effects are few; of those at single settings only so many are drawn, and all are in the table. */
const EFFECTS_DRAWN_MAX = 40
const ECDFS_MAX = 3

/** The whole page as HTML text. */
export function renderExperimentPage(answer: ExperimentAnswer): string {
  return sheet(`${answer.name} · experiment · pushbench`, [
    header(answer), tiles(tilesOf(answer)),
    section('Where the better one changes', 'A crossover is told with all quantities that the data do not exclude.', crossoversTable(answer)),
    section('Along the quantities', `Means over trials with ${shareText(answer.level)} intervals; shaded upright: where a crossover may lie.`, alongFigures(answer)),
    section('Effects', 'How many times as large a measure is at one level as at another. Corrected for the number of effects that are looked at (Holm).', figure(forestPicture('Effects as ratios with their intervals', drawnEffects(answer), 'ratio between the levels'), effectsTable(answer))),
    distributions(answer),
    section('The trials', 'Each trial against the mean of its cell, in the order in which they were performed: a drift of the machine would be a slope. On the ground line: trials that do not count.', figure(stripOf(answer), trialsTable(answer))),
    section('Cells', 'What was measured in each cell, and which rule forbids those that could not be.', foldedTable(`show the ${answer.cells.length} cells`, cellsTable(answer))),
    answer.disclosure === undefined ? '' : section('Disclosure', '', machineTable(answer.disclosure, [
      ['plan', `${answer.cells.length} cells in ${answer.blocks} blocks, each cell once in every block, in an order drawn from seed ${answer.seed}`],
      ['equal', answer.equal === 'load' ? 'every trial offered the same load' : 'every trial ran at the highest rate that keeps the objective'],
    ])),
    again(answer.command, answer.scenarioYaml),
  ])
}

function header(answer: ExperimentAnswer): string {
  const invalid = answer.trials.filter(({ valid }) => !valid)
  return opening({
    heading: answer.name, origin: `${answer.startedAt} · seed ${answer.seed}${answer.disclosure === undefined ? '' : ` · pushbench ${answer.disclosure.pushbench}`}`,
    badge: answer.complete ? 'COMPLETE' : 'STOPPED', tone: answer.complete ? 'good' : 'open',
    reasons: [
      ...(answer.complete ? [] : ['The work was stopped before its last trial: what follows rests on what there is.']),
      ...(invalid.length === 0 ? [] : [`${count(invalid.length)} of ${count(answer.trials.length)} trials do not count; the first: ${invalid[0]!.why ?? 'no reason is given'}`]),
    ],
    sentences: foundIn(answer).slice(0, 4).map((crossover) => crossoverSentence(answer, crossover)),
  })
}

function tilesOf(answer: ExperimentAnswer): [string, string][] {
  const { cells, trials, blocks, factors } = answer
  return [
    [String(factors.length), 'factors'], [count(cells.filter(({ measured }) => Object.keys(measured).length > 0).length), 'cells measured'], [count(cells.filter(({ infeasible }) => infeasible !== undefined).length), 'cells a rule forbids'],
    [String(blocks), 'blocks'], [`${count(trials.filter(({ counted }) => counted).length)} / ${count(trials.length)}`, 'trials that count'], [String(foundIn(answer).length), 'crossovers found'],
  ]
}

type Effect = ExperimentAnswer['effects'][number]

function drawnEffects(answer: ExperimentAnswer): ForestRow[] {
  const overall = answer.effects.filter(({ at }) => at === undefined)
  return (overall.length > 0 ? overall : answer.effects).slice(0, EFFECTS_DRAWN_MAX).map((effect) => ({
    group: answer.responses.find(({ name }) => name === effect.response)?.words ?? effect.response, name: effectName(answer, effect), ratio: effect.ratio, low: effect.low, high: effect.high, finding: effect.verdict,
  }))
}

function effectName(answer: ExperimentAnswer, { factor, level, against, at }: Effect): string {
  return `${levelName(answer, factor, level)} / ${levelName(answer, factor, against)}${at === undefined ? '' : `, ${settingText(answer, at)}`}`
}

function effectsTable(answer: ExperimentAnswer): string {
  return table(['<measure', '<levels', '<at', 'ratio', 'from', 'to', 'blocks', 'p, corrected', '<verdict'], answer.effects.map((effect) => [
    effect.response, `${levelName(answer, effect.factor, effect.level)} / ${levelName(answer, effect.factor, effect.against)}`, effect.at === undefined ? 'all' : settingText(answer, effect.at),
    times(effect.ratio), effect.low === undefined ? '–' : times(effect.low), effect.high === undefined ? '–' : times(effect.high), String(effect.blocks),
    chanceText(effect.adjustedPValue), effect.verdict,
  ]), 'Effects of each factor on each measure')
}

/** Latency by mode at the first, the middle and the last setting of the other factors that has any. */
function distributions(answer: ExperimentAnswer): string {
  const mode = modeFactor(answer)
  const settings = combinations(answer, mode).filter(({ cells }) => cells.some(({ endToEnd }) => endToEnd !== undefined && endToEnd.length > 0))
  const chosen = settings.length <= ECDFS_MAX ? settings : [settings[0]!, settings[Math.floor(settings.length / 2)]!, settings[settings.length - 1]!]
  return section('Latency by mode', `The share of pushes at their terminal within each time. The band holds the whole true curve with ${shareText(answer.level)} certainty (DKW), counting trials and not pushes, which is why it is wide. Thin: the other modes.`, chosen.map(({ setting, cells }) => {
    const modes = cells.map((cell) => ({
      name: levelName(answer, mode, cell.levels[mode]!), className: classOf(cell.levels[mode]!), points: cell.endToEnd ?? [],
      trials: answer.trials.filter(({ cell: id, counted }) => counted && id === cell.id).length,
    }))
    const words = settingText(answer, setting)
    return (words === '' ? '' : `<h3>${escapeText(words)}</h3>`) + figure(ecdfPicture(`Distribution of latency end to end by ${answer.factors[mode]!.name}`, modes, answer.level), ecdfTable(modes, answer.level))
  }).join(''))
}

function stripOf(answer: ExperimentAnswer): string {
  const [response] = answer.responses
  if (response === undefined) return ''
  const mode = modeFactor(answer)
  const cells = new Map(answer.cells.map((cell) => [cell.id, cell]))
  const ratioOf = ({ cell, measures, counted }: ExperimentTrialRow): number | undefined => {
    const mean = cells.get(cell)?.measured[response.name]?.mean
    const value = measures[response.name]
    return counted && mean !== undefined && mean > 0 && value !== undefined && value > 0 ? value / mean : undefined
  }
  const ratios = answer.trials.flatMap((trial) => ratioOf(trial) ?? [])
  if (ratios.length === 0) return ''
  const low = Math.min(0.9, ...ratios) / 1.02
  const high = Math.max(1.1, ...ratios) * 1.02
  const y = { at: logScale(low, high, STRIP.height - STRIP.bottom, STRIP.top).at, ticks: niceTicks(low, high, 5) }
  const levels = answer.factors[mode]?.levels ?? []
  return stripPicture({
    name: `${response.words}: each trial against the mean of its cell`, y, label: (value) => `${Number(value.toPrecision(3))} ×`,
    entries: levels.map(({ name }, level) => ({ name, className: classOf(level), shape: 'dot' as const })), level: { at: 1, low: 1, high: 1, name: `${response.words}, mean of the cell` },
    trials: answer.trials.map((trial) => {
      const value = ratioOf(trial)
      const level = cells.get(trial.cell)?.levels[mode] ?? 0
      return { value, shape: value === undefined ? 'cross' : 'dot', className: value === undefined ? 'bad' : classOf(level), title: `${trial.cell}, block ${trial.block}: ${value === undefined ? trial.why ?? 'not measured' : times(value)}` }
    }),
  })
}

function trialsTable(answer: ExperimentAnswer): string {
  const shown = answer.responses.slice(0, 3)
  return table(['trial', '<cell', 'block', 'offered', 'seed', ...shown.map(({ words }) => words), '<counts'], answer.trials.map((trial, index) => [
    String(index + 1), trial.cell, String(trial.block), rate(trial.perSecond), String(trial.seed),
    ...shown.map((response) => { const value = trial.measures[response.name]; return value === undefined ? '–' : responseText(response, value) }), trial.counted ? 'yes' : `no: ${trial.why ?? 'not the one its cell rests on'}`,
  ]), 'The trials in their order')
}

function cellsTable(answer: ExperimentAnswer): string {
  const shown = answer.responses.slice(0, 6)
  return table([...answer.factors.map(({ name }) => `<${name}`), ...shown.map(({ words }) => words), '<why not'], answer.cells.map((cell) => [
    ...answer.factors.map((_, factor) => levelName(answer, factor, cell.levels[factor]!)),
    ...shown.map((response) => { const estimate = cell.measured[response.name]; return estimate === undefined ? '–' : responseText(response, estimate.mean) }),
    cell.infeasible === undefined ? '' : `${cell.infeasible.words} (${cell.infeasible.rule})`,
  ]), 'The cells of the plan')
}
