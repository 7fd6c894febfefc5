/**
 * Bodies of submissions, cheaply: PAP's own encoder writes one with marks in it, and each push fills in what differs.
 * Knows what is pushed, not to whom or when.
 */
import { assert } from '../core/kit/assert.js'
import type { WallMillis } from '../core/kit/time.js'
import { formatPapTime } from '../core/pap/dates.js'
import type { DeliveryMethod, PushMessage } from '../core/pap/documents.js'
import { decodeSubmission, encodeSubmission, type Submission } from '../core/pap/submission.js'

export interface PushSettings {
  readonly contentType: string
  /** Octets of the content. */
  readonly size: number
  readonly application: string
  readonly deliveryMethod: DeliveryMethod
  /** Required of the gateway by quality-of-service; `auto`, or absent, leaves it the choice. */
  readonly binding?: PushBinding
}

export type PushBinding = 'auto' | 'message' | 'session' | 'event' | 'indirection'

/** The bearer names by which a gateway of this project is told its binding (docs/selection.md). */
const BEARERS: Readonly<Record<Exclude<PushBinding, 'auto'>, string>> = { message: 'sip-message', session: 'sip-msrp', event: 'sip-notify', indirection: 'sip-indirect' }

// The marks need no escape in XML, and no setting can contain them.
const PUSH_ID_MARK = 'mark.push-id@pushbench.invalid'
const ADDRESS_MARK = 'WAPPUSH=mark.address/TYPE=USER@pushbench.invalid'
const TIME_MARK: WallMillis = 981_173_106_000

/** One kind of submission: with or without deliver-before and result notifications. */
export class SubmissionTemplate {
  /** Content-Type of the POST. */
  readonly contentType: string
  private readonly pieces: readonly string[]
  private readonly marks: readonly string[]
  private readonly read: Submission

  /** @param notifyUrl where result notifications go; undefined for none */
  constructor(push: PushSettings, notifyUrl: string | undefined, private readonly expires: boolean) {
    const control: PushMessage = {
      type: 'push-message',
      pushId: PUSH_ID_MARK,
      replaceMethod: 'all',
      deliverBefore: expires ? TIME_MARK : undefined,
      notifyRequestedTo: notifyUrl,
      progressNotesRequested: false,
      addresses: [ADDRESS_MARK],
      qualityOfService: {
        priority: 'medium', deliveryMethod: push.deliveryMethod, networkRequired: false,
        ...(push.binding === undefined || push.binding === 'auto' ? { bearerRequired: false } : { bearer: BEARERS[push.binding], bearerRequired: true }),
      },
    }
    const headers = [{ name: 'X-Wap-Application-Id', value: push.application }]
    const { contentType, body } = encodeSubmission(control, { contentType: push.contentType, headers, body: contentOf(push) })
    this.contentType = contentType
    const read = decodeSubmission(contentType, body)
    assert(read.ok, 'a template is a submission')
    this.read = read
    const wanted = expires ? [PUSH_ID_MARK, ADDRESS_MARK, formatPapTime(TIME_MARK)] : [PUSH_ID_MARK, ADDRESS_MARK]
    const text = body.toString('latin1')
    const places = wanted.map((mark) => ({ mark, at: text.indexOf(mark) })).sort((a, b) => a.at - b.at)
    assert(places.every(({ mark, at }) => at >= 0 && text.indexOf(mark, at + 1) < 0), 'each mark stands once in a submission')
    this.marks = places.map(({ mark }) => mark)
    const ends = places.map(({ mark, at }) => at + mark.length)
    this.pieces = [0, ...ends].map((from, index) => text.slice(from, places[index]?.at))
  }

  body(pushId: string, address: string, deliverBefore: WallMillis = 0): Buffer {
    return Buffer.from(this.text(pushId, address, deliverBefore), 'latin1')
  }

  /** What the body would say to whoever reads it. */
  submission(pushId: string, address: string, deliverBefore?: WallMillis): Submission {
    const { control } = this.read
    return { ...this.read, control: { ...control, pushId, addresses: [address], deliverBefore: this.expires ? deliverBefore : undefined } }
  }

  /** The body, one character per octet. `pushId` and `address` are ours and need no escape in XML. */
  text(pushId: string, address: string, deliverBefore: WallMillis = 0): string {
    let text = ''
    for (let index = 0; index < this.marks.length; index++) {
      const mark = this.marks[index]
      text += this.pieces[index]! + (mark === PUSH_ID_MARK ? pushId : mark === ADDRESS_MARK ? address : formatPapTime(deliverBefore))
    }
    assert(this.expires === deliverBefore > 0, 'a deliver-before needs a template that has one')
    return text + this.pieces[this.pieces.length - 1]!
  }
}

/** Content of exactly the size asked for: a service indication where that is its type, else plain letters. */
function contentOf({ contentType, size }: PushSettings): Buffer {
  const [head, tail] = contentType === 'text/vnd.wap.si'
    ? ['<?xml version="1.0"?><si><indication href="http://news.example/" si-id="1">', '</indication></si>']
    : ['', '']
  const filler = size - head.length - tail.length
  return Buffer.from(filler < 0 ? 'x'.repeat(size) : head + 'news '.repeat(Math.ceil(filler / 5)).slice(0, filler) + tail, 'latin1')
}
