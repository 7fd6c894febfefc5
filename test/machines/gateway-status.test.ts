/** Status queries: every state of a recipient, by address and for all, another's push, and what is told after outcomes were forgotten. */
import { describe, expect, it } from 'vitest'
import { MARK } from '../../core/store/records.js'
import { pushIdKey } from '../../core/store/keys.js'
import { GatewayWorld, START_WALL, silent, user } from './gateway-world.js'
import { branch, status, statuses } from './operations-world.js'

const DAY = 86_400_000_000
const QUALITY = { priority: 'high' as const, deliveryMethod: 'confirmed' as const, networkRequired: false, bearerRequired: false }
const CORE = (request: { readonly requestUri: string }): number => Number(/sip:s(\d+)/.exec(request.requestUri)?.[1] ?? 200)

describe('a status query', () => {
  it('tells each recipient’s state, equal ones together, the quality used iff the submission had one', () => {
    const world = new GatewayWorld({ core: CORE })
    world.submit({ pushId: 'p', addresses: ['anna', 's480', 's486', 's404', 's603', 's415'].map(user), qualityOfService: QUALITY })
    expect(status(world, 'p')).toEqual(['delivered 1000 anna', 'pending 1000 s480 s486', 'undeliverable 2002 s404', 'aborted 5235 s603', 'undeliverable 4000 s415'])
    const results = statuses(world, 'p')
    expect(results[0]).toMatchObject({ eventTime: START_WALL, desc: 'OK', qualityOfService: { priority: 'high', deliveryMethod: 'confirmed', network: 'IMS', bearer: 'SIP-MESSAGE' } })
    expect(results[1]).toMatchObject({ eventTime: undefined, qualityOfService: { priority: 'high', deliveryMethod: 'confirmed', network: undefined } })
    // 2006 may not stand in a statusquery-result: the text keeps it.
    expect(results.at(-1)!.desc).toMatch(/^2006 /)
    world.submit({ pushId: 'q', addresses: [user('anna')] })
    expect(statuses(world, 'q')[0]!.qualityOfService).toBeUndefined()
  })

  it('tells of the addresses it names, however they are written, and why of others not', () => {
    const world = new GatewayWorld({ core: CORE })
    world.submit({ pushId: 'p', addresses: [user('anna'), 'WAPPUSH=+357991/TYPE=PLMN@ppg.example', user('s480')] })
    const again = '/wappush=+357-99.1/type=plmn@PPG.example'
    expect(status(world, 'p', [again, user('s480'), user('ben'), 'nonsense', again])).toEqual([
      `delivered 1000 ${again}`, 'pending 1000 s480', 'unknown 2003 ben', 'unknown 2002 nonsense',
    ])
  })

  it('is pending while it waits for its time, is under way, waits again, or waits for a proof; then as it ended', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'timed', addresses: [user('t')], deliverAfter: START_WALL + 60_000 })
    world.submit({ pushId: 'p', addresses: [user('anna')], deliverBefore: START_WALL + 3_600_000 })
    expect([status(world, 'timed'), status(world, 'p')]).toEqual([['pending 1000 t'], ['pending 1000 anna']])
    world.answer(503)
    expect(status(world, 'p')).toEqual(['pending 1000 anna'])
    world.core = () => 486
    world.advance(2 * 3_600_000_000)
    expect(status(world, 'p')).toEqual(['expired 4001 anna'])
    const held = new GatewayWorld({ core: () => 202 })
    held.submit({ pushId: 'h', addresses: [user('anna')], qualityOfService: QUALITY })
    expect(status(held, 'h')).toEqual(['pending 1000 anna'])
    held.advance(3 * DAY)
    expect(status(held, 'h')).toEqual(['unknown 4000 anna'])
  })

  it('does not tell an outcome before it is flushed', () => {
    for (const addresses of [['anna'], ['anna', 'ben']]) {
      const world = new GatewayWorld({ core: silent })
      world.submit({ pushId: 'p', addresses: addresses.map(user) })
      world.holdCommits = true
      // A store may show rows of a commit that is still under way.
      world.afterOutput = (out) => { if (out.type === 'commit') world.store.apply(out.operations) }
      world.answer(200)
      expect(status(world, 'p')).toEqual([`pending 1000 ${addresses.join(' ')}`])
      world.flush()
      expect(status(world, 'p')[0]).toBe('delivered 1000 anna')
    }
  })

  it('for a push-id that is unknown, not accepted yet, or another’s is 2004 all the same', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    const foreign = statuses(world, 'p', [], 'another')
    expect(foreign).toEqual(statuses(world, 'nowhere', [], 'another'))
    expect(status(world, 'p', [user('anna')], 'another')).toEqual(['unknown 2004'])
    expect(status(world, 'p', [], 'pi')).toEqual(['pending 1000 anna'])
    world.holdCommits = true
    world.submit({ pushId: 'q', addresses: [user('anna')] })
    expect(status(world, 'q')).toEqual(['unknown 2004'])
    expect(status(world, 'p\nq')).toEqual(['unknown 2000'])
  })

  it('is told the same by a gateway that was started again', () => {
    const world = new GatewayWorld({ core: CORE })
    world.submit({ pushId: 'p', addresses: ['anna', 's480', 's404'].map(user), qualityOfService: QUALITY })
    expect(statuses(branch(world.store, { core: CORE }), 'p')).toEqual(statuses(world, 'p'))
  })

  it('after retention is 3003 where something of the push is left, and 2004 where nothing is', () => {
    const world = new GatewayWorld({ core: CORE, settings: { retentionMillis: 2 * 86_400_000 } })
    world.submit({ pushId: 'p', addresses: ['anna', 's480', 's404'].map(user) })
    world.submit({ pushId: 'one', addresses: [user('anna')] })
    world.advance(2.5 * DAY)
    expect(status(world, 'one')).toEqual(['unknown 2004'])
    // Two ended at once; as long as the third waits, their outcomes are kept, so that nobody is reached twice.
    expect(status(world, 'p')).toEqual(['delivered 1000 anna', 'pending 1000 s480', 'undeliverable 2002 s404'])
    world.advance(1 * DAY)
    expect(status(world, 'p')).toEqual(['timeout 4000 s480'])
    expect(status(world, 'p', [user('anna'), user('s480')])).toEqual(['unknown 3003 anna', 'timeout 4000 s480'])
    world.advance(3 * DAY)
    expect(status(world, 'p')).toEqual(['unknown 2004'])
  })

  it('of a push that an earlier release accepted, which kept only that its push-id is taken, is 3003', () => {
    const world = new GatewayWorld({ core: () => 480 })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.store.durable.set(pushIdKey('pi', 'p').toString('latin1'), MARK)
    expect(status(world, 'p')).toEqual(['unknown 3003'])
  })
})
