/**
 * Caller preferences (RFC 3841) applied to bindings: what of a binding counts as a feature, and which bindings a request
 * may go to. The algorithm itself is core/sip/caller-preferences.ts.
 */
import { PREFERENCES_MAX, callerPreference, parsePreferences, preferencesOf, selectTargets, type PreferenceContact, type Preferences } from '../../core/sip/caller-preferences.js'
import { parseFeatures, type Feature } from '../../core/sip/feature-parameters.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { paramOf } from '../../core/sip/params.js'
import { listsToken } from '../../core/sip/values.js'
import type { Binding } from './registrar.js'

const INSTANCE = '+sip.instance'

/** What was read once of a Contact's parameters, shared by all bindings with the same text. */
export interface FeatureSet {
  readonly features: readonly Feature[]
  /** The features of a binding that has an instance id: never empty, since that id is a feature (RFC 3841 section 7.2.3). */
  readonly withInstance: readonly Feature[]
  readonly q: number
}

export function featureSetOf(params: string): FeatureSet {
  const features = parseFeatures(params)
  const q = Number(paramOf(params, 'q') ?? '1')
  return { features, withInstance: [...features, instanceFeature('')], q: q >= 0 && q <= 1 ? q : 1 }
}

interface Candidate extends PreferenceContact {
  readonly binding: Binding
}

/** The bindings to try, best first; empty when none may be; undefined when the request states more preferences than are read (RFC 3841 section 11). */
export function chooseBindings(request: SipMessage, bindings: readonly Binding[]): Binding[] | undefined {
  const accept = request.getAll(Header.AcceptContact)
  const reject = request.getAll(Header.RejectContact)
  const preferences = statedBy(request, accept, reject)
  if (preferences.accept.length + preferences.reject.length > PREFERENCES_MAX) return undefined
  const byInstance = accept.some(namesInstance) || reject.some(namesInstance)
  if (bindings.length === 1) {
    const only = bindings[0]!
    return preferences.implicit || callerPreference(featuresOf(only, byInstance), preferences) !== undefined ? [only] : []
  }
  const candidates: Candidate[] = []
  for (const binding of bindings) candidates.push({ binding, q: binding.features.value.q, features: featuresOf(binding, byInstance) })
  return selectTargets(candidates, preferences).map((target) => target.contact.binding)
}

/** A push states one line of Accept-Contact, the same for all pushes of an application, so that case copies nothing. */
function statedBy(request: SipMessage, accept: readonly string[], reject: readonly string[]): Preferences {
  if (accept.length === 1 && reject.length === 0) return { accept: parsePreferences(accept[0]!), reject: [], implicit: false }
  return preferencesOf(accept, reject, request.method, request.get(Header.Event))
}

/** RFC 3841 section 9.1: `no-fork` means one target, the best; forking in parallel is the rule of this network. */
export function wantsFork(request: SipMessage): boolean {
  return !request.has(Header.RequestDisposition) || !listsToken(request, Header.RequestDisposition, 'no-fork')
}

/** The instance id itself is put in only where a preference names it: it differs for every device, the rest is shared. */
function featuresOf(binding: Binding, byInstance: boolean): readonly Feature[] {
  const { features, withInstance } = binding.features.value
  if (binding.instance === '') return features
  return byInstance ? [...features, instanceFeature(binding.instance)] : withInstance
}

function instanceFeature(instance: string): Feature {
  return { name: INSTANCE, values: [{ kind: 'string', text: instance }] }
}

function namesInstance(line: string): boolean {
  return line.toLowerCase().includes(INSTANCE)
}
