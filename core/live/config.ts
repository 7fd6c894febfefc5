/**
 * The gateway's configuration file: one schema with a default for every key, quantities with their units, and what
 * becomes of it in GatewaySettings once the ports are bound. It knows what may be configured, not what it does.
 */
import { isIP } from 'node:net'
import * as Schema from 'effect/Schema'
import type { Endpoint } from '../kit/network.js'
import { MICROS_PER_MILLI, MICROS_PER_SECOND } from '../kit/time.js'
import { DEFAULT_SETTINGS, type GatewaySettings, type NextHop } from '../push/settings.js'
import { DEFAULT_SELECTION, DEVICE_POLICIES, type SelectionSettings } from '../push/bindings/selection-settings.js'
import { DEFAULT_SESSIONS } from '../push/bindings/session-settings.js'
import { count, key, pattern } from './config-keys.js'
import { BODY_BYTES_MAX } from './http.js'
import { InitiatorsConfig, rightsOf } from './initiators-config.js'
import { MediaTlsConfig } from './media-tls.js'
import { networkOf } from './notify-guard.js'
import { TlsConfig } from './tls.js'
import { Duration, formatDuration, Size } from './units.js'
import { decodeData, decodeYaml, type YamlDecoded } from './yaml-schema.js'

const Domain = pattern(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'a domain name, such as ims.example.org')
const SipUri = pattern(/^sips?:[^\s<>"]+$/, 'a SIP URI, such as sip:push@ims.example.org')

/** `address:port` with a literal address, `[address]:port` for IPv6; port 0 takes any free one. */
const EndpointText = Schema.String.pipe(Schema.filter((text) => endpointOf(text) !== undefined
  || `"${text}" is no address with a port: write such as 127.0.0.1:8080 or [::1]:8080`))

const NetworkText = Schema.String.pipe(Schema.filter((text) => networkOf(text) !== undefined || `"${text}" is no network: write such as 10.1.0.0/16, 127.0.0.1/32 or fd00::/8`))

const NextHopText = Schema.String.pipe(Schema.filter((text) => nextHopOf(text) !== undefined
  || `"${text}" is no next hop: write such as tcp:127.0.0.1:5060, udp:127.0.0.1:5060 or tls:127.0.0.1:5061`))

const Pap = Schema.Struct({
  listen: key(EndpointText, '127.0.0.1:8080', 'Where push initiators submit by HTTP, at /pap. A port that is taken is replaced by a free one.'),
  tls: Schema.optional(TlsConfig).annotations({ description: 'Certificates; without them there is no listener over TLS. Files that change are read again.' }),
  listenTls: key(EndpointText, '127.0.0.1:8443', 'Where push initiators submit over TLS, where `tls` is given. A port that is taken is replaced by a free one.'),
  bodyMax: key(Size, `${BODY_BYTES_MAX}B`, 'The largest submission, its content apart; beyond, HTTP 413.'),
  contentMax: key(Size, '100MiB', 'The largest content; beyond, HTTP 413. Above 64 KiB it is kept in a file beside the store.'),
  url: Schema.optional(pattern(/^https?:\/\/\S+$/, 'an http or https URL'))
    .annotations({ description: 'What initiators are told as this gateway’s address; made of `listen` when absent.' }),
  name: key(Schema.String, DEFAULT_SETTINGS.senderName, 'What initiators are told as this gateway’s name.'),
})

const Sip = Schema.Struct({
  listen: key(EndpointText, '127.0.0.1:5080',
    'Where the core network reaches this gateway, by UDP and TCP alike. A port that is taken is replaced by a free one.'),
  identity: key(SipUri, 'sip:push@ims.example.org', 'The public service identity: From and P-Asserted-Identity.'),
  userAgent: key(Schema.String, DEFAULT_SETTINGS.userAgent, 'User-Agent of every request.'),
  nextHops: key(Schema.Array(NextHopText).pipe(Schema.minItems(1, { message: () => 'name at least one next hop' })), ['tcp:127.0.0.1:5060'],
    'Entry points of the core network, used in turn.'),
  connections: key(Schema.Int.pipe(Schema.between(1, 4)), 2, 'Persistent connections to each TCP or TLS next hop, used in turn.'),
  tls: Schema.optional(TlsConfig).annotations({ description: 'Certificates; without them there are neither TLS next hops nor a TLS listener.' }),
  listenTls: key(EndpointText, '127.0.0.1:5081', 'Where the core network reaches this gateway over TLS, where `tls` is given. A port that is taken is replaced by a free one.'),
  trusted: Schema.optional(Schema.Array(Schema.String.pipe(Schema.filter((text) => isIP(text) !== 0 || `"${text}" is no literal IP address`))))
    .annotations({ description: 'Addresses that may send requests here (third-party REGISTER); those of the next hops when absent.' }),
})

const Contents = Schema.Struct({
  listen: key(EndpointText, '127.0.0.1:8081', 'Where terminals fetch contents offered by reference (RFC 4483). A port that is taken is replaced by a free one.'),
  url: Schema.optional(pattern(/^https?:\/\/[^\s"<>?#]+$/, 'an http or https URL without a query'))
    .annotations({ description: 'The start of the URLs that terminals are told, where they reach `listen` by another way; their last segment names the content.' }),
  tls: Schema.optional(TlsConfig).annotations({ description: 'Certificate and key; without, contents are fetched by plain HTTP.' }),
  confirmation: key(Schema.Literal('carried', 'fetched'), 'carried', 'What counts as delivered: the 200 to the message with the reference, or the fetch of every octet.'),
})

const Operator = Schema.Struct({
  listen: Schema.optional(EndpointText).annotations({ description: 'Where an operator asks by HTTP, such as 127.0.0.1:8082; nobody is asked who he is. Nowhere when absent. A port that is taken is replaced by a free one.' }),
})

const Events = Schema.Struct({
  applications: key(Schema.Array(Schema.String), [...DEFAULT_SETTINGS.events.applications], 'Applications (feature tags, such as mms.ua) that terminals may subscribe to; none serves all.'),
  expires: key(Duration, `${DEFAULT_SETTINGS.events.expiresSecondsDefault}s`, 'How long a subscription lasts that asks for no time.'),
  expiresLeast: key(Duration.pipe(Schema.filter((micros) => micros <= 3_600 * MICROS_PER_SECOND || 'an hour is never too brief (RFC 6665 section 4.2.1.1)')),
    `${DEFAULT_SETTINGS.events.expiresSecondsMin}s`, 'A subscription for less is refused (423).'),
  expiresMost: key(Duration, `${DEFAULT_SETTINGS.events.expiresSecondsMax}s`, 'A subscription for more is shortened.'),
  subscriptions: key(count(10_000_000), DEFAULT_SETTINGS.events.subscriptionsMax, 'Standing subscriptions in all; beyond, 503.'),
})

const Rule = Schema.Struct({
  type: Schema.Literal('USER', 'PLMN'),
  pattern: pattern(/^[^*]*\*?[^*]*$/, 'a pattern with at most one *'),
  uri: SipUri,
})

const Addresses = Schema.Struct({
  served: key(Schema.Array(Domain), [], 'PPG specifiers (what follows @ in a PAP address) served here; none serves all.'),
  sipDomains: key(Schema.Array(Domain), ['ims.example.org'], 'Domains whose SIP URIs and GRUUs may be named by TYPE=USER.'),
  rules: key(Schema.Array(Rule), [{ type: 'USER', pattern: '*', uri: 'sip:*@ims.example.org' }, { type: 'PLMN', pattern: '+*', uri: 'sip:+*@ims.example.org;user=phone' }],
    'How a user-defined identifier or a phone number becomes a SIP URI; the first that fits is used.'),
})

const Limits = Schema.Struct({
  inFlight: key(count(10_000_000), DEFAULT_SETTINGS.inFlightMax, 'Submissions and recipients at work at a time; beyond, HTTP 503.'),
  attempts: key(count(1_000_000), DEFAULT_SETTINGS.attemptsMax, 'SIP transactions open at a time; recipients beyond queue.'),
  held: key(count(100_000_000), DEFAULT_SETTINGS.heldMax, 'Recipients held in all, waiting ones included; beyond, HTTP 503.'),
  retryAfter: key(Duration, `${DEFAULT_SETTINGS.retryAfterSeconds}s`, 'Retry-After of a 503, in whole seconds.'),
})

const Times = Schema.Struct({
  lifetime: key(Duration, formatDuration(DEFAULT_SETTINGS.defaultLifetimeMillis * MICROS_PER_MILLI),
    'How long a push without deliver-before-timestamp is tried.'),
  retention: key(Duration, formatDuration(DEFAULT_SETTINGS.retentionMillis * MICROS_PER_MILLI),
    'How long a push-id stays taken and its outcome known.'),
  retryFirst: key(Duration, formatDuration(DEFAULT_SETTINGS.backoff.firstMicros), 'The wait before the first further attempt; doubled at each one.'),
  retryLongest: key(Duration, formatDuration(DEFAULT_SETTINGS.backoff.maxMicros), 'The longest wait between attempts.'),
})

const DevicesPolicy = Schema.Literal(...DEVICE_POLICIES)

const Selection = Schema.Struct({
  messageMax: key(Size, `${DEFAULT_SELECTION.messageOctetsMax}B`, 'The largest request sent as MESSAGE where a next hop is reached by UDP (RFC 3428 section 8).'),
  messageStreamMax: key(Size, `${DEFAULT_SELECTION.messageOctetsStreamMax}B`, 'The largest content sent as MESSAGE where next hops are reached by TCP or TLS, or where nothing else is left.'),
  sessionMax: key(Size, `${DEFAULT_SELECTION.sessionOctetsMax}B`, 'The largest content taken at all.'),
  preferEvent: key(Schema.Boolean, DEFAULT_SELECTION.preferEvent, 'Whether a standing subscription is used before a MESSAGE.'),
  indirection: key(Schema.Boolean, DEFAULT_SELECTION.allowIndirection, 'Whether content may be offered by reference, hosted here (RFC 4483).'),
  askCapabilities: key(Schema.Boolean, DEFAULT_SELECTION.askCapabilities, 'Whether devices are asked (OPTIONS) before something larger than a MESSAGE is sent.'),
  segment: key(Size, `${DEFAULT_SELECTION.segmentOctets}B`, 'Content above this goes in pieces of this size (message/partial) to a device that takes neither sessions nor references; 0B never cuts.'),
  devices: key(DevicesPolicy, DEFAULT_SELECTION.devices, 'Whether all devices of a user must take a push, any suffices, or they are tried one after another, the latest registered first.'),
  applications: key(Schema.Record({ key: Schema.String, value: DevicesPolicy }), {}, 'The same for one application, by its feature tag, such as mms.ua.'),
})

const Notifications = Schema.Struct({
  retries: key(Schema.Array(Duration).pipe(Schema.minItems(1, { message: () => 'name at least one wait' })),
    DEFAULT_SETTINGS.notifications.retryMicros.map(formatDuration), 'Waits before the second, third ... attempt; the last one repeats.'),
  giveUpAfter: key(Duration, formatDuration(DEFAULT_SETTINGS.notifications.giveUpAfterMillis * MICROS_PER_MILLI),
    'When an unacknowledged notification is given up.'),
  inFlight: key(count(100_000), DEFAULT_SETTINGS.notifications.inFlightMax, 'Notifications under way at a time.'),
  inFlightPerHost: key(count(100_000), DEFAULT_SETTINGS.notifications.inFlightPerHostMax, 'Notifications under way at a time to one host.'),
  inside: key(Schema.Array(NetworkText), [], 'Networks that notifications may go to although they are private, loopback or link-local, such as 10.1.0.0/16; to no other such address is a connection opened.'),
})

const Msrp = Schema.Struct({
  listen: key(EndpointText, '127.0.0.1:0', 'Where terminals connect in session mode, by TCP or, with `tls`, by TLS; port 0 takes any free one.'),
  tls: Schema.optional(MediaTlsConfig).annotations({ description: 'Certificate and key: sessions run over TLS (msrps), where each side knows the other by the fingerprint in its session description. Without, over TCP.' }),
  sessions: key(Schema.Int.pipe(Schema.between(0, 100_000)), DEFAULT_SESSIONS.max, 'Sessions at a time; pushes beyond wait. 0: no session mode.'),
  perDevice: key(count(1_000), DEFAULT_SESSIONS.perDevice, 'Sessions at a time with one device.'),
  parallel: key(count(1_000), DEFAULT_SESSIONS.parallel, 'Messages on their way at a time in one session.'),
  keep: key(Duration, formatDuration(DEFAULT_SESSIONS.keepMicros), 'How long an idle session is kept for the next push to its device; 0 s is one session for each push.'),
  messages: key(count(1_000_000), DEFAULT_SESSIONS.messagesMax, 'Messages after which a session is ended all the same.'),
  fileFrom: key(Size, `${DEFAULT_SESSIONS.fileFromOctets}B`, 'The smallest content that is offered as a file (RFC 5547), in a session of its own.'),
  answer: key(Duration, formatDuration(DEFAULT_SESSIONS.answerMicros), 'How long a device may take to answer an INVITE.'),
})

const Groups = Schema.Struct({
  pap: key(Pap, {}, 'The side of the push initiators.'),
  initiators: Schema.optional(InitiatorsConfig).annotations({ description: 'Who may submit, and what. Without this group everybody may, and is asked nothing.' }),
  sip: key(Sip, {}, 'The side of the core network.'),
  registrations: key(Schema.Literal('third-party', 'reg-event', 'both'), DEFAULT_SETTINGS.registrations,
    'How it is learnt who is registered: third-party REGISTER, the reg event package, or both.'),
  events: key(Events, {}, 'Subscriptions of terminals to their pushes (event mode).'),
  content: key(Contents, {}, 'Contents that terminals fetch.'),
  msrp: key(Msrp, {}, 'Session mode.'),
  operator: key(Operator, {}, 'What can be asked of the running gateway.'),
  addresses: key(Addresses, {}, 'Who is served, and how PAP addresses become SIP URIs.'),
  store: key(Schema.String.pipe(Schema.minLength(1, { message: () => 'name a folder' })), 'pushbench-store', 'Folder of the durable store, on a real disk.'),
  journal: Schema.optional(Schema.String).annotations({ description: 'File that gets one line per event; none when absent.' }),
  capture: Schema.optional(Schema.String).annotations({ description: 'pcap file of everything that crosses the SIP and MSRP sockets, for Wireshark; none when absent.' }),
  limits: key(Limits, {}, 'Bounds of what is at work at a time.'),
  times: key(Times, {}, 'Lifetimes and waits.'),
  selection: key(Selection, {}, 'How a way to deliver and the devices are chosen; docs/selection.md has the table.'),
  notifications: key(Notifications, {}, 'Result notifications to initiators.'),
})

export const GatewayConfig = Groups.pipe(
  Schema.filter(({ sip }) => sip.tls !== undefined || !sip.nextHops.some((hop) => hop.startsWith('tls:'))
    || { path: ['sip', 'nextHops'], message: 'a next hop over TLS needs the certificates of sip.tls' }),
  Schema.filter(({ pap, initiators }) => pap.tls !== undefined || !initiators?.some(({ certificate }) => certificate !== undefined)
    || { path: ['initiators'], message: 'an initiator with a certificate connects over TLS, which needs pap.tls' }),
  Schema.filter(({ pap, initiators }) => pap.tls?.authorities !== undefined || !initiators?.some(({ certificate }) => certificate?.subject !== undefined)
    || { path: ['initiators'], message: 'a certificate known by its subject needs pap.tls.authorities, who signed it' }),
)
export type GatewayConfig = typeof GatewayConfig.Type

/** As written in a file or sent to a part, before defaults are filled in. */
export type GatewayConfigWritten = typeof GatewayConfig.Encoded

/** A configuration file's text. Unknown keys are problems with line, column and the nearest key. */
export function readGatewayConfig(text: string, file: string): YamlDecoded<GatewayConfig> {
  return decodeYaml(GatewayConfig, text, file)
}

/** A configuration that is already data. Throws an Error that names each wrong key and what would be right. */
export function decodeGatewayConfig(config: unknown): GatewayConfig {
  return decodeData(GatewayConfig, config, 'gateway configuration')
}

/** Where a gateway really listens. */
export interface Bound {
  readonly pap: Endpoint
  readonly sip: Endpoint
  readonly msrp: Endpoint
  /** Of the certificate shown there; undefined where it is TCP. */
  readonly msrpFingerprint?: string | undefined
  readonly content: Endpoint
}

/** What the machine is built with, given where it really listens. */
export function settingsOf(config: GatewayConfig, bound: Bound): GatewaySettings {
  const nextHops = config.sip.nextHops.map((text) => nextHopOf(text)!).map((hop) => (hop.transport === 'udp' ? hop : { ...hop, connections: config.sip.connections }))
  const { limits, times, notifications, addresses, events, msrp } = config
  return {
    senderAddress: config.pap.url ?? papUrl(bound.pap),
    senderName: config.pap.name,
    servedDomains: addresses.served,
    ...(config.initiators === undefined ? {} : { initiators: rightsOf(config.initiators) }),
    identityRules: addresses.rules,
    sipDomains: addresses.sipDomains,
    nextHops,
    trustedPeers: config.sip.trusted ?? [...new Set(nextHops.map((hop) => hop.address))],
    sipAddress: formatEndpoint(bound.sip),
    msrpAddress: formatEndpoint(bound.msrp),
    ...(bound.msrpFingerprint === undefined ? {} : { msrpFingerprint: bound.msrpFingerprint }),
    identity: config.sip.identity,
    registrations: config.registrations,
    events: {
      applications: events.applications.map((application) => application.toLowerCase()),
      expiresSecondsDefault: Math.ceil(events.expires / MICROS_PER_SECOND), expiresSecondsMin: Math.ceil(events.expiresLeast / MICROS_PER_SECOND),
      expiresSecondsMax: Math.ceil(events.expiresMost / MICROS_PER_SECOND), subscriptionsMax: events.subscriptions,
    },
    indirection: { url: (config.content.url ?? contentUrl(bound.content, config.content.tls !== undefined)).replace(/\/+$/, ''), confirmation: config.content.confirmation },
    userAgent: config.sip.userAgent,
    inFlightMax: limits.inFlight,
    attemptsMax: limits.attempts,
    heldMax: limits.held,
    retryAfterSeconds: Math.max(1, Math.ceil(limits.retryAfter / MICROS_PER_SECOND)),
    defaultLifetimeMillis: Math.ceil(times.lifetime / MICROS_PER_MILLI),
    retentionMillis: Math.ceil(times.retention / MICROS_PER_MILLI),
    backoff: { firstMicros: times.retryFirst, maxMicros: times.retryLongest },
    selection: selectionOf(config.selection),
    sessions: {
      max: msrp.sessions, perDevice: msrp.perDevice, parallel: msrp.parallel, keepMicros: msrp.keep, messagesMax: msrp.messages, fileFromOctets: msrp.fileFrom, answerMicros: msrp.answer,
    },
    notifications: {
      retryMicros: notifications.retries,
      giveUpAfterMillis: Math.ceil(notifications.giveUpAfter / MICROS_PER_MILLI),
      inFlightMax: notifications.inFlight,
      inFlightPerHostMax: notifications.inFlightPerHost,
    },
  }
}

function selectionOf(selection: GatewayConfig['selection']): SelectionSettings {
  return {
    messageOctetsMax: selection.messageMax,
    messageOctetsStreamMax: selection.messageStreamMax,
    sessionOctetsMax: selection.sessionMax,
    preferEvent: selection.preferEvent,
    allowIndirection: selection.indirection,
    askCapabilities: selection.askCapabilities,
    segmentOctets: selection.segment,
    devices: selection.devices,
    devicesByApplication: Object.fromEntries(Object.entries(selection.applications).map(([tag, policy]) => [tag.toLowerCase(), policy])),
  }
}

/** Undefined for what is no literal address with a port. */
export function endpointOf(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text)
  const address = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3])
  return isIP(address) !== 0 && port <= 65_535 ? { address, port } : undefined
}

export function formatEndpoint({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

export function papUrl(endpoint: Endpoint, secure = false): string {
  return `${secure ? 'https' : 'http'}://${formatEndpoint(endpoint)}/pap`
}

export function contentUrl(endpoint: Endpoint, secure: boolean): string {
  return `${secure ? 'https' : 'http'}://${formatEndpoint(endpoint)}/content`
}

function nextHopOf(text: string): NextHop | undefined {
  const match = /^(tcp|udp|tls):(.*)$/.exec(text)
  const endpoint = match === null ? undefined : endpointOf(match[2]!)
  return endpoint === undefined || endpoint.port === 0 ? undefined : { transport: match![1] as NextHop['transport'], ...endpoint }
}
