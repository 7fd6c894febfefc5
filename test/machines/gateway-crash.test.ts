/**
 * A crash between any two outputs: what was not flushed is gone, the process starts again, and the promises hold.
 * Accepted means on disk; one final outcome each; notified at least once; nothing is silent.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodePap } from '../../core/pap/decode.js'
import { encodePap } from '../../core/pap/encode.js'
import type { GatewayOut } from '../../core/push/contract.js'
import { Header } from '../../core/sip/header-names.js'
import { GatewayWorld, PEER, user, thirdPartyRegister } from './gateway-world.js'

class Crash extends Error {}

interface Step {
  readonly kind: 'push' | 'fan-out' | 'cancel' | 'replace' | 'register' | 'deregister' | 'time' | 'flush'
  readonly who: number
}

const step = fc.record<Step>({ kind: fc.constantFrom('push' as const, 'push' as const, 'fan-out' as const, 'cancel' as const, 'replace' as const, 'register' as const, 'deregister' as const, 'time' as const, 'flush' as const), who: fc.nat(3) })
const SECOND = 1_000_000

/** Statuses by user and attempt, so that offline, busy and healthy recipients are all there. */
function core(attempts: Map<string, number>) {
  return (request: { readonly requestUri: string }): number => {
    const count = (attempts.get(request.requestUri) ?? 0) + 1
    attempts.set(request.requestUri, count)
    const who = Number(/u(\d)/.exec(request.requestUri)![1])
    if (who === 1) return count % 2 === 1 ? 480 : 200
    if (who === 2) return count % 3 === 0 ? 200 : 503
    return who === 3 ? 404 : 200
  }
}

function run(steps: readonly Step[], crashes: readonly number[], holdCommits: boolean): void {
  const delivered = new Map<string, number>()
  const answer = core(new Map())
  const world = new GatewayWorld({
    notified: () => 200,
    core: (request) => {
      const status = answer(request)
      if (status === 200) delivered.set(request.get(Header.XPushId)!, (delivered.get(request.get(Header.XPushId)!) ?? 0) + 1)
      return status
    },
  })
  const acknowledged = new Set<string>()
  /** Push-id and address of each cancellation that was answered 1000. */
  const cancelled = new Set<string>()
  /** Push-ids whose cancellation was asked for. */
  const asked = new Set<string>()
  /** The earlier push of each replacement. */
  const replacing = new Map<string, string>()
  let outputs = 0
  const pending = [...crashes].sort((a, b) => a - b)
  world.holdCommits = holdCommits
  world.afterOutput = (out: GatewayOut) => {
    if (out.type === 'pap-reply' && out.status === 202) {
      const document = decodePap(out.body)
      const message = document.ok ? document.message : undefined
      if (message?.type === 'push-response' && message.result.code === 1001) acknowledged.add(message.pushId)
      if (message?.type === 'cancel-response') for (const { code, addresses } of message.results) if (code === 1000) for (const address of addresses) cancelled.add(`${message.pushId} ${address}`)
    }
    if (pending[0] !== undefined && ++outputs >= pending[0]) {
      pending.shift()
      throw new Crash()
    }
  }
  const guarded = (action: () => void): void => {
    for (let again = true; again; ) {
      again = false
      try {
        action()
      } catch (error) {
        if (!(error instanceof Crash)) throw error
        action = () => world.boot()
        again = true
      }
    }
  }
  const recipients = new Map<string, number>()
  steps.forEach(({ kind, who }, index) => guarded(() => {
    const pushId = `p${index}`
    const earlier = `p${index - 1 - who}`
    const addresses = kind === 'fan-out' || kind === 'replace' ? [0, 1, 2].map((each) => user(`u${each}`)) : [user(`u${who}`)]
    if (kind === 'push' || kind === 'fan-out') {
      recipients.set(pushId, addresses.length)
      world.submit({ pushId, addresses, notifyRequestedTo: 'http://pi.example/n' })
    } else if (kind === 'cancel') {
      asked.add(earlier)
      world.post('application/xml', Buffer.from(encodePap({ type: 'cancel-message', pushId: earlier, addresses: [] }, '2.0')))
    } else if (kind === 'replace') {
      recipients.set(pushId, addresses.length)
      replacing.set(pushId, earlier)
      world.submit({ pushId, addresses, replacePushId: earlier, replaceMethod: 'pending-only', notifyRequestedTo: 'http://pi.example/n' })
    } else if (kind === 'register' || kind === 'deregister') world.receive(thirdPartyRegister(`sip:u${who}@ims.example`, kind === 'register' ? 600 : 0), PEER)
    else if (kind === 'time') world.advance(who * 10 * SECOND)
    else world.flush(2)
  }))
  // The faults end here; what follows must come to rest with every promise kept.
  pending.length = 0
  world.holdCommits = false
  guarded(() => world.flush())
  for (let round = 0; round < 8; round++) {
    for (let who = 0; who < 4; who++) world.receive(thirdPartyRegister(`sip:u${who}@ims.example`, 600))
    world.advance(3_600 * SECOND)
  }
  const outcomes = check(world, acknowledged, recipients, delivered)
  for (const key of cancelled) expect(outcomes.get(key)?.[0], `${key} was answered as cancelled`).toBe('cancelled 1000')
  // A replacement goes where the earlier push was cancelled, and nowhere else.
  for (const [key, [state]] of outcomes) {
    const [pushId, address] = key.split(' ') as [string, string]
    const earlier = replacing.get(pushId)
    if (earlier !== undefined && state !== 'rejected 2008') expect(outcomes.get(`${earlier} ${address}`)?.[0], `what ${key} replaced`).toBe('cancelled 1000')
    // And the earlier one is cancelled for nobody whom nothing comes to in its place.
    if (state !== 'cancelled 1000' || asked.has(pushId)) continue
    const successors = [...replacing].filter(([, replaced]) => replaced === pushId).map(([successor]) => outcomes.get(`${successor} ${address}`)?.[0] ?? 'nothing')
    expect(successors.filter((outcome) => outcome !== 'rejected 2008' && outcome !== 'nothing'), `instead of ${key}`).toHaveLength(1)
  }
}

