/** Cancellation: what waits is called off for good, what is under way or over is not, and the answer says only what is on the disk. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MARK } from '../../core/store/records.js'
import { pushIdKey } from '../../core/store/keys.js'
import { Header } from '../../core/sip/header-names.js'
import { GatewayWorld, PEER, START_WALL, silent, thirdPartyRegister, user, type CoreNetwork } from './gateway-world.js'
import { answerOf, ask, branch, cancel, cancelled, notified, status } from './operations-world.js'

const NOTIFY = { notifyRequestedTo: 'http://pi.example/n' }
const CONFIRMED = { qualityOfService: { priority: 'medium' as const, deliveryMethod: 'confirmed' as const, networkRequired: false, bearerRequired: false } }
const SECOND = 1_000_000
const CORE: CoreNetwork = (request) => Number(/sip:s(\d+)/.exec(request.requestUri)?.[1] ?? 0) || undefined

/** One push in each state a recipient can be in, saved: `timed`, `away` (waits for a registration), `retry`, `done`, and two that wait for one user. */
function saved(): GatewayWorld {
  const world = new GatewayWorld({ core: CORE })
  world.submit({ pushId: 'timed', addresses: [user('anna')], deliverAfter: START_WALL + 3_600_000, ...NOTIFY })
  world.submit({ pushId: 'away', addresses: [user('s480')], ...NOTIFY })
  world.submit({ pushId: 'retry', addresses: [user('s503')], ...NOTIFY })
  world.submit({ pushId: 'done', addresses: [user('s200')] })
  world.submit({ pushId: 'group', addresses: ['s480', 's503', 's404', 'ben'].map(user), ...NOTIFY })
  return world
}

