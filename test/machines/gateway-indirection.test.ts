/**
 * Content by reference (RFC 4483) through the gateway: what the message says, who may fetch, what proves a delivery, and
 * that neither a restart nor a lie nor silence changes more than it should.
 */
import { describe, expect, it } from 'vitest'
import { systemCrypto } from '../../core/live/crypto.js'
import { parseContentType } from '../../core/mime/content-type.js'
import type { GatewayOut } from '../../core/push/contract.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { GatewayWorld, START_WALL, user, type CoreNetwork } from './gateway-world.js'

const SECOND = 1_000_000
const DAY = 86_400 * SECOND
const URL = 'https://content.example/c'
const fetched = { indirection: { url: URL, confirmation: 'fetched' } } as const
const carried = { indirection: { url: URL, confirmation: 'carried' } } as const

const isReference = (request: SipMessage): boolean => request.get(Header.ContentType)!.startsWith('message/external-body')
/** A terminal that takes references and nothing else. */
const onlyReferences = (answer: number | undefined = 200): CoreNetwork => (request) => (isReference(request) ? answer : 413)

function world(settings: typeof fetched | typeof carried, core: CoreNetwork = onlyReferences()): GatewayWorld & { references: SipMessage[] } {
  const references: SipMessage[] = []
  const made = new GatewayWorld({ settings, core: (request, self) => {
    if (isReference(request)) references.push(request)
    return core(request, self)
  } })
  return Object.assign(made, { references })
}

function parametersOf(reference: SipMessage): ReadonlyMap<string, string> {
  return parseContentType(reference.get(Header.ContentType)!)!.parameters
}

function tokenOf(reference: SipMessage): string {
  return parametersOf(reference).get('url')!.slice(URL.length + 1)
}

let asked = 0

function ask(world: GatewayWorld, token: string): number {
  world.input({ type: 'content-request', id: ++asked, token })
  const reply = world.fetches.find((each) => each.id === asked)
  return reply?.status ?? 0
}

function fetchWhole(world: GatewayWorld, token: string): void {
  expect(ask(world, token)).toBe(200)
  world.input({ type: 'content-fetched', token, complete: true })
}

