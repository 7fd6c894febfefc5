/** The decision at the door: who somebody is by each kind of credential, what a replay or another's name is worth, and how often and how much he may. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Border, REALM, digestSecret, type Credential, type InitiatorSettings, type TurnedAway, type Verdict, type Visitor } from '../../core/border/border.js'
import { NONCE_LIFE_MICROS, NONCES_PER_USER_MAX, Nonces, noneUsed } from '../../core/border/nonces.js'
import { parsePasswordHash } from '../../core/border/password-hash.js'
import { TokenBucket } from '../../core/border/token-bucket.js'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { MICROS_PER_SECOND } from '../../core/kit/time.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { answerChallenge, credentialsText, parseChallenge } from '../../core/sip/digest.js'

const T0 = 1_000 * MICROS_PER_SECOND
const HASH = parsePasswordHash(`$scrypt$ln=10,r=8,p=1$${Buffer.alloc(16, 1).toString('base64')}$${Buffer.alloc(32, 2).toString('base64')}`)!
const PRINT = Array.from({ length: 32 }, () => 'AB').join(':')
const OTHER_PRINT = Array.from({ length: 32 }, () => 'CD').join(':')

function settings(name: string, credential: Credential, limits: Partial<InitiatorSettings> = {}): InitiatorSettings {
  return { name, credential, bodyOctetsMax: 1_000, perSecond: 10, burst: 3, inFlightMax: 2, ...limits }
}

const SHOP = settings('shop', { type: 'basic', password: HASH })
const BANK = settings('bank', { type: 'digest', secret: digestSecret(systemCrypto, 'bank', 'open sesame') })
const TIDE = settings('tide', { type: 'certificate', fingerprint: PRINT })
const PORT = settings('port', { type: 'certificate', subject: 'CN=port, O=Harbour' })

const borderOf = (...initiators: InitiatorSettings[]): Border => new Border(initiators, systemCrypto, new SeededEntropy(1))
const VISITOR: Visitor = { authorization: undefined, method: 'POST', target: '/pap', isPrivate: true, certificate: undefined }
const basic = (text: string): Visitor => ({ ...VISITOR, authorization: `Basic ${Buffer.from(text).toString('base64')}` })

function away(verdict: Verdict | undefined): TurnedAway {
  if (verdict?.type !== 'turned-away') throw new Error(`let in: ${JSON.stringify(verdict?.type)}`)
  return verdict
}

const nameOf = (verdict: Verdict): string | undefined => (verdict.type === 'known' ? verdict.initiator.name : undefined)

describe('who says nothing', () => {
  it('is asked by every challenge that may be answered where he is', () => {
    const verdict = away(borderOf(SHOP, BANK).judge(T0, VISITOR))
    expect(verdict).toMatchObject({ status: 401, challenges: [expect.stringMatching(/^Digest realm="pushbench", nonce="[^"]+", algorithm=SHA-256, qop="auth"$/), 'Basic realm="pushbench", charset="UTF-8"'] })
    expect(away(borderOf(SHOP, BANK).judge(T0, { ...VISITOR, isPrivate: false })).challenges).toEqual([expect.stringMatching(/^Digest /)])
  })

  it('is refused without a challenge where none could be answered', () => {
    expect(away(borderOf(TIDE).judge(T0, VISITOR))).toMatchObject({ status: 403, challenges: [] })
    expect(away(borderOf(SHOP).judge(T0, { ...VISITOR, isPrivate: false }))).toMatchObject({ status: 403, challenges: [] })
  })
})

describe('a password (RFC 7617)', () => {
  it('is hashed once, and the same credentials are known from then on', () => {
    const border = borderOf(SHOP)
    const verdict = border.judge(T0, basic('shop:with:colons'))
    if (verdict.type !== 'password') throw new Error(verdict.type)
    expect(verdict).toMatchObject({ password: 'with:colons', wanted: HASH })
    border.proved(verdict.initiator!, verdict.proof)
    expect(nameOf(border.judge(T0, basic('shop:with:colons')))).toBe('shop')
    expect(border.judge(T0, basic('shop:with:colon')).type).toBe('password')
  })

  it('of nobody costs as much as a wrong one of somebody, and is never right', () => {
    const verdict = borderOf(SHOP, BANK).judge(T0, basic('nobody:x'))
    if (verdict.type !== 'password') throw new Error(verdict.type)
    expect(verdict.initiator).toBeUndefined()
    expect(verdict.wanted).toMatchObject({ cost: HASH.cost, blockSize: HASH.blockSize, parallelization: HASH.parallelization })
    expect(verdict.wanted.hash.equals(HASH.hash)).toBe(false)
    const digests = borderOf(SHOP, BANK).judge(T0, basic('bank:open sesame'))
    expect(digests).toMatchObject({ type: 'password', initiator: undefined })
  })

  it('that others can read is refused, whoever sent it', () => {
    expect(away(borderOf(SHOP).judge(T0, { ...basic('shop:x'), isPrivate: false }))).toMatchObject({ status: 403, challenges: [] })
  })

  it('without a colon, not in base64, or of another scheme is none', () => {
    const border = borderOf(SHOP)
    expect(away(border.judge(T0, basic('shop'))).status).toBe(401)
    for (const authorization of ['Basic', 'Basic !!!', 'Basic c2hvcDp4 trailing', 'Bearer abc', 'Digest username="shop"', '']) {
      expect(away(border.judge(T0, { ...VISITOR, authorization })).status, authorization).toBe(401)
    }
  })

  it('may stand in a configuration as a hash of a bearable cost only', () => {
    const text = (ln: number, r = 8, p = 1): string => `$scrypt$ln=${ln},r=${r},p=${p}$${Buffer.alloc(16).toString('base64')}$${Buffer.alloc(32).toString('base64')}`
    expect(parsePasswordHash(text(15))).toMatchObject({ cost: 32_768, blockSize: 8, parallelization: 1 })
    expect(parsePasswordHash(text(15).replaceAll('=$', '$').replace(/=+$/, ''))).toBeDefined()
    for (const wrong of [text(9), text(18), text(15, 0), text(15, 17), text(15, 8, 0), text(15, 8, 5), `$scrypt$ln=15,r=8,p=1$AAAA$${'A'.repeat(43)}`, '$2b$10$abc', '']) expect(parsePasswordHash(wrong), wrong).toBeUndefined()
  })
})

/** What a client with this password says to the challenges of a refusal. */
function answer(refusal: TurnedAway, nc = 1, { username = 'bank', password = 'open sesame', target = '/pap', method = 'POST' } = {}): Visitor {
  const challenge = parseChallenge(refusal.challenges[0]!)!
  const credentials = answerChallenge(systemCrypto, challenge, { username, password, method, uri: target, cnonce: 'c', nc })
  return { ...VISITOR, isPrivate: false, authorization: credentialsText(credentials)! }
}

