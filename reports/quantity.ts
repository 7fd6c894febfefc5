/** A quantity with its unit as people read it. Knows units, not what is measured in them. */
import { count, duration, octets, rate, shareText, significant } from './format.js'

/** `share`: 0 to 1, shown in percent; `cores`: processors kept busy; `money`: whatever unit the price was given in. */
export type QuantityUnit = 'count' | 'perSecond' | 'micros' | 'seconds' | 'octets' | 'octetsPerSecond' | 'cores' | 'share' | 'cpuSeconds' | 'money'

export function quantity(value: number, unit: QuantityUnit): string {
  switch (unit) {
    case 'count': return Number.isInteger(value) || value >= 1000 ? count(value) : significant(value)
    case 'perSecond': return rate(value)
    case 'micros': return duration(value)
    case 'seconds': return duration(value * 1e6)
    case 'octets': return octets(Math.round(value))
    case 'octetsPerSecond': return `${octets(Math.round(value))}/s`
    case 'cores': return `${significant(value)} cores`
    case 'share': return shareText(value)
    case 'cpuSeconds': return `${value >= 1000 ? count(value) : significant(value)} CPU s`
    case 'money': return value.toFixed(2)
  }
}

/** `1.20 ms to 1.40 ms`; a dash where there is none. */
export function intervalText(low: number | undefined, high: number | undefined, unit: QuantityUnit): string {
  return low === undefined || high === undefined ? '–' : `${quantity(low, unit)} to ${quantity(high, unit)}`
}

/** A p value after correction. */
export function chanceText(pValue: number | undefined): string {
  if (pValue === undefined) return '–'
  return pValue < 0.001 ? '< 0.001' : pValue.toFixed(3)
}

/** `1.20 million`; below a million as it is. */
export function people(number: number): string {
  return number >= 1e6 ? `${Number((number / 1e6).toPrecision(3))} million` : count(number)
}
