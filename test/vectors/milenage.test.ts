/** MILENAGE against the published test set 1 (3GPP TS 35.208 section 4.3), and RFC 3310's digest over it. */
import { describe, expect, it } from 'vitest'
import { systemCrypto } from '../../core/live/crypto.js'
import { Usim, akaNonce, readAkaNonce, sqnOfResynchronisation, vectorFor } from '../../core/sip/aka.js'
import { digestResponse } from '../../core/sip/digest.js'
import { authenticationCodes, cipherKey, integrityKey, operatorConstant, responseAndAnonymity, resynchronisationAnonymity } from '../../core/sip/milenage.js'

const hex = (text: string): Buffer => Buffer.from(text, 'hex')

const K = hex('465b5ce8b199b49faa5f0a2ee238a6bc')
const RAND = hex('23553cbe9637a89d218ae64dae47bf35')
const keys = { k: K, opc: operatorConstant(systemCrypto, K, hex('cdc202d5123e20f62b6d676ac72cb318')) }

describe('MILENAGE, test set 1', () => {
  it('has the published OPc, f1 to f5 and the starred ones', () => {
    const { macA, macS } = authenticationCodes(systemCrypto, keys, RAND, hex('ff9bb4d0b607'), hex('b9b9'))
    const { res, ak } = responseAndAnonymity(systemCrypto, keys, RAND)
    const results = [keys.opc, macA, macS, res, ak, cipherKey(systemCrypto, keys, RAND), integrityKey(systemCrypto, keys, RAND), resynchronisationAnonymity(systemCrypto, keys, RAND)]
    expect(results.map((each) => each.toString('hex'))).toEqual([
      'cd63cb71954a9f4e48a5994e37a02baf', '4a9ffac354dfafb3', '01cfaf9ec4e871e9', 'a54211d5e3ba50bf', 'aa689c648370',
      'b40ba9a3c58b2a05bbf0d987b21bf8cb', 'f769bcd751044604127672711c6d3441', '451e8beca43b',
    ])
  })
})

describe('AKA between home network and USIM', () => {
  it('agrees on RES, takes each number once, late ones of another index too, and nobody else’s at all', () => {
    const usim = new Usim(keys)
    const ask = (sqn: number) => usim.judge(systemCrypto, RAND, vectorFor(systemCrypto, keys, RAND, sqn).autn)
    expect(ask(32 * 10 + 1)).toEqual({ type: 'accepted', res: vectorFor(systemCrypto, keys, RAND, 1).xres })
    expect(ask(32 * 10 + 1).type).toBe('out-of-step')
    expect(ask(32 * 9 + 2).type).toBe('accepted')
    expect(ask(32 * 9 + 1).type).toBe('out-of-step')
    const { autn } = vectorFor(systemCrypto, keys, RAND, 32 * 11)
    for (let octet = 0; octet < 16; octet++) {
      const forged = Buffer.from(autn)
      forged[octet]! ^= 1
      expect(usim.judge(systemCrypto, RAND, forged).type).toBe('wrong-network')
    }
  })

  it('gets into step again by AUTS, which only the USIM can make', () => {
    const usim = new Usim(keys, 32 * 5_000 + 7)
    const verdict = usim.judge(systemCrypto, RAND, vectorFor(systemCrypto, keys, RAND, 32 * 100).autn)
    if (verdict.type !== 'out-of-step') throw new Error(verdict.type)
    expect(sqnOfResynchronisation(systemCrypto, keys, RAND, verdict.auts)).toBe(32 * 5_000 + 7)
    verdict.auts[13]! ^= 1
    expect(sqnOfResynchronisation(systemCrypto, keys, RAND, verdict.auts)).toBeUndefined()
    expect(sqnOfResynchronisation(systemCrypto, keys, RAND, Buffer.alloc(13))).toBeUndefined()
    expect(usim.judge(systemCrypto, RAND, vectorFor(systemCrypto, keys, RAND, 32 * 5_001).autn).type).toBe('accepted')
  })
})

describe('the digest over it (RFC 3310)', () => {
  // Computed apart from this project: RES a1b2c3d4e5f60718, and the empty password of a resynchronisation.
  const rand = hex('00112233445566778899aabbccddeeff')
  const autn = hex('0f1e2d3c4b5a69788796a5b4c3d2e1f0')
  const nonce = 'ABEiM0RVZneImaq7zN3u/w8eLTxLWml4h5altMPS4fA='

  it('writes RAND and AUTN into the nonce and reads them back', () => {
    expect(akaNonce(rand, autn, Buffer.alloc(0))).toBe(nonce)
    expect(readAkaNonce(akaNonce(rand, autn, hex('c0ffee')))).toEqual({ rand, autn, serverData: hex('c0ffee') })
    expect(readAkaNonce('c2hvcnQ=')).toBeUndefined()
  })

  it('takes RES as octets for a password, and none with AUTS', () => {
    const credentials = {
      username: 'user7_private@home1.example.net', realm: 'home1.example.net', nonce, uri: 'sip:home1.example.net', algorithm: 'AKAv1-MD5', qop: { cnonce: '0a4f113b', nc: 1 },
    } as const
    expect(digestResponse(systemCrypto, credentials, hex('a1b2c3d4e5f60718'), 'REGISTER')).toBe('57256688806b409a23b8befca928c3d7')
    expect(digestResponse(systemCrypto, credentials, Buffer.alloc(0), 'REGISTER')).toBe('fcd019911574e3c2582b6a45b3fb5804')
  })
})
