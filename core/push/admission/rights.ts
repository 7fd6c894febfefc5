/**
 * What an initiator may say in a document: to whom he pushes, for which applications, where his result notifications go. Without
 * a list of initiators everybody may everything. Knows names and patterns; who is who was found out at the door.
 */
import type { SubmissionRecord } from '../../store/records.js'
import type { Refusal } from './check.js'

export interface InitiatorRights {
  readonly name: string
  /** SIP URIs without parameters, each with at most one `*`, such as `sip:*@ims.example.org`; pushes and questions go to what fits one of them. */
  readonly addresses: readonly string[]
  /** Feature tags, each with at most one `*`. */
  readonly applications: readonly string[]
  /** Hosts of notification URLs, each with at most one `*`. */
  readonly notifyHosts: readonly string[]
}

/** A text with at most one `*`, which stands for any characters; without regard to case. */
type Pattern = readonly [before: string, after: string | undefined]

interface Allowed {
  readonly addresses: readonly Pattern[]
  readonly applications: readonly Pattern[]
  readonly notifyHosts: readonly Pattern[]
}

export class Rights {
  private readonly byName: ReadonlyMap<string, Allowed> | undefined

  /** @param initiators undefined where nobody is asked who he is */
  constructor(initiators: readonly InitiatorRights[] | undefined) {
    this.byName = initiators && new Map(initiators.map(({ name, addresses, applications, notifyHosts }) =>
      [name, { addresses: addresses.map(patternOf), applications: applications.map(patternOf), notifyHosts: notifyHosts.map(patternOf) }]))
  }

  /** Why this push is none of its initiator's business (WAP-247 section 8.14.2.2: 2001, forbidden). */
  pushProblem(record: Pick<SubmissionRecord, 'initiator' | 'recipients' | 'featureTag' | 'notifyUrl'>): Refusal | undefined {
    if (this.byName === undefined) return undefined
    const { recipients, featureTag, notifyUrl } = record
    const allowed = this.byName.get(record.initiator)
    if (allowed === undefined) return NOBODY
    for (const { uri, literal } of recipients) if (!fits(allowed.addresses, withoutParameters(uri))) return forbidden(`this initiator may not push to ${literal.slice(0, NAMED_MAX)}`)
    if (!fits(allowed.applications, featureTag)) return forbidden(`this initiator may not push for the application ${featureTag.slice(0, NAMED_MAX)}`)
    if (notifyUrl === '' || fits(allowed.notifyHosts, hostOf(notifyUrl))) return undefined
    return forbidden(`result notifications of this initiator may not go to ${notifyUrl.slice(0, NAMED_MAX)}`)
  }

  /** Why this initiator may not ask what a client can. */
  questionProblem(initiator: string, uri: string): string | undefined {
    if (this.byName === undefined) return undefined
    const allowed = this.byName.get(initiator)
    return allowed !== undefined && fits(allowed.addresses, withoutParameters(uri)) ? undefined : 'this initiator may not ask about this client'
  }
}

const NAMED_MAX = 80
const NOBODY = forbidden('this initiator is not known any more')

function forbidden(desc: string): Refusal {
  return { ok: false, code: 2001, desc }
}

function patternOf(text: string): Pattern {
  const lower = text.toLowerCase()
  const star = lower.indexOf('*')
  return star === -1 ? [lower, undefined] : [lower.slice(0, star), lower.slice(star + 1)]
}

function fits(patterns: readonly Pattern[], value: string): boolean {
  const lower = value.toLowerCase()
  return patterns.some(([before, after]) => (after === undefined ? lower === before
    : lower.length >= before.length + after.length && lower.startsWith(before) && lower.endsWith(after)))
}

/** What stands before the URI's parameters; those of the user part (RFC 3261 section 19.1.1) belong to who is meant. */
function withoutParameters(uri: string): string {
  const end = uri.indexOf(';', uri.indexOf('@') + 1)
  return end === -1 ? uri : uri.slice(0, end)
}

/** A host that every reader of URLs takes for the same: letters, digits, dots and hyphens, or an IPv6 address. */
const HOST = /^https?:\/\/([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?(?:[/?#]|$)/i

/** Empty for any other, which no pattern but `*` fits. */
function hostOf(url: string): string {
  return HOST.exec(url)?.[1] ?? ''
}
