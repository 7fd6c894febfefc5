/**
 * The dialogs of one user agent, or of many behind one endpoint, by their id (RFC 3261 section 12): Call-ID, local tag,
 * remote tag. Finds whose dialog a request or response belongs to; knows nothing of what its owners do in them.
 */
import { ChurnMap } from '../kit/churn-map.js'
import type { Dialog } from './dialog.js'
import { Header } from './header-names.js'
import type { SipMessage } from './message.js'
import { tagOf } from './name-addr.js'

/** Standing dialogs at once; whoever would make one more refuses the request (503) or ends what it began. */
export const DIALOGS_MAX = 1_000_000

export class Dialogs<Owner> {
  private readonly owners: ChurnMap<Owner>

  /** @param seed chance of the process: the other side chooses Call-IDs and tags */
  constructor(seed: number, private readonly most: number = DIALOGS_MAX) {
    this.owners = new ChurnMap(seed)
  }

  get size(): number {
    return this.owners.size
  }

  get isFull(): boolean {
    return this.owners.size >= this.most
  }

  add(dialog: Dialog, owner: Owner): void {
    this.owners.set(keyOf(dialog.callId, dialog.localTag, dialog.remoteTag), owner)
  }

  remove(dialog: Dialog): void {
    this.owners.delete(keyOf(dialog.callId, dialog.localTag, dialog.remoteTag))
  }

  /** Whose dialog this request was sent in (section 12.2.2): its To tag is ours. */
  ofRequest(request: SipMessage): Owner | undefined {
    return this.owners.get(keyOf(request.get(Header.CallId) ?? '', tagOf(request, Header.To), tagOf(request, Header.From)))
  }

  /** Whose dialog this response belongs to (section 12.2.1.2): its From tag is ours. */
  ofResponse(response: SipMessage): Owner | undefined {
    return this.owners.get(keyOf(response.get(Header.CallId) ?? '', tagOf(response, Header.From), tagOf(response, Header.To)))
  }

  values(): Iterable<Owner> {
    return this.owners.values()
  }
}

/** A line break stands in no header, so no three texts make the key of another three. */
function keyOf(callId: string, localTag: string, remoteTag: string): string {
  return `${localTag}\n${remoteTag}\n${callId}`
}
