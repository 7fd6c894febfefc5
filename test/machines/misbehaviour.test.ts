/** What a run expects of pushes to bad peers is what the gateway's one table of outcomes makes of what such a peer does. */
import { describe, expect, it } from 'vitest'
import { BINDING_NAMES, type BindingName } from '../../core/push/bindings/binding.js'
import { outcomeOf, type Sight } from '../../core/push/delivery/outcomes.js'
import { MISBEHAVIOURS, expectedOutcomes, type Misbehaviour, type PushWay } from '../../loadgen/misbehaviour.js'
import { MISBEHAVIOURS as TERMINALS_MISBEHAVIOURS } from '../../sim/terminal/misbehaviour.js'

const REPORTED: Readonly<Record<BindingName, Sight>> = { message: 200, session: 'msrp-report', event: 200, indirection: 200 }

/** What the gateway sees of such a peer by each binding, in the end. */
const SEEN: Readonly<Record<Misbehaviour, (binding: BindingName, method: PushWay['deliveryMethod']) => Sight>> = {
  'never-answers': () => 'timeout',
  'answers-late': (binding) => REPORTED[binding],
  'answers-twice': (binding) => REPORTED[binding],
  'closes-mid-chunk': (binding) => (binding === 'session' ? 'transport' : 200),
  'refuses-type': (binding) => (binding === 'session' ? 'msrp-415' : 415),
  'refuses-size': (binding) => (binding === 'session' ? 'msrp-413' : 413),
  'lies-about-support': (binding) => (binding === 'session' ? 488 : binding === 'event' ? 489 : 200),
  'wrong-ranges': (binding, method) => (binding !== 'session' ? 200 : method === 'confirmed' ? 'timeout' : 'msrp-sent'),
}

/** What follows when that binding is the only one, and deliver-before was given. */
function outcome(binding: BindingName, status: Sight, deliveryMethod: PushWay['deliveryMethod']): string {
  const row = outcomeOf({ binding, status, deliveryMethod, retryAfterSeconds: undefined, redirections: 0, redirectWithinDomain: false, resolvable: false })
  switch (row.action.do) {
    case 'deliver': return 'delivered 1000'
    case 'retry': return `expired ${row.lifetimeCode}`
    case 'end':
    case 'elsewhere': return `${row.action.state} ${row.action.code}`
    default: throw new Error(`no bad peer is ${row.action.do}`)
  }
}

describe('a push to a bad peer', () => {
  it('is expected of every kind there is', () => {
    expect(MISBEHAVIOURS).toEqual(TERMINALS_MISBEHAVIOURS)
  })

  it.each(MISBEHAVIOURS)('that is of the kind %s ends as the table of outcomes says, whatever binding is required', (how) => {
    for (const binding of BINDING_NAMES) {
      for (const deliveryMethod of ['confirmed', 'preferconfirmed'] as const) {
        const told = outcome(binding, SEEN[how](binding, deliveryMethod), deliveryMethod)
        expect(expectedOutcomes(how, binding, { binding, deliveryMethod }), `${binding} ${deliveryMethod}`).toContain(told)
      }
    }
  })

  it('goes by another binding when one is turned down and none is required', () => {
    for (const binding of BINDING_NAMES) expect(expectedOutcomes('lies-about-support', binding, { binding: 'auto', deliveryMethod: 'confirmed' })).toEqual(['delivered 1000'])
  })

  it('may expire before its turn, and finds no subscription with who turned the first NOTIFY down', () => {
    expect(expectedOutcomes('answers-late', undefined, { binding: 'auto', deliveryMethod: 'confirmed' })).toEqual(['expired 4000'])
    expect(expectedOutcomes('lies-about-support', undefined, { binding: 'event', deliveryMethod: 'confirmed' })).toContain('undeliverable 3010')
  })
})