describe('a digest (RFC 7616)', () => {
  it('is right once for each count, in any order on several connections', () => {
    const border = borderOf(BANK)
    const refusal = away(border.judge(T0, VISITOR))
    for (const nc of [1, 3, 2, 40, 39, 9]) expect(nameOf(border.judge(T0, answer(refusal, nc))), `nc ${nc}`).toBe('bank')
    for (const nc of [1, 2, 3, 8, 9, 39, 40]) {
      const replayed = away(border.judge(T0, answer(refusal, nc)))
      expect(replayed, `nc ${nc} again`).toMatchObject({ status: 401, challenges: [expect.stringContaining('stale=true')] })
    }
  })

  it('with a wrong password, of nobody, for another resource or method, or changed in a digit is refused without being called stale', () => {
    const border = borderOf(BANK, SHOP)
    const refusal = away(border.judge(T0, VISITOR))
    const changed = answer(refusal)
    for (const visitor of [
      answer(refusal, 1, { password: 'open' }), answer(refusal, 1, { username: 'shop' }), answer(refusal, 1, { username: 'nobody' }), answer(refusal, 1, { target: '/wappush' }), answer(refusal, 1, { method: 'GET' }),
      { ...changed, authorization: changed.authorization!.replace(/response="./, 'response="x') }, { ...changed, authorization: changed.authorization!.replace('SHA-256', 'MD5') },
      { ...changed, authorization: changed.authorization!.replace('qop=auth, ', '') }, { ...changed, target: '/wappush' },
    ]) {
      const verdict = away(border.judge(T0, visitor))
      expect(verdict.status).toBe(401)
      expect(verdict.challenges[0]).not.toContain('stale')
    }
    expect(nameOf(border.judge(T0, answer(refusal)))).toBe('bank')
  })

  it('with a nonce of another process or too old is stale: the client tries again and asks nobody', () => {
    const border = borderOf(BANK)
    const foreign = away(new Border([BANK], systemCrypto, new SeededEntropy(2)).judge(T0, VISITOR))
    expect(away(border.judge(T0, answer(foreign))).challenges[0]).toContain('stale=true')
    const refusal = away(border.judge(T0, VISITOR))
    expect(nameOf(border.judge(T0 + NONCE_LIFE_MICROS, answer(refusal, 1)))).toBe('bank')
    expect(away(border.judge(T0 + NONCE_LIFE_MICROS + 1, answer(refusal, 2))).challenges[0]).toContain('stale=true')
    expect(NONCE_LIFE_MICROS).toBeLessThanOrEqual(600 * MICROS_PER_SECOND)
  })

  it('has the secret that RFC 7616 says', () => {
    expect(digestSecret(systemCrypto, 'bank', 'open sesame')).toBe(systemCrypto.hashHex('sha-256', `bank:${REALM}:open sesame`))
  })
})

describe('the nonces in use', () => {
  it('are bounded, and one that made room is never taken again', () => {
    const nonces = new Nonces(systemCrypto, new SeededEntropy(3))
    const used = noneUsed()
    const given = Array.from({ length: NONCES_PER_USER_MAX + 10 }, (_, index) => nonces.next(T0 + index))
    const now = T0 + 1_000
    for (const nonce of given) expect(nonces.use(now, nonce, 1, used)).toBe(true)
    expect(used.nonces.size).toBe(NONCES_PER_USER_MAX)
    for (const nonce of given.slice(0, 10)) for (const count of [1, 2]) expect(nonces.use(now, nonce, count, used)).toBe(false)
    for (const nonce of given.slice(10)) {
      expect(nonces.use(now, nonce, 1, used)).toBe(false)
      expect(nonces.use(now, nonce, 2, used)).toBe(true)
    }
  })

  it('take no count twice, whatever order the counts come in', () => {
    const nonces = new Nonces(systemCrypto, new SeededEntropy(4))
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 120 }), (counts) => {
      const used = noneUsed()
      const nonce = nonces.next(T0)
      const taken = counts.filter((count) => nonces.use(T0, nonce, count, used))
      expect(new Set(taken).size).toBe(taken.length)
      // Whoever counts upwards is never refused.
      let highest = 0
      expect(taken).toEqual(expect.arrayContaining(counts.filter((count) => {
        const isNext = count > highest
        highest = Math.max(highest, count)
        return isNext
      })))
    }))
  })

  it('are not forged', () => {
    const nonces = new Nonces(systemCrypto, new SeededEntropy(5))
    const nonce = nonces.next(T0)
    for (let at = 0; at < nonce.length; at++) {
      const forged = `${nonce.slice(0, at)}${nonce[at] === '0' ? '1' : '0'}${nonce.slice(at + 1)}`
      if (forged !== nonce) expect(nonces.use(T0, forged, 1, noneUsed()), forged).toBe(false)
    }
    for (const count of [0, -1, 2 ** 32]) expect(nonces.use(T0, nonce, count, noneUsed())).toBe(false)
  })
})

