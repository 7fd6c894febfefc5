/** Scenarios that come with pushbench, each a commented file of its own: their names, what they are for, and where they lie. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Effect, Option } from 'effect'
import { Options } from '@effect/cli'
import { nearest } from '../../core/live/nearest.js'
import type { Scenario } from '../scenario.js'
import { CommandFailure, EXIT, messageOf } from './command-failure.js'
import { ROOT } from './machine.js'
import { fromFile } from './scenario-choice.js'

/** In the order in which help shows them. */
export const PRESETS = ['after-etsi-186-008', 'campaign', 'register-storm', 'subscribe-storm', 'offline-flush', 'night-expiry', 'soak'] as const
export type Preset = (typeof PRESETS)[number]

export const presetOption = Options.text('preset').pipe(
  Options.withDescription(`One of the scenarios that come with pushbench: ${PRESETS.join(', ')}.`), Options.optional,
)

export function presetPath(preset: Preset): string {
  return fileURLToPath(new URL(`docs/presets/${preset}.yaml`, ROOT))
}

/** The preset of this name; undefined when none was asked for. */
export function choosePreset(name: Option.Option<string>): Effect.Effect<Preset | undefined, CommandFailure> {
  if (Option.isNone(name)) return Effect.succeed(undefined)
  const preset = PRESETS.find((each) => each === name.value)
  if (preset !== undefined) return Effect.succeed(preset)
  const near = nearest(name.value, PRESETS)
  return Effect.fail(new CommandFailure({ exitCode: EXIT.internal, message: `there is no preset "${name.value}"; ${near === undefined ? `there are ${PRESETS.join(', ')}` : `did you mean "${near}"?`}` }))
}

export function presetScenario(preset: Preset): Effect.Effect<Scenario, CommandFailure> {
  return fromFile(presetPath(preset))
}

/** The file as it is, comments and all. */
export function presetText(preset: Preset): Effect.Effect<string, CommandFailure> {
  return Effect.tryPromise({
    try: () => readFile(presetPath(preset), 'utf8'),
    catch: (error) => new CommandFailure({ exitCode: EXIT.internal, message: `the preset ${preset} cannot be read: ${messageOf(error)}` }),
  })
}
