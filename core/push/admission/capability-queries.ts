/**
 * Capabilities queries of initiators (WAP-247 section 5.5): answered from what is known of the client's devices, which are
 * asked first where they were not. Of several devices the profile says what at least one of them takes. Knows no push.
 */
import type { Now } from '../../kit/time.js'
import { applicationUri, parseApplicationId } from '../../pap/application-ids.js'
import { encodeCapabilities } from '../../pap/capabilities-response.js'
import { codeName } from '../../pap/codes.js'
import type { CapabilitiesQuery } from '../../pap/documents.js'
import type { ClientProfile } from '../../pap/uaprof.js'
import type { PapForm } from '../../pap/versions.js'
import type { Capabilities, CapabilityWaiter } from '../devices/capabilities.js'
import type { GatewayContext } from '../context.js'
import type { Identities } from './identities.js'
import type { Recipient, Recipients } from '../delivery/recipients.js'
import type { DeviceKnowledge } from '../bindings/select.js'
import type { Target } from '../delivery/target.js'

/** Queries that wait for devices at one time; beyond it, HTTP 503. */
const OPEN_MAX = 1_024
/** Devices asked for one query. */
const ASKED_MAX = 8
const PRODUCT = /^([A-Za-z0-9!#$%&'*+.^_`|~-]{1,64})/

export class CapabilityQueries {
  private underWay = 0

  constructor(
    private readonly context: GatewayContext,
    private readonly identities: Identities,
    private readonly recipients: Recipients,
    private readonly capabilities: Capabilities,
  ) {}

  /** Queries not yet answered. */
  get open(): number {
    return this.underWay
  }

  query(now: Now, requestId: number, initiator: string, form: PapForm, query: CapabilitiesQuery): void {
    const identified = this.identities.identify(query.address)
    if (!identified.ok) return this.refuse(requestId, form, query, 2002, identified.desc)
    const barred = this.context.rights.questionProblem(initiator, identified.target.uri)
    if (barred !== undefined) return this.refuse(requestId, form, query, 2001, barred)
    const application = query.appId === undefined ? undefined : parseApplicationId(query.appId)
    if (query.appId !== undefined && application === undefined) return this.refuse(requestId, form, query, 2000, 'app-id names no application')
    const recipient = this.recipients.known(identified.target)
    if (recipient === undefined) return this.refuse(requestId, form, query, 3008, 'nothing is known of this client: it is not registered')
    const asked = new Asked(this, requestId, form, query, identified.target, recipient, application?.featureTag.toLowerCase())
    const devices = this.devicesFor(now, asked)
    if (this.underWay >= OPEN_MAX) return this.shed(requestId)
    for (const gruu of this.capabilities.unasked(now, recipient, devices).slice(0, ASKED_MAX)) if (this.capabilities.ask(now, recipient, gruu, asked)) asked.awaited++
    this.underWay++
    if (asked.awaited === 0) this.answer(now, asked)
  }

  answer(now: Now, asked: Asked): void {
    this.underWay--
    const { requestId, form, query, recipient } = asked
    const devices = this.devicesFor(now, asked)
    const profile = devices.length === 0 ? undefined : this.profileOf(now, recipient, devices)
    if (profile === undefined) {
      return this.refuse(requestId, form, query, 3008, asked.tag === undefined ? 'no device of this client is known' : `no device of this client is known to have the application ${asked.tag}`)
    }
    const { contentType, body } = encodeCapabilities({ type: 'ccq-response', queryId: query.queryId, code: 1000, desc: codeName(1000), address: query.address }, profile, form)
    this.context.out.add({ type: 'pap-reply', id: requestId, status: 202, contentType, body })
  }

  private devicesFor(now: Now, { target, recipient, tag }: Asked): readonly DeviceKnowledge[] {
    const devices = this.capabilities.devicesOf(now, target, recipient)
    return tag === undefined ? devices : devices.filter(({ applications }) => applications === undefined || applications.includes(tag))
  }

  private profileOf(now: Now, recipient: Recipient, devices: readonly DeviceKnowledge[]): ClientProfile | undefined {
    const told = devices.map(({ gruu }) => this.capabilities.toldOf(now, recipient, gruu)).filter((each) => each !== undefined)
    const sizes = devices.map(({ sizeMax }) => sizeMax).filter((size) => size !== undefined)
    const profile: ClientProfile = {
      model: PRODUCT.exec(told.find(({ userAgent }) => userAgent !== '')?.userAgent ?? '')?.[1],
      accept: union(devices.map(({ mediaTypes }) => mediaTypes)),
      acceptEncodings: union(told.map(({ encodings }) => encodings)),
      acceptLanguages: union(told.map(({ languages }) => languages)),
      acceptApplications: union(devices.map(({ applications }) => applications))?.map(applicationUri),
      messageSizeMax: sizes.length < devices.length ? undefined : Math.max(...sizes),
    }
    return Object.values(profile).every((value) => value === undefined) ? undefined : profile
  }

  /** Section 8.11: a failed one travels without capabilities. */
  private refuse(requestId: number, form: PapForm, query: CapabilitiesQuery, code: 2000 | 2001 | 2002 | 3008, desc: string): void {
    const { contentType, body } = encodeCapabilities({ type: 'ccq-response', queryId: query.queryId, code, desc: `${codeName(code)}: ${desc}`, address: query.address }, undefined, form)
    this.context.out.add({ type: 'pap-reply', id: requestId, status: 202, contentType, body })
  }

  private shed(id: number): void {
    this.context.counters.shed++
    this.context.out.add({ type: 'pap-reply', id, status: 503, retryAfterSeconds: this.context.settings.retryAfterSeconds, body: '' })
  }
}

/** One query until its devices have answered. */
class Asked implements CapabilityWaiter {
  awaited = 0

  constructor(
    private readonly queries: CapabilityQueries,
    readonly requestId: number,
    readonly form: PapForm,
    readonly query: CapabilitiesQuery,
    readonly target: Target,
    readonly recipient: Recipient,
    /** The feature tag of the application asked about, in lower case. */
    readonly tag: string | undefined,
  ) {}

  capabilitiesTold(now: Now): void {
    this.awaited--
    if (this.awaited === 0) this.queries.answer(now, this)
  }
}

/** Undefined when nobody told. */
function union(lists: readonly (readonly string[] | undefined)[]): string[] | undefined {
  const values = new Set<string>()
  for (const list of lists) for (const value of list ?? []) values.add(value)
  return values.size === 0 ? undefined : [...values]
}
