/** Builds dist once before the tests, when a source is newer than the last build: workers and parts are forked from there. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SOURCES = ['core', 'sim', 'loadgen', 'reports', 'test', 'pushbench.ts', 'tsconfig.json']

export default function buildOnce(): void {
  const built = join(ROOT, 'dist', '.tsbuildinfo')
  const newest = Math.max(...SOURCES.filter((source) => existsSync(join(ROOT, source))).map((source) => newestMillis(join(ROOT, source))))
  if (existsSync(built) && statSync(built).mtimeMs >= newest) return
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const run = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.json'], { cwd: ROOT, encoding: 'utf8' })
  if (run.status === 0) return
  const errors = run.stdout.split('\n').filter((line) => line.includes('error TS'))
  const message = `the sources do not type-check (${errors.length} errors):\n${errors.slice(0, 20).join('\n')}`
  if (process.env['CI'] === 'true') throw new Error(message)
  // tsc writes what it can all the same, and a failing neighbour must not keep a developer from his own tests.
  process.stderr.write(`${message}\n`)
}

function newestMillis(path: string): number {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMillis(join(path, name))), stat.mtimeMs)
}
