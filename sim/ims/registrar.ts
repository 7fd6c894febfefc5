/**
 * The location service: bindings of devices under the default identity of their implicit registration set, and the
 * rules by which a REGISTER changes them (RFC 3261 section 10.3, RFC 5626 section 6, RFC 5627 section 5.1), all or
 * nothing. Knows values already parsed; reading and answering the REGISTER is registration.ts.
 */
import { DeadlineHeap, type Deadline } from '../../core/kit/heap.js'
import { owned } from '../../core/kit/own-text.js'
import { MICROS_PER_SECOND, type Micros, type Now } from '../../core/kit/time.js'
import type { FeatureSet } from './preferences.js'
import type { PathVector } from './resolver.js'
import { type Pool, type Shared } from './pool.js'

/** One Contact of a REGISTER, understood. */
export interface ContactWish {
  /** The URI as written between the angle brackets. */
  readonly uri: string
  /** `urn:...` of `+sip.instance`, or ''. */
  readonly instance: string
  /** 0 when absent or not usable (RFC 5626 section 6). */
  readonly regId: number
  /** Contact parameters without instance, reg-id, expires and GRUUs, as raw text. */
  readonly features: string
  /** Already bounded; 0 removes. */
  readonly expiresSeconds: number
}

export interface RegisterWish {
  readonly callId: string
  readonly cseq: number
  /** `*`: every binding goes (RFC 3261 section 10.3 step 6). */
  readonly contacts: readonly ContactWish[] | '*'
  /** Path values, comma-joined. */
  readonly path: string
  /** Whether the UA understands GRUUs, so that a temporary one is made. */
  readonly gruu: boolean
}

/** What a REGISTER did to the user's registration; `query` changed nothing. */
export type RegisterEffect = 'initial' | 're-registration' | 'de-registration' | 'query'

export type RegisterResult =
  | { readonly done: true; readonly effect: RegisterEffect; readonly registration: Registration | undefined }
  | { readonly done: false; readonly status: 403 | 500; readonly why: string }

/** What happens to one contact (RFC 3680 section 3.5.1); the last three end it. */
export type BindingEvent = 'registered' | 'refreshed' | 'expired' | 'unregistered' | 'deactivated'

/** One device's contact. Flat, and of owned or shared texts only: 100,000 of them are kept. */
export class Binding {
  next: Binding | undefined
  deadline!: Deadline<Binding>
  callId = ''
  cseq = 0
  /** Of the first REGISTER under this Call-ID. */
  firstCseq = 0
  /** Counter of the temporary GRUUs of this Call-ID epoch; 0 when none was made. */
  epoch = 0
  /** User part of the newest temporary GRUU, or ''. */
  temporaryUser = ''
  /** Rises with every refresh: the larger, the more recently refreshed. Below 0 once it was silent, until refreshed again. */
  refreshed = 0

  constructor(
    readonly registration: Registration,
    public uri: string,
    readonly instance: string,
    readonly regId: number,
    public features: Shared<FeatureSet>,
    public path: Shared<PathVector>,
    /** No other binding of this registrar ever had or gets it. */
    readonly id: number,
  ) {}

  /** False once it was removed or has expired. */
  get isBound(): boolean {
    return this.deadline.at !== Infinity
  }
}

/** The bindings of one implicit registration set. */
export class Registration {
  first: Binding | undefined
  count = 0
  /** Instances that were bound and are not now: their public GRUUs stay known (RFC 5627 section 5.1). */
  former: string[] | undefined

  constructor(readonly identity: string) {}

  *bindings(): Generator<Binding> {
    for (let binding = this.first; binding !== undefined; binding = binding.next) yield binding
  }
}

export interface RegistrarParts {
  readonly features: Pool<FeatureSet>
  readonly paths: Pool<PathVector>
  /** A fresh temporary GRUU user part for a counter. */
  readonly mint: (counter: number) => string
  /** RFC 3261 section 19.1.4 equality. */
  readonly sameUri: (one: string, other: string) => boolean
  readonly bindingsPerUserMax: number
  /** Told of every change, in the middle of it. */
  readonly changed: (binding: Binding, event: BindingEvent) => void
}

/** Instances remembered after their last binding went, over all users; beyond, further ones are forgotten and answered 404. */
const FORMER_INSTANCES_MAX = 1_000_000

export class Registrar {
  private readonly registrations = new Map<string, Registration>()
  private readonly epochs = new Map<number, Binding>()
  private readonly expiries = new DeadlineHeap<Binding>()
  private epochLast = 0
  private idLast = 0
  private refreshedLast = 0
  private postponedLast = 0
  private formerCount = 0
  /** Users with at least one binding. */
  registeredUsers = 0

  constructor(private readonly parts: RegistrarParts) {}

