/**
 * A content in pieces for a constrained bearer: message/partial (RFC 2046 section 5.2.2). The entity that is cut is the content
 * with its own headers before it; every piece but for those headers is a push like any other. Knows octets and header
 * lines; when pieces are sent, and what an answer means, is push/segmented-message.ts.
 */
import { isInline } from '../store/content.js'
import type { ContentHeader, SubmissionRecord } from '../store/records.js'

/** As many as a device can be expected to keep until the last one comes. */
export const SEGMENTS_MAX = 256

/** The headers of the enclosed entity (RFC 2046 section 5.2.2.1); everything else belongs to each piece. */
const INNER_NAME = /^content-/i

/**
 * The submission once for each piece, in order: with the piece as its content, and the common id on each.
 * Undefined for a content that lies in a file or needs more than SEGMENTS_MAX pieces.
 *
 * @param id the same for all pieces, and for those of a later attempt: what came by an earlier one counts
 * @param octets of content in one piece, at least 1
 */
export function segmentsOf(submission: SubmissionRecord, id: string, octets: number): readonly SubmissionRecord[] | undefined {
  const { content, contentHeaders, contentType } = submission
  if (!isInline(content)) return undefined
  const inner: ContentHeader[] = [{ name: 'Content-Type', value: contentType }, ...contentHeaders.filter(({ name }) => INNER_NAME.test(name))]
  const head = inner.map(({ name, value }) => `${name}: ${value}\r\n`).join('')
  // SIP carries any octets, so that no piece needs a transfer encoding (RFC 3261 section 7.4).
  const entity = Buffer.concat([Buffer.from(`${head}\r\n`), content])
  const total = Math.ceil(entity.length / octets)
  if (total > SEGMENTS_MAX) return undefined
  const outer = contentHeaders.filter(({ name }) => !INNER_NAME.test(name))
  return Array.from({ length: total }, (_, index) => ({
    ...submission,
    // RFC 2046 section 5.2.2: the total is needed in the last piece only, and welcome in every one.
    contentType: `message/partial; id="${id}"; number=${index + 1}; total=${total}`,
    contentHeaders: outer,
    content: entity.subarray(index * octets, (index + 1) * octets),
  }))
}
