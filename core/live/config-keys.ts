/** The words a configuration's schema is written in: keys with defaults and descriptions, counts, texts of a form. Knows no key. */
import * as Schema from 'effect/Schema'

/** A key with its default as it would be written, and the description editors show. A group whose default is `{}` has each key's own. */
export function key<A, I>(schema: Schema.Schema<A, I>, written: I, description: string) {
  const value = Schema.decodeSync(schema)(written)
  return Schema.optionalWith(schema, { default: () => value }).annotations({ description })
}

export const count = (to: number) => Schema.Int.pipe(Schema.between(1, to, { message: (issue) => `${String(issue.actual)} is no whole number from 1 to ${to}` }))

export const pattern = (regExp: RegExp, what: string) =>
  Schema.String.pipe(Schema.pattern(regExp, { message: (issue) => `"${String(issue.actual)}" is not right here: write ${what}` }))
