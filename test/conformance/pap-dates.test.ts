/** Dates: the one format of PAP, the calendar behind it, and the text that SIP and HTTP headers carry. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calendarOfWall, isCalendarDate, rfc1123Text, wallOfCalendar } from '../../core/kit/calendar.js'
import { formatPapTime, parsePapTime } from '../../core/pap/dates.js'

const FIRST = Date.parse('0000-01-01T00:00:00Z')
const LAST = Date.parse('9999-12-31T23:59:59Z')
const seconds = fc.integer({ min: FIRST / 1000, max: LAST / 1000 }).map((value) => value * 1000)

describe('dates', () => {
  it('agree with the platform calendar for every second of the years 0 to 9999', () => {
    fc.assert(fc.property(seconds, (wall) => {
      expect(formatPapTime(wall)).toBe(`${new Date(wall).toISOString().slice(0, 19)}Z`)
      expect(parsePapTime(formatPapTime(wall))).toBe(wall)
      expect(wallOfCalendar(calendarOfWall(wall))).toBe(wall)
      expect(rfc1123Text(wall)).toBe(new Date(wall).toUTCString())
    }), { numRuns: 2000, examples: [[FIRST], [LAST], [0], [-1000], [Date.parse('2000-02-29T23:59:59Z')], [Date.parse('1900-03-01T00:00:00Z')]] })
  })

  it('cut milliseconds off, before and after 1970', () => {
    expect(formatPapTime(1_999)).toBe('1970-01-01T00:00:01Z')
    expect(formatPapTime(-1)).toBe('1969-12-31T23:59:59Z')
  })

  it('know which days exist', () => {
    const daysOf = (year: number, month: number) => Array.from({ length: 40 }, (_, day) => day).filter((day) => isCalendarDate(year, month, day)).length
    for (const year of [1900, 2000, 2023, 2024, 2100, 2400]) {
      for (let month = 0; month <= 13; month++) {
        const expected = month < 1 || month > 12 ? 0 : new Date(Date.UTC(year, month, 0)).getUTCDate()
        expect([year, month, daysOf(year, month)]).toEqual([year, month, expected])
      }
    }
  })

  it.each([
    '2026-02-31T00:00:00Z', '2023-02-29T00:00:00Z', '2026-00-01T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-00T00:00:00Z', '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z', '2026-01-01T00:00:60Z', '2026-01-01T00:00:00', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00+00:00', '2026-01-01 00:00:00Z',
    '2026-01-01t00:00:00z', ' 2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z\n', '26-01-01T00:00:00Z', '٢٠٢٦-01-01T00:00:00Z', '',
  ])('refuse %j', (text) => {
    expect(parsePapTime(text)).toBeUndefined()
  })
})
