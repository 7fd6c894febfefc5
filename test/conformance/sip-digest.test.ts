/** Digest (RFC 7616, RFC 8760, RFC 3310): published and self-computed vectors, and what must be refused. */
import { describe, expect, it } from 'vitest'
import { systemCrypto as crypto } from '../../core/live/crypto.js'
import {
  type Credentials, answerChallenge, challengeText, checkCredentials, credentialsText, digestResponse, firstChallenge, parseChallenge, parseCredentials, secretHash,
} from '../../core/sip/digest.js'

const register: Omit<Credentials, 'response'> = {
  username: 'user7_private@home1.example.net', realm: 'home1.example.net', nonce: 'ABEiM0RVZneImaq7zN3u/w8eLTxLWml4h5altMPS4fA=',
  uri: 'sip:home1.example.net', algorithm: 'AKAv1-MD5', qop: { cnonce: '0a4f113b', nc: 1 },
}

describe('the response to a challenge', () => {
  it('of AKAv1-MD5 takes the raw octets of RES as password', () => {
    const res = Buffer.from('a1b2c3d4e5f60718', 'hex')
    expect(secretHash(crypto, 'AKAv1-MD5', register.username, register.realm, res)).toBe('054bc3b3e0e2c0c00ab183109521af44')
    expect(digestResponse(crypto, register, res, 'REGISTER')).toBe('57256688806b409a23b8befca928c3d7')
    expect(digestResponse(crypto, { ...register, algorithm: 'MD5' }, res, 'REGISTER')).toBe('57256688806b409a23b8befca928c3d7')
  })

  it('of an AKA synchronisation failure takes the empty password', () => {
    expect(digestResponse(crypto, register, '', 'REGISTER')).toBe('fcd019911574e3c2582b6a45b3fb5804')
  })

  it('of SHA-256 is the vector for the password "secret"', () => {
    expect(digestResponse(crypto, { ...register, algorithm: 'SHA-256' }, 'secret', 'REGISTER')).toBe('b7ba287c66b880dd22fe5fdb88499aafd6e5a9c6ccaccaa6dcdcbdba6c07834b')
  })

  it('is the one of RFC 7616 section 3.9.1 for MD5 and SHA-256', () => {
    const mufasa = {
      username: 'Mufasa', realm: 'http-auth@example.org', nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v', uri: '/dir/index.html',
      qop: { cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ', nc: 1 },
    }
    expect(digestResponse(crypto, { ...mufasa, algorithm: 'MD5' }, 'Circle of Life', 'GET')).toBe('8ca523f5e9506fed4657c9700eebdbec')
    expect(digestResponse(crypto, { ...mufasa, algorithm: 'SHA-256' }, 'Circle of Life', 'GET')).toBe('753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1')
  })

  it('without qop has the form of RFC 2069', () => {
    const { qop: _, ...old } = register
    const secret = secretHash(crypto, 'MD5', old.username, old.realm, 'secret')
    const what = crypto.hashHex('md5', 'REGISTER:sip:home1.example.net')
    expect(digestResponse(crypto, { ...old, algorithm: 'MD5' }, 'secret', 'REGISTER')).toBe(crypto.hashHex('md5', `${secret}:${old.nonce}:${what}`))
  })
})

describe('a challenge and its answer on the wire', () => {
  const challenge = { realm: 'home1.example.net', nonce: 'n"1', algorithm: 'SHA-256', qopAuth: true, stale: true, opaque: 'o' } as const

  it('survives being written and read, quotes included', () => {
    expect(parseChallenge(challengeText(challenge)!)).toEqual(challenge)
  })

  it('is answered by credentials that check, and by none that were changed', () => {
    const answer = answerChallenge(crypto, challenge, { username: 'jürgen', password: 'pässword', method: 'REGISTER', uri: 'sip:home1.example.net', cnonce: 'c', nc: 10 })
    const text = credentialsText(answer)!
    expect(text).toContain('nc=0000000a')
    expect(text).toContain('qop=auth,')
    const read = parseCredentials(text)!
    expect(read).toEqual(answer)
    const secret = secretHash(crypto, 'SHA-256', 'jürgen', 'home1.example.net', 'pässword')
    expect(checkCredentials(crypto, read, secret, 'REGISTER')).toBe(true)
    expect(checkCredentials(crypto, read, secret, 'MESSAGE')).toBe(false)
    expect(checkCredentials(crypto, { ...read, nonce: 'other' }, secret, 'REGISTER')).toBe(false)
    const { response } = read
    for (let index = 0; index < response.length; index++) {
      const changed = response.slice(0, index) + (response[index] === '0' ? '1' : '0') + response.slice(index + 1)
      expect(checkCredentials(crypto, { ...read, response: changed }, secret, 'REGISTER'), `digit ${index} changed`).toBe(false)
    }
    for (const other of ['', response.slice(0, -1), `${response}0`, response + response]) expect(checkCredentials(crypto, { ...read, response: other }, secret, 'REGISTER'), other).toBe(false)
    expect(parseCredentials(text.replace(response, response.toUpperCase()))).toEqual(answer)
  })

  it('of several is the first whose algorithm is known (RFC 8760 section 2.4)', () => {
    const offers = ['Digest realm="a", nonce="1", algorithm=SHA-512-256, qop="auth"', 'Digest realm="a", nonce="2", algorithm=SHA-256, qop="auth,auth-int"', 'Digest realm="a", nonce="3"']
    expect(firstChallenge(offers)?.nonce).toBe('2')
    expect(firstChallenge(offers.slice(0, 1))).toBeUndefined()
    expect(parseChallenge(offers[2]!)).toEqual({ realm: 'a', nonce: '3', algorithm: 'MD5', qopAuth: false, stale: false })
  })

  it('may be the empty one of the first IMS REGISTER', () => {
    const read = parseCredentials('Digest username="u@h", realm="h", nonce="", uri="sip:h", response=""')
    expect(read).toEqual({ username: 'u@h', realm: 'h', nonce: '', uri: 'sip:h', response: '', algorithm: 'MD5' })
  })

  it.each([
    ['another scheme', 'Basic dXNlcg=='],
    ['a missing nonce', 'Digest username="u", realm="r", uri="sip:r", response="00"'],
    ['a quote left open', 'Digest username="u, realm="r", nonce="n", uri="sip:r", response="00'],
    ['a name given twice', 'Digest username="u", username="v", realm="r", nonce="n", uri="sip:r", response="00"'],
    ['qop without cnonce', 'Digest username="u", realm="r", nonce="n", uri="sip:r", response="00", qop=auth, nc=00000001'],
    ['an nc that is no eight digits', 'Digest username="u", realm="r", nonce="n", uri="sip:r", response="00", qop=auth, cnonce="c", nc=1'],
    ['qop auth-int', 'Digest username="u", realm="r", nonce="n", uri="sip:r", response="00", qop=auth-int, cnonce="c", nc=00000001'],
    ['an unknown algorithm', 'Digest username="u", realm="r", nonce="n", uri="sip:r", response="00", algorithm=SHA-1'],
    ['text beyond the limit', `Digest username="${'u'.repeat(5_000)}", realm="r", nonce="n", uri="sip:r", response="00"`],
    ['no parameters', 'Digest '],
    ['rubbish between parameters', 'Digest username="u" realm="r", nonce="n", uri="sip:r", response="00"'],
  ])('is refused with %s', (_, text) => {
    expect(parseCredentials(text)).toBeUndefined()
  })

  it('cannot carry a line break', () => {
    expect(challengeText({ ...challenge, nonce: 'a\r\nX: y' })).toBeUndefined()
    expect(credentialsText({ ...register, response: '', username: 'a\r\nb' })).toBeUndefined()
  })
})
