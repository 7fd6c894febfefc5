/** Assertions that stay on in production. They guard our own logic; what comes from outside is answered, never asserted. */

/** Our own mistake. Reaching one is a bug in this project, whatever the input was. */
export class BugError extends Error {
  override readonly name = 'BugError'
}

export function bug(what: string): never {
  throw new BugError(what)
}

export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) bug(what)
}
