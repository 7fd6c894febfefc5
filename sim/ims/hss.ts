/**
 * The HSS as the nodes ask it: the answers of Cx (TS 29.228) as function calls instead of Diameter. It adds to the
 * subscriber directory only what the S-CSCF told it, which here is the S-CSCF's own word on who is registered.
 */
import { defaultIdentity, isBarred, type Subscriber, type SubscriberDirectory } from './subscribers.js'

/** Cx results (TS 29.229 section 6.2) that decide what a node answers. */
export type CxResult = 'first-registration' | 'subsequent-registration' | 'user-unknown' | 'identities-dont-match' | 'identity-not-registered' | 'roaming-not-allowed'

export interface HssState {
  /** Whether the S-CSCF serves this implicit registration set now, by its default identity. */
  isRegistered(defaultIdentity: string): boolean
}

export class Hss {
  /** The last answer of the directory: the nodes ask about one user in turn, and a directory may compute what it answers. */
  private lastImpu = ''
  private lastSubscriber: Subscriber | undefined

  constructor(private readonly directory: SubscriberDirectory, private readonly state: HssState) {}

  /** User-Authorization (UAR): may this private identity register this public one, through a P-CSCF of this network ('' when it names none)? */
  authorize(impu: string, impi: string | undefined, network: string): CxResult {
    const subscriber = this.subscriber(impu)
    if (subscriber === undefined) return 'user-unknown'
    // A REGISTER without credentials has no private identity yet; the S-CSCF's challenge settles it.
    if (impi !== undefined && impi !== subscriber.impi) return 'identities-dont-match'
    if (!subscriber.mayRegister || isBarred(subscriber, impu)) return 'roaming-not-allowed'
    if (subscriber.barredNetworks?.includes(network) === true) return 'roaming-not-allowed'
    const main = defaultIdentity(subscriber)
    return main !== undefined && this.state.isRegistered(main) ? 'subsequent-registration' : 'first-registration'
  }

  /** Location-Info (LIR): is there an S-CSCF for this public identity? A barred identity is as unknown as a foreign one. */
  locate(impu: string): CxResult {
    // A set is kept under its default identity, so the common case costs one look-up and computes no subscriber.
    if (this.state.isRegistered(impu)) return 'subsequent-registration'
    const subscriber = this.subscriber(impu)
    if (subscriber === undefined || isBarred(subscriber, impu)) return 'user-unknown'
    const main = defaultIdentity(subscriber)
    if (main !== undefined && this.state.isRegistered(main)) return 'subsequent-registration'
    // No profile here has services for unregistered users (2003, UNREGISTERED_SERVICE).
    return 'identity-not-registered'
  }

  /** The profile and credentials (SAR, MAR) of a public identity. */
  subscriber(impu: string): Subscriber | undefined {
    if (impu === this.lastImpu) return this.lastSubscriber
    this.lastSubscriber = this.directory.find(impu)
    this.lastImpu = impu
    return this.lastSubscriber
  }
}
