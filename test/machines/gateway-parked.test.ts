/** Pushes that wait as numbers: none is lost, doubled or mistaken for another, and they come back in their order, by their user or by their moment. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Delivery, type Group } from '../../core/push/delivery/delivery.js'
import { ParkedDeliveries } from '../../core/push/delivery/parked.js'
import { Recipient, RequestQueue } from '../../core/push/delivery/recipients.js'
import { targetOf } from '../../core/push/delivery/target.js'
import { Header } from '../../core/sip/header-names.js'
import { GatewayWorld, START_WALL, silent, thirdPartyRegister, user } from './gateway-world.js'
import { cancel, status } from './operations-world.js'

const SECOND = 1_000_000
const ANNA = 'sip:anna@ims.example'

interface Step {
  readonly kind: 'add' | 'add-many' | 'wake' | 'take' | 'due'
  readonly who: number
  readonly due: number
  readonly isTimed: boolean
  readonly facts: number
}

const step = fc.record<Step>({ kind: fc.constantFrom('add' as const, 'add' as const, 'add-many' as const, 'wake' as const, 'take' as const, 'due' as const), who: fc.nat(5), due: fc.nat(1_000), isTimed: fc.boolean(), facts: fc.nat(2 ** 20) })
const aorOf = (who: number): string => `sip:u${who}@ims.example`

function deliveryOf(serial: number, { who, due, facts }: Step, group: Group | undefined): Delivery {
  const target = targetOf(aorOf(who))!
  const delivery = new Delivery(2 ** 51 + (serial >> 1), group === undefined ? 7 : serial & 1, facts % 3, due, new RequestQueue(target, new Recipient(target.aor)), group)
  delivery.hasLegRow = facts % 2 === 1
  delivery.lifetimeCode = facts % 5 === 0 ? 4001 : 4000
  delivery.sipStatus = facts % 700
  delivery.excluded = facts % 16
  delivery.tries = facts % 200
  delivery.cseq = facts * 1_000
  return delivery
}

const factsOf = ({ sequence, recipient, priority, group, hasLegRow, lifetimeCode, sipStatus, excluded, tries, cseq }: Delivery): object =>
  ({ sequence, recipient, priority, group, hasLegRow, lifetimeCode, sipStatus, excluded, tries, cseq })

function run(steps: readonly Step[]): void {
  const parked = new ParkedDeliveries(1)
  let model: { readonly delivery: Delivery; readonly step: Step }[] = []
  let serial = 0
  const groups = new Map<number, Group>()
  const add = (each: Step): void => {
    serial += 2
    for (let member = 0; member < (each.facts % 3 === 0 ? 2 : 1); member++) {
      if (each.facts % 3 === 0 && !groups.has(serial)) groups.set(serial, { remaining: 2 })
      const delivery = deliveryOf(serial + member, each, groups.get(serial))
      parked.add(delivery, each.due, each.isTimed)
      model.push({ delivery, step: each })
    }
  }
  for (const each of steps) {
    if (each.kind === 'add') add(each)
    else if (each.kind === 'add-many') for (let more = 0; more < 900; more++) add({ ...each, who: more % 6, due: (each.due * more) % 1_000 })
    else if (each.kind === 'wake') {
      const woken = model.filter(({ step: { who, isTimed } }) => who === each.who && !isTimed)
      model = model.filter((one) => !woken.includes(one))
      const inOrder = woken.map(({ delivery }) => delivery).sort((a, b) => a.priority - b.priority || a.sequence - b.sequence || a.recipient - b.recipient)
      expect(parked.takeWaiting(aorOf(each.who))).toEqual(inOrder.map(factsOf))
    } else if (each.kind === 'take') {
      const one = model[each.facts % Math.max(1, model.length)]
      model = model.filter((other) => other !== one)
      if (one !== undefined) expect(parked.take(aorOf(one.step.who), one.delivery.sequence, one.delivery.recipient)).toEqual(factsOf(one.delivery))
      expect(parked.take(aorOf(0), 5, 0)).toBeUndefined()
    } else {
      const due = model.filter(({ step: { due: at } }) => at <= each.due)
      model = model.filter((one) => !due.includes(one))
      const seen: unknown[] = []
      for (let at = parked.nextDue, one = parked.popDue(each.due); one !== undefined; at = parked.nextDue, one = parked.popDue(each.due)) {
        expect(at).toBeLessThanOrEqual(parked.nextDue)
        seen.push(`${one.sequence} ${one.recipient}`)
      }
      expect(seen.sort()).toEqual(due.map(({ delivery }) => `${delivery.sequence} ${delivery.recipient}`).sort())
    }
    expect([parked.size, parked.nextDue]).toEqual([model.length, Math.min(...model.map(({ step: { due } }) => due))])
    for (let who = 0; who < 6; who++) expect(parked.has(aorOf(who))).toBe(model.some(({ step: one }) => one.who === who))
  }
}

describe('the tables of what waits', () => {
  it('hold what a list would, by user, by number and by moment', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 14 }), run), { numRuns: 60 })
  })
})

describe('pushes that wait for their user', () => {
  it('come back by priority and then in the order of acceptance, each with a CSeq above its first', () => {
    let online = false
    const seen: string[] = []
    const cseqs = new Map<string, number[]>()
    const world = new GatewayWorld({
      core: (request) => {
        const pushId = request.get(Header.XPushId)!
        cseqs.set(pushId, [...(cseqs.get(pushId) ?? []), Number.parseInt(request.get(Header.CSeq)!, 10)])
        if (online) seen.push(pushId)
        return online ? 200 : 480
      },
    })
    const priorities = ['low', 'medium', 'high', 'low', 'high'] as const
    priorities.forEach((priority, index) => world.submit({ pushId: `p${index}`, addresses: [user('anna')], qualityOfService: { priority, deliveryMethod: 'notspecified', networkRequired: false, bearerRequired: false } }))
    world.submit({ pushId: 'ben', addresses: [user('ben')] })
    online = true
    world.receive(thirdPartyRegister(ANNA, 600))
    expect(seen).toEqual(['p2', 'p4', 'p1', 'p0', 'p3'])
    for (const [pushId, [first, second]] of cseqs) if (pushId !== 'ben') expect(second).toBeGreaterThan(first!)
    expect(world.gateway.counters).toMatchObject({ waiting: 1, inFlight: 1 })
  })

  it('of one submission end it once: its row goes with the last of them', () => {
    let online = false
    const world = new GatewayWorld({ core: () => (online ? 200 : 480) })
    world.submit({ pushId: 'p', addresses: ['anna', 'ben', 'carl'].map(user) })
    online = true
    world.receive(thirdPartyRegister('sip:ben@ims.example', 600))
    expect([world.outcomes().length, world.store.rows('P')]).toEqual([1, 1])
    world.receive(thirdPartyRegister(ANNA, 600))
    world.receive(thirdPartyRegister('sip:carl@ims.example', 600))
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed', 'delivered 1000 confirmed', 'delivered 1000 confirmed'])
    expect([world.store.rows('P'), world.gateway.counters.inFlight, world.gateway.counters.waiting]).toEqual([0, 0, 0])
  })

  it('end by the thousand at one instant, each once, with the answer to their last attempt', () => {
    const world = new GatewayWorld({ core: () => 480 })
    for (let count = 0; count < 1_300; count++) world.submit({ pushId: `p${count}`, addresses: [user(`u${count}`)], deliverBefore: START_WALL + 60_000 })
    expect(world.gateway.counters.waiting).toBe(1_300)
    world.advance(59 * SECOND)
    expect(world.outcomes()).toEqual([])
    world.advance(2 * SECOND)
    expect(world.outcomes()).toHaveLength(1_300)
    expect(new Set(world.journal.filter(({ event }) => event === 'outcome').map(({ details }) => details.join(' ')))).toEqual(new Set(['expired 4000 - 480']))
    expect(world.gateway.counters).toMatchObject({ waiting: 0, inFlight: 0, expired: 1_300 })
  })

  it('wait on when they register after their user is away again', () => {
    const world = new GatewayWorld({ core: silent })
    world.submit({ pushId: 'p', addresses: [user('anna')] })
    world.answer(480)
    world.receive(thirdPartyRegister(ANNA, 600))
    world.receive(thirdPartyRegister(ANNA, 0))
    world.answer(480)
    expect([world.sent.length, world.gateway.counters.waiting]).toEqual([0, 1])
    world.receive(thirdPartyRegister(ANNA, 600))
    world.answer(200)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })
})

describe('pushes that wait for their time', () => {
  it('are not sent before it, whoever registers', () => {
    const world = new GatewayWorld()
    world.submit({ pushId: 'p', addresses: [user('anna')], deliverAfter: START_WALL + 60_000 })
    world.receive(thirdPartyRegister(ANNA, 600))
    world.advance(59 * SECOND)
    expect(world.gateway.counters).toMatchObject({ sipRequests: 0, waiting: 1 })
    world.advance(2 * SECOND)
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })
})

describe('a recipient that waits', () => {
  it('is pending and can be cancelled alone of its submission; the others go on', () => {
    const world = new GatewayWorld({ core: () => 480 })
    world.submit({ pushId: 'p', addresses: ['anna', 'ben', 'carl'].map(user) })
    expect(status(world, 'p', [user('ben')])).toEqual([expect.stringMatching(/^pending /)])
    expect(cancel(world, 'p', [user('ben')])).toEqual(['1000 ben'])
    expect([world.outcomes(), world.gateway.counters.waiting, world.gateway.counters.inFlight, world.store.rows('P')]).toEqual([['cancelled 1000 -'], 2, 2, 1])
    world.core = () => 200
    for (const name of ['anna', 'ben', 'carl']) world.receive(thirdPartyRegister(`sip:${name}@ims.example`, 600))
    expect(world.outcomes()).toEqual(['cancelled 1000 -', 'delivered 1000 confirmed', 'delivered 1000 confirmed'])
    expect([world.gateway.counters.waiting, world.gateway.counters.inFlight, world.store.rows('P')]).toEqual([0, 0, 0])
  })
})
