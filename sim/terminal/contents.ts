/**
 * What a terminal makes of the body of a MESSAGE or NOTIFY it has found nothing wrong with: content, a reference to content
 * (RFC 4483), or a piece of it (RFC 2046 section 5.2.2). Says the status to refuse it with, or takes note.
 */
import type { Now } from '../../core/kit/time.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { mediaType } from '../../core/sip/values.js'
import { targetOf } from './answering.js'
import { EXTERNAL_BODY, PARTIAL, type BindingName } from './capabilities.js'
import { parseExternalBody } from './external-body.js'
import type { Fetches } from './fetches.js'
import type { UsageHost } from './host.js'
import type { Segments } from './segments.js'
import type { Terminal } from './terminal.js'

export class Contents {
  constructor(private readonly host: UsageHost, private readonly fetches: Fetches, private readonly segments: Segments) {}

  /** 0 when the request is to be answered 200; a refusal has been noted when this returns. */
  take(now: Now, terminal: Terminal, request: SipMessage, binding: BindingName): number {
    const contentType = request.get(Header.ContentType) ?? ''
    const status = this.taken(now, terminal, request, contentType, binding)
    if (status !== 0) this.host.reception.rejected(terminal, targetOf(request), pushIdOf(request), status, binding)
    return status
  }

  private taken(now: Now, terminal: Terminal, request: SipMessage, contentType: string, binding: BindingName): number {
    switch (mediaType(contentType)) {
      case EXTERNAL_BODY: return this.fetch(now, terminal, request, contentType)
      case PARTIAL: return this.assemble(now, terminal, request, contentType, binding)
      default:
        if (request.body.length > terminal.device.capabilities.sizeMax) return 413
        this.host.reception.taken(terminal, targetOf(request), pushIdOf(request), binding)
        return 0
    }
  }

  private fetch(now: Now, terminal: Terminal, request: SipMessage, contentType: string): number {
    const external = parseExternalBody(contentType, request.body)
    if (external === undefined) return 400
    if (external.contentType !== undefined && !terminal.types.has(external.contentType)) return 415
    // RFC 4483 section 5.9: the object is larger than it can take.
    if ((external.size ?? 0) > terminal.device.capabilities.sizeMax) return 513
    if (this.fetches.isFull) return 486
    this.fetches.begin(now, terminal, external, targetOf(request), pushIdOf(request))
    return 0
  }

  private assemble(now: Now, terminal: Terminal, request: SipMessage, contentType: string, binding: BindingName): number {
    const result = this.segments.add(now, terminal, contentType, request.body)
    if (typeof result === 'number') return result
    if (result === undefined) return 0
    if (result.contentType !== undefined && !terminal.types.has(mediaType(result.contentType))) return 415
    this.host.reception.taken(terminal, targetOf(request), pushIdOf(request), binding)
    return 0
  }
}

export function pushIdOf(request: SipMessage): string {
  return request.get(Header.XPushId) ?? ''
}
