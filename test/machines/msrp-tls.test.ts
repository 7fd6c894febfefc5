/** Whom a session over TLS is served with: the peer whose certificate its description names, whichever side connects, and nobody else (RFC 8122). */
import { describe, expect, it } from 'vitest'
import type { PeerCertificate } from '../../core/kit/peer-certificate.js'
import type { MsrpSession, PeerFault } from '../../core/msrp/contract.js'
import { distrustOf } from '../../core/msrp/peer.js'
import { CERTIFICATE, Pair, START, content, message, type Side } from './msrp-pair.js'

const OTHER: PeerCertificate = { ...CERTIFICATE, sha256: CERTIFICATE.sha256.replaceAll('A', '1') }
const EXPIRED: PeerCertificate = { ...CERTIFICATE, validTo: START.wall - 1 }
const NOT_YET: PeerCertificate = { ...CERTIFICATE, validFrom: START.wall + 1 }
const TLS = { transport: 'tls' } as const

/** Nothing of either side is left, and no content crossed. */
function expectNothing(pair: Pair): void {
  for (const side of [pair.left, pair.right]) expect([side.endpoint.openSessions, side.endpoint.connections, side.user.received]).toEqual([0, 0, []])
  expect(pair.openFlows).toEqual([])
  expect(pair.left.wire + pair.right.wire).not.toContain('secret')
}

function close(pair: Pair, sessions: readonly MsrpSession[]): void {
  for (const session of sessions) session.close(pair.now)
  pair.pass(5_000_000)
}

describe('the certificate of a peer', () => {
  it.each<readonly [string, PeerCertificate | undefined, readonly string[], PeerFault | undefined]>([
    ['is the one described', CERTIFICATE, [CERTIFICATE.sha256], undefined],
    ['is one of several described', CERTIFICATE, [OTHER.sha256, CERTIFICATE.sha256], undefined],
    ['is another', OTHER, [CERTIFICATE.sha256], 'fingerprint'],
    ['is none', undefined, [CERTIFICATE.sha256], 'uncertified'],
    ['has expired', EXPIRED, [EXPIRED.sha256], 'expired'],
    ['is not valid yet', NOT_YET, [NOT_YET.sha256], 'expired'],
    ['is valid until no time that can be read', { ...CERTIFICATE, validTo: NaN }, [CERTIFICATE.sha256], 'expired'],
    ['is the one described, in its last instant', { ...CERTIFICATE, validTo: START.wall }, [CERTIFICATE.sha256], undefined],
  ])('%s', (_what, shown, fingerprints, cause) => expect(distrustOf(shown, fingerprints, START.wall)?.cause).toBe(cause))

  it('that is out of its validity is told with both ends of it, whatever they are', () => {
    const reason = (validTo: number): string => distrustOf({ ...CERTIFICATE, validFrom: 1_700_000_000_000, validTo }, [CERTIFICATE.sha256], 1_800_000_000_000)!.reason
    expect(reason(1_750_000_000_000)).toBe('the certificate of the peer is valid from Tue, 14 Nov 2023 22:13:20 GMT to Sun, 15 Jun 2025 15:06:40 GMT only')
    expect(reason(NaN)).toMatch(/ to a time that cannot be read only$/)
  })
})

