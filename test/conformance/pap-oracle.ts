/** libxml2 with the PAP 2.0 DTD as the judge of validity, and headers of documents to judge. */
import { readFileSync } from 'node:fs'
import { DtdValidator, XmlDocument, XmlDtd } from 'libxml2-wasm'

const validator = new DtdValidator(XmlDtd.fromString(readFileSync(new URL('./pap-2.0.dtd', import.meta.url), 'utf8')))

/** Undefined when libxml2 finds the document well formed and valid, else its complaint. */
export function complaintOf(xml: string | Uint8Array): string | undefined {
  let document: XmlDocument | undefined
  try {
    document = typeof xml === 'string' ? XmlDocument.fromString(xml) : XmlDocument.fromBuffer(xml)
    validator.validate(document)
    return undefined
  } catch (error) {
    return String(error)
  } finally {
    document?.dispose()
  }
}

/** XML declaration and document type as an initiator writes them. */
export function prologue(version: string, subset = ''): string {
  const doctype = `<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP ${version}//EN" "http://www.wapforum.org/DTD/pap_${version}.dtd"${subset}>`
  return `<?xml version="1.0" encoding="UTF-8"?>\n${doctype}\n`
}

export const PROLOGUE_2_0 = prologue('2.0', ' [<?wap-pap-ver supported-versions="2.0,1.*"?>]')
