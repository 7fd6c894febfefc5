/** From the outcomes of several devices to the one outcome of their user. Knows outcomes only. */
import { codeName } from '../../pap/codes.js'
import type { End } from './roles.js'
import type { FinalState } from './outcomes.js'

export interface DeviceEnd {
  /** Its GRUU. */
  readonly device: string
  readonly end: End
}

/** From best to worst: what is not known is better than what ran out of time, and that better than a refusal. */
const STATES: readonly FinalState[] = ['delivered', 'unknown', 'timeout', 'expired', 'cancelled', 'aborted', 'undeliverable', 'rejected']
const DEVICES_NAMED = 8

/** The outcome of the device that fared worst, with a word on each. Delivered when every one took it, confirmed when every one confirmed. */
export function worstOf(ends: readonly DeviceEnd[]): End {
  let worst = ends[0]!.end
  for (const { end } of ends) if (rankOf(end) > rankOf(worst)) worst = end
  const taken = ends.filter(({ end }) => end.state === 'delivered').length
  return { ...worst, desc: `${codeName(worst.code)}: ${taken} of ${ends.length} devices took it: ${ends.slice(0, DEVICES_NAMED).map(wordOn).join('; ')}${ends.length > DEVICES_NAMED ? '; ...' : ''}` }
}

/** An unconfirmed delivery is no worse than a confirmed one except that it is the weaker word. */
function rankOf({ state, confirmed }: End): number {
  return STATES.indexOf(state) * 2 + (state === 'delivered' && confirmed !== true ? 1 : 0)
}

function wordOn({ device, end }: DeviceEnd): string {
  return `${device} ${end.state} ${end.code}`
}
