/** What the schemas of files that people write are made of: keys with defaults, and numbers with their limits. Knows no file. */
import { Schema } from 'effect'

/** A key with its default, written as in YAML, and the description that editors and templates show. A group of keys whose default is `{}` has each key's own. */
export function key<A, I>(schema: Schema.Schema<A, I>, written: I, description: string) {
  const value = Schema.decodeSync(schema)(written)
  return Schema.optionalWith(schema, { default: () => value }).annotations({ description })
}

/** A number within limits, both included. */
export const between = (least: number, most: number) =>
  Schema.Number.pipe(Schema.between(least, most, { message: (issue) => `${String(issue.actual)} is not between ${least} and ${most}` }))

/** A whole number within limits, both included. */
export const countBetween = (least: number, most: number) =>
  Schema.Int.pipe(Schema.between(least, most, { message: (issue) => `${String(issue.actual)} is not between ${least} and ${most}` }))
