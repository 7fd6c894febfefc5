/** The page of a plan: how many nodes and why, the staircase of subscribers, every figure with what it rests on, the models with their error, and what was predicted before it was measured. From answer.json alone. */
import { again, machineTable } from '../answer-tables.js'
import type { PlanAnswer, PlanModelRow } from '../answers/plan.js'
import { count, octets, rate, shareText, significant } from '../format.js'
import { figure, opening, section, sheet, tiles } from '../html.js'
import { forestPicture } from '../pictures/forest.js'
import { modelPicture } from '../pictures/model.js'
import { staircasePicture } from '../pictures/staircase.js'
import { tornadoPicture } from '../pictures/tornado.js'
import { intervalText, people, quantity } from '../quantity.js'
import { escapeText } from '../svg.js'
import { table } from '../table.js'

/** Within this the issue of a prediction counts as true. */
const PREDICTION_MARGIN = 0.1

/** The whole page as HTML text. */
export function renderPlanPage(answer: PlanAnswer): string {
  return sheet(`${answer.name} · plan · pushbench`, [
    header(answer), tiles(tilesOf(answer)),
    section('Subscribers and nodes', 'How many nodes so many subscribers take, with all else as planned.', figure(staircaseOf(answer), staircaseTable(answer))),
    section('What binds', 'Each node has a limited amount of each of these; whichever asks for the most nodes decides.', resourcesTable(answer)),
    section('Every figure', 'With what it rests on and how it was reckoned. “Extrapolated”: it goes beyond what was measured.', outputsTable(answer)),
    section('Which input matters', 'Nodes before rounding up, with one input a fifth smaller or larger and the others as planned.', figure(sensitivityOf(answer), sensitivityTable(answer))),
    section('Told before it was measured', answer.heldOut === undefined ? '' : escapeText(answer.heldOut.words), figure(predictionsOf(answer), predictionsTable(answer)) || predictionsTable(answer)),
    section('Models', 'A model is quoted with its error at points it was not fitted to; a red stem is what it is off by.', answer.models.map(modelFigure).join('')),
    section('Measurements', 'What the plan takes from the runs.', measurementsTable(answer)),
    section('Runs', '', runsTable(answer)),
    answer.disclosure === undefined ? '' : section('Disclosure', '', machineTable(answer.disclosure, [['not counted', answer.uncounted.length === 0 ? 'nothing is known to be left out' : answer.uncounted.join('; ')]])),
    again(answer.command, answer.planYaml),
  ])
}

function header(answer: PlanAnswer): string {
  const { nodes, constraint, subscribers, outputs } = answer
  const beyond = outputs.filter(({ extrapolated }) => extrapolated !== undefined).length
  const doubtful = answer.models.filter(({ verdict }) => verdict === 'does-not-hold').map(({ words }) => words)
  return opening({
    heading: answer.name, origin: `${answer.startedAt}${answer.disclosure === undefined ? '' : ` · pushbench ${answer.disclosure.pushbench}`}`,
    badge: nodes === undefined ? 'NOT MEASURED' : `${count(nodes.total)} NODES`, tone: nodes === undefined || doubtful.length > 0 ? 'open' : 'good',
    reasons: [
      ...(answer.why === undefined ? [] : [answer.why]), ...doubtful.map((words) => `a model does not hold: ${words}`),
      ...(beyond === 0 ? [] : [`${count(beyond)} of ${count(outputs.length)} figures are extrapolated beyond what was measured`]),
    ],
    sentences: [
      nodes === undefined ? '' : `${count(subscribers)} subscribers take ${count(nodes.needed)} nodes (${count(nodes.busyHour)} in the busy hour, ${count(nodes.campaign)} at the peak of the campaign) and ${count(nodes.spare)} to spare.`,
      constraint === undefined ? '' : `What binds: ${constraint.words}.`,
    ],
  })
}

function tilesOf({ nodes, outputs, subscribers }: PlanAnswer): [string, string][] {
  return [
    [people(subscribers), 'subscribers'], ...(nodes === undefined ? [] : [[count(nodes.total), 'nodes, spares included']] as [string, string][]),
    ...outputs.slice(0, 4).map((output): [string, string] => [quantity(output.value, output.unit), output.words]),
  ]
}

function staircaseOf({ staircase, subscribers, nodes }: PlanAnswer): string {
  if (nodes === undefined) return ''
  const flight = (value: (step: PlanAnswer['staircase'][number]) => number) => staircase.map((step, index): [number, number] => [index === 0 ? 0 : staircase[index - 1]!.subscribers, value(step)])
  const measured = staircase.filter(({ extrapolated }) => !extrapolated).map((step) => step.subscribers)
  const last = staircase[staircase.length - 1]?.subscribers
  return staircasePicture([
    { name: 'needed', className: 'c1', steps: flight((step) => step.nodes) }, { name: 'with spares', className: 'c3', steps: flight((step) => step.withSpares) },
  ], { subscribers, nodes: nodes.total }, last, measured.length === staircase.length ? undefined : Math.max(0, ...measured))
}

function staircaseTable({ staircase }: PlanAnswer): string {
  return table(['up to subscribers', 'nodes', 'with spares', '<what binds', '<measured'], staircase.map((step) => [count(step.subscribers), count(step.nodes), count(step.withSpares), step.constraint, step.extrapolated ? 'extrapolated' : 'yes']), 'Subscribers and nodes')
}

