/** How late the generator is at 10,000 and at 20,000 planned arrivals a second, in its one thread, against a gateway that does nothing. */
import { join } from 'node:path'
import type { GeneratorLoad } from './children/generator-run.js'
import type { Lab } from './lab.js'
import type { Measured } from './rows.js'

/** Rows by their rate; the second is what one core must sustain. */
const RATES = [{ name: 'generator.lag.p99Us', perSecond: 10_000 }, { name: 'generator.lag20k.p99Us', perSecond: 20_000 }] as const
export const GENERATOR_ROWS: readonly string[] = RATES.map(({ name }) => name)
const WARM_UP_MICROS = 2_000_000
const LAG_MICROS = 10_000_000
const BARE_MICROS = 4_000_000
const REPEATS = 3

export async function benchGenerator(lab: Lab): Promise<Measured[]> {
  const gateway = lab.child('null-gateway')
  const port = await gateway.ask<number>('open')
  const measured: Measured[] = []
  for (const { name, perSecond } of RATES) measured.push(await lagAt(lab, port, name, perSecond))
  await gateway.stop()
  return measured
}

async function lagAt(lab: Lab, port: number, name: string, perSecond: number): Promise<Measured> {
  const values: number[] = []
  const floors: number[] = []
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const child = lab.child('generator-run')
    const load: GeneratorLoad = { port, perSecond, warmUpMicros: WARM_UP_MICROS, micros: LAG_MICROS, journal: join(lab.newFolder(), 'generator.journal') }
    values.push(await child.ask<number>('lag', load))
    floors.push(await child.ask<number>('bare', { ...load, micros: BARE_MICROS }))
    await child.stop()
    lab.progress(`generator at ${perSecond}/s, repeat ${repeat + 1} of ${REPEATS}: lag p99 ${values[repeat]} µs, bare ${floors[repeat]} µs`)
  }
  return { name, unit: 'µs', values, floors }
}
