/**
 * The push applications a terminal can have, as the OMA registry of push application ids names them, and the
 * content types each takes. Knows names only; which device has which application is the population's matter.
 */

/** The feature tag under which a device registers its push applications (OMA SIP Push; the value is the list of applications). */
export const PUSH_APPLICATION_TAG = '+g.oma.pusheventapp'

/** RFC 3428 section 7: every receiver of MESSAGE takes text/plain. */
const EVERY_DEVICE = ['text/plain'] as const

/** Content types by application id, the id written without the prefix of its URN (`x-wap-application:`, `x-oma-application:`). */
export const APPLICATION_CONTENT_TYPES: Readonly<Record<string, readonly string[]>> = {
  'push.sia': ['text/vnd.wap.si', 'text/vnd.wap.sl', 'application/vnd.wap.sic', 'application/vnd.wap.slc'],
  'wml.ua': ['text/vnd.wap.si', 'text/vnd.wap.sl', 'text/vnd.wap.wml', 'application/vnd.wap.wmlc', 'application/xhtml+xml'],
  'mms.ua': ['application/vnd.wap.mms-message'],
  'syncml.dm': ['application/vnd.syncml.notification', 'application/vnd.syncml.dm+xml'],
  'push.syncml': ['application/vnd.syncml.notification', 'application/vnd.syncml+xml'],
  'loc.ua': ['application/vnd.wap.loc+xml', 'application/vnd.omaloc-supl-init'],
  'drm.ua': ['application/vnd.oma.drm.rights+xml', 'application/vnd.oma.drm.rights+wbxml', 'application/vnd.oma.drm.roap-trigger+xml'],
  'emn.ua': ['application/vnd.wap.emn+xml', 'application/vnd.wap.emn+wbxml'],
  'wv.ua': ['application/vnd.wv.csp.cir'],
  'ulp.ua': ['application/vnd.omaloc-supl-init'],
  'dlota.ua': ['application/vnd.oma.dd+xml'],
  'cpm.ua': ['application/vnd.oma.cpm.notification+xml'],
  'lwm2m.dm': ['application/octet-stream'],
}

const accepted = new Map<string, ReadonlySet<string>>()

/**
 * The content types (lower case, without parameters) a device with these applications takes. Equal lists share one set.
 * @param further types it takes whatever its applications
 */
export function acceptedTypes(applications: readonly string[], further: readonly string[] = []): ReadonlySet<string> {
  const key = `${applications.join(',')} ${further.join(',')}`
  let types = accepted.get(key)
  if (types === undefined) {
    types = new Set([...EVERY_DEVICE, ...applications.flatMap((application) => APPLICATION_CONTENT_TYPES[application] ?? []), ...further])
    accepted.set(key, types)
  }
  return types
}

/** The application id without its URN prefix: `x-wap-application:mms.ua` and `mms.ua` are one application. Lower case (RFC 3840 section 9: tokens). */
export function applicationName(id: string): string {
  return id.slice(id.lastIndexOf(':') + 1).trim().toLowerCase()
}
