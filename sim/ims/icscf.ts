/**
 * The I-CSCF: the entry of the home network. It asks the HSS whose request it is and sends it to the S-CSCF
 * (TS 24.229 section 5.3). Stateful only as a proxy; it knows no binding and no terminal.
 */
import type { Now } from '../../core/kit/time.js'
import type { ServerTransaction } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { uriOf } from '../../core/sip/name-addr.js'
import { aorOf, gruuOf, parseUri } from '../../core/sip/uri.js'
import { usernameOf } from './credentials.js'
import { isTemporaryUser } from './gruu.js'
import type { CxResult, Hss } from './hss.js'
import { ProxyNode, type NodeParts } from './proxy.js'

export class Icscf extends ProxyNode {
  private readonly scscfRoute

  constructor(parts: NodeParts, private readonly hss: Hss) {
    super(parts, parts.settings.icscf.name)
    this.scscfRoute = composed(`<sip:${parts.settings.scscf.name};lr>`)
  }

  protected route(now: Now, transaction: ServerTransaction): void {
    const { request } = transaction
    const status = request.method === 'REGISTER' ? this.authorize(request) : this.locate(request)
    if (status !== 0) {
      this.refuse(now, transaction, status)
      return
    }
    const copy = this.copyOf(now, transaction)
    if (copy === undefined) return
    this.takeOwnRoute(copy)
    copy.prepend(Header.Route, this.scscfRoute)
    this.forwardOnly(now, transaction, copy, this.resolver.scscf)
  }

  /** TS 24.229 5.3.1.2: the user registration status query; 0 when the S-CSCF may have the request. */
  private authorize(request: SipMessage): number {
    const to = uriOf(request, Header.To)
    if (to === undefined) return 400
    switch (this.hss.authorize(aorOf(to), usernameOf(request))) {
      case 'first-registration':
      case 'subsequent-registration':
        return 0
      default:
        return 403
    }
  }

  /** TS 24.229 5.3.2.1: the location query by the Request-URI without its `gr`. */
  private locate(request: SipMessage): number {
    const uri = parseUri(request.requestUri)
    if (uri === undefined) return 416
    if (uri.scheme !== 'tel' && uri.host.toLowerCase() !== this.settings.homeDomain) return 404
    // A temporary GRUU hides whose it is (RFC 5627 3.1.2): only the S-CSCF that made it can tell.
    if (gruuOf(uri) === '' && isTemporaryUser(uri.user)) return 0
    return STATUS_OF[this.hss.locate(aorOf(uri))]
  }
}

/** What a location query's result means to the sender (TS 24.229 5.3.2.1 and the practice of open implementations). */
const STATUS_OF: Readonly<Record<CxResult, number>> = {
  'first-registration': 0,
  'subsequent-registration': 0,
  'user-unknown': 404,
  'identities-dont-match': 404,
  'identity-not-registered': 480,
  'roaming-not-allowed': 403,
}
