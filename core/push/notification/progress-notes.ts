/**
 * Progress notes of an accepted submission (WAP-247 section 8.3.1), for whoever asked for them. A response-result means that no
 * more follow (section 8.3.2), and no other message can hold one: so they tell what was done up to the acceptance. What is
 * attempted afterwards is told by the result notification.
 */
import type { WallMillis } from '../../kit/time.js'
import type { ProgressNote } from '../../pap/documents.js'
import { formatPapTime } from '../../pap/dates.js'
import type { SubmissionRecord } from '../../store/records.js'

/** @param now when the submission was flushed to the store */
export function progressNotes(record: SubmissionRecord, now: WallMillis): readonly ProgressNote[] {
  const { acceptedAt, deliverAfter, recipients } = record
  const notes: ProgressNote[] = [
    { stage: 'validation', note: 'the control entity is valid', time: acceptedAt },
    { stage: 'addressing', note: `${recipients.length} of ${recipients.length} addresses resolved`, time: acceptedAt },
  ]
  if (deliverAfter > 0) notes.push({ stage: 'scheduling', note: `delivered from ${formatPapTime(deliverAfter)} on`, time: acceptedAt })
  notes.push({ stage: 'accepted', note: 'stored durably and queued', time: now })
  return notes
}
