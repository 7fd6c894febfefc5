/**
 * Session mode of the gateway over TLS: a peer that is whom its answer speaks of gets its push; one that is not is a named outcome,
 * is asked once, gets no octet of content and leaves nothing behind, whichever side connects. And how long a connection stays.
 */
import { describe, expect, it } from 'vitest'
import type { PeerCertificate } from '../../core/kit/peer-certificate.js'
import { MICROS_PER_SECOND } from '../../core/kit/time.js'
import type { MsrpMedia } from '../../core/sdp/msrp-media.js'
import { parseDescription } from '../../core/sdp/parse.js'
import { START_WALL, user } from './gateway-world.js'
import { OF_GATEWAY, OF_TERMINAL, SESSION, SessionWorld, type TlsOptions } from './session-world.js'

const NOTHING = { sessions: 0, dialogs: 0, connections: 0, waiting: 0, flows: 0 }
const SECOND = MICROS_PER_SECOND
const OTHER: PeerCertificate = { ...OF_TERMINAL, sha256: OF_TERMINAL.sha256.replaceAll('7', '1') }
const EXPIRED: PeerCertificate = { ...OF_TERMINAL, validTo: START_WALL - 1 }
const NOT_YET: PeerCertificate = { ...OF_TERMINAL, validFrom: START_WALL + 3_600_000 }
const GOOD: TlsOptions = { shows: OF_TERMINAL, says: OF_TERMINAL.sha256 }

function open(setup: 'active' | 'passive', tls: TlsOptions | undefined, keepMicros = 0): SessionWorld {
  return new SessionWorld({ media: { setup }, ...(tls === undefined ? {} : { tls }) }, { keepMicros })
}

/** Confirmed, by a session; the outcome is told to the initiator, which gives its words. */
function push(world: SessionWorld, bearerRequired = true): string {
  world.gateway.submit({ pushId: 'p1', addresses: [user('anna')], notifyRequestedTo: 'http://pi.example/', qualityOfService: { ...SESSION, bearerRequired } }, { body: 'secret' })
  world.advance(SECOND)
  const [told] = world.gateway.notifies
  return ['message-state', 'code', 'desc'].map((name) => new RegExp(` ${name}="([^"]*)"`).exec(told?.body ?? '')?.[1]).join(' ')
}

describe.each(['passive', 'active'] as const)('a session over TLS with a terminal that is %s', (setup) => {
  it('offers the gateway’s certificate, and carries a push to whoever shows what the answer names', () => {
    const world = open(setup, GOOD)
    expect(push(world)).toBe('delivered 1000 OK')
    expect(world.taken.map(({ bytes }) => bytes.toString())).toEqual(['secret'])
    const offer = parseDescription(world.requests[0]!.body.toString()).description!.media[0] as MsrpMedia
    expect(offer).toMatchObject({ transport: 'tls', fingerprints: [OF_GATEWAY.sha256] })
    world.advance(5 * SECOND)
    expect(world.left()).toEqual(NOTHING)
  })

  it('is kept for the next push, which goes to the same peer unasked', () => {
    const world = open(setup, GOOD, 10 * SECOND)
    push(world)
    world.push('p2')
    expect([world.gateway.outcomes('p2'), world.methods()]).toEqual([['delivered 1000 confirmed'], ['INVITE', 'ACK']])
    world.advance(20 * SECOND)
    expect(world.left()).toEqual(NOTHING)
  })

  const bad: readonly (readonly [string, string, TlsOptions])[] = [
    ['shows another certificate than its answer names', 'fingerprint', { ...GOOD, shows: OTHER }],
    ['shows none', 'uncertified', { ...GOOD, shows: undefined }],
    ['names none', 'uncertified', { ...GOOD, says: undefined }],
    ['shows one that has expired', 'expired', { ...GOOD, shows: EXPIRED }],
    ['shows one that is not valid yet', 'expired', { ...GOOD, shows: NOT_YET }],
    ...(setup === 'passive' ? [['does not come to terms', 'handshake', { ...GOOD, shakes: false }] as const] : []),
  ]
  it.each(bad)('and %s ends undeliverable, named %s: one INVITE, no content, nothing left', (_what, cause, tls) => {
    const world = open(setup, tls)
    expect(push(world)).toMatch(new RegExp(`^undeliverable 3007 .*MSRP ${cause}, `))
    expect([world.taken, world.methods()]).toEqual([[], ['INVITE', 'ACK', 'BYE']])
    if (setup === 'passive') expect(world.octets).toBe(0)
    // Whoever is there is let go at once; a terminal whose answer was of no use may have connected all the same, and hangs up by itself.
    if (tls.says === undefined) world.advance(2 * SECOND)
    expect(world.left()).toEqual(NOTHING)
  })

  it.each(bad)('and %s is passed over for a MESSAGE where a session is only preferred', (_what, _cause, tls) => {
    const world = open(setup, tls)
    expect(push(world, false)).toBe('delivered 1000 OK')
    expect([world.taken, world.methods().filter((method) => method !== 'ACK').sort()]).toEqual([[], ['BYE', 'INVITE', 'MESSAGE']])
    world.advance(2 * SECOND)
    expect(world.left()).toEqual(NOTHING)
  })
})

describe.each([['TCP', undefined], ['TLS', GOOD]] as const)('a connection over %s that serves no session any more', (_name, tls) => {
  it('is closed by the gateway that opened it 2 s later', () => {
    const world = open('passive', tls)
    push(world)
    expect(world.left()).toEqual({ ...NOTHING, connections: 1, flows: 1 })
    world.advance(SECOND)
    expect(world.left()).toEqual(NOTHING)
  })

  it('is closed by the terminal that opened it, which the gateway awaits for 30 s', () => {
    const leaves = open('active', tls)
    push(leaves)
    leaves.advance(2 * SECOND)
    expect(leaves.left()).toEqual(NOTHING)

    const stays = new SessionWorld({ media: { setup: 'active' }, limits: { idleMicros: Infinity }, ...(tls === undefined ? {} : { tls }) }, { keepMicros: 0 })
    push(stays)
    stays.advance(28 * SECOND)
    expect(stays.left()).toEqual({ ...NOTHING, connections: 1, flows: 1 })
    stays.advance(SECOND)
    expect(stays.left()).toEqual(NOTHING)
  })
})
