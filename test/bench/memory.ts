/** Memory of 100,000 bindings in the core and of 50,000 registered terminals in one process, a fresh process for each repeat. */
import type { Lab } from './lab.js'
import type { Measured } from './rows.js'

const KINDS = [
  { name: 'ims.binding.bytes', word: 'binding', count: 100_000 },
  { name: 'terminal.idle.bytes', word: 'terminal', count: 50_000 },
] as const
const REPEATS = 3
/** Memory hardly differs from one repeat to the next: a slow machine may leave the later ones out. */
const BUDGET_MILLIS = 40_000

export async function benchMemory(lab: Lab): Promise<Measured[]> {
  const measured: Measured[] = []
  for (const { name, word, count } of KINDS) {
    const values: number[] = []
    const until = Date.now() + BUDGET_MILLIS
    for (let repeat = 0; repeat < REPEATS && (repeat === 0 || Date.now() < until); repeat++) {
      const child = lab.child('memory', ['--expose-gc'])
      values.push(await child.ask<number>(word, count))
      await child.stop()
      lab.progress(`${name}, repeat ${repeat + 1} of ${REPEATS}: ${values[repeat]!.toFixed(0)}`)
    }
    measured.push({ name, unit: 'bytes', values, floors: [] })
  }
  return measured
}
