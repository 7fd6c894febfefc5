/** The answer to a capabilities query: its form, the UAProf in it, judged by libxml2 and by a second reader. */
import { describe, expect, it } from 'vitest'
import { XmlDocument } from 'libxml2-wasm'
import { parseContentType } from '../../core/mime/content-type.js'
import { splitMultipart } from '../../core/mime/multipart.js'
import { applicationUri, parseApplicationId } from '../../core/pap/application-ids.js'
import { encodeCapabilities } from '../../core/pap/capabilities-response.js'
import { decodePap } from '../../core/pap/decode.js'
import { decodeSubmission } from '../../core/pap/submission.js'
import { encodePap } from '../../core/pap/encode.js'
import { uaProfDocument, type ClientProfile } from '../../core/pap/uaprof.js'
import { complaintOf } from './pap-oracle.js'

const ADDRESS = 'WAPPUSH=+35799100200/TYPE=PLMN@ppg.operator.example'
const OK = { type: 'ccq-response', queryId: 'ccq-88@pi', code: 1000, desc: 'OK', address: ADDRESS } as const
const FULL: ClientProfile = {
  vendor: 'A & B', model: 'Sample<1>', accept: ['application/vnd.wap.mms-message', 'image/*'], acceptCharsets: ['utf-8'], acceptEncodings: ['gzip'],
  acceptLanguages: ['el', 'en'], acceptApplications: ['x-wap-application:mms.ua'], messageSizeMax: 1_400,
}
const PRF = 'http://www.wapforum.org/profiles/UAPROF/ccppschema-20010430#'
const NAMES = { rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#', prf: PRF }

function found(profile: ClientProfile, path: string): string[] {
  const document = XmlDocument.fromString(uaProfDocument(profile))
  try {
    return document.find(path, NAMES).map((node) => node.content)
  } finally {
    document.dispose()
  }
}

describe('a ccq-response', () => {
  it('of success is multipart/related, the control entity first and valid, the profile second (WAP-247 section 7)', () => {
    const { contentType, body } = encodeCapabilities(OK, FULL, '2.0')
    const type = parseContentType(contentType)!
    expect(type.mediaType).toBe('multipart/related')
    expect(type.parameters.get('type')).toBe('application/xml')
    const { parts, ok } = splitMultipart(Buffer.from(body), type.parameters.get('boundary')!)
    expect(ok).toBe(true)
    expect(parts).toHaveLength(2)
    expect(complaintOf(parts[0]!.body)).toBeUndefined()
    expect(decodePap(parts[0]!.body)).toMatchObject({ ok: true, message: OK })
    expect(parts[1]!.body.toString()).toBe(uaProfDocument(FULL))
  })

  it('of failure is the control entity alone, with each code the table allows (section 8.13)', () => {
    for (const code of [2000, 2001, 2002, 3000, 3001, 3008]) {
      const { contentType, body } = encodeCapabilities({ ...OK, code }, undefined, '2.0')
      expect(contentType).toBe('application/xml')
      expect(complaintOf(body)).toBeUndefined()
    }
  })

  it('belongs to a query that a decoder hands on, from a bare document', () => {
    const body = Buffer.from(encodePap({ type: 'ccq-message', queryId: 'q', appId: 'x-wap-application:mms.ua', address: ADDRESS }, '2.0'))
    expect(decodeSubmission('application/xml', body)).toMatchObject({ ok: false, operation: { type: 'ccq-message', queryId: 'q', appId: 'x-wap-application:mms.ua', address: ADDRESS } })
  })
})

describe('a UAProf document', () => {
  it('holds the push characteristics under the names of WAP-248, bags and sequences as they are meant', () => {
    const push = `//rdf:Description[rdf:type/@rdf:resource="${PRF}PushCharacteristics"]`
    expect(found(FULL, `${push}/prf:Push-Accept/rdf:Bag/rdf:li`)).toEqual(FULL.accept)
    expect(found(FULL, `${push}/prf:Push-Accept-Charset/rdf:Bag/rdf:li`)).toEqual(['utf-8'])
    expect(found(FULL, `${push}/prf:Push-Accept-Encoding/rdf:Bag/rdf:li`)).toEqual(['gzip'])
    expect(found(FULL, `${push}/prf:Push-Accept-Language/rdf:Seq/rdf:li`)).toEqual(['el', 'en'])
    expect(found(FULL, `${push}/prf:Push-Accept-AppID/rdf:Bag/rdf:li`)).toEqual(['x-wap-application:mms.ua'])
    expect(found(FULL, `${push}/prf:Push-MsgSize`)).toEqual(['1400'])
    expect(found(FULL, `//rdf:Description[rdf:type/@rdf:resource="${PRF}SoftwarePlatform"]/prf:CcppAccept/rdf:Bag/rdf:li`)).toEqual(FULL.accept)
    expect(found(FULL, `//rdf:Description[rdf:type/@rdf:resource="${PRF}HardwarePlatform"]/prf:*`)).toEqual(['A & B', 'Sample<1>'])
  })

  it('leaves out what is not known, components without property included', () => {
    expect(found({ messageSizeMax: 5 }, '//prf:component')).toHaveLength(1)
    expect(found({ accept: [], messageSizeMax: 5 }, '//prf:Push-Accept')).toEqual([])
  })
})

describe('a feature tag', () => {
  it('stands for the application that it was made of', () => {
    for (const uri of ['x-wap-application:mms.ua', 'x-oma-application:ulp.ua', 'urn:example:app', 'x-3gpp:mbms.service.announcement.ua']) {
      expect(applicationUri(parseApplicationId(uri)!.featureTag.toLowerCase())).toBe(uri)
    }
    expect(applicationUri('some.ua')).toBe('x-wap-application:some.ua')
  })
})
