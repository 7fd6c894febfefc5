/**
 * What a watcher knows of a user's registration, kept up to date by the documents of one subscription (RFC 3680 section 5.2):
 * a full one replaces it, a partial one changes the contacts it names, and a missing one shows by its number.
 */
import type { RegContact, RegInfo, RegistrationState } from './model.js'

/** One registration with its live contacts by id. */
export interface WatchedRegistration {
  readonly aor: string
  state: RegistrationState
  readonly contacts: Map<string, RegContact>
}

/**
 * `gap`: a document before this one is missing, and what is known is out of date until a refresh brings a full one;
 * `old`: nothing was changed, since a later one was here before.
 */
export type RegApplied = 'applied' | 'gap' | 'old'

export class RegTable {
  readonly registrations = new Map<string, WatchedRegistration>()
  private version = -1

  apply(info: RegInfo): RegApplied {
    // RFC 3680 section 5.2. Kamailio's notifier writes 0 into each of its documents, all of them full: that the dialog's CSeq
    // let this one through says that it is the newer.
    const isRepeat = info.version === this.version && info.state === 'full'
    if (info.version <= this.version && !isRepeat) return 'old'
    if (info.state === 'partial' && info.version !== this.version + 1) return 'gap'
    this.version = info.version
    if (info.state === 'full') this.registrations.clear()
    for (const { aor, id, state, contacts } of info.registrations) {
      let known = this.registrations.get(id)
      if (known === undefined) {
        known = { aor, state, contacts: new Map() }
        this.registrations.set(id, known)
      }
      known.state = state
      for (const contact of contacts) {
        if (contact.state === 'active') known.contacts.set(contact.id, contact)
        else known.contacts.delete(contact.id)
      }
    }
    return 'applied'
  }

  /** Live contacts of all registrations. */
  *contacts(): Generator<RegContact> {
    for (const { contacts } of this.registrations.values()) yield* contacts.values()
  }
}
