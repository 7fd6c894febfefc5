/** The live driver: inputs in order, outputs drained, one timer, one end of turn however many inputs came. */
import { describe, expect, it } from 'vitest'
import type { Machine, Tick } from '../../core/kit/machine.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { monoMicros } from '../../core/live/clock.js'
import { Pump } from '../../core/live/pump.js'
import { until } from './until.js'

type In = Tick | { readonly type: 'say'; readonly word: string }

/** Answers each word with its capital letters and holds an alarm; remembers when it was told what. */
class Parrot implements Machine<In, string> {
  readonly heard: { readonly word: string; readonly now: Now }[] = []
  alarm: Micros = Infinity
  private readonly outputs: string[] = []

  handle(now: Now, input: In): void {
    this.heard.push({ word: input.type === 'tick' ? 'tick' : input.word, now })
    if (input.type === 'say') this.outputs.push(input.word.toUpperCase(), input.word.toUpperCase())
    else if (this.alarm <= now.mono) this.alarm = Infinity
  }

  poll(): string | undefined {
    return this.outputs.shift()
  }

  deadline(): Micros {
    return this.alarm
  }
}

describe('the pump', () => {
  it('finishes one input, outputs included, before it hands over the next, even one that an output caused', () => {
    const parrot = new Parrot()
    const outputs: string[] = []
    const pump: Pump<In, string> = new Pump<In, string>(parrot, (output) => {
      outputs.push(output)
      if (outputs.length === 1) pump.input({ type: 'say', word: 'caused' })
    }, () => {})
    pump.input({ type: 'say', word: 'first' })
    expect(outputs).toEqual(['FIRST', 'FIRST', 'CAUSED', 'CAUSED'])
    expect(parrot.heard.map((entry) => entry.word)).toEqual(['first', 'caused'])
    pump.stop()
  })

  it('ends a turn once, after all inputs of that turn of the event loop', async () => {
    const parrot = new Parrot()
    let ends = 0
    await new Promise<void>((resolve) => {
      const pump = new Pump<In, string>(parrot, () => {}, () => {
        ends += 1
        expect(parrot.heard.length).toBe(100)
        resolve()
      })
      for (let index = 0; index < 100; index++) pump.input({ type: 'say', word: `${index}` })
    })
    expect(ends).toBe(1)
  })

  it('wakes the machine at its deadline, never before it', async () => {
    const parrot = new Parrot()
    const pump = new Pump<In, string>(parrot, () => {}, () => {})
    for (const waitMicros of [300, 1_700, 12_345]) {
      const at = monoMicros() + waitMicros
      parrot.alarm = at
      const before = parrot.heard.length
      pump.input({ type: 'say', word: 'set' })
      await until(() => parrot.alarm === Infinity)
      const ticks = parrot.heard.slice(before).filter((entry) => entry.word === 'tick')
      expect(ticks.length).toBe(1)
      expect(ticks[0]!.now.mono).toBeGreaterThanOrEqual(at)
    }
    pump.stop()
  })

  it('does not spin on a deadline that stays in the past', async () => {
    const parrot = new Parrot()
    const pump = new Pump<In, string>({
      handle: (now, input) => parrot.handle(now, input),
      poll: () => parrot.poll(),
      deadline: () => 0,
    }, () => {}, () => {})
    const from = monoMicros()
    pump.start()
    await new Promise<void>((resolve) => { setTimeout(resolve, 50) })
    pump.stop()
    const millis = (monoMicros() - from) / 1_000
    expect(parrot.heard.length).toBeLessThanOrEqual(millis + 2)
  })

  it('moves its timer to an earlier deadline and keeps silent after stop', async () => {
    const parrot = new Parrot()
    const pump = new Pump<In, string>(parrot, () => {}, () => {})
    parrot.alarm = monoMicros() + 60_000_000
    pump.input({ type: 'say', word: 'late' })
    await new Promise<void>((resolve) => { setImmediate(resolve) })
    parrot.alarm = monoMicros() + 2_000
    pump.input({ type: 'say', word: 'soon' })
    await until(() => parrot.alarm === Infinity)
    pump.stop()
    const heard = parrot.heard.length
    pump.input({ type: 'say', word: 'after' })
    expect(parrot.heard.length).toBe(heard)
  })
})
