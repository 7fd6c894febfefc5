/**
 * Where the S-CSCF sends a request within a dialog (RFC 3261 section 16.6, RFC 5627 section 6.1): along its Route, a GRUU in the
 * Request-URI made the contact behind it. Knows texts and targets; sends nothing.
 */
import type { Hop } from '../../core/sip/endpoint-contract.js'
import { Header } from '../../core/sip/header-names.js'
import { parsedText } from '../../core/sip/header-text.js'
import type { SipMessage } from '../../core/sip/message.js'
import { uriOf } from '../../core/sip/name-addr.js'
import { gruuOf, parseUri, type Uri } from '../../core/sip/uri.js'
import type { Binding } from './registrar.js'
import type { Resolver } from './resolver.js'
import type { TargetFinder } from './targets.js'

export class DialogRoutes {
  constructor(private readonly targets: TargetFinder, private readonly resolver: Resolver, private readonly homeDomain: string) {}

  /** @param copy without the Route values of this node; a GRUU in it is replaced. A status when it goes nowhere. */
  next(copy: SipMessage): Hop | number {
    const route = copy.get(Header.Route)
    const target = parseUri(copy.requestUri)
    if (target === undefined) return 416
    const isHome = target.host.toLowerCase() === this.homeDomain
    if (isHome && gruuOf(target) !== undefined) return this.toGruu(copy, target, route)
    const next = route === undefined ? target : uriOf(copy, Header.Route)
    const hop = next === undefined ? undefined : this.resolver.serviceOf(next) ?? this.resolver.hopOf(next)
    // Nobody's dialog: an address-of-record is no remote target, and the S-CSCF's own dialogs were looked for before.
    if (hop === this.resolver.scscf || (hop === undefined && route === undefined && isHome)) return 481
    return hop ?? 404
  }

  /** The stored Path counts only where the dialog has no route of its own. */
  private toGruu(copy: SipMessage, gruu: Uri, route: string | undefined): Hop | number {
    const binding = this.targets.contactOf(gruu, route)
    if (typeof binding === 'number') return binding
    if (route === undefined) return this.alongPath(copy, binding) ?? 404
    copy.requestUri = withoutUriHeaders(binding.uri)
    const next = uriOf(copy, Header.Route)
    return (next === undefined ? undefined : this.resolver.hopOf(next)) ?? 404
  }

  /** Makes the contact the Request-URI and its Path the Route (RFC 3327 section 5.3); undefined when the first hop of it is unknown. */
  alongPath(copy: SipMessage, { path, uri }: Binding): Hop | undefined {
    copy.requestUri = withoutUriHeaders(uri)
    if (path.text === '') return this.resolver.hopOf(parseUri(uri)!)
    copy.prepend(Header.Route, parsedText(path.text))
    return path.value.hop
  }
}

/** RFC 3261 19.1.1: a Request-URI has no headers part; what a contact held there is not carried on. */
function withoutUriHeaders(uri: string): string {
  const question = uri.indexOf('?', uri.indexOf('@') + 1)
  return question < 0 ? uri : uri.slice(0, question)
}
