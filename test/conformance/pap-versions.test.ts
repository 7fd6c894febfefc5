/** Version negotiation: what a document's type declares, and the form of what answers it. */
import { describe, expect, it } from 'vitest'
import { answerToFault } from '../../core/pap/answers.js'
import { decodePap } from '../../core/pap/decode.js'
import { encodePap } from '../../core/pap/encode.js'

const MESSAGE = '<pap><push-message push-id="v"><address address-value="sip:a@b.example"/></push-message></pap>'
const typed = (rest: string) => `<!DOCTYPE pap ${rest}>${MESSAGE}`
const listing = (versions: string) => ` [<?wap-pap-ver supported-versions="${versions}"?>]`
const wap = (version: string, subset = '') => typed(`PUBLIC "-//WAPFORUM//DTD PAP ${version}//EN" "http://www.wapforum.org/DTD/pap_${version}.dtd"${subset}`)

const formOf = (xml: string) => { const result = decodePap(xml); return result.ok ? result.form : `${result.code} in ${result.form}` }

describe('the version of a document', () => {
  it('is read from the public identifier of either owner, else from the system identifier, else taken as 2.0', () => {
    expect(formOf(wap('2.0'))).toBe('2.0')
    expect(formOf(typed('PUBLIC \'-//OMA//DTD PAP 2.1//EN\' \'http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd\''))).toBe('2.0')
    expect(formOf(typed('PUBLIC "//WAPFORUM//DTD PAP 1.0//EN" "elsewhere.dtd"'))).toBe('1.0')
    expect(formOf(typed('PUBLIC "-//WAPFORUM//DTD PAP//EN" "x"'))).toBe('1.0')
    expect(formOf(typed('PUBLIC "-//WAPFORUM//DTD PAP 1.0//EN"'))).toBe('1.0')
    expect(formOf(typed('SYSTEM "http://www.wapforum.org/DTD/pap_1.0.dtd"'))).toBe('1.0')
    expect(formOf(typed('SYSTEM "my.dtd"'))).toBe('2.0')
    expect(formOf(MESSAGE)).toBe('2.0')
  })

  it('compares minor numbers as integers: 2.10 is not 2.1', () => {
    expect(formOf(wap('2.3'))).toBe('2.0')
    expect(formOf(wap('2.10'))).toMatch(/^3002/)
    expect(formOf(wap('2.4'))).toMatch(/^3002/)
    expect(formOf(wap('1.1'))).toMatch(/^3002/)
  })
})

describe('the form of an answer (WAP-247 section 9)', () => {
  it('lists our versions if and only if the initiator is known to support more than 1.0', () => {
    expect(formOf(wap('1.0'))).toBe('1.0')
    expect(formOf(wap('1.0', listing('1.0')))).toBe('1.0')
    expect(formOf(wap('1.0', listing('2.0,1.0')))).toBe('1.0-listing')
    expect(formOf(wap('1.0', listing('1.*,2.*')))).toBe('1.0-listing')
    expect(formOf(wap('1.0', listing('2.0 and more')))).toBe('1.0')
    const answer = { type: 'badmessage-response', code: 2000 } as const
    expect(encodePap(answer, '1.0')).not.toContain('wap-pap-ver')
    expect(encodePap(answer, '1.0-listing')).toContain('DTD PAP 1.0//EN" "http://www.wapforum.org/DTD/pap_1.0.dtd" [<?wap-pap-ver supported-versions="2.0,1.0"?>]')
    expect(encodePap(answer, '2.0')).toContain('DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd" [<?wap-pap-ver supported-versions="2.0,1.0"?>]')
  })

  it.each([
    ['a common version', '3.0', '3.0,2.0,1.0', '3002 in 2.0'],
    ['the most preferred of two common versions', '3.0', '3.0,1.0,2.0', '3002 in 1.0-listing'],
    ['a common version by wildcard', '3.1', '3.*,2.*', '3002 in 2.0'],
    ['no common version', '3.0', '3.0,2.4', '3002 in 1.0-listing'],
    ['no list at all', '9.0', '', '3002 in 1.0-listing'],
    ['a version before the first', '0.9', '', '3002 in 1.0'],
  ])('refuses an unsupported version by 3002: %s', (_, version, list, expected) => {
    expect(formOf(wap(version, list === '' ? '' : listing(list)))).toBe(expected)
  })

  it('tells 3002 in a badmessage-response even where the push-id could be read, and before any other fault', () => {
    const xml = wap('9.0').replace('</pap>', '')
    const fault = decodePap(xml)
    expect(!fault.ok && answerToFault(fault, Buffer.from(xml))).toMatchObject({ type: 'badmessage-response', code: 3002 })
  })

  it('does not let one document decide the form of the next', () => {
    const documents = [wap('1.0'), wap('2.0'), MESSAGE, wap('9.0'), wap('1.0', listing('2.0')), typed('PUBLIC "-//WAPFORUM//DTD PAP 1.0//EN" "x" [<!ENTITY a "b">]')]
    const alone = documents.map((xml) => { formOf(MESSAGE); return formOf(xml) })
    expect([...documents, ...documents].map(formOf)).toEqual([...alone, ...alone])
    expect(alone).toEqual(['1.0', '2.0', '2.0', '3002 in 1.0-listing', '1.0-listing', '2000 in 1.0'])
  })
})
