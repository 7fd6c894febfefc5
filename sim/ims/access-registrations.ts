/**
 * What the P-CSCF remembers of registrations that went through it: who is registered over which flow, and the
 * Service-Route and identities it was told (TS 24.229 section 5.2.2). By it a request from a terminal is screened and a
 * REGISTER on a known flow is vouched for. Knows texts and flows, not messages.
 */
import { owned } from '../../core/kit/own-text.js'
import type { Micros } from '../../core/kit/time.js'
import type { AccessFlow, AccessFlows } from './access-flows.js'
import { type Pool, type Shared } from './pool.js'

/** One device's registration over one flow. */
export interface AccessRegistration {
  next: AccessRegistration | undefined
  readonly flow: AccessFlow
  expiresAt: Micros
  serviceRoute: Shared<string>
  /** The P-Associated-URI value; '' when it held nothing but the address-of-record itself. */
  identities: string
}

/** Entries looked at per change, so that those of devices that vanished go without a timer. */
const SWEPT_PER_CHANGE = 2

export class AccessRegistrations {
  private readonly byIdentity = new Map<string, AccessRegistration>()
  private sweep = this.byIdentity.entries()

  constructor(private readonly flows: AccessFlows, private readonly routes: Pool<string>) {}

  /** Identities with a registration; ones that are over may still be counted for a while. */
  get size(): number {
    return this.byIdentity.size
  }

  find(now: Micros, identity: string, flow: AccessFlow): AccessRegistration | undefined {
    for (let entry = this.byIdentity.get(identity); entry !== undefined; entry = entry.next) {
      if (entry.flow === flow) return entry.expiresAt > now ? entry : undefined
    }
    return undefined
  }

  /** A 2xx to a REGISTER went by. `expiresAt` not after `now` means the device has left. */
  keep(now: Micros, identity: string, flow: AccessFlow, expiresAt: Micros, serviceRoute: string, identities: string): void {
    this.sweepSome(now)
    const known = this.find(-Infinity, identity, flow)
    if (expiresAt <= now) {
      if (known !== undefined) this.drop(identity, known)
      return
    }
    const others = identities === `<${identity}>` ? '' : identities
    if (known === undefined) {
      this.flows.acquire(flow)
      const next = this.byIdentity.get(identity)
      this.byIdentity.set(owned(identity), { next, flow, expiresAt, serviceRoute: this.routes.acquire(serviceRoute), identities: owned(others) })
      return
    }
    known.expiresAt = expiresAt
    if (known.identities !== others) known.identities = owned(others)
    if (known.serviceRoute.text === serviceRoute) return
    this.routes.release(known.serviceRoute)
    known.serviceRoute = this.routes.acquire(serviceRoute)
  }

  private drop(identity: string, gone: AccessRegistration): void {
    this.flows.release(gone.flow)
    this.routes.release(gone.serviceRoute)
    const first = this.byIdentity.get(identity)
    if (first === gone) {
      if (gone.next === undefined) this.byIdentity.delete(identity)
      else this.byIdentity.set(identity, gone.next)
      return
    }
    for (let entry = first; entry !== undefined; entry = entry.next) if (entry.next === gone) entry.next = gone.next
  }

  private sweepSome(now: Micros): void {
    for (let looked = 0; looked < SWEPT_PER_CHANGE; looked++) {
      const step = this.sweep.next()
      if (step.done === true) {
        this.sweep = this.byIdentity.entries()
        return
      }
      const [identity, first] = step.value
      for (let entry: AccessRegistration | undefined = first; entry !== undefined; entry = entry.next) if (entry.expiresAt <= now) this.drop(identity, entry)
    }
  }
}
