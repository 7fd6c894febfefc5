/** The machine a run is made on: what the disclosure says of it, free ports, and how fast it is against the one the scenarios were made for. */
import { execFileSync } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { cpus, release, totalmem, type } from 'node:os'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { monoMicros } from '../../core/live/clock.js'
import { decodeSubmission } from '../../core/pap/submission.js'
import { DEFAULT_SCENARIO } from '../scenario.js'
import { SubmissionTemplate } from '../submission.js'

/** Where package.json is: one level further up from the compiled file than from its source. */
export const ROOT = [new URL('../../', import.meta.url), new URL('../../../', import.meta.url)].find((place) => existsSync(new URL('package.json', place))) ?? new URL('../../../', import.meta.url)

export interface MachineFacts {
  readonly pushbench: string
  readonly commit: string
  readonly node: string
  readonly kernel: string
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
}

export function machineFacts(): MachineFacts {
  const processors = cpus()
  return {
    pushbench: version(),
    commit: commit(),
    node: process.version,
    kernel: `${type()} ${release()}`,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
  }
}

export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown'
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: fileURLToPath(ROOT), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown'
  }
}

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** Submissions made and decoded in a second on one quiet core of the machine the reference scenario was made for. */
const REFERENCE_PER_SECOND = 100_000
const ROUNDS = 20
const ROUND_SUBMISSIONS = 500

/** How many times slower this machine is; the best of a few short rounds, a fifth of a second in all. */
export function slowness(): number {
  const template = new SubmissionTemplate(DEFAULT_SCENARIO.push, 'http://127.0.0.1:1/notifications', false)
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = monoMicros()
    for (let count = 0; count < ROUND_SUBMISSIONS; count++) decodeSubmission(template.contentType, template.body(`${count}@pushbench.example`, 'WAPPUSH=anna/TYPE=USER@ppg.example'))
    best = Math.min(best, monoMicros() - startedAt)
  }
  return REFERENCE_PER_SECOND * best / (ROUND_SUBMISSIONS * 1_000_000)
}
