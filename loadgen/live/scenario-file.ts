/**
 * A scenario file read and checked, and the resolved scenario written back: every key with its value, the seed among
 * them, so that a run can be repeated from its folder. Knows YAML and files.
 */
import { readFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { decodeYaml, type YamlDecoded } from '../../core/live/yaml-schema.js'
import { encodeScenario, type Scenario } from '../scenario.js'
import { CheckedScenario } from '../scenario-rules.js'

/** Rejects only when the file cannot be read; everything wrong in it comes back as problems with line and column. */
export async function readScenario(path: string): Promise<YamlDecoded<Scenario>> {
  return decodeYaml(CheckedScenario, await readFile(path, 'utf8'), path)
}

export function scenarioToYaml(scenario: Scenario): string {
  return stringify(encodeScenario(scenario), { lineWidth: 120 })
}
