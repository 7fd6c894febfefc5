/** Subscriptions over restarts of the gateway: they stand, no CSeq number is used twice, and no push is lost, whatever was flushed. */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { tagOf } from '../../core/sip/name-addr.js'
import { push, subscribe, subscribed, world } from './event-world.js'

const SECOND = 1_000_000

describe('a restart', () => {
  it('keeps subscriptions, and never uses a CSeq number twice', () => {
    const made = subscribed()
    const numbers: number[] = [2]
    for (let round = 0; round < 5; round++) {
      push(made, `p${round}`)
      numbers.push(made.notified.at(-1)!.cseq)
      made.boot()
    }
    expect(made.outcomes()).toHaveLength(5)
    for (let index = 1; index < numbers.length; index++) expect(numbers[index]).toBeGreaterThan(numbers[index - 1]!)
  })

  it('never uses a CSeq number twice, whatever was not flushed', () => {
    const made = subscribed()
    const numbers: number[] = []
    made.holdCommits = true
    for (let round = 0; round < 200; round++) {
      push(made, `p${round}`)
      made.flush(1 + (round % 3))
      if (round % 37 === 36) made.boot()
    }
    numbers.push(...made.notified.map(({ cseq }) => cseq))
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(numbers.length).toBeGreaterThan(100)
  })

  it('after a refresh, which writes the row anew, goes on behind the numbers used since', () => {
    const made = subscribed()
    made.receive(subscribe({ toTag: tagOf(made.responses[0]!, Header.To), cseq: 2 }))
    push(made, 'p')
    made.boot()
    push(made, 'q')
    const numbers = made.notified.map(({ cseq }) => cseq)
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(made.outcomes()).toHaveLength(2)
  })

  it('takes refreshes and ends of what stood before it', () => {
    const made = subscribed()
    const toTag = tagOf(made.responses[0]!, Header.To)
    made.boot()
    made.receive(subscribe({ toTag, cseq: 2 }))
    expect([made.responses[1]!.status, made.notified.length]).toEqual([200, 2])
    made.boot()
    made.receive(subscribe({ toTag, cseq: 3, expires: 0 }))
    expect([made.responses[2]!.status, made.notified.at(-1)!.state, made.store.rows('S')]).toEqual([200, 'terminated timeout', 0])
  })

  it('ends with a last NOTIFY what ran out meanwhile', () => {
    const made = subscribed()
    made.wall += 4_000_000
    made.boot()
    made.advance(SECOND)
    expect([made.notified.map(({ state }) => state), made.gateway.subscriptions.size, made.store.rows('S')]).toEqual([['terminated timeout'], 0, 0])
  })

  it('with a full store sends no NOTIFY it has no number for, and sends it when there is room', () => {
    const made = subscribed()
    made.boot()
    push(made, 'kept')
    made.boot()
    made.holdCommits = true
    push(made, 'p')
    made.holdCommits = false
    made.storeIsFull = true
    made.flush()
    made.storeIsFull = false
    made.advance(10 * SECOND)
    expect(made.outcomes('p')).toEqual(['delivered 1000 confirmed'])
  })

  it('at every single output loses no push and repeats no number', () => {
    class Crash extends Error {}
    for (const hold of [true, false]) {
      for (let crash = 1; crash <= 70; crash++) {
        const made = world()
        let outputs = 0
        made.holdCommits = hold
        made.afterOutput = () => { if (++outputs === crash) throw new Crash() }
        const guarded = (action: () => void): void => {
          try {
            action()
          } catch (error) {
            if (!(error instanceof Crash)) throw error
            made.boot()
          }
        }
        guarded(() => made.receive(subscribe()))
        guarded(() => made.flush())
        for (const pushId of ['p', 'q', 'r']) {
          guarded(() => push(made, pushId))
          guarded(() => made.flush())
        }
        made.holdCommits = false
        guarded(() => made.flush())
        for (let day = 0; day < 2; day++) guarded(() => made.advance(86_400 * SECOND))
        const numbers = made.notified.map(({ cseq, request }) => `${request.get(Header.CallId)} ${tagOf(request, Header.From)} ${cseq}`)
        expect(new Set(numbers).size, `crash at output ${crash}`).toBe(numbers.length)
        expect([made.store.rows('P'), made.store.rows('S'), made.gateway.subscriptions.size], `crash at output ${crash}`).toEqual([0, 0, 0])
        const accepted = made.journal.filter(({ event }) => event === 'accepted').map(({ pushId }) => pushId)
        for (const pushId of accepted) expect(made.store.rows('D'), pushId).toBeGreaterThanOrEqual(1)
      }
    }
  })
})
