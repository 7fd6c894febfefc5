/** Which scenario a command is about: the file that was named, or the reference scenario; wrong files are told with line and column. */
import { Effect, Option } from 'effect'
import { formatProblems } from '../../core/live/yaml-schema.js'
import { REFERENCE_SCENARIO } from '../reference-scenario.js'
import { SEED_MAX, type Scenario } from '../scenario.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { readScenario } from './scenario-file.js'

export function chooseScenario(file: Option.Option<string>, seed: Option.Option<number>): Effect.Effect<Scenario, CommandFailure> {
  return Effect.gen(function* () {
    const scenario = Option.isNone(file) ? REFERENCE_SCENARIO : yield* fromFile(file.value)
    return yield* seeded(scenario, seed)
  })
}

/** With the seed of the command line, where there is one. */
export function seeded(scenario: Scenario, seed: Option.Option<number>): Effect.Effect<Scenario, CommandFailure> {
  return Effect.gen(function* () {
    if (Option.isNone(seed)) return scenario
    if (seed.value < 0 || seed.value > SEED_MAX) return yield* Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: `--seed ${seed.value} is not between 0 and ${SEED_MAX}` }))
    return { ...scenario, seed: seed.value }
  })
}

/** Wrong files are told with line and column. */
export function fromFile(path: string): Effect.Effect<Scenario, CommandFailure> {
  return Effect.tryPromise({
    try: () => readScenario(path),
    catch: (error) => new CommandFailure({ exitCode: EXIT.scenarioInvalid, message: `${path} cannot be read: ${messageOf(error)}` }),
  }).pipe(Effect.flatMap((decoded) => (decoded.ok
    ? Effect.succeed(decoded.value)
    : Effect.fail(new CommandFailure({ exitCode: EXIT.scenarioInvalid, message: formatProblems(decoded.problems) })))))
}
