/**
 * What a client takes, as a UAProf document (WAP-248; RDF/XML in the vocabulary of 2001-04-30): the parts that concern push,
 * each left out where nothing is known. Written only; knows no SIP and no device.
 */
import { escapeXml } from '../xml/write.js'

/** Undefined is: not known. */
export interface ClientProfile {
  readonly vendor?: string | undefined
  readonly model?: string | undefined
  /** Media types it takes by pull and push alike. */
  readonly accept?: readonly string[] | undefined
  readonly acceptCharsets?: readonly string[] | undefined
  readonly acceptEncodings?: readonly string[] | undefined
  /** In the order of preference. */
  readonly acceptLanguages?: readonly string[] | undefined
  /** Push applications as absolute URIs. */
  readonly acceptApplications?: readonly string[] | undefined
  /** Octets of the largest message. */
  readonly messageSizeMax?: number | undefined
}

const VOCABULARY = 'http://www.wapforum.org/profiles/UAPROF/ccppschema-20010430#'
const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'

/** One document; components without a property are left out. */
export function uaProfDocument(profile: ClientProfile): string {
  const { vendor, model, accept, acceptCharsets, acceptEncodings, acceptLanguages, acceptApplications, messageSizeMax } = profile
  const components = component('HardwarePlatform', text('Vendor', vendor) + text('Model', model))
    + component('SoftwarePlatform', list('CcppAccept', 'Bag', accept) + list('CcppAccept-Charset', 'Bag', acceptCharsets) + list('CcppAccept-Encoding', 'Bag', acceptEncodings) + list('CcppAccept-Language', 'Seq', acceptLanguages))
    + component('PushCharacteristics', list('Push-Accept', 'Bag', accept) + list('Push-Accept-Charset', 'Bag', acceptCharsets) + list('Push-Accept-Encoding', 'Bag', acceptEncodings)
      + list('Push-Accept-Language', 'Seq', acceptLanguages) + list('Push-Accept-AppID', 'Bag', acceptApplications) + text('Push-MsgSize', messageSizeMax))
  return `<?xml version="1.0" encoding="UTF-8"?><rdf:RDF xmlns:rdf="${RDF}" xmlns:prf="${VOCABULARY}"><rdf:Description rdf:ID="Profile">${components}</rdf:Description></rdf:RDF>`
}

function component(name: string, properties: string): string {
  if (properties === '') return ''
  return `<prf:component><rdf:Description rdf:ID="${name}"><rdf:type rdf:resource="${VOCABULARY}${name}"/>${properties}</rdf:Description></prf:component>`
}

function text(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : `<prf:${name}>${escapeXml(String(value))}</prf:${name}>`
}

function list(name: string, kind: 'Bag' | 'Seq', values: readonly string[] | undefined): string {
  if (values === undefined || values.length === 0) return ''
  return `<prf:${name}><rdf:${kind}>${values.map((value) => `<rdf:li>${escapeXml(value)}</rdf:li>`).join('')}</rdf:${kind}></prf:${name}>`
}
