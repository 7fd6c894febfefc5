/** Python with scipy and statsmodels, to make the reference values anew where it is installed. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Reference } from './oracle.js'

const SCRIPT = fileURLToPath(new URL('oracle/reference.py', import.meta.url))

/** A python that has both scipy and statsmodels: the one on the path, or the distribution's. Undefined when there is none. */
const python = ['python3', '/usr/bin/python3'].find((command) => spawnSync(command, ['-c', 'import scipy, statsmodels'], { timeout: 60_000 }).status === 0)
if (python === undefined && process.env['CI'] !== 'true') process.stderr.write('no python3 with scipy and statsmodels: the reference values are not made anew, only read\n')

/** Under CI a missing python fails instead of being passed over. */
export const wantsPython = python !== undefined || process.env['CI'] === 'true'

/** The reference values as the script makes them here and now. */
export function madeAnew(): Reference {
  const run = spawnSync(python ?? 'python3', [SCRIPT], { encoding: 'utf8', timeout: 200_000, maxBuffer: 16 * 1024 * 1024 })
  if (run.status !== 0) throw new Error(`the reference script failed: ${run.stderr || String(run.error)}`)
  return JSON.parse(run.stdout) as Reference
}
