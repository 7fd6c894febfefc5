/**
 * Reads what a plan is to rest on: runs, folders of runs, and the answers of capacity searches with their trials. What is torn or foreign is
 * named by the reader of records. Knows files, not what is made of them.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Either, Schema } from 'effect'
import { CapacityAnswer } from '../../reports/answers/capacity.js'
import { Size } from '../../core/live/units.js'
import { decodeYaml } from '../../core/live/yaml-schema.js'
import type { CapacityEvidence, Evidence, RunEvidence } from '../plan/evidence.js'
import { CheckedScenario } from '../scenario-rules.js'
import { messageOf } from './command-failure.js'
import { readSide, RecordError } from './record-reader.js'

const ANSWER = 'answer.json'

/** Rejects with a RecordError, in words for people. */
export async function readEvidence(paths: readonly string[]): Promise<Evidence> {
  const runs: RunEvidence[] = []
  const capacities: CapacityEvidence[] = []
  for (const path of paths) {
    const capacity = await capacityAt(path)
    if (capacity !== undefined) capacities.push(capacity)
    // An answer by itself is enough of a capacity; its trials may lie elsewhere by now.
    if (capacity !== undefined && path.endsWith('.json')) continue
    for (const { file, record, scenario } of (await readSide(path)).runs) {
      const octets = Schema.decodeUnknownEither(Size)(scenario.get('push.size'))
      if (Either.isLeft(octets)) throw new RecordError(`${file}: the scenario in it does not tell push.size; run it again with this version`)
      runs.push({ file, record, octets: octets.right })
    }
  }
  return { runs, capacities }
}

async function capacityAt(path: string): Promise<CapacityEvidence | undefined> {
  const file = path.endsWith('.json') ? path : join(path, ANSWER)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    return undefined
  }
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (error) {
    // A torn record is named by whoever reads records, with its line.
    if (path.endsWith('.json')) return undefined
    throw new RecordError(`${file}: the answer is torn: ${messageOf(error)}; go on with that search by --resume`)
  }
  if (typeof data !== 'object' || data === null || !('kind' in data) || data.kind !== 'capacity') return undefined
  const answer = Schema.decodeUnknownEither(CapacityAnswer)(data)
  if (Either.isLeft(answer)) throw new RecordError(`${file}: this answer cannot be read by this version: ${messageOf(answer.left)}`)
  const scenario = decodeYaml(CheckedScenario, answer.right.scenarioYaml, file)
  if (!scenario.ok) throw new RecordError(`${file}: the scenario in it cannot be read by this version`)
  return { file, answer: answer.right, octets: scenario.value.push.size, plain: scenario.value.traffic.online.share }
}
