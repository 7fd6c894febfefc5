/**
 * The header fields this project reads or writes, as small integers, with their long and compact names.
 * A field that is not here travels untouched as `Header.Other`. Knows names only, never what a value means.
 */

export const Header = {
  Other: 0,
  Via: 1,
  Route: 2,
  RecordRoute: 3,
  MaxForwards: 4,
  From: 5,
  To: 6,
  CallId: 7,
  CSeq: 8,
  Contact: 9,
  Expires: 10,
  ContentType: 11,
  ContentLength: 12,
  ContentEncoding: 13,
  ContentDisposition: 14,
  Path: 15,
  ServiceRoute: 16,
  PAssertedIdentity: 17,
  PPreferredIdentity: 18,
  PCalledPartyId: 19,
  PAssociatedUri: 20,
  PVisitedNetworkId: 21,
  PAccessNetworkInfo: 22,
  PChargingVector: 23,
  PServedUser: 24,
  AcceptContact: 25,
  RejectContact: 26,
  RequestDisposition: 27,
  Authorization: 28,
  WwwAuthenticate: 29,
  ProxyAuthorization: 30,
  ProxyAuthenticate: 31,
  Require: 32,
  ProxyRequire: 33,
  Supported: 34,
  Unsupported: 35,
  Allow: 36,
  Accept: 37,
  AcceptEncoding: 38,
  Date: 39,
  RetryAfter: 40,
  MinExpires: 41,
  Warning: 42,
  Priority: 43,
  Privacy: 44,
  Event: 45,
  UserAgent: 46,
  Server: 47,
  Subject: 48,
  /** WAP-251 push headers, carried as they are (docs/decisions.md says why in SIP headers). */
  XWapApplicationId: 49,
  XWapContentUri: 50,
  XWapInitiatorUri: 51,
  /** The PAP push-id, private to this project, so that a terminal can drop a second copy. */
  XPushId: 52,
  /** RFC 6665 section 8.4. */
  AllowEvents: 53,
  SubscriptionState: 54,
  /** RFC 3515, RFC 4488, RFC 3891. */
  ReferTo: 55,
  ReferSub: 56,
  Replaces: 57,
  /** RFC 5626 section 10. */
  FlowTimer: 58,
} as const

export type HeaderId = (typeof Header)[keyof typeof Header]

/** The long name written on the wire, by id; index 0 (`Other`) is empty because such lines carry their own name. */
export const HEADER_NAMES: readonly string[] = [
  '', 'Via', 'Route', 'Record-Route', 'Max-Forwards', 'From', 'To', 'Call-ID', 'CSeq', 'Contact', 'Expires',
  'Content-Type', 'Content-Length', 'Content-Encoding', 'Content-Disposition', 'Path', 'Service-Route',
  'P-Asserted-Identity', 'P-Preferred-Identity', 'P-Called-Party-ID', 'P-Associated-URI', 'P-Visited-Network-ID',
  'P-Access-Network-Info', 'P-Charging-Vector', 'P-Served-User', 'Accept-Contact', 'Reject-Contact',
  'Request-Disposition', 'Authorization', 'WWW-Authenticate', 'Proxy-Authorization', 'Proxy-Authenticate',
  'Require', 'Proxy-Require', 'Supported', 'Unsupported', 'Allow', 'Accept', 'Accept-Encoding', 'Date',
  'Retry-After', 'Min-Expires', 'Warning', 'Priority', 'Privacy', 'Event', 'User-Agent', 'Server', 'Subject',
  'X-Wap-Application-Id', 'X-Wap-Content-URI', 'X-Wap-Initiator-URI', 'X-Push-Id',
  'Allow-Events', 'Subscription-State', 'Refer-To', 'Refer-Sub', 'Replaces', 'Flow-Timer',
]

/** Compact forms: RFC 3261 section 20, RFC 6665 section 8.4, RFC 3841 section 10, RFC 3515 section 2.1. */
export const COMPACT_NAMES: Readonly<Record<string, HeaderId>> = {
  i: Header.CallId, m: Header.Contact, e: Header.ContentEncoding, l: Header.ContentLength, c: Header.ContentType,
  f: Header.From, s: Header.Subject, k: Header.Supported, t: Header.To, v: Header.Via, o: Header.Event,
  a: Header.AcceptContact, j: Header.RejectContact, d: Header.RequestDisposition,
  u: Header.AllowEvents, r: Header.ReferTo,
}
