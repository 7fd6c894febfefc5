/**
 * The target set of a terminating request (RFC 3261 section 16.5, RFC 5627 section 6.1): from the Request-URI to the
 * bindings it may go to, caller preferences applied, grouped so that each device is tried over one flow at a time.
 * Knows the registrar's bindings; sends nothing.
 */
import type { Crypto } from '../../core/kit/crypto.js'
import type { SipMessage } from '../../core/sip/message.js'
import { aorOf, gruuOf, parseUri, type Uri } from '../../core/sip/uri.js'
import { grOfInstance, isTemporaryUser, type TemporaryGruus } from './gruu.js'
import type { Hss } from './hss.js'
import { chooseBindings, wantsFork } from './preferences.js'
import type { Binding, Registrar, Registration } from './registrar.js'
import { defaultIdentity, isBarred } from './subscribers.js'

/** One device: its bindings, the one to try first in front, the others only when its flow has failed (RFC 5626 section 7). */
export type DeviceTarget = readonly [Binding, ...Binding[]]

/** Targets, or the status for which there are none. */
export type TargetSet = readonly DeviceTarget[] | 400 | 404 | 416 | 480

export class TargetFinder {
  constructor(private readonly registrar: Registrar, private readonly hss: Hss, private readonly gruus: TemporaryGruus, private readonly crypto: Crypto) {}

  find(request: SipMessage): TargetSet {
    const uri = parseUri(request.requestUri)
    if (uri === undefined) return 416
    const gr = gruuOf(uri)
    const bindings = gr === undefined ? this.ofUser(uri) : gr === '' ? this.ofTemporaryGruu(uri) : this.ofPublicGruu(uri, gr)
    if (typeof bindings === 'number') return bindings
    // RFC 3841 7.2.4: preferences also choose among the contacts of one GRUU; when they leave none, 480.
    const chosen = chooseBindings(request, bindings)
    if (chosen === undefined) return 400
    if (chosen.length === 0) return 480
    const devices = byDevice(chosen)
    return wantsFork(request) ? devices : devices.slice(0, 1)
  }

  private ofUser(uri: Uri): Binding[] | 404 | 480 {
    const registration = this.registrationOf(uri)
    if (typeof registration === 'number') return registration
    const { first } = registration
    if (first === undefined) return 480
    return first.next === undefined ? [first] : [...registration.bindings()]
  }

  /** RFC 5627 6.1: 404 for a GRUU that never was, 480 for one whose instance has no binding now. */
  private ofPublicGruu(uri: Uri, gr: string): Binding[] | 404 | 480 {
    const registration = this.registrationOf(uri)
    if (typeof registration === 'number') return registration
    const found: Binding[] = []
    for (let binding = registration.first; binding !== undefined; binding = binding.next) {
      if (binding.instance !== '' && this.isGr(binding.instance, gr)) found.push(binding)
    }
    if (found.length > 0) return found
    return registration.former?.some((instance) => this.isGr(instance, gr)) === true ? 480 : 404
  }

  /** RFC 5627 5.1: a temporary GRUU lives as long as the Call-ID epoch it was made in, and then is 404 for good. */
  private ofTemporaryGruu(uri: Uri): Binding[] | 404 {
    const counter = isTemporaryUser(uri.user) ? this.gruus.open(uri.user) : undefined
    const epoch = counter === undefined ? undefined : this.registrar.ofEpoch(counter)
    if (epoch === undefined) return 404
    const found: Binding[] = []
    for (const binding of epoch.registration.bindings()) if (binding.instance === epoch.instance) found.push(binding)
    return found
  }

  /**
   * The contact of a GRUU within a dialog, where the route to the terminal stands already (RFC 5627 section 6.1): of the binding
   * that uses this very Path, else of the one refreshed last.
   */
  contactOf(uri: Uri, route: string | undefined): Binding | 404 | 480 {
    const gr = gruuOf(uri)
    const bindings = gr === '' ? this.ofTemporaryGruu(uri) : this.ofPublicGruu(uri, gr ?? '')
    if (typeof bindings === 'number') return bindings
    let best: Binding | undefined
    for (const binding of bindings) {
      if (route !== undefined && flowOf(binding.path.text) === flowOf(route)) return binding
      if (best === undefined || binding.refreshed > best.refreshed) best = binding
    }
    return best ?? 480
  }

  /** The registration behind an identity: kept under the default identity of its set. */
  private registrationOf(uri: Uri): Registration | 404 | 480 {
    const identity = aorOf(uri)
    const direct = this.registrar.find(identity)
    if (direct !== undefined) return direct
    const subscriber = this.hss.subscriber(identity)
    if (subscriber === undefined || isBarred(subscriber, identity)) return 404
    const main = defaultIdentity(subscriber)
    return (main === undefined ? undefined : this.registrar.find(main)) ?? 480
  }

  private isGr(instance: string, gr: string): boolean {
    return instance === gr || (!instance.startsWith('urn:uuid:') && grOfInstance(this.crypto, instance) === gr)
  }
}

/** The URI in a Path or Record-Route up to its parameters: flow token and edge proxy. */
function flowOf(line: string): string {
  const end = line.indexOf(';')
  return end < 0 ? line : line.slice(0, end)
}

/** RFC 5626 7: at most one contact per instance at a time, the most recently refreshed first. */
function byDevice(bindings: readonly Binding[]): DeviceTarget[] {
  if (bindings.length === 1) return [[bindings[0]!]]
  const devices: [Binding, ...Binding[]][] = []
  const byInstance = new Map<string, [Binding, ...Binding[]]>()
  for (const binding of bindings) {
    const known = binding.instance === '' ? undefined : byInstance.get(binding.instance)
    if (known !== undefined) {
      known.push(binding)
      continue
    }
    const device: [Binding, ...Binding[]] = [binding]
    devices.push(device)
    if (binding.instance !== '') byInstance.set(binding.instance, device)
  }
  for (const device of devices) device.sort((one, other) => other.refreshed - one.refreshed)
  return devices
}
