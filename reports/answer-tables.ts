/** Tables that the pages of several answers share: what it was measured on, which runs it rests on, how to do it again. */
import { octets } from './format.js'
import { folded, pre, section } from './html.js'
import type { Disclosure } from './record.js'
import { table } from './table.js'

export function machineTable(disclosure: typeof Disclosure.Type, further: readonly (readonly [string, string])[]): string {
  return table(['<disclosure', '<value'], [
    ['pushbench', `${disclosure.pushbench} at commit ${disclosure.commit}`],
    ['machine', `${disclosure.cpu}, ${disclosure.cores} cores, ${octets(disclosure.memoryBytes)}`],
    ['system', `${disclosure.kernel}, Node ${disclosure.node}`],
    ...further,
    ['deviations', disclosure.deviations.length === 0 ? 'none' : disclosure.deviations.join('; ')],
  ], 'What a reader needs to repeat or doubt this answer')
}

/** How to do it again, and the scenario behind it. */
export function again(command: string, scenarioYaml: string): string {
  return section('Do it again', 'The seed is in the command: the same trials are asked for in the same order.', pre(command) + folded('show the scenario', scenarioYaml))
}
