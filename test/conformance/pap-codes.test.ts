/** Status codes: which element may carry which, and how unknown ones are read. */
import { describe, expect, it } from 'vitest'
import { abortCode, CODES, codeAllowed, codeName, knownCode, type CodeElement } from '../../core/pap/codes.js'
import type { PapMessage } from '../../core/pap/documents.js'
import { encodePap } from '../../core/pap/encode.js'
import { complaintOf } from './pap-oracle.js'

/** WAP-247 section 8.13, the table turned round: what each element may carry. */
const ALLOWED: Readonly<Record<CodeElement, readonly number[]>> = {
  'response-result': [1001, 2000, 2001, 2002, 2004, 2005, 2006, 2007, 2008, 3000, 3004, 3005, 3006, 3007, 3009, 3010, 3011],
  'cancel-result': [1000, 2000, 2001, 2002, 2003, 2004, 2008, 3000, 3001, 3003, 3005],
  'resultnotification-message': [1000, 2001, 2002, 2005, 2006, 2008, 3006, 3007, 3009, 3010, 4000, 4001, 5000],
  'resultnotification-response': [1000, 2000],
  'statusquery-result': [1000, 2000, 2001, 2002, 2003, 2004, 3000, 3001, 3003, 3005, 3006, 3007, 3009, 3010, 4000, 4001, 5000],
  'ccq-response': [1000, 2000, 2001, 2002, 3000, 3001, 3008],
  'badmessage-response': [2000, 3002],
}

const ELEMENTS = Object.keys(ALLOWED) as CodeElement[]

function carrying(element: CodeElement, code: number): PapMessage {
  switch (element) {
    case 'response-result': return { type: 'push-response', pushId: 'x', progressNotes: [], result: { code } }
    case 'cancel-result': return { type: 'cancel-response', pushId: 'x', results: [{ code, addresses: [] }] }
    case 'resultnotification-message': return { type: element, pushId: 'x', messageState: 'unknown', code, address: 'a' }
    case 'resultnotification-response': return { type: element, pushId: 'x', code, address: 'a' }
    case 'statusquery-result': return { type: 'statusquery-response', pushId: 'x', results: [{ messageState: 'unknown', code, addresses: [] }] }
    case 'ccq-response': return { type: element, code, address: 'a' }
    case 'badmessage-response': return { type: element, code }
  }
}

describe('status codes', () => {
  it.each(ELEMENTS)('%s carries the codes of its column and no other, whoever writes it', (element) => {
    for (const code of CODES) {
      expect([code, codeAllowed(element, code)]).toEqual([code, ALLOWED[element].includes(code)])
      const write = () => encodePap(carrying(element, code), '2.0')
      if (ALLOWED[element].includes(code)) expect(complaintOf(write())).toBeUndefined()
      else expect(write).toThrow(`code ${code} may not stand in`)
    }
  })

  it('tells 1001 in the push-response only, 1000 never there, 3002 in badmessage-response only', () => {
    expect(ELEMENTS.filter((element) => codeAllowed(element, 1001))).toEqual(['response-result'])
    expect(codeAllowed('response-result', 1000)).toBe(false)
    expect(ELEMENTS.filter((element) => codeAllowed(element, 3002))).toEqual(['badmessage-response'])
  })

  it('has no 4002 to 4004 and lets an unknown code count as x000 of its class', () => {
    for (const code of [4002, 4003, 4004, 1500, 2999, 22000]) expect(ELEMENTS.some((element) => codeAllowed(element, code))).toBe(false)
    expect([1002, 2999, 3500, 4002].map(knownCode)).toEqual([1000, 2000, 3000, 4000])
    expect(knownCode(5237)).toBe(5237)
    expect([1001, 2007, 2999, 5237, 9000].map(codeName)).toEqual(['Accepted for Processing', 'Duplicate Push ID', 'Bad Request', 'Mobile Client Aborted', 'Unknown'])
  })

  it('makes 5abc of an abort reason in decimal, and 5000 of one that would fall into the private range', () => {
    expect([0xe0, 0xed, 256, 257, 600, -1, 1.5].map(abortCode)).toEqual([5224, 5237, 5256, 5257, 5000, 5000, 5000])
    expect(codeAllowed('resultnotification-message', abortCode(0xed))).toBe(true)
  })
})
