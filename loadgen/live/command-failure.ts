/** Why a command ends with another exit code than 0, in words for people. The codes are those of the README's table. */
import { Data } from 'effect'

export const EXIT = { passed: 0, internal: 1, scenarioInvalid: 2, thresholdFailed: 3, runInvalid: 4, regression: 5, inconclusive: 6, hungUp: 129, interrupted: 130 } as const

export class CommandFailure extends Data.TaggedError('CommandFailure')<{
  readonly exitCode: (typeof EXIT)[keyof typeof EXIT]
  /** Goes to standard error; undefined when everything was said already. */
  readonly message: string
}> {}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
