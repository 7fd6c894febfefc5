/** Prints the timer table, the four transaction tables and the tables of the dialog usages above them as Markdown: docs/transactions.md. */
import { INVITE_USAGE_MACHINES } from '../../core/sip/invite-tables.js'
import { SUBSCRIPTION_MACHINES } from '../../core/sip/subscription-tables.js'
import { DEFAULT_TIMERS, TIMERS, type TimerLength, lengthMicros } from '../../core/sip/timers.js'
import type { Cell, Machine } from '../../core/sip/transaction-table.js'
import { MACHINES } from '../../core/sip/transaction-tables.js'

export function transactionsDocument(): string {
  const parts = [
    '# SIP transactions',
    'Printed from `core/sip/timers.ts` and `core/sip/transaction-tables.ts` by `test/machines/sip-transaction-tables.test.ts`; do not edit by hand. '
    + 'To print again after a change: `UPDATE_DOCS=1 npx vitest run test/machines/sip-transaction-tables.test.ts`.',
    '## Timers',
    table(['Timer', 'UDP', 'TCP, TLS, same process', 'What for', 'Source'], TIMERS.map(({ name, udp, reliable, meaning, source }) => [name, length(udp), length(reliable), meaning, source])),
    'A cell names the next state and what is done on the way, in that order. `·` is ignored; `✗` cannot happen and stops the program as a bug of its own.',
    ...(MACHINES as unknown as readonly Machine<string, string, string>[]).map(machineText),
    '# Dialog usages',
    'What stands above the transactions: INVITE sessions (`core/sip/invite-tables.ts`) and subscriptions (`core/sip/subscription-tables.ts`), in the same notation. '
    + 'A usage is forgotten in its last state; what still arrives for it there has no effect.',
    ...USAGE_MACHINES.map(machineText),
  ]
  return `${parts.join('\n\n')}\n`
}

export const USAGE_MACHINES = [...INVITE_USAGE_MACHINES, ...SUBSCRIPTION_MACHINES] as unknown as readonly Machine<string, string, string>[]

function length(text: TimerLength): string {
  const micros = lengthMicros(text, DEFAULT_TIMERS)
  return text === 'none' || text === '0' ? text : `${text.replace('*', '\\*')} (${micros / 1_000_000} s)`
}

function machineText({ name, source, states, events, rows }: Machine<string, string, string>): string {
  const lines = events.map((event) => [`**${event}**`, ...states.map((state) => cellText(state, rows[state]![event]!))])
  return `## ${name}\n\n${source}\n\n${table(['', ...states], lines)}`
}

function cellText(state: string, cell: Cell<string, string>): string {
  if (cell === 'ignore') return '·'
  if (cell === 'bug') return '✗'
  const [to, ...actions] = cell
  const target = to === state ? 'stays' : `→ **${to}**`
  return actions.length === 0 ? target : `${target}: ${actions.join(', ')}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
