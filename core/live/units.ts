/**
 * Quantities as people write them in a scenario or configuration: "30s", "500/s", "1 MiB", "5%". Each is a schema from the text to
 * one number with a fixed unit, and back to the shortest text that means the same. Knows units, not what they measure.
 */
import * as ParseResult from 'effect/ParseResult'
import * as Schema from 'effect/Schema'

const NUMBER_AND_UNIT = /^(\d+(?:\.\d+)?)\s*([a-zA-Zµ%/]+)$/

export type Units = readonly (readonly [name: string, factor: number])[]

const DURATION_UNITS: Units = [['us', 1], ['ms', 1_000], ['s', 1_000_000], ['m', 60_000_000], ['h', 3_600_000_000]]
export const DURATION_NAMES: Units = [...DURATION_UNITS, ['µs', 1], ['sec', 1_000_000], ['min', 60_000_000]]
export const RATE_UNITS: Units = [['/s', 1], ['/min', 1 / 60], ['/h', 1 / 3600]]
export const SIZE_UNITS: Units = [['B', 1], ['kB', 1_000], ['KiB', 1_024], ['MB', 1_000_000], ['MiB', 1_048_576]]
export const SHARE_UNITS: Units = [['%', 0.01]]

/** The number in base units, or undefined when the text is not a number with one of the units. */
export function parseQuantity(text: string, units: Units): number | undefined {
  const match = NUMBER_AND_UNIT.exec(text.trim())
  const factor = match === null ? undefined : units.find(([name]) => name === match[2])?.[1]
  return factor === undefined ? undefined : Number(match![1]) * factor
}

/** The number in the largest unit that leaves at most three decimals, for reading back what was resolved. */
export function formatQuantity(value: number, units: Units): string {
  for (let index = units.length - 1; index > 0; index--) {
    const [name, factor] = units[index]!
    const scaled = value / factor
    if (scaled >= 1 && Number.isInteger(Math.round(scaled * 1e9) / 1e9)) return `${Math.round(scaled * 1e9) / 1e9}${name}`
  }
  const [name, factor] = units[0]!
  return `${Number((value / factor).toPrecision(12))}${name}`
}

function quantity(what: string, units: Units, names: Units, example: string, round: boolean) {
  const text = Schema.String.annotations({
    identifier: what[0]!.toUpperCase() + what.slice(1),
    description: `a ${what}: a number and a unit (${names.map(([name]) => name).join(', ')}), such as ${example}`,
    jsonSchema: { type: 'string', pattern: `^\\s*\\d+(\\.\\d+)?\\s*(${names.map(([name]) => name).join('|')})\\s*$`, examples: [example.split(' or ')[0]!.replaceAll('"', '')] },
  })
  return Schema.transformOrFail(text, Schema.Number, {
    strict: true,
    decode: (written, _options, ast) => {
      const value = parseQuantity(written, names)
      return value === undefined
        ? ParseResult.fail(new ParseResult.Type(ast, written, `"${written}" is no ${what}: write a number and a unit, such as ${example}`))
        : ParseResult.succeed(round ? Math.round(value) : value)
    },
    encode: (value) => ParseResult.succeed(formatQuantity(value, units)),
  })
}

/** Integer microseconds, from "500ms", "30s", "10m", "2h". */
export const Duration = quantity('duration', DURATION_UNITS, DURATION_NAMES, '"500ms" or "30s"', true)

/** Events per second, from "200/s", "6000/min". */
export const Rate = quantity('rate', RATE_UNITS.slice(0, 1), RATE_UNITS, '"200/s" or "6000/min"', false)

/** Octets, from "512 B", "1 KiB". */
export const Size = quantity('size', SIZE_UNITS.filter(([name]) => name !== 'kB' && name !== 'MB'), SIZE_UNITS, '"512 B" or "1 KiB"', true)

/** A proportion between 0 and 1, from "0%" to "100%". */
export const Share = quantity('share', SHARE_UNITS, SHARE_UNITS, '"60%"', false).pipe(
  Schema.filter((value) => value <= 1 || `${formatQuantity(value, SHARE_UNITS)} is more than 100%`),
)

export const formatDuration = (micros: number): string => formatQuantity(micros, DURATION_UNITS)
export const formatShare = (share: number): string => formatQuantity(share, SHARE_UNITS)
