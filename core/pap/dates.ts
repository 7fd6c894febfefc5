/**
 * PAP's date-time (WAP-247 section 8.2): exactly `YYYY-MM-DDThh:mm:ssZ` in UTC, to and from stored instants.
 * No fraction, no offset, no 24:00, no leap second, and only dates the calendar has.
 */
import { calendarOfWall, isCalendarDate, twoDigits, wallOfCalendar } from '../kit/calendar.js'
import type { WallMillis } from '../kit/time.js'

const FORMAT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/

/** Undefined for anything but an existing UTC second of the years 0000 to 9999 in that format. */
export function parsePapTime(text: string): WallMillis | undefined {
  const parts = FORMAT.exec(text)
  if (parts === null) return undefined
  const year = Number(parts[1])
  const month = Number(parts[2])
  const day = Number(parts[3])
  const hour = Number(parts[4])
  const minute = Number(parts[5])
  const second = Number(parts[6])
  if (!isCalendarDate(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined
  return wallOfCalendar({ year, month, day, hour, minute, second })
}

/** An instant of the years 0000 to 9999, milliseconds cut off. */
export function formatPapTime(wall: WallMillis): string {
  const time = calendarOfWall(wall)
  const year = time.year < 1000 ? String(time.year).padStart(4, '0') : `${time.year}`
  const date = `${year}-${twoDigits(time.month)}-${twoDigits(time.day)}`
  return `${date}T${twoDigits(time.hour)}:${twoDigits(time.minute)}:${twoDigits(time.second)}Z`
}
