/**
 * PAP's date-time (WAP-247 section 8.2): exactly `YYYY-MM-DDThh:mm:ssZ` in UTC, to and from stored instants.
 * No fraction, no offset, no 24:00, no leap second, and only dates the calendar has.
 */
import { calendarOfWall, isCalendarDate, twoDigits, wallOfCalendar } from '../kit/calendar.js'
import type { WallMillis } from '../kit/time.js'

const FORMAT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

/** Undefined for anything but an existing UTC second of the years 0000 to 9999 in that format. */
export function parsePapTime(text: string): WallMillis | undefined {
  if (!FORMAT.test(text)) return undefined
  const year = twoDigitsAt(text, 0) * 100 + twoDigitsAt(text, 2)
  const month = twoDigitsAt(text, 5)
  const day = twoDigitsAt(text, 8)
  const hour = twoDigitsAt(text, 11)
  const minute = twoDigitsAt(text, 14)
  const second = twoDigitsAt(text, 17)
  if (!isCalendarDate(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined
  return wallOfCalendar({ year, month, day, hour, minute, second })
}

function twoDigitsAt(text: string, at: number): number {
  return (text.charCodeAt(at) - 0x30) * 10 + text.charCodeAt(at + 1) - 0x30
}

/** An instant of the years 0000 to 9999, milliseconds cut off. */
export function formatPapTime(wall: WallMillis): string {
  const time = calendarOfWall(wall)
  const year = time.year < 1000 ? String(time.year).padStart(4, '0') : `${time.year}`
  const date = `${year}-${twoDigits(time.month)}-${twoDigits(time.day)}`
  return `${date}T${twoDigits(time.hour)}:${twoDigits(time.minute)}:${twoDigits(time.second)}Z`
}
