/**
 * A worker thread's report of how busy its own event loop was. Measured inside the thread, because read from outside
 * the figure races with the thread's own bookkeeping and can be far above one.
 */
import { performance } from 'node:perf_hooks'
import type { FromWorker } from './terminals-messages.js'

/** Well under the second in which the part reports, so that a thread that says nothing for a second is a thread with no room to speak. */
const REPORT_MILLIS = 400

export function reportBusy(say: (message: FromWorker) => void): NodeJS.Timeout {
  let before = performance.eventLoopUtilization()
  return setInterval(() => {
    const now = performance.eventLoopUtilization()
    say({ type: 'busy', utilisation: performance.eventLoopUtilization(now, before).utilization })
    before = now
  }, REPORT_MILLIS)
}
