/** The Accept-Contact of a push: the application it is for, as a feature every device that gets it must have named (RFC 3841). */
import { composed, type HeaderText } from '../sip/header-text.js'

const TAG_TOKEN = /^[A-Za-z0-9\-.%*_+`'~]+$/
const KEPT = 1_024

/** Values made once for each application. */
export class AcceptContacts {
  private readonly made = new Map<string, HeaderText>()

  /** `require;explicit`: a device that registered features but not this one must not get it (RFC 3841 section 7.2.4). */
  of(featureTag: string): HeaderText {
    let value = this.made.get(featureTag)
    if (value === undefined) {
      // RFC 3840 section 9: what is no token travels as a string in angle brackets.
      const tag = TAG_TOKEN.test(featureTag) ? featureTag : `<${featureTag}>`
      value = composed(`*;+g.oma.pusheventapp="${tag}";require;explicit`)
      if (this.made.size < KEPT) this.made.set(featureTag, value)
    }
    return value
  }
}
