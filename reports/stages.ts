/** The milestones of a push in the order of its life, with the words and colours every picture and table uses for them. */
import type { STAGES } from './record.js'

export interface StageText {
  readonly key: (typeof STAGES)[number]
  readonly name: string
  readonly meaning: string
  readonly className: string
}

export const STAGE_TEXTS: readonly StageText[] = [
  { key: 'lag', name: 'Taken up', meaning: 'planned time to the generator taking the attempt up: how late it was itself', className: 'c0' },
  { key: 'submit', name: 'Accepted', meaning: 'planned time to the push-response at the initiator', className: 'c1' },
  { key: 'firstSip', name: 'First SIP out', meaning: 'planned time to the first SIP request leaving the gateway', className: 'c2' },
  { key: 'endToEnd', name: 'At the terminal', meaning: 'planned time to the content reaching a terminal', className: 'c3' },
  { key: 'confirmation', name: 'Confirmed', meaning: 'planned time to the final outcome in the gateway', className: 'c4' },
  { key: 'notification', name: 'Notified', meaning: 'planned time to the result notification at the initiator', className: 'c5' },
]

/** Stages that only one kind of push has, and that no picture draws. */
export const FURTHER_STAGES: Readonly<Record<string, { readonly name: string; readonly meaning: string }>> = {
  submitService: { name: 'Accepted, from sending', meaning: 'submission leaving the initiator to the push-response: service time, without the generator’s lag or a wait for a connection' },
  allDevices: { name: 'At all devices', meaning: 'planned time to the content reaching the last of the recipient’s devices' },
  afterReturn: { name: 'After the return', meaning: 'the device’s registration to the content reaching it' },
  expiry: { name: 'Expired', meaning: 'deliver-before to the final outcome' },
  settled: { name: 'Settled', meaning: 'planned time to the final outcome of a push to a bad peer' },
}

/** Final outcomes in stacking order with their colours; `delivered` is the base. */
export const OUTCOME_CLASSES: readonly (readonly [string, string])[] = [
  ['delivered', 'o0'], ['expired', 'o1'], ['undeliverable', 'o2'], ['rejected', 'o3'], ['aborted', 'o4'], ['timeout', 'o5'], ['cancelled', 'o6'], ['unknown', 'o7'],
]
