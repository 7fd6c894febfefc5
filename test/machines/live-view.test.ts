/** What a terminal shows of a run in progress: it fits whatever the size and the figures, and only what changed is written. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Course, Rates } from '../../loadgen/live/course.js'
import { intervalLine, liveLines, type Screen } from '../../loadgen/live/live-view.js'
import { PHASES, type Phase, type Progress } from '../../loadgen/live/progress.js'
import { erase, redraw } from '../../loadgen/live/redraw.js'
import { widthOf } from '../../loadgen/text-style.js'
import { sampleProgress } from './sample-progress.js'
import { Terminal } from './terminal-emulator.js'

const TOOK = new Map<Phase, number>([['start', 1.2], ['register', 3.4], ['warm-up', 5]])
const SMALL: Screen = { columns: 80, rows: 24, colour: true }

function courseUntil(second: number): Course {
  const course = new Course()
  for (let at = 0; at <= second; at += 0.25) course.look(sampleProgress('load', at))
  return course
}

const lines = (progress: Progress, screen: Screen = SMALL, course = courseUntil(60)): string[] => liveLines({ progress, course, took: TOOK, hint: 'Ctrl-C ends the load and reports' }, screen)

describe('the live view', () => {
  it('fits a terminal of 80 by 24 in every phase and keeps its height from the load on', () => {
    const heights = PHASES.map((phase) => {
      const shown = lines(sampleProgress(phase))
      for (const line of shown) expect(widthOf(line), line).toBeLessThan(80)
      return shown.length
    })
    expect(new Set(heights)).toEqual(new Set([23]))
  })

  it('shows rates with bars of the last seconds, delays, parts, causes, phase and time left', () => {
    const text = lines(sampleProgress('load', 60), { ...SMALL, colour: false }).join('\n')
    expect(text).not.toContain('\x1b')
    for (const told of ['▸ load', '13 s left', '✔ register 3.4 s', '178/s', '▇', '11,988', 'in flight', 'p90', '3.00 ms', '135 ms', '52 %', '0.64 cores', '3 undeliverable: SIP 404', 'wanted 200/s']) expect(text).toContain(told)
  })

  it('gives way in 40 columns and on few rows, the course of the run before its details', () => {
    const narrow = lines(sampleProgress('load'), { columns: 40, rows: 24, colour: false }).join('\n')
    for (const told of ['▸ load', 'delivered', 'in flight', 'p99']) expect(narrow).toContain(told)
    const low = lines(sampleProgress('load'), { columns: 80, rows: 9, colour: false })
    expect(low.length).toBeLessThanOrEqual(8)
    expect(low.join('\n')).toContain('delivered')
  })

  it('is never wider or higher than the terminal, whatever the figures', () => {
    const figure = fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER), fc.constant(0))
    const share = fc.double({ min: 0, max: 5, noNaN: true })
    const changes = fc.record({
      phase: fc.constantFrom(...PHASES), scenario: fc.string({ maxLength: 100 }).map((text) => text.replace(/\p{C}/gu, '')), planned: figure, accepted: figure, refused: figure, unanswered: figure, delivered: figure, inFlight: figure, waiting: figure,
      submitP99Us: figure, elapsedSeconds: share, expectedSeconds: fc.option(figure, { nil: undefined }), leftSeconds: fc.option(figure, { nil: undefined }), wantedPerSecond: fc.option(share, { nil: undefined }),
      parts: fc.array(fc.record({ name: fc.constantFrom('IMS', 'gateway'), busy: share, cores: share, rssBytesMax: figure }), { maxLength: 6 }),
      causes: fc.array(fc.record({ words: fc.constantFrom('refused: PAP 2007', 'x'.repeat(200)), count: figure }), { maxLength: 12 }),
    })
    const screens = fc.record({ columns: fc.integer({ min: 2, max: 250 }), rows: fc.integer({ min: 2, max: 60 }), colour: fc.boolean() })
    const course = courseUntil(40)
    fc.assert(fc.property(changes, screens, (change, screen) => {
      course.look({ ...sampleProgress('load', 41), ...change })
      const shown = lines({ ...sampleProgress('load'), ...change }, screen, course)
      expect(shown.length).toBeLessThan(screen.rows)
      for (const line of shown) expect(widthOf(line), line).toBeLessThan(screen.columns)
    }))
  })
})

describe('redrawing', () => {
  it('writes the whole picture once, and then only the lines that changed', () => {
    const before = lines(sampleProgress('load', 60))
    const after = before.map((line, index) => (index === 6 ? line.replace('planned', 'PLANNED') : line))
    expect(redraw([], before).length).toBeGreaterThan(1_000)
    expect(redraw(before, before)).toBe('')
    expect(redraw(before, after).length).toBeLessThan(after[6]!.length + 40)
  })

  it('stays below 2 KiB for a frame of a run whose every figure moves', () => {
    const course = new Course()
    let shown: string[] = []
    for (let at = 0; at < 90; at += 0.25) {
      const progress = sampleProgress('load', at, { leftSeconds: 90 - at, elapsedSeconds: at, expectedSeconds: 90, inFlight: Math.round(50 + 40 * Math.sin(at)) })
      course.look(progress)
      const next = lines(progress, SMALL, course)
      if (at > 2) expect(Buffer.byteLength(redraw(shown, next))).toBeLessThan(2_048)
      shown = next
    }
  })

  it('leaves on the terminal exactly the lines it was given, however they follow each other', () => {
    const screens = fc.array(fc.array(fc.constantFrom('', 'one', 'two', '\x1b[1mthree\x1b[22m', 'a longer line of text'), { maxLength: 12 }), { minLength: 1, maxLength: 8 })
    fc.assert(fc.property(screens, (pictures) => {
      const terminal = new Terminal(40, 16)
      terminal.write('above\r\n')
      let shown: string[] = []
      for (const picture of pictures) {
        terminal.write(redraw(shown, picture))
        expect(terminal.text()).toBe(['above', ...picture.map((line) => line.replace(/\x1b\[\d+m/g, ''))].join('\n').trimEnd())
        shown = picture
      }
      terminal.write(erase(shown, 40))
      expect(terminal.text()).toBe('above')
    }))
  })
})

describe('rates', () => {
  it('are taken between instants at which a count changed, and end with a silence', () => {
    const rates = new Rates()
    for (const [at, planned] of [[0, 0], [0.25, 0], [0.5, 0], [0.75, 0], [1, 200], [1.25, 200], [2, 400]] as const) rates.look(sampleProgress('load', at, { planned }))
    expect(rates.of('planned')).toBe(200)
    rates.look(sampleProgress('load', 4, { planned: 400 }))
    expect(rates.of('planned')).toBe(0)
  })

  it('of a run of hours stay a bounded number of points, from its begin to its end, and as many pushes', () => {
    const course = new Course()
    for (let second = 0; second <= 7_200; second++) course.look(sampleProgress('load', second, { delivered: 100 * second }))
    const points = course.points()
    expect(points.length).toBeLessThanOrEqual(161)
    expect(points[0]!.fromSecond).toBe(0)
    expect(points.at(-1)!.fromSecond + points.at(-1)!.seconds).toBe(7_200)
    const pushes = points.reduce((sum, { rates, seconds }) => sum + rates.delivered * seconds, 0)
    expect(pushes / 720_000).toBeCloseTo(1, 2)
  })

  it('are told to logs in one line', () => {
    const rates = new Rates()
    expect(intervalLine(sampleProgress('load'), rates)).toBe('load 12 s: planned 0/s, accepted 0/s, delivered 0/s, in flight 12, answer p50 1.23 ms p99 12.3 ms, 13 s left')
    expect(intervalLine(sampleProgress('register'), rates)).toBe('register 12 s: 2,571 of 2,984 devices')
  })
})
