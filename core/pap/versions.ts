/**
 * PAP's versions (WAP-247 section 9): which one a document is in, what its sender supports, and the form our answer
 * takes. We support 1.0 and 2.0; 2.1 to 2.3 are read with the elements of 2.0. Knows headers of documents, no messages.
 */
import type { Doctype } from '../xml/tree.js'

export interface ProtocolVersion {
  readonly major: number
  readonly minor: number
}

/**
 * How documents to one initiator begin: in which version, and whether they list our versions, which is done if and only
 * if the initiator is known to support more than 1.0 (section 9.2). Stored with a push, because a result notification
 * keeps the form of its submission (section 9.5).
 */
export type PapForm = '1.0' | '1.0-listing' | '2.0'

const OURS = '2.0,1.0'
const LISTING = ` [<?wap-pap-ver supported-versions="${OURS}"?>]`

/** XML declaration and document type of each form, on one line. */
export const PROLOGUES: Readonly<Record<PapForm, string>> = {
  '1.0': prologue('1.0', ''),
  '1.0-listing': prologue('1.0', LISTING),
  '2.0': prologue('2.0', LISTING),
}

function prologue(version: string, subset: string): string {
  return '<?xml version="1.0" encoding="UTF-8"?>' +
    `<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP ${version}//EN" "http://www.wapforum.org/DTD/pap_${version}.dtd"${subset}>`
}

export interface Negotiated {
  readonly version: ProtocolVersion
  /** False calls for a badmessage-response 3002 in `form` (section 9.3). */
  readonly supported: boolean
  readonly form: PapForm
}

const PUBLIC_ID = /DTD PAP(?:\s+(\d{1,4})\.(\d{1,4}))?\s*\/\/EN/i
const SYSTEM_ID = /\/pap_(\d{1,4})\.(\d{1,4})\.dtd/i
const SUPPORTED_VERSIONS = /^supported-versions\s*=\s*(?:"([^"]*)"|'([^']*)')$/
const LISTED_VERSION = /^(\d{1,4})\.(\d{1,4}|\*)$/

/** A document without a usable document type is read as 2.0. */
const ASSUMED: Negotiated = { version: { major: 2, minor: 0 }, supported: true, form: '2.0' }

let latestDoctype: Doctype | undefined
let latest = ASSUMED

/** The version of a document, and the form of whatever answers it. The latest is kept: the reader repeats a repeated declaration. */
export function negotiate(doctype: Doctype | undefined): Negotiated {
  if (doctype === latestDoctype) return latest
  latest = negotiateAnew(doctype)
  latestDoctype = doctype
  return latest
}

function negotiateAnew(doctype: Doctype | undefined): Negotiated {
  const version = versionOf(doctype)
  if (doctype === undefined || version === undefined) return ASSUMED
  const listed = listedVersions(doctype)
  if (version.major === 2 && version.minor <= 3) return { version, supported: true, form: '2.0' }
  // Section 9.2: without a list, the sender supports the version it used and no other.
  const beyondFirst = isBeyondFirst(version) || listed.some(isBeyondFirst)
  if (version.major === 1 && version.minor === 0) return { version, supported: true, form: beyondFirst ? '1.0-listing' : '1.0' }
  // Section 9.3: the first version in the sender's order of preference that is ours too; with none in common, 1.0 (section 9.4).
  const common = listed.find((one) => (one.major === 2 || one.major === 1) && (one.minor === 0 || one.minor === Infinity))
  if (common !== undefined) return { version, supported: false, form: common.major === 2 ? '2.0' : beyondFirst ? '1.0-listing' : '1.0' }
  return { version, supported: false, form: beyondFirst ? '1.0-listing' : '1.0' }
}

function isBeyondFirst(version: ProtocolVersion): boolean {
  return version.major > 1 || (version.major === 1 && version.minor > 0)
}

/** The public identifier's version, else the system identifier's. A public identifier without number is 1.0's first form. */
function versionOf(doctype: Doctype | undefined): ProtocolVersion | undefined {
  const named = PUBLIC_ID.exec(doctype?.publicId ?? '')
  if (named !== null) return named[1] === undefined ? { major: 1, minor: 0 } : { major: Number(named[1]), minor: Number(named[2]) }
  const located = SYSTEM_ID.exec(doctype?.systemId ?? '')
  return located === null ? undefined : { major: Number(located[1]), minor: Number(located[2]) }
}

/** The sender's `wap-pap-ver` list in its order, a `*` as an infinite minor; empty when there is none or it is malformed. */
function listedVersions(doctype: Doctype): ProtocolVersion[] {
  const instruction = doctype.instructions.find((one) => one.target === 'wap-pap-ver')
  const list = instruction === undefined ? null : SUPPORTED_VERSIONS.exec(instruction.body)
  if (list === null) return []
  const versions: ProtocolVersion[] = []
  for (const item of (list[1] ?? list[2]!).split(',')) {
    const version = LISTED_VERSION.exec(item.trim())
    if (version === null) return []
    versions.push({ major: Number(version[1]), minor: version[2] === '*' ? Infinity : Number(version[2]) })
  }
  return versions
}
