/** Authorization headers of every kind at the gateway's door: none is let in that proves nothing, none throws, and none takes long. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Border, digestSecret, type Visitor } from '../../core/border/border.js'
import { parsePasswordHash } from '../../core/border/password-hash.js'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { networkOf, NotifyGuard } from '../../core/live/notify-guard.js'
import { answerChallenge, credentialsText, parseChallenge } from '../../core/sip/digest.js'

const T0 = 1_000_000
const HASH = parsePasswordHash(`$scrypt$ln=10,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`)!
const LIMITS = { bodyOctetsMax: 1_000, perSecond: 1, burst: 1, inFlightMax: 1 }
const MILLIS_MAX = 100

function border(): Border {
  return new Border([
    { name: 'shop', credential: { type: 'basic', password: HASH }, ...LIMITS }, { name: 'bank', credential: { type: 'digest', secret: digestSecret(systemCrypto, 'bank', 'secret') }, ...LIMITS },
    { name: 'tide', credential: { type: 'certificate', subject: '' }, ...LIMITS }, { name: '__proto__', credential: { type: 'digest', secret: digestSecret(systemCrypto, '__proto__', 'secret') }, ...LIMITS },
  ], systemCrypto, new SeededEntropy(1))
}

const visitor = (authorization: string): Visitor => ({ authorization, method: 'POST', target: '/pap', isPrivate: true, certificate: undefined })

/** A right answer but for its nonce, which is another process's, with pieces cut out, doubled or replaced. */
function damagedDigests(): fc.Arbitrary<string> {
  const challenge = parseChallenge('Digest realm="pushbench", nonce="f4240.0123456789abcdef.0123456789abcdef0123456789abcdef", algorithm=SHA-256, qop="auth"')!
  const whole: string = credentialsText(answerChallenge(systemCrypto, challenge, { username: 'bank', password: 'secret', method: 'POST', uri: '/pap', cnonce: 'c', nc: 1 }))!
  return fc.tuple(fc.nat(whole.length), fc.nat(whole.length), fc.string({ unit: 'binary', maxLength: 20 })).map(([from, to, put]) => whole.slice(0, from) + put + whole.slice(to))
}

describe('credentials that prove nothing', () => {
  it('let nobody in, whatever they are made of', () => {
    const door = border()
    const basics = fc.oneof(fc.string({ unit: 'binary' }), fc.string().map((text) => `shop:${text}`), fc.constantFrom(':', 'shop', 'shop:', '__proto__:x', 'constructor:x', 'tide:')).map((text) => `Basic ${Buffer.from(text).toString('base64')}`)
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), basics, damagedDigests(), fc.constantFrom('Basic', 'Digest', 'digest ', 'Digest ,', 'Digest =', 'Negotiate')), (authorization) => {
      const verdict = door.judge(T0, visitor(authorization))
      expect(['turned-away', 'password']).toContain(verdict.type)
      for (const challenge of verdict.type === 'turned-away' ? verdict.challenges : []) expect(challenge).toMatch(/^[\x20-\x7e]+$/)
    }), { numRuns: 3_000 })
  })

  it('are looked at in a time that grows no faster than they do', () => {
    const door = border()
    for (const authorization of [`Basic ${'A'.repeat(8_000)}!`, `Basic ${' '.repeat(16_000)}`, `Digest ${'a="",'.repeat(3_000)}`, `Digest nonce="${'\\'.repeat(16_000)}`, `Digest ${' ,'.repeat(8_000)}`]) {
      const from = performance.now()
      expect(door.judge(T0, visitor(authorization)).type).toBe('turned-away')
      expect(performance.now() - from).toBeLessThan(MILLIS_MAX)
    }
  })

  it('make no entry in any memory, however many there are', () => {
    const nonces = new Set<string>()
    const door = border()
    for (let index = 0; index < 2_000; index++) {
      const verdict = door.judge(T0 + index, { ...visitor(''), authorization: undefined })
      if (verdict.type === 'turned-away') nonces.add(verdict.challenges[0]!)
    }
    expect(nonces.size).toBe(2_000)
    const kept = Object.values(door).filter((each) => each instanceof Map).map((map) => map.size as number)
    expect(Math.max(...kept)).toBeLessThanOrEqual(4)
  })
})

describe('networks and addresses', () => {
  it('of any text are read or refused, and a guard never throws', () => {
    const guard = new NotifyGuard(['10.0.0.0/8'])
    fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.ipV6().map((text) => `[${text}]`), fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(200)).map(([address, bits]) => `${address}/${bits}`)), (text) => {
      networkOf(text)
      guard.literalProblem(text)
    }))
    for (const wrong of ['', '10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0/8', '/8', '10.0.0.0/-1', '[::]/8', 'example.org/8']) expect(networkOf(wrong), wrong).toBeUndefined()
  })
})
