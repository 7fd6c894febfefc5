/** Several watchers of one run as one. */
import type { Watcher } from './progress.js'

export function allOf(watchers: readonly Watcher[]): Watcher {
  return {
    progress: (progress) => { for (const watcher of watchers) watcher.progress(progress) },
    steer: (steering) => { for (const watcher of watchers) watcher.steer?.(steering) },
    note: (text) => { for (const watcher of watchers) watcher.note(text) },
    end: () => { for (const watcher of watchers) watcher.end() },
  }
}
