/** How many MESSAGEs a second one core parses and reads as a proxy must, beside decoding and cutting them into lines. */
import type { Lab } from './lab.js'
import type { Measured } from './rows.js'

const WARM_UP_MICROS = 1_500_000
const REPEAT_MICROS = 1_000_000
const REPEATS = 7

export async function benchParse(lab: Lab): Promise<Measured[]> {
  const child = lab.child('sip-parse')
  const values: number[] = []
  const floors: number[] = []
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    const micros = repeat < 0 ? WARM_UP_MICROS : REPEAT_MICROS
    const value = await child.ask<number>('parse', micros)
    const floor = await child.ask<number>('cut', micros)
    if (repeat < 0) continue
    values.push(value)
    floors.push(floor)
  }
  await child.stop()
  lab.progress(`parse: ${values.map((value) => `${(value / 1_000).toFixed(0)}k/s`).join(' ')}`)
  return [{ name: 'sip.parse.perSecond', unit: '1/s', values, floors }]
}
