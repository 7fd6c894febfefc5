/**
 * Initial filter criteria (TS 29.228 annex B): which requests an application server is to see, and what happens when
 * it does not answer. Matching only; who sends what to the server is third-party-register.ts.
 */
import type { Hop } from '../../core/sip/endpoint-contract.js'

export type SessionCase = 'originating-registered' | 'terminating-registered' | 'terminating-unregistered' | 'originating-unregistered'
export type RegistrationType = 'initial' | 're-registration' | 'de-registration'

/** One service point trigger: exactly one thing it looks at, negated or not. */
export type ServicePoint = { readonly negated?: boolean } & (
  | { readonly type: 'method'; readonly method: string; readonly registrationTypes?: readonly RegistrationType[] }
  /** `name` is compared without regard to case; `content` is a regular expression over the value, absent for mere presence. */
  | { readonly type: 'header'; readonly name: string; readonly content?: string }
  | { readonly type: 'session-case'; readonly sessionCase: SessionCase }
  | { readonly type: 'request-uri'; readonly pattern: string }
)

export interface ApplicationServer {
  /** The SIP URI in the Request-URI (third-party REGISTER) or Route. */
  readonly uri: string
  readonly hop: Hop
  /** What becomes of the user when the server fails (408, 5xx or silence). */
  readonly defaultHandling: 'continue' | 'terminate'
  /** Text of the service-info element. */
  readonly serviceInfo?: string
  readonly includeRegisterRequest: boolean
  readonly includeRegisterResponse: boolean
}

export interface FilterCriterion {
  /** Lower runs first; unique within a profile. */
  readonly priority: number
  /** OR of groups, AND inside a group (disjunctive normal form, ConditionTypeCNF 0). Empty: always fires. */
  readonly groups: readonly (readonly ServicePoint[])[]
  readonly server: ApplicationServer
}

/** What a criterion may look at. */
export interface Triggering {
  readonly method: string
  readonly requestUri: string
  readonly sessionCase: SessionCase | undefined
  readonly registrationType: RegistrationType | undefined
  /** Every value of a header, by lower-case name. */
  header(name: string): readonly string[]
}

interface Compiled {
  readonly criterion: FilterCriterion
  readonly groups: readonly (readonly ((request: Triggering) => boolean)[])[]
}

/** The criteria of one service profile, in priority order, with their patterns compiled once. */
export class FilterCriteria {
  private readonly compiled: readonly Compiled[]

  /** @throws SyntaxError for a pattern that is no regular expression */
  constructor(criteria: readonly FilterCriterion[]) {
    const ordered = [...criteria].sort((one, other) => one.priority - other.priority)
    this.compiled = ordered.map((criterion) => ({ criterion, groups: criterion.groups.map((group) => group.map(compile)) }))
  }

  get isEmpty(): boolean {
    return this.compiled.length === 0
  }

  /** Servers that want this request, in order of priority. */
  matching(request: Triggering): ApplicationServer[] {
    const servers: ApplicationServer[] = []
    for (const { criterion, groups } of this.compiled) {
      // TS 29.228 annex B.2.2: a criterion without trigger point fires on everything.
      if (groups.length === 0 || groups.some((group) => group.every((point) => point(request)))) servers.push(criterion.server)
    }
    return servers
  }
}

function compile(point: ServicePoint): (request: Triggering) => boolean {
  const test = condition(point)
  return point.negated === true ? (request) => !test(request) : test
}

function condition(point: ServicePoint): (request: Triggering) => boolean {
  switch (point.type) {
    case 'method': {
      const types = point.registrationTypes
      return (request) => request.method === point.method
        && (types === undefined || types.length === 0 || (request.registrationType !== undefined && types.includes(request.registrationType)))
    }
    case 'header': {
      const name = point.name.toLowerCase()
      const content = point.content === undefined ? undefined : new RegExp(point.content)
      return (request) => request.header(name).some((value) => content === undefined || content.test(value))
    }
    case 'session-case':
      return (request) => request.sessionCase === point.sessionCase
    case 'request-uri': {
      const pattern = new RegExp(point.pattern)
      return (request) => pattern.test(request.requestUri)
    }
  }
}