  get bindingCount(): number {
    return this.expiries.size
  }

  /** The registration of this default identity, as long as it has a binding or a known instance. */
  find(identity: string): Registration | undefined {
    return this.registrations.get(identity)
  }

  isRegistered(identity: string): boolean {
    return this.registrations.get(identity)?.first !== undefined
  }

  /** The binding whose Call-ID epoch a temporary GRUU's counter belongs to; undefined when that epoch is over (404). */
  ofEpoch(counter: number): Binding | undefined {
    return this.epochs.get(counter)
  }

  /** Applies a REGISTER as a whole or not at all (RFC 3261 section 10.3 step 7). */
  apply(now: Now, identity: string, wish: RegisterWish): RegisterResult {
    const known = this.registrations.get(identity)
    const refusal = this.refusal(known, wish)
    if (refusal !== undefined) return refusal
    const wasRegistered = known?.first !== undefined
    if (wish.contacts !== '*' && wish.contacts.length === 0) return { done: true, effect: 'query', registration: known }
    const registration = known ?? new Registration(owned(identity))
    if (wish.contacts === '*') while (registration.first !== undefined) this.remove(registration.first, 'unregistered')
    else for (const contact of wish.contacts) this.applyContact(now, registration, wish, contact)
    if (registration.first === undefined) return { done: true, effect: wasRegistered ? 'de-registration' : 'query', registration: undefined }
    // Also where the last binding went and a new one came within one REGISTER.
    if (this.registrations.get(identity) !== registration) this.registrations.set(registration.identity, registration)
    return { done: true, effect: wasRegistered ? 're-registration' : 'initial', registration }
  }

  remainingSeconds(now: Now, binding: Binding): number {
    return Math.max(0, Math.ceil((binding.deadline.at - now.mono) / MICROS_PER_SECOND))
  }

  deadline(): Micros {
    return this.expiries.next()
  }

  /** Removes the next binding whose time is over; undefined when none is due. Its registration then tells whether it was the last. */
  expireOne(now: Now): Binding | undefined {
    const binding = this.expiries.popDue(now.mono)
    if (binding !== undefined) this.forget(binding, 'expired')
    return binding
  }

  /** Removes one binding: `deactivated` without its device, as after 430 (RFC 5626 section 7), which may then register anew. */
  remove(binding: Binding, event: 'unregistered' | 'deactivated'): void {
    this.expiries.cancel(binding.deadline)
    this.forget(binding, event)
  }

  /** Behind all others of its device, until it is refreshed: nobody answered over it. */
  postpone(binding: Binding): void {
    binding.refreshed = --this.postponedLast
  }

  /** The reasons for which nothing of a REGISTER may be kept. */
  private refusal(registration: Registration | undefined, wish: RegisterWish): RegisterResult | undefined {
    let added = 0
    if (wish.contacts === '*') {
      // RFC 3261 10.3 step 6: with the same Call-ID a removal needs a higher CSeq.
      for (let binding = registration?.first; binding !== undefined; binding = binding.next) {
        if (binding.callId === wish.callId && wish.cseq <= binding.cseq) return outOfOrder(wish, binding)
      }
      return undefined
    }
    for (const contact of wish.contacts) {
      const binding = registration === undefined ? undefined : this.match(registration, contact)
      // RFC 3261 10.3 step 7: the same.
      if (binding !== undefined && binding.callId === wish.callId && wish.cseq <= binding.cseq) return outOfOrder(wish, binding)
      if (binding === undefined && contact.expiresSeconds > 0) added += 1
    }
    if ((registration?.count ?? 0) + added <= this.parts.bindingsPerUserMax) return undefined
    return { done: false, status: 403, why: `more than ${this.parts.bindingsPerUserMax} bindings for one user` }
  }

  /** The binding a Contact speaks of. */
  private match(registration: Registration, contact: ContactWish): Binding | undefined {
    for (let binding = registration.first; binding !== undefined; binding = binding.next) {
      // RFC 5626 6: with outbound the key is (AoR, instance, reg-id), whatever the Contact URI.
      if (contact.regId !== 0 || binding.regId !== 0) {
        if (contact.regId === binding.regId && contact.instance === binding.instance) return binding
      // TS 24.229 5.4.1.2.2: without reg-id a new contact of the same instance takes the place of the old one.
      } else if (contact.instance !== '' && contact.instance === binding.instance) return binding
      else if (contact.instance === '' && binding.instance === '' && (contact.uri === binding.uri || this.parts.sameUri(contact.uri, binding.uri))) return binding
    }
    return undefined
  }

