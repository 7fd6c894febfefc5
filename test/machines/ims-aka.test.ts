/** AKA at the core: challenge and answer, resynchronisation, what is refused, and keys that never reach a terminal. */
import { describe, expect, it } from 'vitest'
import { systemCrypto } from '../../core/live/crypto.js'
import { Usim, readAkaNonce } from '../../core/sip/aka.js'
import { answerChallenge, credentialsText, parseChallenge, type Challenge } from '../../core/sip/digest.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { DOMAIN, ImsHarness, PORTS, subscriber, type Peer } from './ims-harness.js'

const KEYS = { k: Buffer.from('465b5ce8b199b49faa5f0a2ee238a6bc', 'hex'), opc: Buffer.from('cd63cb71954a9f4e48a5994e37a02baf', 'hex') }
const IMPI = `alice_private@${DOMAIN}`

function challengeOf(answer: SipMessage): Challenge {
  expect(answer.status).toBe(401)
  const lines = answer.getAll(Header.WwwAuthenticate)
  expect(lines).toHaveLength(1)
  return parseChallenge(lines[0]!)!
}

/** The answer to a challenge with this password, and with AUTS where there is one. */
function answerTo(ue: Peer, challenge: Challenge, password: string | Uint8Array, auts?: Buffer): SipMessage {
  const credentials = answerChallenge(systemCrypto, challenge, { username: IMPI, password, method: 'REGISTER', uri: `sip:${DOMAIN}`, cnonce: 'c', nc: 1 })
  ue.authorization = credentialsText(auts === undefined ? credentials : { ...credentials, auts: auts.toString('base64') })!
  return ue.registerOnce()
}

function judged(usim: Usim, challenge: Challenge) {
  const { rand, autn } = readAkaNonce(challenge.nonce)!
  return usim.judge(systemCrypto, rand, autn)
}

function start(mode: 'collapsed' | 'split' = 'collapsed') {
  const harness = new ImsHarness((settings) => ({ ...settings, mode }), [subscriber('alice', { usim: KEYS }), subscriber('bob')])
  return { harness, ue: harness.tcp(PORTS.pcscf) }
}

describe('a subscriber with a USIM', () => {
  it.each(['collapsed', 'split'] as const)('registers by AKA, without ever seeing the session keys, %s', (mode) => {
    const { ue } = start(mode)
    const first = ue.registerOnce()
    const challenge = challengeOf(first)
    expect(challenge.algorithm).toBe('AKAv1-MD5')
    expect(first.get(Header.WwwAuthenticate)).not.toMatch(/[ic]k=/)
    const verdict = judged(new Usim(KEYS), challenge)
    if (verdict.type !== 'accepted') throw new Error(verdict.type)
    expect(answerTo(ue, challenge, verdict.res).status).toBe(200)
  })

  it('whose USIM is ahead is challenged again, in step, after AUTS, and stays in step', () => {
    const { harness, ue } = start()
    const usim = new Usim(KEYS, (harness.wall + 60_000) * 32)
    for (let time = 0; time < 2; time++) {
      let challenge = challengeOf(harness.tcp(PORTS.pcscf).registerOnce())
      let verdict = judged(usim, challenge)
      if (time === 0) {
        if (verdict.type !== 'out-of-step') throw new Error(verdict.type)
        challenge = challengeOf(answerTo(ue, challenge, '', verdict.auts))
        verdict = judged(usim, challenge)
      }
      if (verdict.type !== 'accepted') throw new Error(verdict.type)
      expect(answerTo(ue, challenge, verdict.res).status).toBe(200)
      harness.pass(1)
    }
  })

  it('is refused with another RES, with a forged AUTS, and with a right AUTS under a wrong digest', () => {
    const { harness, ue } = start()
    expect(answerTo(ue, challengeOf(ue.registerOnce()), Buffer.alloc(8)).status).toBe(403)
    const other = harness.tcp(PORTS.pcscf)
    expect(answerTo(other, challengeOf(other.registerOnce()), '', Buffer.alloc(14)).status).toBe(403)
    const third = harness.tcp(PORTS.pcscf)
    const challenge = challengeOf(third.registerOnce())
    const verdict = judged(new Usim(KEYS, (harness.wall + 60_000) * 32), challenge)
    if (verdict.type !== 'out-of-step') throw new Error(verdict.type)
    expect(answerTo(third, challenge, 'not empty', verdict.auts).status).toBe(403)
  })

  it('cannot come by password, by a nonce that was not given out, or by one too old', () => {
    const { harness, ue } = start()
    const challenge = challengeOf(ue.registerOnce())
    const verdict = judged(new Usim(KEYS), challenge)
    if (verdict.type !== 'accepted') throw new Error(verdict.type)
    expect(challengeOf(answerTo(ue, { ...challenge, algorithm: 'MD5' }, 'secret-alice')).algorithm).toBe('AKAv1-MD5')
    expect(challengeOf(answerTo(ue, { ...challenge, nonce: `AAAA${challenge.nonce.slice(4)}` }, verdict.res)).stale).toBe(false)
    expect(challengeOf(answerTo(ue, { ...challenge, nonce: 'c2hvcnQ=' }, verdict.res)).stale).toBe(false)
    harness.pass(241)
    expect(challengeOf(answerTo(ue, challenge, verdict.res)).stale).toBe(true)
  })

  it('leaves the others their passwords', () => {
    const { harness } = start()
    expect(harness.tcp(PORTS.pcscf).register({ name: 'bob' }).status).toBe(200)
  })
})
