/**
 * The raw messages of RFC 4475 and RFC 5118, where the folder that holds them is present beside the project, each with the
 * answer its RFC names. Our own messages for the same conditions are in sip-torture.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { StreamFramer, datagramMessage } from '../../core/sip/framing.js'
import { validateRequest, validateResponse } from '../../core/sip/validate.js'

const FOLDER = '../shared/vectors'

/** Status, `drop`, or `ok` where the codec lets it pass and an element decides. */
const RFC4475: Readonly<Record<string, number | 'drop' | 'ok'>> = {
  wsinv: 'ok', intmeth: 'ok', esc01: 'ok', escnull: 'ok', esc02: 'ok', lwsdisp: 'ok', longreq: 'ok', dblreq: 'ok', semiuri: 'ok', transports: 'ok',
  mpart01: 'ok', unreason: 'ok', noreason: 'ok', badinv01: 400, clerr: 400, ncl: 400, scalar02: 400, scalarlg: 'drop', quotbal: 400, ltgtruri: 400,
  lwsruri: 400, lwsstart: 400, trws: 400, escruri: 400, baddate: 'ok', regbadct: 400, badaspec: 400, baddn: 400, badvers: 505, mismatch01: 400,
  mismatch02: 400, bigcode: 'drop', badbranch: 400, insuf: 400, unkscm: 416, novelsc: 416, unksm2: 'ok', bext01: 'ok', invut: 'ok', regaut01: 'ok',
  multi01: 400, mcl01: 400, bcast: 'ok', zeromf: 'ok', cparam01: 'ok', cparam02: 'ok', regescrt: 'ok', sdp01: 'ok', inv2543: 'ok',
}

const RFC5118: Readonly<Record<string, number | 'ok'>> = {
  'ipv6-good': 'ok', 'ipv6-bad': 400, 'port-ambiguous': 'ok', 'port-unambiguous': 'ok', 'via-received-param-with-delim': 'ok',
  'via-received-param-no-delim': 'ok', 'ipv6-in-sdp': 'ok', 'mult-ip-in-header': 'ok', 'mult-ip-in-sdp': 'ok', 'ipv4-mapped-ipv6': 'ok',
  'ipv6-bug-abnf-3-colons': 'ok', 'ipv6-correct-abnf-2-colons': 'ok',
}

function answer(bytes: Buffer): number | 'drop' | 'ok' {
  const { message, problem } = datagramMessage(bytes)!
  const found = problem ?? (message.isRequest ? validateRequest(message) : validateResponse(message))
  if (found === undefined) return 'ok'
  return found.of === 'response' ? 'drop' : found.status
}

/** The stored files of RFC 5118 have bare line feeds, and some lack the empty line: both are put right, and the length with them. */
function restored(bytes: Buffer): Buffer {
  const [head, ...body] = bytes.toString('latin1').trimEnd().replace(/\n/g, '\r\n').split('\r\n\r\n')
  const text = body.length === 0 ? '' : `${body.join('\r\n\r\n')}\r\n`
  return Buffer.from(`${head!.replace(/Content-Length: \d+/, `Content-Length: ${text.length}`)}\r\n\r\n${text}`, 'latin1')
}

if (existsSync(FOLDER)) {
  describe('the raw messages of RFC 4475', () => {
    for (const [name, expected] of Object.entries(RFC4475)) {
      const bytes = () => readFileSync(`${FOLDER}/rfc4475/${name}.dat`)
      it(`${name}: ${expected}`, () => expect(answer(bytes())).toBe(expected))
      it(`${name}: a stream survives it octet by octet`, () => {
        const framer = new StreamFramer()
        for (const octet of bytes()) {
          framer.push(Buffer.from([octet]))
          while (framer.next() !== undefined);
        }
      })
    }
    it('test.dat, which no section describes: 400', () => expect(answer(readFileSync(`${FOLDER}/rfc4475/test.dat`))).toBe(400))
  })
  describe('the raw messages of RFC 5118', () => {
    for (const [name, expected] of Object.entries(RFC5118)) {
      it(`${name}: ${expected}`, () => expect(answer(restored(readFileSync(`${FOLDER}/rfc5118/${name}`)))).toBe(expected))
    }
  })
} else {
  it('the raw messages of RFC 4475 and RFC 5118 are not here: only our own messages for the same conditions were run', () => {
    expect(existsSync(FOLDER)).toBe(false)
  })
}
