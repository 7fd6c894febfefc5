/**
 * Progress notes of a submission (WAP-247 section 8.3.1), for whoever asked for them. A response-result means that no more
 * follow (section 8.3.2), and no other message can hold one: so they tell what was done up to the acceptance or refusal. What
 * is attempted afterwards is told by the result notification.
 */
import type { WallMillis } from '../../kit/time.js'
import type { ProgressNote } from '../../pap/documents.js'
import { formatPapTime } from '../../pap/dates.js'
import type { SubmissionRecord } from '../../store/records.js'

/**
 * @param now when the submission was flushed to the store
 * @param replaced for how many recipients an earlier push was cancelled; undefined where none was to be replaced
 */
export function progressNotes(record: SubmissionRecord, now: WallMillis, replaced: number | undefined): readonly ProgressNote[] {
  const { acceptedAt, deliverAfter, recipients, statesCapabilities } = record
  const notes: ProgressNote[] = [valid(acceptedAt), { stage: 'addressing', note: `${recipients.length} of ${recipients.length} addresses resolved`, time: acceptedAt }]
  if (statesCapabilities) notes.push({ stage: 'capabilities', note: 'those stated are held against the device when the push is sent', time: acceptedAt })
  if (replaced !== undefined) notes.push({ stage: 'replacement', note: `the earlier push was cancelled for ${replaced} of ${recipients.length} recipients`, time: now })
  if (deliverAfter > 0) notes.push({ stage: 'scheduling', note: `delivered from ${formatPapTime(deliverAfter)} on`, time: acceptedAt })
  notes.push({ stage: 'accepted', note: 'stored durably and queued', time: now })
  return notes
}

/** What is checked before the addresses are: the push-id (2007), the initiator and the lifetime (2001). */
const BEFORE_ADDRESSING: ReadonlySet<number> = new Set([2001, 2007])

/** The stages that a refused submission came through, and the one at which it was refused. */
export function refusalNotes({ code, desc }: { readonly code: number; readonly desc: string }, addresses: number, now: WallMillis): readonly ProgressNote[] {
  if (code === 2000) return [{ stage: 'validation', note: desc, time: now }]
  if (code === 2002) return [valid(now), { stage: 'addressing', note: desc, time: now }]
  const resolved = BEFORE_ADDRESSING.has(code) ? [] : [{ stage: 'addressing', note: `${addresses} of ${addresses} addresses resolved`, time: now }]
  return [valid(now), ...resolved, { stage: 'admission', note: desc, time: now }]
}

function valid(time: WallMillis): ProgressNote {
  return { stage: 'validation', note: 'the control entity is valid', time }
}
