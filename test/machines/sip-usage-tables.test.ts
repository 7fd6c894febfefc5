/** The tables of the dialog usages: every cell written, every state reachable and every end an end. Printed into docs/transactions.md with the others. */
import { describe, expect, it } from 'vitest'
import { BugError } from '../../core/kit/assert.js'
import type { Cell, Machine } from '../../core/sip/transaction-table.js'
import { step } from '../../core/sip/usage-table.js'
import { USAGE_MACHINES } from './sip-transactions-document.js'

const cellOf = (machine: Machine<string, string, string>, state: string, event: string): Cell<string, string> => machine.rows[state]![event]!

describe.each(USAGE_MACHINES.map((machine) => [machine.name, machine] as const))('the table of the %s', (_, machine) => {
  it('has a cell for every state and event, and reaches every state', () => {
    const reached = new Set([machine.states[0]!])
    for (const state of reached) for (const event of machine.events) {
      const cell = cellOf(machine, state, event)
      expect(cell, `${state} × ${event}`).toBeDefined()
      if (typeof cell !== 'string') reached.add(cell[0])
    }
    expect([...reached].sort()).toEqual([...machine.states].sort())
  })

  it('steps as written', () => {
    for (const state of machine.states) for (const event of machine.events) {
      const cell = cellOf(machine, state, event)
      if (cell === 'bug') expect(() => step(machine, state, event), `${state} × ${event}`).toThrow(BugError)
      else expect(step(machine, state, event), `${state} × ${event}`).toEqual(cell === 'ignore' ? undefined : cell)
    }
  })

  it('leaves a terminated usage terminated', () => {
    const end = machine.states.find((state) => state === 'terminated' || state === 'finished')
    if (end === undefined) return
    for (const event of machine.events) expect(typeof cellOf(machine, end, event), event).toBe('string')
  })
})