describe('a cancellation', () => {
  it.each(['timed', 'away', 'retry'])('of a push that waits (%s) is 1000, state cancelled, told and final', (pushId) => {
    const world = branch(saved().store, { core: CORE })
    expect(cancel(world, pushId)).toEqual([expect.stringMatching(/^1000 /)])
    expect(world.outcomes(pushId)).toEqual(['cancelled 1000 -'])
    expect(notified(world).filter((line) => line.startsWith(`${pushId} `))).toEqual([expect.stringMatching(/ cancelled 1000$/)])
    expect(status(world, pushId)).toEqual([expect.stringMatching(/^cancelled 1000 /)])
    expect(cancel(world, pushId)).toEqual([expect.stringMatching(/^3003 /)])
    const late: string[] = []
    world.core = (request) => { late.push(request.get(Header.XPushId)!); return 200 }
    for (const name of ['s480', 's503', 'anna']) world.receive(thirdPartyRegister(`sip:${name}@ims.example`, 600), PEER)
    world.advance(7_200 * SECOND)
    expect(late).toContain('group')
    expect(late).not.toContain(pushId)
    expect(world.outcomes(pushId)).toEqual(['cancelled 1000 -'])
  })

  it('leaves what is under way, or waits for a proof, alone (2008), and what is over (3003)', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.submit({ pushId: 'behind', addresses: [user('anna')] })
    expect(cancel(world, 'p')).toEqual(['2008 anna'])
    // One MESSAGE at a time to a Request-URI: the second has not begun.
    expect(cancel(world, 'behind')).toEqual(['1000 anna'])
    world.answer(200)
    expect(cancel(world, 'p')).toEqual(['3003 anna'])
    expect(world.outcomes()).toEqual(['cancelled 1000 -', 'delivered 1000 confirmed'])
    expect(world.sent).toEqual([])
    const held = new GatewayWorld({ core: () => 202 })
    held.submit({ pushId: 'h', addresses: [user('anna')], ...CONFIRMED })
    expect(cancel(held, 'h')).toEqual(['2008 anna'])
  })

  it('answers for each recipient, all of them or those named, in one result for each code', () => {
    const { store } = saved()
    const all = branch(store, { core: CORE })
    expect(cancel(all, 'group')).toEqual(['1000 s480 s503', '2008 ben', '3003 s404'])
    all.answer(200, all.sent.find(({ request }) => request.requestUri.includes('ben')))
    expect(notified(all).filter((line) => line.startsWith('group')).sort()).toEqual([
      'group ben delivered 1000', 'group s404 undeliverable 2002', 'group s480 cancelled 1000', 'group s503 cancelled 1000',
    ])
    const some = branch(store, { core: CORE })
    expect(cancel(some, 'group', [user('s503'), user('s404'), user('nobody'), 'nonsense', user('s503')])).toEqual(['1000 s503', '2002 nonsense', '2003 nobody', '3003 s404'])
    expect(status(some, 'group')).toEqual(['pending 1000 s480 ben', 'cancelled 1000 s503', 'undeliverable 2002 s404'])
  })

  it('of a push-id that is unknown or another’s is 2004, and changes nothing', () => {
    const world = saved()
    expect(answerOf(world, ask(world, 'cancel-message', 'away', [], 'another'))).toEqual({ ...answerOf(world, ask(world, 'cancel-message', 'nowhere', [], 'another')) as object, pushId: 'away' })
    expect(cancel(world, 'away', [user('s480')], 'another')).toEqual(['2004'])
    expect(cancel(world, 'a\nb')).toEqual(['2000'])
    expect(status(world, 'away')).toEqual(['pending 1000 s480'])
  })

  it('is answered when its outcome is flushed, and never undone by a crash after that', () => {
    const world = branch(saved().store, { core: CORE })
    world.holdCommits = true
    const id = ask(world, 'cancel-message', 'group')
    expect(cancelled(world, id)).toBeUndefined()
    const crashed = branch(world.store, { core: () => 200 })
    expect(status(crashed, 'group')).toEqual(['delivered 1000 s480 s503 ben', 'undeliverable 2002 s404'])
    world.flush()
    expect(cancelled(world, id)).toEqual(['1000 s480 s503', '2008 ben', '3003 s404'])
    const after = branch(world.store, { core: () => 200 })
    expect(status(after, 'group')).toEqual(['cancelled 1000 s480 s503', 'undeliverable 2002 s404', 'delivered 1000 ben'])
    expect([...notified(world), ...notified(after)]).toEqual(expect.arrayContaining(['group s480 cancelled 1000', 'group s503 cancelled 1000', 'group ben delivered 1000']))
  })

  it('waits behind an outcome of the same push that is being written, and both are kept', () => {
    const world = new GatewayWorld({ core: CORE })
    world.submit({ pushId: 'p', addresses: [user('ben'), user('s480')], ...NOTIFY })
    world.holdCommits = true
    world.answer(200)
    const id = ask(world, 'cancel-message', 'p')
    world.flush(1)
    expect(cancelled(world, id)).toBeUndefined()
    world.flush()
    expect(cancelled(world, id)).toEqual(['1000 s480', '2008 ben'])
    expect([world.outcomes(), world.store.rows('P')]).toEqual([['delivered 1000 confirmed', 'cancelled 1000 -'], 0])
  })

  it('that finds the store full is 503, and the push goes on', () => {
    const world = branch(saved().store, { core: CORE })
    world.storeIsFull = true
    expect([cancel(world, 'away'), cancel(world, 'group')]).toEqual([503, 503])
    expect(world.gateway.counters.inFlight).toBe(6)
    world.storeIsFull = false
    world.core = () => 200
    for (const name of ['s480', 's503']) world.receive(thirdPartyRegister(`sip:${name}@ims.example`, 600), PEER)
    world.advance(60 * SECOND)
    expect([world.outcomes('away'), world.outcomes('group').length]).toEqual([['delivered 1000 confirmed'], 3])
  })

  it('is put off by 503 as long as a start has not come to the push yet', () => {
    const world = new GatewayWorld({ core: () => 480 })
    for (let count = 0; count < 300; count++) world.submit({ pushId: `p${count}`, addresses: [user(`u${count}`)] })
    const started = branch(world.store, { core: silent, settings: { attemptsMax: 4 } })
    expect([cancel(started, 'p299'), status(started, 'p299')]).toEqual([503, ['pending 1000 u299']])
    while (started.sent.length > 0) started.answer(480)
    expect(cancel(started, 'p299')).toEqual(['1000 u299'])
  })

  it('of a push that an earlier release accepted is refused: where it lies was not kept', () => {
    const world = new GatewayWorld({ core: () => 480 })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.store.durable.set(pushIdKey('pi', 'p').toString('latin1'), MARK)
    expect(cancel(world, 'p')).toEqual(['2008'])
  })

  it('ends before a clean stop does', () => {
    const world = branch(saved().store, { core: () => 480 })
    world.holdCommits = true
    const id = ask(world, 'cancel-message', 'away')
    world.input({ type: 'drain' })
    expect(world.drained).toBe(false)
    world.flush()
    expect([cancelled(world, id), world.drained]).toEqual([['1000 s480'], true])
  })

  it('at whatever moment: one final outcome each, cancelled exactly where it was answered 1000, through a crash', () => {
    const steps = fc.array(fc.constantFrom('cancel' as const, 'cancel-one' as const, 'answer' as const, 'refuse' as const, 'time' as const, 'flush' as const, 'register' as const, 'crash' as const), { minLength: 3, maxLength: 14 })
    fc.assert(fc.property(steps, fc.boolean(), (history, holds) => {
      let world = new GatewayWorld({ core: silent })
      world.submit({ pushId: 'p', addresses: ['a', 'b', 'c'].map(user), ...NOTIFY })
      world.submit({ pushId: 'q', addresses: [user('a')], ...NOTIFY })
      const promised = new Set<string>()
      const asked: number[] = []
      const gather = (): void => {
        for (const id of asked) {
          const answer = answerOf(world, id)
          if (typeof answer === 'object' && answer.type === 'cancel-response') for (const { code, addresses } of answer.results) if (code === 1000) for (const address of addresses) promised.add(`${answer.pushId} ${address}`)
        }
      }
      for (const step of history) {
        world.holdCommits = holds
        if (step === 'cancel') for (const pushId of ['p', 'q']) asked.push(ask(world, 'cancel-message', pushId))
        else if (step === 'cancel-one') asked.push(ask(world, 'cancel-message', 'p', [user('b')]))
        else if (step === 'answer' && world.sent.length > 0) world.answer(200)
        else if (step === 'refuse' && world.sent.length > 0) world.answer(480)
        else if (step === 'time') world.advance(3 * SECOND)
        else if (step === 'flush') world.flush(1)
        else if (step === 'register') for (const name of ['a', 'b', 'c']) world.receive(thirdPartyRegister(`sip:${name}@ims.example`, 600), PEER)
        else if (step === 'crash') {
          gather()
          asked.length = 0
          world = branch(world.store, { core: silent })
        }
      }
      world.holdCommits = false
      world.flush()
      world.core = () => 200
      while (world.sent.length > 0) world.answer(200)
      for (const name of ['a', 'b', 'c']) world.receive(thirdPartyRegister(`sip:${name}@ims.example`, 600), PEER)
      world.advance(3_600 * SECOND)
      gather()
      const outcomes = new Map([...['a', 'b', 'c'].map((name) => ['p', name]), ['q', 'a']].map(([pushId, name]) => [`${pushId} ${user(name!)}`, status(world, pushId!, [user(name!)])[0]!.split(' ')[0]]))
      for (const [key, state] of outcomes) expect(`${key} ${state}`).toBe(`${key} ${promised.has(key) ? 'cancelled' : state === 'cancelled' ? 'cancelled, and its answer lost in a crash' : 'delivered'}`.replace(/, and.*/, ''))
      expect([world.store.rows('P'), world.store.rows('D'), world.gateway.counters.inFlight, world.gateway.counters.waiting]).toEqual([0, 4, 0, 0])
      if (!history.includes('crash')) {
        expect(new Set(notified(world)).size).toBe(4)
        for (const [key, state] of outcomes) if (state === 'cancelled') expect(promised).toContain(key)
      }
    }), { numRuns: 400 })
  })
})
