/**
 * Contents that terminals fetch (RFC 4483): each is written down before its URL is told, found again by the URL, and gone
 * when its time is over. Knows rows and URLs; HTTP is core/live/content-http.ts, who is sent a URL indirection-binding.ts.
 */
import { MICROS_PER_SECOND, type Micros, type Now, type WallMillis } from '../../kit/time.js'
import type { ContentReference } from '../../ota/indirection.js'
import { contentSize, isInline } from '../../store/content.js'
import { decodeHosted, encodeHosted, hostedKey, HOSTED_SECRET_OCTETS, type HostedPlace, type HostedRecord } from '../../store/hosted.js'
import { RowKind, contentKey, kindStart, type Sequence } from '../../store/keys.js'
import type { StoreOperation, StoreRow } from '../../store/operations.js'
import type { SubmissionRecord } from '../../store/records.js'
import { RangeWalk } from '../../store/recovery.js'
import { contentToken, isProved, placeOfToken, type ContentPlace } from './content-token.js'
import type { GatewayContext } from '../context.js'
import type { ContentRequest } from '../contract.js'
import type { ContentKeeper } from '../delivery/endings.js'
import type { RowKeeper } from '../start.js'
import type { CommitWaiter, ReadWaiter, ScanWaiter } from '../store-port.js'

/** Whoever wants a content hosted; told once. */
export interface HostingWaiter {
  hosted(now: Now, record: HostedRecord): void
  /** The store is full. */
  notHosted(now: Now): void
}

/** How long what ran out stays behind: an attempt or a fetch under way at that moment comes to its end. */
const GRACE_MILLIS: WallMillis = 600_000
/** How often what ran out is looked for. */
const SWEEP_EVERY_MICROS: Micros = 60 * MICROS_PER_SECOND
const WINDOW_ROWS = 256

export class Hosting implements ScanWaiter, CommitWaiter, RowKeeper, ContentKeeper {
  readonly kind = RowKind.Hosted
  private sweepAt: Micros = 0
  private walk: RangeWalk | undefined = undefined
  /** Ids of the content files that are hosted, which outlive their pushes. */
  private readonly files = new Set<string>()

  constructor(private readonly context: GatewayContext, private readonly url: string) {}

  /** A row of the store at the start. */
  recovered(_now: Now, _key: Buffer, value: Buffer): void {
    const { content } = decodeHosted(value)
    if (!isInline(content)) this.files.add(content.id)
  }

  keeps(file: string): boolean {
    return this.files.has(file)
  }

  /** Writes the content down unless it is already, after a restart too: the same URL then. */
  host(sequence: Sequence, submission: SubmissionRecord, waiter: HostingWaiter): void {
    const key = hostedKey({ expiresAt: submission.expiresAt, sequence })
    this.context.store.read(key, new Lookup(this, key, submission, waiter))
  }

  /** The row of this content was looked for. */
  looked(now: Now, key: Buffer, submission: SubmissionRecord, row: Buffer | undefined, waiter: HostingWaiter): void {
    if (row !== undefined) return waiter.hosted(now, decodeHosted(row))
    const { content, contentType } = submission
    const { crypto, entropy, store } = this.context
    const record: HostedRecord = { secret: entropy.bytes(HOSTED_SECRET_OCTETS), sha1: isInline(content) ? crypto.hashHex('sha-1', content) : content.sha1, contentType, content }
    if (!isInline(content)) this.files.add(content.id)
    store.commit([{ type: 'put', key, value: encodeHosted(record) }], new Write(record, waiter))
  }

  /** What this recipient is told of a hosted content. */
  reference(place: ContentPlace, record: HostedRecord): ContentReference {
    const { crypto, settings } = this.context
    const host = settings.sipAddress.replace(/:\d+$/, '')
    return { url: `${this.url}/${contentToken(crypto, place, record.secret)}`, expiresAt: place.expiresAt, size: contentSize(record.content), sha1: record.sha1, host }
  }

  request(now: Now, request: ContentRequest): void {
    const place = placeOfToken(request.token)
    if (place === undefined) return this.refuse(request.id, 404)
    // Before the lookup: what ran out is gone, whether it ever was there or not, and its row may be so already.
    if (place.expiresAt <= now.wall) return this.refuse(request.id, 410)
    this.context.store.read(hostedKey(place), new Serving(this, request, place))
  }

  found(request: ContentRequest, place: HostedPlace, row: Buffer | undefined): void {
    const record = row === undefined ? undefined : decodeHosted(row)
    if (record === undefined || !isProved(this.context.crypto, request.token, record.secret)) return this.refuse(request.id, 404)
    const { contentType, content, sha1 } = record
    this.context.out.add({ type: 'content-reply', id: request.id, status: 200, contentType, content, sha1, expiresAt: place.expiresAt })
  }

  deadline(): Micros {
    return this.walk === undefined ? this.sweepAt : Infinity
  }

  tick(now: Now): void {
    if (this.walk !== undefined || this.sweepAt > now.mono) return
    this.sweepAt = now.mono + SWEEP_EVERY_MICROS
    this.walk = new RangeWalk(kindStart(RowKind.Hosted), hostedKey({ expiresAt: Math.max(0, now.wall - GRACE_MILLIS), sequence: 0 }), WINDOW_ROWS)
    this.ask(this.walk)
  }

  rowsRead(_now: Now, rows: readonly StoreRow[]): void {
    const { walk } = this
    if (walk === undefined) return
    walk.took(rows)
    if (rows.length === 0) {
      this.walk = undefined
      return
    }
    const operations: StoreOperation[] = []
    for (const { key, value } of rows) {
      operations.push({ type: 'delete', key })
      const { content } = decodeHosted(value)
      if (isInline(content)) continue
      this.files.delete(content.id)
      operations.push({ type: 'delete', key: contentKey(content.id) })
      this.context.out.add({ type: 'content-delete', id: content.id })
    }
    this.context.store.commit(operations, this)
  }

  committed(): void {
    if (this.walk === undefined || this.walk.done) this.walk = undefined
    else this.ask(this.walk)
  }

  /** The next sweep tries again. */
  storeFull(): void {
    this.walk = undefined
  }

  private ask(walk: RangeWalk): void {
    const { from, to, limit } = walk.next()
    this.context.store.scan(from, to, limit, this)
  }

  private refuse(id: number, status: 404 | 410): void {
    this.context.out.add({ type: 'content-reply', id, status })
  }
}

class Lookup implements ReadWaiter {
  constructor(private readonly hosting: Hosting, private readonly key: Buffer, private readonly submission: SubmissionRecord, private readonly waiter: HostingWaiter) {}

  valueRead(now: Now, value: Buffer | undefined): void {
    this.hosting.looked(now, this.key, this.submission, value, this.waiter)
  }
}

class Write implements CommitWaiter {
  constructor(private readonly record: HostedRecord, private readonly waiter: HostingWaiter) {}

  committed(now: Now): void {
    this.waiter.hosted(now, this.record)
  }

  storeFull(now: Now): void {
    this.waiter.notHosted(now)
  }
}

class Serving implements ReadWaiter {
  constructor(private readonly hosting: Hosting, private readonly request: ContentRequest, private readonly place: HostedPlace) {}

  valueRead(_now: Now, value: Buffer | undefined): void {
    this.hosting.found(this.request, this.place, value)
  }
}
