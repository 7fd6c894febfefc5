/**
 * From a PAP client address to whom it means: the SIP identity or GRUU that a push to it is sent to, by the operator's
 * rules (WAP-249 section 6: what the types stand for is the gateway's configuration). Knows rules, no registrations.
 */
import { parseAddress, type PapAddress } from '../../pap/addresses.js'
import { escapeUser } from '../../sip/uri.js'
import type { GatewaySettings, IdentityRule } from '../settings.js'
import { targetOf, type Target } from '../delivery/target.js'

export interface Identified {
  readonly ok: true
  readonly literal: string
  readonly target: Target
}

/** Answered by 2002 (WAP-247 section 8.14.2.3). */
export interface NotServed {
  readonly ok: false
  readonly desc: string
}

export class Identities {
  private readonly ppgs: ReadonlySet<string>
  private readonly sipDomains: ReadonlySet<string>
  private readonly rules: readonly { readonly rule: IdentityRule; readonly before: string; readonly after: string | undefined }[]

  constructor(settings: Pick<GatewaySettings, 'servedDomains' | 'sipDomains' | 'identityRules'>) {
    this.ppgs = new Set(settings.servedDomains.map((domain) => domain.toLowerCase()))
    this.sipDomains = new Set(settings.sipDomains.map((domain) => domain.toLowerCase()))
    this.rules = settings.identityRules.map((rule) => {
      const star = rule.pattern.indexOf('*')
      return star < 0 ? { rule, before: rule.pattern, after: undefined } : { rule, before: rule.pattern.slice(0, star), after: rule.pattern.slice(star + 1) }
    })
  }

  identify(literal: string): Identified | NotServed {
    const address = parseAddress(literal)
    if (!address.ok) return address
    if (address.ppg !== undefined && this.ppgs.size > 0 && !this.ppgs.has(address.ppg)) {
      return { ok: false, desc: `address "${literal.slice(0, 80)}" names the gateway ${address.ppg}, which is not served here` }
    }
    const target = this.targetOfAddress(address)
    if (target !== undefined) return { ok: true, literal, target }
    return { ok: false, desc: `address "${literal.slice(0, 80)}" stands for no identity served here` }
  }

  /** Whether a URI lies in a domain of ours. */
  serves(target: Target): boolean {
    return this.sipDomains.size === 0 || this.sipDomains.has(target.host)
  }

  private targetOfAddress(address: PapAddress): Target | undefined {
    const { type, value } = address
    if ((type === 'USER' || type === 'URI') && /^sips?:/i.test(value)) {
      const target = targetOf(value)
      return target !== undefined && this.serves(target) ? target : undefined
    }
    if ((type === 'USER' || type === 'URI') && /^tel:\+/i.test(value)) return this.byRule('PLMN', value.slice(4).replace(/[-.()]/g, ''))
    return type === 'USER' || type === 'PLMN' ? this.byRule(type, value) : undefined
  }

  private byRule(type: IdentityRule['type'], value: string): Target | undefined {
    for (const { rule, before, after } of this.rules) {
      if (rule.type !== type) continue
      if (after === undefined) {
        if (value === before) return targetOf(rule.uri)
      } else if (value.length > before.length + after.length && value.startsWith(before) && value.endsWith(after)) {
        const taken = value.slice(before.length, value.length - after.length)
        return targetOf(rule.uri.replace('*', () => escapeUser(taken)))
      }
    }
    return undefined
  }
}
