/**
 * The row of a delivery that was split over several devices: those that have their outcome, so that a restart does not repeat
 * them. A version octet, then four texts for each device, separated by NUL. It goes with the outcome of the whole.
 */
import { MESSAGE_STATES, RECORD_VERSION, checkVersion, type MessageState } from './records.js'

export interface LegRecord {
  /** Its GRUU. */
  readonly device: string
  readonly state: Exclude<MessageState, 'pending'>
  readonly code: number
  /** How it was delivered; undefined for every state but delivered. */
  readonly confirmed: boolean | undefined
}

const NUL = '\0'

export function encodeLegs(legs: readonly LegRecord[]): Buffer {
  const text = legs.map(({ device, state, code, confirmed }) => [device, MESSAGE_STATES.indexOf(state), code, confirmed === undefined ? '' : confirmed ? 1 : 0].join(NUL)).join(NUL)
  return Buffer.concat([Buffer.from([RECORD_VERSION]), Buffer.from(text)])
}

export function decodeLegs(row: Buffer): LegRecord[] {
  checkVersion(row, 'device outcomes')
  const texts = row.toString('utf8', 1).split(NUL)
  const legs: LegRecord[] = []
  for (let at = 0; at + 4 <= texts.length; at += 4) {
    const confirmed = texts[at + 3]
    legs.push({ device: texts[at]!, state: MESSAGE_STATES[Number(texts[at + 1])] as LegRecord['state'], code: Number(texts[at + 2]), confirmed: confirmed === '' ? undefined : confirmed === '1' })
  }
  return legs
}
