/** What the end-to-end tests of `pushbench run` share: a scenario of a few seconds with wide limits, and what its run left behind. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Schema } from 'effect'
import type { ScenarioWritten } from '../../loadgen/scenario.js'
import { RunRecord } from '../../reports/record.js'

const WIDE = { delayLimit: '30s' }

export const SMALL: ScenarioWritten = {
  name: 'small',
  seed: 7,
  load: { rate: '40/s', warmUp: '1s', duration: '4s', drainMax: '40s' },
  traffic: {
    online: { share: '50%', ...WIDE }, fanOut: { share: '20%', ...WIDE }, gruu: { share: '10%', ...WIDE },
    offlineReturns: { share: '10%', ...WIDE }, expires: { share: '5%', lifetime: '20s', ...WIDE }, duplicate: { share: '5%', ...WIDE },
  },
  population: { subscribers: 120, returning: { share: '20%', on: '1s', off: '2s' } },
  terminals: { reference: 2, registrationRate: '200/s' },
  objective: { lagShare: '100%' },
}

/** The small scenario with these groups in place of its own, as the text of a scenario file. */
export function small(changes: Partial<ScenarioWritten> = {}): string {
  return JSON.stringify({ ...SMALL, ...changes })
}

/** An interval line of the load; on a busy machine not every second has one. */
export const LOADING = /^load \d+ s:/m

export const recordIn = (run: string): RunRecord => Schema.decodeUnknownSync(RunRecord)(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')))
export const pageIn = (run: string): string => readFileSync(join(run, 'report.html'), 'utf8')
