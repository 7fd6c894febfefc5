/**
 * The proleptic Gregorian calendar in UTC, as arithmetic: instants to year, month, day and back, and the texts of
 * dates that headers carry. It reads no clock and knows no time zone and no leap second.
 */
import type { WallMillis } from './time.js'

/** A UTC date and time of day. `month` is 1 to 12, `day` 1 to 31. */
export interface CalendarTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const MILLIS_PER_DAY = 86_400_000
const DAYS_PER_ERA = 146_097
/** Days from 0000-03-01 to 1970-01-01. Years are counted from March, so that a leap day ends a year. */
const DAYS_TO_EPOCH = 719_468

const WEEKDAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Two digits with a leading zero, for 0 to 99. */
export function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : `${value}`
}

/** Days from 1970-01-01 to a date that exists (negative before). */
export function daysOfDate(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * DAYS_PER_ERA + dayOfEra - DAYS_TO_EPOCH
}

/** Whether the calendar has that date: month lengths and leap years count. */
export function isCalendarDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false
  const leapDay = month === 2 && (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)) ? 1 : 0
  return day <= MONTH_DAYS[month - 1]! + leapDay
}

/** The instant of a date that exists; whole seconds. */
export function wallOfCalendar(time: CalendarTime): WallMillis {
  const seconds = (time.hour * 60 + time.minute) * 60 + time.second
  return daysOfDate(time.year, time.month, time.day) * MILLIS_PER_DAY + seconds * 1000
}

/** The UTC date and time of an instant, milliseconds cut off. */
export function calendarOfWall(wall: WallMillis): CalendarTime {
  const days = Math.floor(wall / MILLIS_PER_DAY)
  const secondOfDay = Math.floor((wall - days * MILLIS_PER_DAY) / 1000)
  const sinceMarch = days + DAYS_TO_EPOCH
  const era = Math.floor(sinceMarch / DAYS_PER_ERA)
  const dayOfEra = sinceMarch - era * DAYS_PER_ERA
  const leapsOfEra = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leapsOfEra) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return {
    year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
    hour: Math.floor(secondOfDay / 3600),
    minute: Math.floor(secondOfDay / 60) % 60,
    second: secondOfDay % 60,
  }
}

/** The date of SIP and HTTP headers (RFC 1123 in GMT; RFC 3261 section 20.17), e.g. `Sat, 14 Mar 2026 07:30:00 GMT`. Years 0 to 9999. */
export function rfc1123Text(wall: WallMillis): string {
  const time = calendarOfWall(wall)
  const days = Math.floor(wall / MILLIS_PER_DAY)
  const weekday = WEEKDAYS[((days % 7) + 7) % 7]!
  const date = `${twoDigits(time.day)} ${MONTHS[time.month - 1]!} ${String(time.year).padStart(4, '0')}`
  return `${weekday}, ${date} ${twoDigits(time.hour)}:${twoDigits(time.minute)}:${twoDigits(time.second)} GMT`
}
