/**
 * A bound on what a test's world does in one go: machines that answer each other for ever, at one instant or by ever so small
 * steps of time, fail their test with a word of what they were at, instead of hanging it. Knows no machine.
 */

/** Far above what any test's world does between two calls of the test, and soon done. */
const STEPS_MAX = 20_000

/**
 * Called at each round of a loop that ends when there is nothing left to do; throws when it has gone round too often.
 * @param pending what is under way, for people
 */
export function mustSettle(steps: number, pending: () => string): void {
  if (steps > STEPS_MAX) throw new Error(`did not settle after ${STEPS_MAX} steps: ${pending()}`)
}
