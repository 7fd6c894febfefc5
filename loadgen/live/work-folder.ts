/** Where work of many trials lies: `<out>/<time>-<what>`, UTC, like a run's folder. Knows names. */
import { join } from 'node:path'

export function workFolder(out: string, what: string, startedAt: Date): string {
  return join(out, `${startedAt.toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-')}-${what}`)
}