  private applyContact(now: Now, registration: Registration, wish: RegisterWish, contact: ContactWish): void {
    let binding = this.match(registration, contact)
    const event = binding === undefined ? 'registered' : 'refreshed'
    if (contact.expiresSeconds === 0) {
      if (binding !== undefined) this.remove(binding, 'unregistered')
      return
    }
    const at = now.mono + contact.expiresSeconds * MICROS_PER_SECOND
    if (binding === undefined) binding = this.add(registration, wish, contact)
    else {
      this.expiries.cancel(binding.deadline)
      if (binding.uri !== contact.uri) binding.uri = owned(contact.uri)
      if (binding.features.text !== contact.features) binding.features = this.swap(this.parts.features, binding.features, contact.features)
      if (binding.path.text !== wish.path) binding.path = this.swap(this.parts.paths, binding.path, wish.path)
    }
    binding.deadline = this.expiries.arm(at, binding)
    binding.refreshed = ++this.refreshedLast
    binding.cseq = wish.cseq
    if (binding.callId !== wish.callId) this.beginEpoch(binding, wish.callId)
    if (wish.gruu && binding.instance !== '') this.mintFor(binding)
    this.parts.changed(binding, event)
  }

  private add(registration: Registration, wish: RegisterWish, contact: ContactWish): Binding {
    const features = this.parts.features.acquire(contact.features)
    const path = this.parts.paths.acquire(wish.path)
    const binding = new Binding(registration, owned(contact.uri), owned(contact.instance), contact.regId, features, path, ++this.idLast)
    if (registration.first === undefined) this.registeredUsers += 1
    binding.next = registration.first
    registration.first = binding
    registration.count += 1
    const formerAt = registration.former?.indexOf(contact.instance) ?? -1
    if (formerAt >= 0) {
      registration.former!.splice(formerAt, 1)
      this.formerCount -= 1
    }
    return binding
  }

  /** RFC 5627 5.1: when the Call-ID changes, the temporary GRUUs of the old one are dead. */
  private beginEpoch(binding: Binding, callId: string): void {
    this.leaveEpoch(binding)
    binding.epoch = this.siblingOf(binding, (other) => other.callId === callId)?.epoch ?? 0
    binding.temporaryUser = ''
    binding.callId = owned(callId)
    binding.firstCseq = binding.cseq
  }

  /** Flows of one instance with one Call-ID share its epoch (RFC 5627 5.1: what counts is the instance), which outlives each of them. */
  private leaveEpoch(binding: Binding): void {
    const { epoch } = binding
    if (epoch === 0) return
    const heir = this.siblingOf(binding, (other) => other.epoch === epoch)
    if (heir === undefined) this.epochs.delete(epoch)
    else this.epochs.set(epoch, heir)
  }

  private siblingOf(binding: Binding, fits: (other: Binding) => boolean): Binding | undefined {
    if (binding.regId === 0) return undefined
    for (let other = binding.registration.first; other !== undefined; other = other.next) {
      if (other !== binding && other.instance === binding.instance && fits(other)) return other
    }
    return undefined
  }

  /** RFC 5627 5.1: a new temporary GRUU at every registration and refresh, all of one epoch valid together. */
  private mintFor(binding: Binding): void {
    if (binding.epoch === 0) {
      binding.epoch = ++this.epochLast
      this.epochs.set(binding.epoch, binding)
    }
    binding.temporaryUser = this.parts.mint(binding.epoch)
  }

  private swap<Value>(pool: Pool<Value>, old: Shared<Value>, text: string): Shared<Value> {
    const fresh = pool.acquire(text)
    pool.release(old)
    return fresh
  }

  /** Unlinks a binding whose deadline is no longer armed. */
  private forget(binding: Binding, event: BindingEvent): void {
    const registration = binding.registration
    if (registration.first === binding) registration.first = binding.next
    else {
      let before = registration.first
      while (before !== undefined && before.next !== binding) before = before.next
      if (before !== undefined) before.next = binding.next
    }
    registration.count -= 1
    this.leaveEpoch(binding)
    this.parts.features.release(binding.features)
    this.parts.paths.release(binding.path)
    this.remember(registration, binding.instance)
    this.parts.changed(binding, event)
    if (registration.first !== undefined) return
    this.registeredUsers -= 1
    if (registration.former === undefined) this.registrations.delete(registration.identity)
  }

  private remember(registration: Registration, instance: string): void {
    if (instance === '' || this.formerCount >= FORMER_INSTANCES_MAX) return
    for (const other of registration.bindings()) if (other.instance === instance) return
    if (registration.former === undefined) registration.former = [instance]
    else if (registration.former.length >= this.parts.bindingsPerUserMax || registration.former.includes(instance)) return
    else registration.former.push(instance)
    this.formerCount += 1
  }
}

function outOfOrder(wish: RegisterWish, binding: Binding): RegisterResult {
  return { done: false, status: 500, why: `CSeq ${wish.cseq} is not above ${binding.cseq}, the last of this Call-ID` }
}
