/** The answer to a capabilities query (WAP-247 sections 5.5, 7, 8.11): alone where it failed, else with the profile as second part. */
import { formatContentType } from '../mime/content-type.js'
import { boundaryFor, writeMultipart } from '../mime/write.js'
import type { CapabilitiesResponse } from './documents.js'
import { encodePap } from './encode.js'
import { uaProfDocument, type ClientProfile } from './uaprof.js'
import type { PapForm } from './versions.js'

const XML_PART = [{ name: 'Content-Type', value: 'application/xml' }]

/** The body of the HTTP response, and its Content-Type. */
export function encodeCapabilities(response: CapabilitiesResponse, profile: ClientProfile | undefined, form: PapForm): { readonly contentType: string; readonly body: string } {
  const control = encodePap(response, form)
  if (profile === undefined) return { contentType: 'application/xml', body: control }
  // Section 7: the control entity first, the capabilities second.
  const parts = [control, uaProfDocument(profile)].map((document) => ({ headers: XML_PART, body: Buffer.from(document) }))
  const boundary = boundaryFor(parts)
  return { contentType: formatContentType('multipart/related', { boundary, type: 'application/xml' }), body: writeMultipart(parts, boundary).toString('utf8') }
}
