/** The four transaction tables: complete, reachable, run by the runner as written, and printed into docs/transactions.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { BugError } from '../../core/kit/assert.js'
import { DEFAULT_TIMERS, TIMERS, lengthMicros } from '../../core/sip/timers.js'
import { ACTIONS, type Cell, compile, type Machine } from '../../core/sip/transaction-table.js'
import { MACHINES } from '../../core/sip/transaction-tables.js'
import { Transaction, type TransactionOwner, TransactionRunner } from '../../core/sip/transaction-runner.js'
import { transactionsDocument } from './sip-transactions-document.js'

type AnyMachine = Machine<string, string>
const machines = MACHINES as unknown as readonly AnyMachine[]
const now = { mono: 0, wall: 0 }

class Probe extends Transaction {
  readonly heard: string[] = []
  standIn: Probe | undefined
  readonly owner: TransactionOwner<Probe> = {
    send: (_now, _probe, bits) => void this.heard.push(...ACTIONS.filter((action, index) => / (request|ACK|CANCEL|response|100)$/.test(action) && (bits & (1 << index)) !== 0)),
    release: (probe) => {
      this.heard.push('release')
      return (this.standIn = new Probe(probe.machine, probe.reliable))
    },
    tell: () => void this.heard.push('tell'),
    ended: () => void this.heard.push('ended'),
  }
}

const cellOf = (machine: AnyMachine, state: string, event: string): Cell<string> => machine.rows[state]![event]!

/** The shortest way from the first state to each, as events. */
function ways(machine: AnyMachine): Map<string, string[]> {
  const found = new Map<string, string[]>([[machine.states[0]!, []]])
  for (const [state, way] of found) {
    for (const event of machine.events) {
      const cell = cellOf(machine, state, event)
      if (typeof cell !== 'string' && !found.has(cell[0])) found.set(cell[0], [...way, event])
    }
  }
  return found
}

describe.each(machines.map((machine) => [machine.name, machine] as const))('the %s table', (_, machine) => {
  const compiled = compile(machine)

  it('has a cell for every state and event, and reaches every state', () => {
    for (const state of machine.states) for (const event of machine.events) expect(cellOf(machine, state, event), `${state} × ${event}`).toBeDefined()
    expect([...ways(machine).keys()].sort()).toEqual([...machine.states].sort())
  })

  it('lists actions in the order they are carried out, and starts only timers it hears', () => {
    for (const state of machine.states) for (const event of machine.events) {
      const cell = cellOf(machine, state, event)
      if (typeof cell === 'string') continue
      const order = cell.slice(1).map((action) => (ACTIONS as readonly string[]).indexOf(action))
      expect(order, `${state} × ${event}`).toEqual([...order].sort((a, b) => a - b))
      for (const action of cell.slice(1)) if (action.startsWith('start ')) expect(machine.events).toContain(action.replace('start', 'timer'))
    }
  })

  it.each([['UDP', false], ['a reliable transport', true]])('is run cell by cell over %s', (_transport, reliable) => {
    let visited = 0
    for (const [state, way] of ways(machine)) for (const event of machine.events) {
      const runner = new TransactionRunner(DEFAULT_TIMERS)
      let probe = new Probe(compiled, reliable)
      for (const step of way) {
        if (probe.isTerminated) break
        runner.dispatch(now, probe, machine.events.indexOf(step))
        probe = probe.standIn ?? probe
      }
      // Over a reliable transport some states are left as they are entered: put it there as a saved state would.
      probe.state = machine.states.indexOf(state)
      probe.heard.length = 0
      const cell = cellOf(machine, state, event)
      visited++
      if (cell === 'bug') {
        expect(() => runner.dispatch(now, probe, machine.events.indexOf(event)), `${state} × ${event}`).toThrow(BugError)
        continue
      }
      runner.dispatch(now, probe, machine.events.indexOf(event))
      const timed = probe.standIn ?? probe
      if (cell === 'ignore') {
        expect([machine.states[timed.state], probe.heard], `${state} × ${event}`).toEqual([state, []])
        continue
      }
      const [to, ...actions] = cell
      const zero = reliable && actions.some((action) => TIMERS.some((timer) => action === `start ${timer.name}` && timer.reliable === '0'))
      const ends = zero || to === 'terminated'
      expect(machine.states[timed.state], `${state} × ${event}`).toBe(ends ? 'terminated' : to)
      const expected: string[] = actions.filter((action) => / (request|ACK|CANCEL|response|100)$/.test(action) && !/^start/.test(action))
      if (actions.includes('release') && !reliable) expected.push('release')
      if (ends) expected.push('ended')
      if (actions.includes('tell')) expected.push('tell')
      expect(probe.heard, `${state} × ${event}`).toEqual(expected)
      expect(runner.deadline() === Infinity || !ends, `${state} × ${event}: nothing stays armed behind the end`).toBe(true)
    }
    expect(visited).toBe(machine.states.length * machine.events.length)
  })
})

describe('the runner', () => {
  it('lets a failure be heard on the next tick, though a later timer is armed, and only once', () => {
    const runner = new TransactionRunner(DEFAULT_TIMERS)
    const machine = machines[1]!
    const probe = new Probe(compile(machine), false)
    runner.dispatch(now, probe, machine.events.indexOf('request'))
    expect(runner.deadline()).toBe(DEFAULT_TIMERS.t1)
    runner.fail(now, probe)
    expect([runner.deadline(), probe.heard]).toEqual([0, ['send request']])
    runner.tick(now)
    expect([runner.deadline(), probe.heard]).toEqual([Infinity, ['send request', 'ended', 'tell']])
  })
})

describe('the timer table', () => {
  it('has the values of RFC 3261 appendix A', () => {
    const seconds = TIMERS.map(({ name, udp, reliable }) => [name, lengthMicros(udp, DEFAULT_TIMERS) / 1e6, lengthMicros(reliable, DEFAULT_TIMERS) / 1e6])
    expect(seconds).toEqual([
      ['A', 0.5, Infinity], ['B', 32, 32], ['D', 32, 0], ['E', 0.5, Infinity], ['F', 32, 32], ['G', 0.5, Infinity], ['H', 32, 32], ['I', 5, 0],
      ['J', 32, 0], ['K', 5, 0], ['L', 32, 32], ['M', 32, 32], ['late 100', 3.5, 3.5], ['expiry', 32, 32],
    ])
  })
})

describe('docs/transactions.md', () => {
  it('is what the tables print (UPDATE_DOCS=1 with this test writes it)', () => {
    const path = fileURLToPath(new URL('../../docs/transactions.md', import.meta.url))
    if (process.env.UPDATE_DOCS === '1') writeFileSync(path, transactionsDocument())
    expect(readFileSync(path, 'utf8')).toBe(transactionsDocument())
  })
})
