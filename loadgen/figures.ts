/** A figure as people read it, by the unit of its metric. Knows units, not metrics. */
import { count, duration, octets, rate, significant } from '../reports/format.js'
import type { Unit } from './metrics.js'

export function figure(value: number, unit: Unit): string {
  switch (unit) {
    case 'micros': return duration(value)
    case 'share': return value === 0 ? '0 %' : `${significant(100 * value)} %`
    case 'perSecond': return rate(value)
    case 'octets': return octets(Math.round(value))
    case 'count': return Number.isInteger(value) ? count(value) : significant(value)
  }
}