describe('a session over TLS', () => {
  it('carries contents between two that show what was described', () => {
    const pair = new Pair()
    const sessions = pair.sessions(TLS, TLS)
    sessions[0].send(pair.now, message('m001', content('secret')))
    pair.run()
    expect(pair.left.outcome('m001')).toEqual({ type: 'confirmed' })
    expect(pair.right.user.received.map(({ bytes }) => bytes.toString())).toEqual(['secret'])
    expect(pair.left.sent.find(({ type }) => type === 'connect')).toMatchObject({ transport: 'tls', trust: 'fingerprint' })
    close(pair, sessions)
  })

  const SIDES: readonly (readonly [string, (pair: Pair) => Side, (pair: Pair) => Side])[] = [
    ['the side that was connected to', ({ right }) => right, ({ left }) => left],
    ['the side that connected', ({ left }) => left, ({ right }) => right],
  ]
  describe.each(SIDES)('whose peer, %s,', (_name, liar, judge) => {
    it.each<readonly [string, PeerCertificate | undefined, PeerFault]>([
      ['another certificate', OTHER, 'fingerprint'], ['none', undefined, 'uncertified'], ['one that has expired', EXPIRED, 'expired'],
    ])('shows %s: no content is sent or taken, its messages fail by that name, the connection ends', (_what, certificate, cause) => {
      const pair = new Pair()
      liar(pair).certificate = certificate
      const [a, b] = pair.sessions(TLS, TLS)
      const [ours, theirs] = judge(pair) === pair.left ? [a, b] : [b, a]
      ours.send(pair.now, message('m001', content('secret one')))
      theirs.send(pair.now, message('m002', content('theirs')))
      pair.pass(1_000_000)
      expect(judge(pair).outcome('m001')).toMatchObject({ type: 'failed', cause })
      expect(judge(pair).user.downs).toEqual([expect.stringMatching(new RegExp(`^${cause}: `))])
      expect(judge(pair).user.received).toEqual([])
      expect(pair.openFlows).toEqual([])
      // Whoever sends in a session that has ended so hears the same.
      ours.send(pair.now, message('m003', content('secret two')))
      pair.pass(1_000_000)
      expect(judge(pair).outcome('m003')).toMatchObject({ type: 'failed', cause })
      close(pair, [a, b])
      expectNothing(pair)
    })
  })

  it('that shares a connection with others costs them nothing when it alone is for another peer', () => {
    const pair = new Pair()
    const [a, b] = pair.sessions(TLS, TLS)
    pair.run()
    const c = pair.left.session(TLS)
    const d = pair.right.session(TLS)
    d.start(pair.now, 'passive', c.uri, [CERTIFICATE.sha256])
    c.start(pair.now, 'active', d.uri, [OTHER.sha256])
    c.send(pair.now, message('m001', content('secret')))
    a.send(pair.now, message('m002', content('public')))
    pair.pass(1_000_000)
    expect([pair.left.outcome('m001'), pair.left.outcome('m002')]).toMatchObject([{ type: 'failed', cause: 'fingerprint' }, { type: 'confirmed' }])
    expect(pair.openFlows).toHaveLength(2)
    close(pair, [a, b, c, d])
    expect([pair.openFlows, pair.left.wire.includes('secret')]).toEqual([[], false])
  })

  it('names the handshake that did not come about', () => {
    const pair = new Pair()
    pair.autoConnect = false
    const [a, b] = pair.sessions(TLS, TLS)
    a.send(pair.now, message('m001', content('secret')))
    pair.refuseAll(true)
    pair.run()
    expect([pair.left.outcome('m001'), pair.left.user.downs]).toMatchObject([{ type: 'failed', cause: 'handshake' }, ['handshake: refused']])
    close(pair, [a, b])
    expectNothing(pair)
  })

  it('is not started without a fingerprint', () => {
    const pair = new Pair()
    const [a, b] = [pair.left.session(TLS), pair.right.session(TLS)]
    expect([a.start(pair.now, 'active', b.uri), a.start(pair.now, 'passive', b.uri, [])]).toEqual([false, false])
    close(pair, [a, b])
    expectNothing(pair)
  })

  for (const described of [CERTIFICATE, OTHER]) {
    it(`takes no content of a peer that is faster than its description, which is then ${described === OTHER ? 'another’s' : 'its own'}`, () => {
      const pair = new Pair()
      const a = pair.left.session(TLS)
      const b = pair.right.session(TLS)
      a.start(pair.now, 'active', b.uri, [CERTIFICATE.sha256])
      a.send(pair.now, message('m001', content('early')))
      pair.run()
      expect([b.state, pair.left.outcome('m001'), pair.right.user.received]).toMatchObject(['bound', { type: 'refused', status: 403 }, []])
      expect(b.start(pair.now, 'passive', a.uri, [described.sha256])).toBe(true)
      b.send(pair.now, message('m002', content('answer')))
      pair.pass(1_000_000)
      if (described === CERTIFICATE) {
        expect(pair.right.outcome('m002')).toEqual({ type: 'confirmed' })
        a.send(pair.now, message('m003', content('late')))
        pair.run()
        expect(pair.left.outcome('m003')).toEqual({ type: 'confirmed' })
      } else {
        expect(pair.right.outcome('m002')).toMatchObject({ type: 'failed', cause: 'fingerprint' })
        expect(pair.left.user.received).toEqual([])
      }
      close(pair, [a, b])
      expect([pair.openFlows, pair.left.endpoint.openSessions + pair.right.endpoint.openSessions]).toEqual([[], 0])
    })
  }
})