/** Every notification told, by push-id and address. */
function check(world: GatewayWorld, acknowledged: ReadonlySet<string>, recipients: ReadonlyMap<string, number>, delivered: ReadonlyMap<string, number>): ReadonlyMap<string, readonly string[]> {
  const outcomes = new Map<string, string[]>()
  for (const { body } of world.notifies) {
    const document = decodePap(body)
    if (!document.ok || document.message.type !== 'resultnotification-message') throw new Error(body)
    const { pushId, address, messageState, code } = document.message
    const key = `${pushId} ${address}`
    outcomes.set(key, [...(outcomes.get(key) ?? []), `${messageState} ${code}`])
  }
  for (const pushId of acknowledged) {
    const keys = [...outcomes.keys()].filter((key) => key.startsWith(`${pushId} `))
    expect(keys, `every recipient of ${pushId} has an outcome that was told`).toHaveLength(recipients.get(pushId)!)
  }
  for (const [key, states] of outcomes) expect(new Set(states).size, `one outcome for ${key}: ${states.join(', ')}`).toBe(1)
  for (const [key, [state]] of outcomes) if (state === 'delivered 1000') expect(delivered.get(key.split(' ')[0]!)).toBeGreaterThan(0)
  expect([world.store.rows('P'), world.store.rows('N')], 'nothing pending or unacknowledged is left').toEqual([0, 0])
  expect(world.gateway.counters.inFlight).toBe(0)
  expect(world.gateway.counters.waiting).toBe(0)
  // Every row of an outcome stands for one notified outcome.
  expect(world.store.rows('D')).toBe(outcomes.size)
  return outcomes
}

