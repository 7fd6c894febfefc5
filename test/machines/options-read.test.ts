/** What a device tells in an answer to OPTIONS is kept within bounds, however much it tells. */
import { describe, expect, it } from 'vitest'
import { readOptions } from '../../core/ota/options.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'

const MOST = 64
const many = (name: (index: number) => string): string => Array.from({ length: 3 * MOST }, (_unused, index) => name(index)).join(',')

describe('an answer to OPTIONS', () => {
  it('that lists hundreds of everything is read up to 64 of each', () => {
    const answer = new SipMessage({ method: 'OPTIONS', status: 200, reason: 'OK' })
      .append(Header.Accept, composed(many((index) => `text/t${index}`)))
      .append(Header.AcceptEncoding, composed(many((index) => `e${index}`)))
      .append(Header.Other, composed(`Accept-Language: ${many((index) => `l${index}`)}`))
      .append(Header.Contact, composed(`<sip:ue@192.0.2.1>;methods="${many((index) => `M${index}`)}";+g.oma.pusheventapp="${many((index) => `a${index}`)}"`))
    const { mediaTypes, encodings, languages, methods, applications } = readOptions(answer)
    for (const [list, first] of [[mediaTypes, 'text/t0'], [encodings, 'e0'], [languages, 'l0'], [methods, 'M0'], [applications, 'a0']] as const) {
      expect([list![0], list!.length]).toEqual([first, MOST])
    }
  })
})
