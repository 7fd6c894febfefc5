/** Chance and digests as the live gateway uses them: never the same token twice, and the answers the standards print. */
import { describe, expect, it } from 'vitest'
import { systemCrypto } from '../../core/live/crypto.js'
import { SystemEntropy } from '../../core/live/entropy.js'

describe('the system’s entropy', () => {
  it('gives tokens of the asked strength, made of letters and digits, never one twice', () => {
    const entropy = new SystemEntropy()
    const tokens = new Set(Array.from({ length: 50_000 }, () => entropy.token(64)))
    expect(tokens.size).toBe(50_000)
    for (const token of tokens) expect(token).toMatch(/^[0-9a-v]{13}$/)
  })

  it('uses every character about as often as any other', () => {
    const entropy = new SystemEntropy()
    const counts = new Map<string, number>()
    for (const character of Array.from({ length: 4_000 }, () => entropy.token(160)).join('')) counts.set(character, (counts.get(character) ?? 0) + 1)
    expect(counts.size).toBe(32)
    // 128,000 draws over 32 characters: 4,000 each, standard deviation 62; seven of them are never seen by chance.
    for (const count of counts.values()) expect(Math.abs(count - 4_000)).toBeLessThan(440)
  })

  it('gives octets that later draws do not change, in any amount', () => {
    const entropy = new SystemEntropy()
    const first = entropy.bytes(32)
    const copy = Buffer.from(first)
    for (let index = 0; index < 2_000; index++) entropy.bytes(100)
    expect(first.equals(copy)).toBe(true)
    expect(entropy.bytes(100_000).length).toBe(100_000)
    expect(entropy.bytes(0).length).toBe(0)
  })

  it('gives numbers from 0 up to but not including 1', () => {
    const entropy = new SystemEntropy()
    const units = Array.from({ length: 10_000 }, () => entropy.unit())
    expect(units.every((unit) => unit >= 0 && unit < 1)).toBe(true)
    expect(Math.abs(units.reduce((sum, unit) => sum + unit, 0) / units.length - 0.5)).toBeLessThan(0.03)
  })
})

describe('the system’s crypto', () => {
  it('digests as RFC 1321, RFC 3174 and FIPS 180-4 print it', () => {
    expect(systemCrypto.hashHex('md5', 'message digest')).toBe('f96b697d7cb7938d525a2f31aaf161d0')
    expect(systemCrypto.hashHex('sha-1', 'abc')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d')
    expect(systemCrypto.hashHex('sha-256', Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(systemCrypto.hashHex('md5', 'é')).toBe(systemCrypto.hashHex('md5', Buffer.from('é', 'utf8')))
  })

  it('digests octets that come in pieces as it digests them whole', () => {
    const running = systemCrypto.runningHash('sha-1')
    for (const piece of ['a', '', 'bc']) running.update(Buffer.from(piece))
    expect(running.hex()).toBe('a9993e364706816aba3e25717850c26c9cd0d89d')
  })

  it('authenticates as RFC 2202 and RFC 4231 print it', () => {
    expect(systemCrypto.hmac('md5', Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?')).toString('hex')).toBe('750c783e6ab0b503eaa86e310a5db738')
    expect(systemCrypto.hmac('sha-256', Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?')).toString('hex'))
      .toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
  })

  it('ciphers one block as FIPS 197 appendix C.1 prints it, and back', () => {
    const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
    const block = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
    const ciphered = systemCrypto.aes128(key, block, 'encrypt')
    expect(ciphered.toString('hex')).toBe('69c4e0d86a7b0430d8cdb78070b4c55a')
    expect(systemCrypto.aes128(key, ciphered, 'decrypt').equals(block)).toBe(true)
  })
})