describe('a reference', () => {
  it('says where the content is, until when, how large it is and its hash, and describes it in its body', () => {
    const { references } = submitted()
    const parameters = parametersOf(references[0]!)
    expect(parameters.get('access-type')).toBe('URL')
    expect(parameters.get('url')).toMatch(/^https:\/\/content\.example\/c\/[A-Za-z0-9_-]{48}$/)
    expect(parameters.get('size')).toBe('5')
    expect(parameters.get('hash')).toBe(systemCrypto.hashHex('sha-1', 'hello').toUpperCase())
    expect(parameters.get('expiration')).toBe(new Date(START_WALL + 60_000).toUTCString())
    const body = references[0]!.body.toString()
    expect(body).toMatch(/^Content-Type: image\/png\r\nContent-Disposition: attachment\r\nContent-ID: <[0-9a-f]{40}@127\.0\.0\.1>\r\n\r\n$/)
  })

  it('is served with what it promised, as often as it is asked for', () => {
    const made = submitted()
    const token = tokenOf(made.references[0]!)
    expect([ask(made, token), ask(made, token)]).toEqual([200, 200])
    const reply = made.fetches.at(-1)!
    expect(reply).toMatchObject({ status: 200, contentType: 'image/png', content: Buffer.from('hello'), sha1: systemCrypto.hashHex('sha-1', 'hello') })
  })

  it('is nobody else’s: no other text leads to the content, and each recipient has one of its own', () => {
    const made = world(carried)
    made.submit({ pushId: 'p', addresses: [user('anna'), user('ben')] })
    const [anna, ben] = made.references.map(tokenOf) as [string, string]
    expect(anna).not.toBe(ben)
    // The places differ in the recipient's number alone; the proof of one is not that of the other.
    expect(ask(made, anna.slice(0, 24) + ben.slice(24))).toBe(404)
    for (let at = 0; at < 48; at++) {
      const other = anna.slice(0, at) + (anna[at] === 'A' ? 'B' : 'A') + anna.slice(at + 1)
      expect([404, 410]).toContain(ask(made, other))
    }
    for (const text of ['', 'x', 'A'.repeat(47), 'A'.repeat(49), `${'A'.repeat(47)}=`, '../'.repeat(16)]) expect(ask(made, text)).toBe(404)
  })

  it('is gone when its time is over, and its row a little later', () => {
    const made = submitted()
    const token = tokenOf(made.references[0]!)
    made.advance(61 * SECOND)
    expect(ask(made, token)).toBe(410)
    made.advance(700 * SECOND)
    expect([made.store.rows('H'), ask(made, token)]).toEqual([0, 410])
  })

  it('stays the same through a restart and through a retry', () => {
    const made = world(carried, (request) => (isReference(request) ? 480 : 413))
    made.submit({ pushId: 'p', addresses: [user('anna')] })
    made.boot()
    made.boot()
    expect(made.references.length).toBeGreaterThanOrEqual(3)
    expect(new Set(made.references.map(tokenOf)).size).toBe(1)
    expect(ask(made, tokenOf(made.references[0]!))).toBe(200)
  })

  it('outlives its push where carrying it was the delivery', () => {
    const made = submitted()
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed'])
    made.boot()
    expect(ask(made, tokenOf(made.references[0]!))).toBe(200)
  })

  it('is not sent while the store cannot hold the content, and is when it can', () => {
    const made = world(carried, (request, self) => {
      if (isReference(request)) return 200
      self.storeIsFull = true
      return 413
    })
    made.submit({ pushId: 'p', addresses: [user('anna')] })
    expect(made.references).toHaveLength(0)
    made.storeIsFull = false
    made.advance(10 * SECOND)
    expect(made.references).toHaveLength(1)
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  function submitted(): GatewayWorld & { references: SipMessage[] } {
    const made = world(carried)
    made.submit({ pushId: 'p', addresses: [user('anna')], deliverBefore: START_WALL + 60_000 }, { type: 'image/png' })
    return made
  }
})

describe('a fetch', () => {
  function submitted(answer: number | undefined = 200, fields: { deliverBefore?: number } = {}): GatewayWorld & { references: SipMessage[] } {
    const made = world(fetched, onlyReferences(answer))
    made.submit({ pushId: 'p', addresses: [user('anna')], ...fields })
    return made
  }

  it('of every octet is the proof, where the operator asks for it', () => {
    const made = submitted()
    expect([made.outcomes(), made.gateway.counters.waiting]).toEqual([[], 1])
    fetchWhole(made, tokenOf(made.references[0]!))
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed'])
    expect([made.store.rows('P'), made.gateway.counters.waiting, made.gateway.counters.inFlight]).toEqual([0, 0, 0])
  })

  it('that was cut proves nothing', () => {
    const made = submitted()
    made.input({ type: 'content-fetched', token: tokenOf(made.references[0]!), complete: false })
    expect(made.outcomes()).toEqual([])
  })

  it('that comes before the answer to the message counts with it', () => {
    const made = world(fetched, (request) => (isReference(request) ? undefined : 413))
    made.submit({ pushId: 'p', addresses: [user('anna')] })
    fetchWhole(made, tokenOf(made.references[0]!))
    expect(made.outcomes()).toEqual([])
    made.answer(200)
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('counts even when the answer to the message was lost: nothing is sent again for it', () => {
    const made = submitted(503)
    fetchWhole(made, tokenOf(made.references[0]!))
    made.advance(60 * SECOND)
    expect(made.references).toHaveLength(1)
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('that never comes ends with the lifetime: timeout, or expired where the initiator set the end', () => {
    const made = submitted()
    made.advance(4 * DAY)
    expect(made.outcomes()).toEqual(['timeout 4000 -'])
    const limited = submitted(200, { deliverBefore: START_WALL + 60_000 })
    limited.advance(61 * SECOND)
    expect(limited.outcomes()).toEqual(['expired 4000 -'])
    // What comes too late changes nothing.
    limited.input({ type: 'content-fetched', token: tokenOf(limited.references[0]!), complete: true })
    expect(limited.outcomes()).toEqual(['expired 4000 -'])
  })

  it('is not waited for where no confirmation is asked for', () => {
    const made = world(fetched)
    made.submit({ pushId: 'p', addresses: [user('anna')], qualityOfService: { deliveryMethod: 'unconfirmed', priority: 'medium', networkRequired: false, bearerRequired: false } })
    expect(made.outcomes()).toEqual(['delivered 1000 unconfirmed'])
  })

  it('proves a 202 as well', () => {
    const made = world(fetched, onlyReferences(202))
    made.submit({ pushId: 'p', addresses: [user('anna')], qualityOfService: { deliveryMethod: 'confirmed', priority: 'medium', networkRequired: false, bearerRequired: false } })
    fetchWhole(made, tokenOf(made.references[0]!))
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('is waited for again after a restart, under the same URL', () => {
    const made = submitted()
    made.boot()
    expect(made.references).toHaveLength(2)
    fetchWhole(made, tokenOf(made.references[0]!))
    expect(made.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('leaves the next push to the same user free to go', () => {
    const made = submitted()
    made.submit({ pushId: 'q', addresses: [user('anna')] })
    expect(made.references).toHaveLength(2)
    fetchWhole(made, tokenOf(made.references[1]!))
    expect([made.outcomes('q'), made.outcomes('p')]).toEqual([['delivered 1000 confirmed'], []])
  })

  it('is refused by a terminal that takes no references, and the push ends as what it is', () => {
    const made = submitted(415)
    expect(made.outcomes()).toEqual(['undeliverable 2006 -'])
    made.input({ type: 'content-fetched', token: tokenOf(made.references[0]!), complete: true })
    expect(made.outcomes()).toEqual(['undeliverable 2006 -'])
  })
})

describe('a gateway that hosts nothing', () => {
  it('knows no content', () => {
    const made = new GatewayWorld()
    expect(ask(made, 'A'.repeat(48))).toBe(404)
  })
})

describe('a crash around a reference', () => {
  class Crash extends Error {}

  it.each([true, false])('at every single output leaves one outcome, told, and a content that was promised (commits held: %s)', (hold) => {
    for (let crash = 1; crash <= 40; crash++) {
      const made = world(fetched)
      let outputs = 0
      made.holdCommits = hold
      made.afterOutput = (_out: GatewayOut) => { if (++outputs === crash) throw new Crash() }
      const guarded = (action: () => void): void => {
        try {
          action()
        } catch (error) {
          if (!(error instanceof Crash)) throw error
          made.boot()
        }
      }
      guarded(() => made.submit({ pushId: 'p', addresses: [user('anna')], notifyRequestedTo: 'http://pi.example/n' }))
      for (let count = 0; count < 4; count++) guarded(() => made.flush())
      made.holdCommits = false
      guarded(() => made.flush())
      const accepted = made.store.rows('P') > 0
      const reference = made.references.at(-1)
      guarded(() => { if (reference !== undefined) fetchWhole(made, tokenOf(reference)) })
      guarded(() => made.advance(4 * DAY))
      guarded(() => made.advance(DAY))
      if (!accepted) continue
      expect(made.store.rows('P'), `crash at output ${crash}`).toBe(0)
      expect(new Set(made.notifies.map(({ body }) => /message-state="(\w+)"/.exec(body)?.[1])).size, `crash at output ${crash}`).toBe(1)
      expect(made.references.length).toBeGreaterThan(0)
    }
  })
})
