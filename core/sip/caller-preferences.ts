/**
 * Caller preferences: RFC 3841 section 7.2, as a pure function from contacts and Accept-Contact / Reject-Contact to the
 * contacts to try, in order. Knows features and preferences; what a contact is, and how it is reached, is the caller's.
 */
import { type Feature, featuresMeet, parseFeatures } from './feature-parameters.js'
import { hasParam } from './params.js'
import { valueEnd } from './values.js'

/** A registered contact. `features` come from `parseFeatures` over its Contact parameters, made once per registration. */
export interface PreferenceContact {
  readonly features: readonly Feature[]
  /** From the registration; 1 when it named none (RFC 3841 section 7.2.3). */
  readonly q: number
}

/** One value of Accept-Contact or Reject-Contact. */
export interface Preference {
  readonly features: readonly Feature[]
  readonly require: boolean
  readonly explicit: boolean
}

export interface Preferences {
  readonly accept: readonly Preference[]
  readonly reject: readonly Preference[]
  /** Made up from the method because the caller stated none (section 7.2.2). */
  readonly implicit: boolean
}

export interface Target<Contact> {
  readonly contact: Contact
  /** Caller preference, 0 to 1; 1 for contacts without features. */
  readonly qa: number
}

/** Values in one request; an element refuses a request with more (RFC 3841 section 11 suggests about 20). */
export const PREFERENCES_MAX = 20
/** Accept-Contact texts remembered: pushes repeat the same few, one for each application. */
export const PREFERENCE_CACHE_MAX = 1_024

/** Values of a header as they were read, by their text; holds at most `PREFERENCE_CACHE_MAX` and then starts again. */
const cache = new Map<string, readonly Preference[]>()

/** The values of one Accept-Contact or Reject-Contact line: `*;feature...;require;explicit, *;...`. A malformed value is passed over. */
export function parsePreferences(text: string): readonly Preference[] {
  const known = cache.get(text)
  if (known !== undefined) return known
  const preferences: Preference[] = []
  for (let start = 0; start < text.length; ) {
    const end = valueEnd(text, start)
    const value = text.slice(start, end).trim()
    if (/^\*[ \t]*(;|$)/.test(value)) {
      const params = value.slice(1)
      preferences.push({ features: parseFeatures(params), require: hasParam(params, 'require'), explicit: hasParam(params, 'explicit') })
    }
    start = end + 1
  }
  if (cache.size >= PREFERENCE_CACHE_MAX) cache.clear()
  cache.set(text, preferences)
  return preferences
}

/**
 * The preferences of a request from its header lines; with neither header, the implicit ones (section 7.2.2): the contact
 * must not deny the method, nor the event of a subscription request. The caller refuses more than `PREFERENCES_MAX` of them.
 */
export function preferencesOf(acceptLines: readonly string[], rejectLines: readonly string[], method: string, event?: string): Preferences {
  if (acceptLines.length === 0 && rejectLines.length === 0) {
    const features = [tokenFeature('methods', method)]
    if (event !== undefined) features.push(tokenFeature('events', event))
    return { accept: [{ features, require: true, explicit: false }], reject: [], implicit: true }
  }
  return { accept: acceptLines.flatMap(parsePreferences), reject: rejectLines.flatMap(parsePreferences), implicit: false }
}

function tokenFeature(name: string, value: string): Feature {
  return { name, values: [{ kind: 'token', not: false, text: value.toLowerCase() }] }
}

/**
 * The contacts to try, best first: registered q descending, then caller preference descending, else as given. An empty
 * result of stated preferences means 480 (section 7.2.4); implicit preferences that leave nothing leave everything.
 */
export function selectTargets<Contact extends PreferenceContact>(contacts: readonly Contact[], preferences: Preferences): Target<Contact>[] {
  const targets: Target<Contact>[] = []
  for (const contact of contacts) {
    const qa = callerPreference(contact.features, preferences)
    if (qa !== undefined) targets.push({ contact, qa })
  }
  if (targets.length === 0 && preferences.implicit) for (const contact of contacts) targets.push({ contact, qa: 1 })
  return targets.length < 2 ? targets : targets.sort((one, other) => other.contact.q - one.contact.q || other.qa - one.qa)
}

/** Qa of one contact; undefined when it is not to be tried. A user agent asks the same of itself (section 6). */
export function callerPreference(features: readonly Feature[], { accept, reject }: Preferences): number | undefined {
  // Section 7.2.3: a contact without features is immune.
  if (features.length === 0) return 1
  for (const preference of reject) if (isRejected(features, preference)) return undefined
  let sum = 0
  let matching = 0
  for (const preference of accept) {
    const score = scoreOf(features, preference)
    if (score === undefined) {
      if (preference.require) return undefined
    } else if (score < 1 && preference.explicit) {
      if (preference.require) return undefined
      matching++
    } else {
      sum += score
      matching++
    }
  }
  // An empty matching set has no rule in section 7.2.4: the least preference is taken.
  return matching === 0 ? 0 : sum / matching
}

/** Section 7.2.4: a Reject-Contact counts only for contacts that speak of every feature it names; one that names none rejects nobody. */
function isRejected(features: readonly Feature[], preference: Preference): boolean {
  if (preference.features.length === 0) return false
  for (const term of preference.features) {
    const feature = find(features, term.name)
    if (feature === undefined || !featuresMeet(term, feature)) return false
  }
  return true
}

/** The share of the preference's features that the contact speaks of; undefined when one of them contradicts. */
function scoreOf(features: readonly Feature[], preference: Preference): number | undefined {
  let present = 0
  for (const term of preference.features) {
    const feature = find(features, term.name)
    if (feature === undefined) continue
    if (!featuresMeet(term, feature)) return undefined
    present++
  }
  return preference.features.length === 0 ? 1 : present / preference.features.length
}

function find(features: readonly Feature[], name: string): Feature | undefined {
  for (const feature of features) if (feature.name === name) return feature
  return undefined
}
