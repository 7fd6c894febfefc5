/** Plans of experiments: which cells they make, which rules forbid some, in which order trials are performed, and what is wrong with a plan. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { decodeYaml, formatProblems } from '../../core/live/yaml-schema.js'
import { CheckedPlan } from '../../loadgen/experiment/checked-plan.js'
import { designOf, type Design } from '../../loadgen/experiment/design.js'
import { messageVersusSession } from '../../loadgen/experiment/message-vs-session.js'
import { blockOrder } from '../../loadgen/experiment/order.js'
import { ExperimentPlan } from '../../loadgen/experiment/plan-schema.js'

type Written = typeof ExperimentPlan.Encoded

function designed(written: Written): Design {
  const made = designOf(Schema.decodeUnknownSync(ExperimentPlan)(written))
  if (!made.ok) throw new Error(made.problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
  return made.design
}

const BINDINGS = { key: 'push.binding', levels: ['message', 'session'] } as const
const SIZES = { name: 'size', key: 'push.size', levels: ['400B', '1300B', '1301B'] } as const
/** What is wrong with a plan, as the command tells it. */
const problems = (text: string): string => {
  const decoded = decodeYaml(CheckedPlan, text, 'plan.yaml')
  return decoded.ok ? '' : formatProblems(decoded.problems)
}

describe('a factorial plan', () => {
  it('makes a cell of every combination, each a scenario with the keys of its levels', () => {
    const { cells, factors, base } = designed({ name: 'two', factors: [BINDINGS, SIZES] })
    expect(cells).toHaveLength(6)
    expect(cells.map(({ scenario: { push } }) => [push.binding, push.size])).toEqual([
      ['message', 400], ['message', 1_300], ['message', 1_301], ['session', 400], ['session', 1_300], ['session', 1_301],
    ])
    expect(new Set(cells.map(({ id }) => id)).size).toBe(6)
    expect(cells.every(({ scenario }) => scenario.gateway === base.gateway || JSON.stringify(scenario.gateway) === JSON.stringify(base.gateway))).toBe(true)
    expect(factors.map(({ name, levels }) => [name, levels.map(({ value }) => value)])).toEqual([['push.binding', [undefined, undefined]], ['size', [400, 1_300, 1_301]]])
  })

  it('sets several keys at one level, and keys of any depth', () => {
    const { cells } = designed({
      name: 'keys', factors: [
        { name: 'way', levels: [{ name: 'message', set: { 'push.binding': 'message' } }, { name: 'event', set: { 'push.binding': 'event', 'population.subscribing': '100%' } }] },
        { key: 'population.devicesPerSubscriber', name: 'devices', levels: [{ name: 'one', set: { 'population.devicesPerSubscriber': { 1: '60%', 2: '40%' } } }, { name: 'more', set: { 'population.devicesPerSubscriber.3': '90%' } }] },
      ],
    })
    expect(cells[2]!.scenario.population).toMatchObject({ subscribing: 1, devicesPerSubscriber: { 1: 0.6, 2: 0.4 } })
    expect(cells[1]!.scenario.population.devicesPerSubscriber).toEqual({ 1: 0.6, 2: 0.3, 3: 0.9 })
  })

  it('says of a cell that cannot be which rule forbids it, and leaves none blank', () => {
    const { cells } = designed({ name: 'udp', factors: [{ key: 'gateway.transport', levels: ['tcp', 'udp'] }, { key: 'push.binding', levels: ['message', 'session'] }, { key: 'push.size', levels: ['400B', '501B', '60001B'] }] })
    const rules = cells.map(({ scenario: { gateway, push }, infeasible }) => [gateway.transport, push.binding, push.size, infeasible?.rule])
    expect(rules.filter(([, , , rule]) => rule !== undefined)).toEqual([
      ['tcp', 'message', 60_001, 'push.size'], ['udp', 'message', 501, 'RFC 3428 section 8'], ['udp', 'message', 60_001, 'RFC 3428 section 8'],
    ])
    expect(cells.find(({ infeasible }) => infeasible?.rule === 'RFC 3428 section 8')!.infeasible!.words)
      .toBe('501 octets and a head of about 800 are more than the 1300 a MESSAGE may have where the gateway speaks UDP: it has to change transport or is refused')
    const terminals = designed({ name: 'access', factors: [{ key: 'terminals.transport', levels: ['tcp', 'udp'] }, { key: 'push.size', levels: ['300B', '1300B'] }], scenario: { push: { binding: 'message' } } })
    expect(terminals.cells.map(({ infeasible }) => infeasible?.rule)).toEqual([undefined, undefined, undefined, 'RFC 3428 section 8'])
  })

  it('knows the limit of a NOTIFY too', () => {
    const { cells } = designed({ name: 'notify', factors: [{ key: 'push.size', levels: ['65536B', '65537B'] }], scenario: { push: { binding: 'event' }, population: { subscribing: '50%' } } })
    expect(cells.map(({ infeasible }) => infeasible?.rule)).toEqual([undefined, 'selection.messageStreamMax'])
  })
})

