/** Numbers as people read them: units, three significant digits, thin thousands. Knows text, not what is measured. */
import type { Threshold } from './record.js'

/** Microseconds with the unit that fits: `87 µs`, `4.12 ms`, `1.30 s`, `2 min 05 s`. */
export function duration(micros: number): string {
  if (micros < 1_000) return `${Math.round(micros)} µs`
  if (micros < 1_000_000) return `${significant(micros / 1_000)} ms`
  if (micros < 120_000_000) return `${significant(micros / 1_000_000)} s`
  const seconds = Math.round(micros / 1_000_000)
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}

/** Octets with a binary unit: `812 B`, `1.30 MiB`. */
export function octets(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = count
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return unit === 0 ? `${count} B` : `${significant(value)} ${units[unit]}`
}

/** A count with thousands set apart by a comma. */
export function count(value: number): string {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ',')
}

const DEMANDS = { '<': 'less than', '<=': 'at most', '>': 'more than', '>=': 'at least' } as const

/** A threshold's result: `duplicated copies: 2 copies, at most 0 copies are allowed`. */
export function thresholdText({ name, measured, limit, unit, comparison = '<=' }: (typeof Threshold)['Type']): string {
  const space = unit === '' ? '' : ' '
  return `${name}: ${measured === undefined ? 'not measured' : `${measured}${space}${unit}`}, ${DEMANDS[comparison]} ${limit}${space}${unit} ${comparison === '<=' ? 'are allowed' : 'are wanted'}`
}

/** A rate per second: `200/s`, `12.5/s`. */
export function rate(perSecond: number): string {
  return perSecond >= 100 ? `${count(perSecond)}/s` : `${significant(perSecond)}/s`
}

/** A share of a whole; never rounds a failure away: 9,999 of 10,000 is `99.99 %`, all of them `100 %`, none `0 %`. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '–'
  if (part === whole) return '100 %'
  if (part === 0) return '0 %'
  const share = (100 * part) / whole
  for (let digits = 2; digits <= 6; digits++) {
    const text = share.toFixed(digits)
    if (Number(text) !== 100 && Number(text) !== 0) return `${text} %`
  }
  return share > 50 ? '> 99.999999 %' : '< 0.000001 %'
}

/** A share of 1 as a percentage with as many digits as it needs, up to three: `0.1 %`, `12.5 %`. */
export function shareText(share: number): string {
  return share === 0 ? '0 %' : `${Number((100 * share).toPrecision(3))} %`
}

/** How many times as large: `1.25 ×`. */
export function times(ratio: number): string {
  return `${significant(ratio)} ×`
}

/** Three significant digits without an exponent; zeros behind the point stay, so that columns line up. */
export function significant(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)
}