describe('a crash', () => {
  it('between any two outputs loses no accepted push, changes no outcome and silences no notification', () => {
    fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 3 }), fc.boolean(), run), { numRuns: 400 })
  })

  it('at every single output of one eventful history', () => {
    const steps: Step[] = [
      { kind: 'push', who: 0 }, { kind: 'push', who: 1 }, { kind: 'fan-out', who: 0 }, { kind: 'flush', who: 0 }, { kind: 'push', who: 2 }, { kind: 'flush', who: 0 },
      { kind: 'replace', who: 3 }, { kind: 'flush', who: 0 }, { kind: 'cancel', who: 3 }, { kind: 'flush', who: 0 },
      { kind: 'register', who: 1 }, { kind: 'time', who: 1 }, { kind: 'deregister', who: 1 }, { kind: 'push', who: 1 }, { kind: 'flush', who: 0 }, { kind: 'push', who: 3 },
    ]
    for (let crash = 1; crash <= 130; crash++) for (const hold of [true, false]) run(steps, [crash], hold)
  })

  it('after the device took it and before that was written repeats the same push-id and Call-ID with a higher CSeq', () => {
    const requests: string[][] = []
    const world = new GatewayWorld({ core: (request) => { requests.push([request.get(Header.XPushId)!, request.get(Header.CallId)!, request.get(Header.CSeq)!]); return 200 } })
    world.holdCommits = true
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.flush(1)
    world.advance(5_000)
    world.boot()
    world.flush()
    expect(requests[1]!.slice(0, 2)).toEqual(requests[0]!.slice(0, 2))
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('is followed by one try for each waiting recipient, no more at one time than attempts may be open', () => {
    const world = new GatewayWorld({ core: () => 480, settings: { attemptsMax: 5 } })
    for (let count = 0; count < 40; count++) world.submit({ pushId: `p${count}`, addresses: [user(`u${count}`)] })
    let open = 0
    let most = 0
    world.core = () => { most = Math.max(most, ++open); return undefined }
    world.boot()
    for (let count = 0; count < 40; count++) {
      open--
      world.answer(480)
    }
    expect(world.sent).toHaveLength(0)
    expect(most).toBe(5)
    expect(world.gateway.counters).toMatchObject({ sipRequests: 40, waiting: 40, inFlight: 40 })
    world.advance(3_600 * SECOND)
    expect(world.gateway.counters.sipRequests).toBe(40)
  })

  it('does not take up twice what was accepted while the store was still being walked', () => {
    const world = new GatewayWorld({ core: () => 480, settings: { attemptsMax: 4 } })
    for (let count = 0; count < 300; count++) world.submit({ pushId: `p${count}`, addresses: [user(`u${count}`)] })
    const sent: string[] = []
    world.core = (request) => { sent.push(request.get(Header.XPushId)!); return undefined }
    world.boot()
    expect(world.code(world.submit({ pushId: 'new', addresses: [user('new')] }))).toBe(1001)
    while (world.sent.length > 0) world.answer(world.sent[0]!.request.get(Header.XPushId) === 'new' ? 480 : 200)
    expect(sent).toHaveLength(301)
    expect(world.gateway.counters).toMatchObject({ inFlight: 1, waiting: 1 })
    expect(world.store.rows('P')).toBe(1)
  })

  it('keeps the numbering safe even when the commit that reserved numbers was refused', () => {
    const world = new GatewayWorld({ core: () => 480 })
    world.storeIsFull = true
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.storeIsFull = false
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    expect(world.store.rows('M')).toBe(1)
  })

  it('with the clock set back gives no number twice', () => {
    const world = new GatewayWorld({ core: () => 480 })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.wall -= 86_400_000
    world.boot()
    world.submit({ pushId: 'q', addresses: [user('ben')] })
    expect(world.store.rows('P')).toBe(2)
  })

  it('leaves a store of another version unread, with words for the operator', () => {
    const world = new GatewayWorld({ core: () => 480 })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.store.durable.get('M')![0] = 9
    expect(() => world.boot()).toThrow(/version 9.*reads version 2/)
  })
})
