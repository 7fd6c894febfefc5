/**
 * SIP-date: RFC 3261 section 20.17, the GMT form of RFC 1123 and nothing else. Calendar arithmetic of its own, because the
 * pure rooms have no `Date`.
 */
import type { WallMillis } from '../kit/time.js'
import { type HeaderText, composed } from './header-text.js'

const WEEKDAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (...) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/
const MILLIS_PER_DAY = 86_400_000

/** The instant of a Date header field; undefined when it is malformed, in another zone, or no day of the calendar. The weekday's name is not compared. */
export function parseDate(text: string): WallMillis | undefined {
  const parts = DATE.exec(text)
  if (parts === null) return undefined
  const [, day, monthName, year, hour, minute, second] = parts
  const month = MONTHS.indexOf(monthName!)
  const days = daysOf(Number(year), month, Number(day))
  if (month < 0 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59 || civil(days).day !== Number(day)) return undefined
  return days * MILLIS_PER_DAY + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000
}

/** The instant as a Date header field, whole seconds. */
export function formatDate(wall: WallMillis): HeaderText {
  const days = Math.floor(wall / MILLIS_PER_DAY)
  const seconds = Math.floor((wall - days * MILLIS_PER_DAY) / 1_000)
  const { year, month, day } = civil(days)
  const time = `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return composed(`${WEEKDAYS[((days % 7) + 7) % 7]!}, ${two(day)} ${MONTHS[month]!} ${String(year).padStart(4, '0')} ${time} GMT`)
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number)
}

/** Days since 1970-01-01 of a day in the Gregorian calendar; `month` from 0. Years are counted from March, so the leap day comes last. */
function daysOf(year: number, month: number, day: number): number {
  const fromMarch = (month + 10) % 12
  const y = fromMarch >= 10 ? year - 1 : year
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + Math.floor((153 * fromMarch + 2) / 5) + day - 719_469
}

function civil(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = (fromMarch + 2) % 12
  return { year: yearOfEra + era * 400 + (month < 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1 }
}