describe('a certificate', () => {
  const shown = (sha256: string, subject = '', isTrusted = false): Visitor => ({ ...VISITOR, certificate: { sha256, subject, isTrusted } })

  it('is known by its fingerprint whoever issued it, by its subject only if an authority signed it', () => {
    const border = borderOf(TIDE, PORT)
    expect(border.asksCertificates).toBe(true)
    expect(nameOf(border.judge(T0, shown(PRINT)))).toBe('tide')
    expect(nameOf(border.judge(T0, shown(OTHER_PRINT, 'CN=port, O=Harbour', true)))).toBe('port')
    expect(away(border.judge(T0, shown(OTHER_PRINT, 'CN=port, O=Harbour', false))).status).toBe(403)
    expect(away(border.judge(T0, shown(OTHER_PRINT, 'CN=port', true))).status).toBe(403)
    expect(borderOf(SHOP, BANK).asksCertificates).toBe(false)
  })

  it('is no password: credentials that are sent count before it', () => {
    const border = borderOf(TIDE, BANK)
    const refusal = away(border.judge(T0, VISITOR))
    expect(away(border.judge(T0, { ...answer(refusal, 1, { password: 'wrong' }), ...shown(PRINT), authorization: answer(refusal, 1, { password: 'wrong' }).authorization })).status).toBe(401)
  })
})