function resourcesTable({ resources, constraint }: PlanAnswer): string {
  return resources.length === 0 ? '' : table(['<resource', 'needed at the peak', 'one node has', 'nodes', '<binds', '<rests on'], resources.map(({ name, words, unit, demand, perNode, nodes, rests, extrapolated }) => [
    words, quantity(demand, unit), quantity(perNode, unit), count(nodes), name === constraint?.name ? 'yes' : '', `${rests.join(', ')}${extrapolated === undefined ? '' : `; extrapolated: ${extrapolated}`}`,
  ]), 'Resources and the nodes each asks for')
}

function outputsTable({ outputs }: PlanAnswer): string {
  return outputs.length === 0 ? '' : table(['<figure', 'value', 'interval', '<how', '<rests on'], outputs.map((output) => [
    output.words, quantity(output.value, output.unit), intervalText(output.low, output.high, output.unit), `${output.how}${output.extrapolated === undefined ? '' : `; extrapolated: ${output.extrapolated}`}`, output.rests.length === 0 ? 'the inputs alone' : output.rests.join(', '),
  ]), 'Every figure of the plan')
}

function sensitivityOf({ sensitivity, staircase, nodes }: PlanAnswer): string {
  const moving = sensitivity.filter(({ less, more }) => less.exactNodes !== more.exactNodes)
  if (nodes === undefined || staircase.length === 0) return ''
  // Between a fifth less and a fifth more lies the plan itself; by how much it is rounded up does not show here.
  const now = moving.length === 0 ? nodes.needed : moving.reduce((sum, { less, more }) => sum + (less.exactNodes + more.exactNodes) / 2, 0) / moving.length
  return tornadoPicture('Nodes with each input a fifth smaller or larger', moving.map(({ words, less, more }) => ({ name: words, less: less.exactNodes, more: more.exactNodes })), now, significant, 'nodes before rounding up')
}

function sensitivityTable({ sensitivity }: PlanAnswer): string {
  return table(['<input', '<key', 'a fifth less', 'nodes', 'a fifth more', 'nodes'], sensitivity.map(({ words, input, less, more }) => [words, input, significant(less.exactNodes), count(less.nodes), significant(more.exactNodes), count(more.nodes)]), 'Nodes by each input')
}

function predictionsOf({ heldOut }: PlanAnswer): string {
  const rows = (heldOut?.predictions ?? []).flatMap(({ words, predicted, mean, meanLow, meanHigh, holds }) => (mean === undefined || mean <= 0 || predicted <= 0 ? [] : [{
    name: words, ratio: predicted / mean, low: meanHigh === undefined || meanHigh <= 0 ? undefined : predicted / meanHigh, high: meanLow === undefined || meanLow <= 0 ? undefined : predicted / meanLow,
    finding: holds === true ? 'better' as const : 'worse' as const, words: holds === true ? 'holds' : 'does not hold',
  }]))
  return forestPicture('What was predicted, as a ratio to what was then measured', rows, 'predicted over measured', PREDICTION_MARGIN)
}

function predictionsTable({ heldOut }: PlanAnswer): string {
  return heldOut === undefined ? '' : table(['<what', 'predicted', 'interval', 'measured, mean', 'interval', 'trials', 'error', '<holds'], heldOut.predictions.map(({ words, unit, predicted, low, high, measured, mean, meanLow, meanHigh, error, holds }) => [
    words, quantity(predicted, unit), intervalText(low, high, unit), mean === undefined ? '–' : quantity(mean, unit), intervalText(meanLow, meanHigh, unit), String(measured.length),
    error === undefined ? '–' : shareText(error), holds === undefined ? 'not measured' : holds ? 'yes' : 'no',
  ]), 'What was told before it was measured')
}

function modelFigure(model: PlanModelRow): string {
  const { words, formula, along, points, unit, heldOutError, verdict } = model
  const error = heldOutError === undefined ? 'error unknown: no point to spare' : `error where not fitted: ${shareText(heldOutError)}${verdict === 'holds' ? '' : `, more than the ${shareText(model.tolerance)} allowed`}`
  const picture = modelPicture({
    name: `${words}: measured and by the model`, caption: along, error, xLabel: (value) => (value >= 1000 ? count(value) : String(Number(value.toPrecision(3)))), yLabel: (value) => quantity(value, unit),
    points: points.map(({ run, x, measured, fitted }) => ({ x, measured, fitted, title: `${run}: measured ${quantity(measured, unit)}, by the model ${quantity(fitted, unit)}` })),
  })
  return `<h3>${escapeText(words)}</h3><p class="soft">${escapeText(formula)}</p>${figure(picture, table(['<run', along, 'measured', 'model', 'off by'], points.map(({ run, x, measured, fitted }) => [
    run, String(Number(x.toPrecision(4))), quantity(measured, unit), quantity(fitted, unit), measured === 0 ? '–' : shareText(fitted / measured - 1),
  ]), `${words}: measured and by the model`))}`
}

function measurementsTable({ measurements }: PlanAnswer): string {
  return measurements.length === 0 ? '' : table(['<measurement', 'value', 'interval', '<model', '<measured in'], measurements.map((row) => [`${row.words} (${row.name})`, quantity(row.value, row.unit), intervalText(row.low, row.high, row.unit), row.model ?? '–', row.runs.join(', ')]), 'What was measured')
}

function runsTable({ runs }: PlanAnswer): string {
  return runs.length === 0 ? '' : table(['<record', 'seed', 'pushes', 'registrations', 'content', 'in sessions', 'registered', '<counts'], runs.map((run) => [
    run.file, String(run.seed), rate(run.pushesPerSecond), rate(run.registrationsPerSecond), octets(Math.round(run.octets)), shareText(run.sessions), count(run.registered), run.leftOut === undefined ? 'yes' : `no: ${run.leftOut}`,
  ]), 'The runs the plan rests on')
}