describe('a plan that makes no experiment', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['a key no scenario has', 'name: x\nfactors:\n  - key: push.sizes\n    levels: [1B, 2B]\n', /plan\.yaml:4:\d+ factors\.0\.levels\.\d: push\.sizes: "push\.sizes" is no key of a scenario; known in push: notifications, contentType, size/],
    ['a level that is no value of its key', 'name: x\nfactors:\n  - key: push.size\n    levels: [64B, large]\n', /plan\.yaml:4:19 factors\.0\.levels\.1: push\.size: "large" is no size/],
    ['a single level', 'name: x\nfactors:\n  - key: push.size\n    levels: [64B]\n', /plan\.yaml:4:\d+ factors\.0\.levels: a factor needs two levels or more/],
    ['two levels of one name', 'name: x\nfactors:\n  - key: push.size\n    levels: [64B, 65B, 64B]\n', /there are two levels "64B"/],
    ['two factors of one name', 'name: x\nfactors:\n  - key: push.size\n    levels: [64B, 65B]\n  - key: push.size\n    levels: [64B, 65B]\n', /plan\.yaml:5:\d+ factors\.1: there are two factors "push\.size"/],
    ['plain levels without a key', 'name: x\nfactors:\n  - name: way\n    levels: [a, b]\n', /levels that are plain values need the key/],
    ['a scenario that is none', 'name: x\nscenario:\n  load:\n    rates: 5/s\nfactors:\n  - key: push.size\n    levels: [64B, 65B]\n', /plan\.yaml:4:\d+ scenario\.load\.rates: "load\.rates" is no key of a scenario; known in load: arrival, rate/],
    ['a scenario whose rules are broken in every cell', 'name: x\nscenario:\n  load:\n    duration: 10ms\nfactors:\n  - key: push.size\n    levels: [64B, 65B]\n', /plan\.yaml:4:\d+ scenario\.load\.duration: 10ms is too short to measure/],
    ['no trials', 'name: x\ntrials: 0\nfactors:\n  - key: push.size\n    levels: [64B, 65B]\n', /plan\.yaml:2:9 trials: 0 is not between 1 and 1000/],
    ['an unknown key', 'name: x\nfactor: []\n', /"factor" is not known here; did you mean "factors"\?/],
    ['too many cells', `name: x\nfactors:\n${Array.from({ length: 14 }, (_, index) => `  - name: f${index}\n    key: push.size\n    levels: [64B, 65B]\n`).join('')}`, /16384 cells are more than the 10000/],
  ]
  for (const [what, text, message] of cases) it(`is told what is wrong at its place: ${what}`, () => expect(problems(text)).toMatch(message))

  it('and the one in the documentation is right', () => {
    const [, plan] = /## Experiments\n[^]*?```yaml\n([^]*?)```/.exec(readFileSync(new URL('../../docs/measuring.md', import.meta.url), 'utf8'))!
    expect(problems(plan!)).toBe('')
  })

  it('and one that is right is told nothing', () => {
    expect(problems('name: x\nfactors:\n  - key: push.size\n    levels: [64B, 65B]\n')).toBe('')
  })
})

describe('the order of trials', () => {
  it('has every cell once in every block', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 30 }), fc.nat(), (cells, block, seed) => {
      expect([...blockOrder(cells, block, seed)].sort((a, b) => a - b)).toEqual(Array.from({ length: cells }, (_, cell) => cell))
    }))
  })

  it('favours no cell with any place, and follows from the seed', () => {
    const CELLS = 6
    const counts = Array.from({ length: CELLS }, () => new Array<number>(CELLS).fill(0))
    const BLOCKS = 3_000
    for (let block = 1; block <= BLOCKS; block++) blockOrder(CELLS, block, 11).forEach((cell, place) => { counts[cell]![place]!++ })
    // Pearson's statistic over 36 places has 25 degrees of freedom; a fair draw exceeds 52.6 in one of a thousand.
    const expected = BLOCKS / CELLS
    const chiSquare = counts.flat().reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    expect(chiSquare).toBeLessThan(52.6)
    expect(blockOrder(40, 3, 11)).toEqual(blockOrder(40, 3, 11))
    expect(blockOrder(40, 3, 11)).not.toEqual(blockOrder(40, 3, 12))
  })

  it('turns every second block of two cells around, and lets the seed say which begins', () => {
    const begins = new Set<number>()
    for (let pair = 0; pair < 20; pair++) {
      const first = blockOrder(2, 2 * pair + 1, 5)
      expect(blockOrder(2, 2 * pair + 2, 5)).toEqual([...first].reverse())
      begins.add(first[0]!)
    }
    expect(begins.size).toBe(2)
  })
})

describe('message-vs-session', () => {
  it('has five ways, the sizes around the limit of a MESSAGE, and rows of 1 to 50', () => {
    const { plan, wanted } = messageVersusSession(false, 1, undefined)
    const made = designOf(plan, wanted)
    expect(made.ok).toBe(true)
    const { factors, cells } = (made as { design: Design }).design
    expect(cells).toHaveLength(5 * 11 * 5)
    expect(factors[1]!.levels.map(({ value }) => value)).toEqual([64, 256, 1_024, 1_200, 1_300, 1_301, 4_096, 16_384, 57_344, 262_144, 1_048_576])
    expect(factors[2]!.levels.map(({ value }) => value)).toEqual([1, 2, 5, 10, 50])
    // What does not fit is the MESSAGE and the NOTIFY of 256 KiB and of 1 MiB, and each cell says why.
    const forbidden = cells.filter(({ infeasible }) => infeasible !== undefined)
    expect(forbidden).toHaveLength(2 * 2 * 5)
    expect(new Set(forbidden.map(({ infeasible }) => infeasible!.rule))).toEqual(new Set(['push.size', 'selection.messageStreamMax']))
  })

  it('is quick with sizes at one push in a row, and rows at one size', () => {
    const { plan, wanted } = messageVersusSession(true, 1, undefined)
    const { design } = designOf(plan, wanted) as { design: Design }
    const places = new Set(design.cells.map(({ levels: [, size, row] }) => `${design.factors[1]!.levels[size!]!.name} ${design.factors[2]!.levels[row!]!.name}`))
    expect([...places].sort()).toEqual(['1300B 1', '1300B 10', '1300B 3', '32KiB 1', '64B 1'])
    expect(design.cells.every(({ infeasible }) => infeasible === undefined)).toBe(true)
  })
})
