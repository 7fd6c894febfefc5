/** Digest authentication of registrations (RFC 3261 section 22, RFC 8760): who is let in, and who is asked again. */
import { describe, expect, it } from 'vitest'
import { systemCrypto } from '../../core/live/crypto.js'
import { answerChallenge, credentialsText, parseChallenge, type Challenge } from '../../core/sip/digest.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { DOMAIN, ImsHarness, PORTS, type Peer } from './ims-harness.js'

function challengesOf(answer: SipMessage): Challenge[] {
  return answer.getAll(Header.WwwAuthenticate).map((value) => parseChallenge(value)!)
}

function answerWith(ue: Peer, challenge: Challenge, change: { username?: string; password?: string } = {}): SipMessage {
  ue.authorization = credentialsText(answerChallenge(systemCrypto, challenge, {
    username: `alice_private@${DOMAIN}`, password: 'secret-alice', method: 'REGISTER', uri: `sip:${DOMAIN}`, cnonce: 'c', nc: 1, ...change,
  }))!
  return ue.registerOnce()
}

describe('a REGISTER with credentials', () => {
  for (const algorithm of ['MD5', 'SHA-256'] as const) {
    it(`is taken with ${algorithm}`, () => {
      const ue = new ImsHarness().tcp(PORTS.pcscf)
      const challenge = challengesOf(ue.registerOnce()).find((each) => each.algorithm === algorithm)!
      expect(answerWith(ue, challenge).status).toBe(200)
    })
  }

  it('is refused 403 with a wrong password or another user\'s identity', () => {
    const ue = new ImsHarness().tcp(PORTS.pcscf)
    const [challenge] = challengesOf(ue.registerOnce())
    expect(answerWith(ue, challenge!, { password: 'guess' }).status).toBe(403)
    expect(answerWith(ue, challenge!, { username: `bob_private@${DOMAIN}`, password: 'secret-bob' }).status).toBe(403)
  })

  it('is refused 403 by the S-CSCF itself when it names another user, even with the right answer for its own', () => {
    const near = new ImsHarness().tcp(PORTS.scscf)
    const [challenge] = challengesOf(near.registerOnce())
    answerWith(near, challenge!)
    near.authorization = near.authorization.replace('alice_private', 'bob_private')
    expect(near.registerOnce({ callId: 'near' }).status).toBe(403)
  })

  it('is asked again with stale=true when its nonce has grown old', () => {
    const harness = new ImsHarness()
    const ue = harness.tcp(PORTS.pcscf)
    const [challenge] = challengesOf(ue.registerOnce())
    harness.pass(harness.settings.digest.nonceLifeSeconds + 1)
    const again = answerWith(ue, challenge!)
    expect(again.status).toBe(401)
    const [fresh] = challengesOf(again)
    expect(fresh!.stale).toBe(true)
    expect(answerWith(ue, fresh!).status).toBe(200)
  })

  it('is asked afresh for a nonce that was never given, or was given to someone else', () => {
    const harness = new ImsHarness()
    const ue = harness.tcp(PORTS.pcscf)
    const [challenge] = challengesOf(ue.registerOnce())
    const [bobs] = challengesOf(harness.tcp(PORTS.pcscf).registerOnce({ name: 'bob' }))
    for (const nonce of ['made-up', bobs!.nonce]) {
      const again = answerWith(ue, { ...challenge!, nonce })
      expect(again.status).toBe(401)
      expect(challengesOf(again)[0]!.stale).toBe(false)
    }
  })

  it('is challenged when the algorithm is not offered', () => {
    const ue = new ImsHarness((settings) => ({ ...settings, digest: { ...settings.digest, algorithms: ['SHA-256'] } })).tcp(PORTS.pcscf)
    const challenges = challengesOf(ue.registerOnce())
    expect(challenges.map((each) => each.algorithm)).toEqual(['SHA-256'])
    expect(answerWith(ue, { ...challenges[0]!, algorithm: 'MD5' }).status).toBe(401)
  })
})

describe('a refresh', () => {
  it('on the flow it registered over is not challenged', () => {
    const harness = new ImsHarness()
    const ue = harness.tcp(PORTS.pcscf)
    expect(ue.register().status).toBe(200)
    harness.pass(1_000)
    expect(ue.registerOnce().status).toBe(200)
  })

  it('over another flow is challenged, and a terminal cannot vouch for itself', () => {
    const harness = new ImsHarness()
    const ue = harness.tcp(PORTS.pcscf)
    ue.register()
    harness.pass(harness.settings.digest.nonceLifeSeconds + 1)
    const other = harness.tcp(PORTS.pcscf)
    other.authorization = `${ue.authorization}, integrity-protected="ip-assoc-yes"`
    expect(other.registerOnce({ callId: 'other' }).status).toBe(401)
  })

  it('with a claim of its own beside right credentials is judged by the credentials', () => {
    const harness = new ImsHarness()
    const ue = harness.tcp(PORTS.pcscf)
    const [challenge] = challengesOf(ue.registerOnce())
    answerWith(ue, challenge!)
    ue.authorization += ', integrity-protected="ip-assoc-yes"'
    const other = harness.tcp(PORTS.pcscf)
    other.authorization = ue.authorization
    expect(other.registerOnce({ callId: 'other' }).status).toBe(200)
  })

  it('vouched for under another private identity is refused by the S-CSCF itself', () => {
    const harness = new ImsHarness()
    harness.tcp(PORTS.pcscf).register()
    const near = harness.tcp(PORTS.scscf)
    const vouched = (impi: string): string => `Digest username="${impi}", realm="${DOMAIN}", nonce="", uri="sip:${DOMAIN}", response="",integrity-protected="ip-assoc-yes"`
    near.authorization = vouched(`bob_private@${DOMAIN}`)
    expect(near.registerOnce({ callId: 'near' }).status).toBe(403)
    near.authorization = vouched(`alice_private@${DOMAIN}`)
    expect(near.registerOnce({ callId: 'near' }).status).toBe(200)
  })

  it('with another private identity is refused 403', () => {
    const harness = new ImsHarness()
    const ue = harness.tcp(PORTS.pcscf)
    ue.register()
    ue.authorization = ue.authorization.replace('alice_private', 'bob_private')
    expect(ue.registerOnce().status).toBe(403)
  })

  it('after the registration has expired is challenged', () => {
    const harness = new ImsHarness()
    const ue = harness.tcp(PORTS.pcscf)
    ue.register({ expires: 600 })
    harness.pass(601)
    expect(ue.registerOnce().status).toBe(401)
  })
})
