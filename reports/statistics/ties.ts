/** Values that occur more than once: rank statistics vary less by them, each by a term of its own per group of equals. */

/** The sum of `term(size)` over all groups of equal values, groups of one included. Sorts the values. */
export function sumOverTies(values: Float64Array, term: (size: number) => number): number {
  values.sort()
  let sum = 0
  let start = 0
  for (let index = 1; index <= values.length; index++) {
    if (index < values.length && values[index] === values[start]) continue
    sum += term(index - start)
    start = index
  }
  return sum
}
