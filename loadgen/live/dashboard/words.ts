/** How the dashboard calls the phases of a run. */
import type { Phase } from '../progress.js'

export const PHASE_NAMES: Readonly<Record<Phase, string>> = {
  start: 'starting the parts', register: 'registering', 'warm-up': 'warming up', load: 'under load', drain: 'draining', report: 'making the report',
}