describe('what an initiator may', () => {
  const initiatorOf = (border: Border) => {
    const verdict = border.judge(T0, { ...VISITOR, certificate: { sha256: PRINT, subject: '', isTrusted: false } })
    if (verdict.type !== 'known') throw new Error(verdict.type)
    return verdict.initiator
  }

  it('is a body of so many octets and not one more', () => {
    const border = borderOf(TIDE)
    expect(border.begin(T0, initiatorOf(border), 1_000)).toBeUndefined()
    expect(border.begin(T0, initiatorOf(border), 1_001)).toMatchObject({ status: 413, retryAfterSeconds: 0 })
  })

  it('is so many submissions at a time: the next one after an answer', () => {
    const border = borderOf(TIDE)
    const initiator = initiatorOf(border)
    expect(border.begin(T0, initiator, 1)).toBeUndefined()
    expect(border.begin(T0, initiator, 1)).toBeUndefined()
    expect(border.begin(T0, initiator, 1)).toMatchObject({ status: 429, retryAfterSeconds: 1 })
    border.end(initiator)
    expect(border.begin(T0, initiator, 1)).toBeUndefined()
  })

  it('is so many a second; refused ones count for nothing, and the wait is told', () => {
    const border = borderOf({ ...TIDE, perSecond: 0.1, inFlightMax: 100 })
    const initiator = initiatorOf(border)
    for (let index = 0; index < 3; index++) expect(border.begin(T0, initiator, 1)).toBeUndefined()
    for (let index = 0; index < 5; index++) expect(border.begin(T0, initiator, 1)).toMatchObject({ status: 429, retryAfterSeconds: 10 })
    expect(initiator.inFlight).toBe(3)
    expect(border.begin(T0 + 10 * MICROS_PER_SECOND, initiator, 1)).toBeUndefined()
  })
})

describe('a bucket of tokens', () => {
  it('never gives more than burst and rate allow, and the wait it tells is enough', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 2 * MICROS_PER_SECOND }), { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 10 }), (steps, perSecond, burst) => {
      const bucket = new TokenBucket(perSecond, burst)
      let now = T0
      let taken = 0
      for (const step of steps) {
        now += step
        const wait = bucket.take(now)
        if (wait === 0) taken++
        else {
          now += wait
          expect(bucket.take(now)).toBe(0)
          taken++
        }
      }
      expect(taken).toBeLessThanOrEqual(burst + (now - T0) * perSecond / MICROS_PER_SECOND + 1e-6)
    }))
  })

  it('is told a time that went back without losing or giving anything', () => {
    const bucket = new TokenBucket(1, 1)
    expect(bucket.take(T0)).toBe(0)
    expect(bucket.take(T0 - MICROS_PER_SECOND)).toBe(MICROS_PER_SECOND)
    expect(bucket.take(T0 + MICROS_PER_SECOND)).toBe(0)
  })
})
