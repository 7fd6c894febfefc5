/** The ledger: what four journals say, joined push by push. A lost and a doubled push are named by their push-ids. */
import { describe, expect, it } from 'vitest'
import { journalLine, parseJournalLine, type JournalEventName } from '../../core/kit/journal.js'
import { intervalsOf, littlesLaw } from '../../loadgen/reconcile/intervals.js'
import { ledgerOf } from '../../loadgen/reconcile/ledger.js'
import { bindingsOf, causesOf, measure, type StageName } from '../../loadgen/reconcile/measures.js'
import { Reconciler } from '../../loadgen/reconcile/reconciler.js'
import { sendingOf } from '../../loadgen/reconcile/sending.js'
import { ROWS, type RowName } from '../../loadgen/scenario.js'

const LIMITS = Object.fromEntries(ROWS.map((row) => [row, 1_000_000])) as Record<RowName, number>
const WINDOW = { from: 0, to: 10_000_000 }
const event = (mono: number, name: JournalEventName, pushId: string, address: string, ...details: string[]) =>
  parseJournalLine(journalLine(mono, name, pushId, address, ...details).trimEnd())!

/** Journals of `count` pushes, one each 10 ms, all delivered; each can then be tampered with. */
class Story {
  readonly initiator: ReturnType<typeof event>[] = []
  readonly gateway: ReturnType<typeof event>[] = []
  readonly terminals: ReturnType<typeof event>[] = []

  constructor(count: number, row: RowName = 'online') {
    for (let attempt = 0; attempt < count; attempt++) this.delivered(attempt, attempt * 10_000, row)
  }

  delivered(attempt: number, at: number, row: RowName, pushId = `p${attempt}`): void {
    const address = `a${attempt}`
    this.submitted(attempt, at, row, pushId, address, '1001')
    this.gateway.push(event(at + 1_500, 'accepted', pushId, address), event(at + 2_000, 'sip-out', pushId, address, `sip:${address}`), event(at + 5_000, 'outcome', pushId, address, 'delivered', '1000', 'confirmed', '200'))
    this.terminals.push(event(at + 4_000, 'received', pushId, '', `sip:${address}`, `i${attempt}`, '200', 'first'))
    this.initiator.push(event(at + 6_000, 'notified', pushId, address, 'delivered', '1000', 'confirmed'))
  }

  submitted(attempt: number, at: number, row: RowName, pushId: string, address: string, code: string): void {
    this.initiator.push(event(at, 'planned', pushId, address, row, String(attempt)), event(at + 500, 'sent', pushId, address, String(attempt)), event(at + 3_000, 'answered', pushId, address, code, String(attempt)))
  }

  reconcile(): ReturnType<Reconciler['tables']> {
    const reconciler = new Reconciler()
    for (const seen of this.initiator) reconciler.initiator(seen)
    for (const seen of this.gateway) reconciler.gateway(seen)
    for (const seen of this.terminals) reconciler.terminal('virtual', seen)
    return reconciler.tables()
  }

  ledger() {
    return ledgerOf(this.reconcile(), true)
  }

  without(list: 'gateway' | 'terminals' | 'initiator', name: JournalEventName, pushId: string): this {
    this[list].splice(0, this[list].length, ...this[list].filter((seen) => !(seen.event === name && seen.pushId === pushId)))
    return this
  }
}

describe('the ledger', () => {
  it('balances when every push was delivered once', () => {
    const { ledger, findings } = new Story(100).ledger()
    expect(ledger).toMatchObject({ attempted: 100, accepted: 100, delivered: 100, lost: 0, duplicated: 0, inFlight: 0 })
    expect(findings).toEqual({ balanced: true, lost: [], duplicated: [], notes: [] })
  })

  it('names a push that was accepted and vanished, although every other count is right', () => {
    const story = new Story(100).without('gateway', 'outcome', 'p42')
    const { ledger, findings } = story.without('terminals', 'received', 'p42').without('initiator', 'notified', 'p42').ledger()
    expect(ledger).toMatchObject({ accepted: 100, delivered: 99, lost: 1 })
    expect(findings.balanced).toBe(false)
    expect(findings.lost).toEqual([{ pushId: 'p42', address: 'a42', why: 'accepted, without an outcome and not in flight' }])
  })

  it('names a push that the gateway calls delivered and no terminal saw, and one doubled at the same device', () => {
    const story = new Story(100).without('terminals', 'received', 'p7')
    // The counts agree: one missing, one too many. Only the push-ids tell.
    story.terminals.push(event(900_000, 'received', 'p13', '', 'sip:a13', 'i13', '200', 'repeat'))
    const { ledger, findings } = story.ledger()
    expect(ledger).toMatchObject({ delivered: 100, lost: 1, duplicated: 1 })
    expect(findings.lost.map(({ pushId }) => pushId)).toEqual(['p7'])
    expect(findings.duplicated).toEqual([{ pushId: 'p13', address: 'a13', instance: 'i13', copies: 2 }])
  })

  it('takes one copy each at several devices of a subscriber for what it is, and a second copy at the second device for a double', () => {
    const story = new Story(2)
    story.terminals.push(event(5_000, 'received', 'p0', '', 'sip:a0', 'other', '200', 'first'))
    expect(story.ledger().ledger.duplicated).toBe(0)
    story.terminals.push(event(6_000, 'received', 'p0', '', 'sip:a0', 'other', '200', 'repeat'))
    expect(story.ledger().findings.duplicated).toEqual([{ pushId: 'p0', address: 'a0', instance: 'other', copies: 2 }])
  })

  it('counts no refused MESSAGE as a copy', () => {
    const story = new Story(1)
    story.terminals.unshift(event(3_000, 'received', 'p0', '', 'sip:a0', 'i0', '486', 'first'))
    expect(story.ledger().ledger).toMatchObject({ delivered: 1, duplicated: 0, lost: 0 })
  })

  it('tells in flight from lost by the gateway\'s own list', () => {
    const story = new Story(10).without('gateway', 'outcome', 'p3').without('terminals', 'received', 'p3').without('initiator', 'notified', 'p3')
    story.gateway.push(event(999_999, 'in-flight', 'p3', 'a3'))
    const { ledger, findings } = story.ledger()
    expect(ledger).toMatchObject({ accepted: 10, delivered: 9, inFlight: 1, lost: 0 })
    expect(findings.balanced).toBe(true)
  })

  it('counts a repeated push-id as a second attempt, refused', () => {
    const story = new Story(5)
    story.submitted(5, 2_000_000, 'duplicate', 'p2', 'a2', '2007')
    const { ledger, findings } = story.ledger()
    expect(ledger).toMatchObject({ attempted: 6, accepted: 5, refused: 1, delivered: 5 })
    expect(findings.balanced).toBe(true)
  })

  it('shows an unanswered push that the gateway had taken all the same as recovered', () => {
    const story = new Story(5).without('initiator', 'answered', 'p1')
    story.initiator.push(event(90_000, 'unanswered', 'p1', 'a1', 'UND_ERR_SOCKET', '1'))
    const { ledger, findings } = story.ledger()
    expect(ledger).toMatchObject({ attempted: 5, accepted: 4, unanswered: 1, recovered: 1, delivered: 4, lost: 0 })
    expect(findings.balanced).toBe(true)
    expect(causesOf(story.reconcile(), 0)).toEqual([{ outcome: 'unanswered', cause: 'UND_ERR_SOCKET', count: 1 }])
  })

  it('shows what the gateway shed by its own count beside the 503 the initiator saw, although no journal of the gateway can name them', () => {
    const story = new Story(2)
    for (const attempt of [2, 3]) story.submitted(attempt, 30_000, 'online', `p${attempt}`, `a${attempt}`, 'http-503')
    story.submitted(4, 40_000, 'duplicate', 'p1', 'a1', '2007')
    expect(story.ledger().ledger).toMatchObject({ attempted: 5, accepted: 2, refused: 3 })
    const rows = causesOf(story.reconcile(), 3)
    expect(rows).toEqual([
      { outcome: 'refused', cause: 'HTTP 503', count: 2 },
      { outcome: 'shed', cause: 'HTTP 503, as the gateway counts', count: 3 },
      { outcome: 'refused', cause: 'PAP 2007', count: 1 },
    ])
    expect(causesOf(new Story(1).reconcile(), 1)).toEqual(rows.slice(1, 2).map((row) => ({ ...row, count: 1 })))
  })

  it('does not balance when a push has two outcomes, or a terminal sees one that nobody sent', () => {
    const twice = new Story(3)
    twice.gateway.push(event(50_000, 'outcome', 'p1', 'a1', 'expired', '4000', '-', '-'))
    expect(twice.ledger().findings.balanced).toBe(false)
    const stray = new Story(3)
    stray.terminals.push(event(50_000, 'received', 'stranger', '', 'sip:a1', 'i1', '200', 'first'))
    expect(stray.ledger().findings).toMatchObject({ balanced: false, notes: [expect.stringContaining('stranger by a terminal')] })
  })

  it('keeps the addresses of one push apart by the gateway\'s word on their targets', () => {
    const story = new Story(0)
    for (const [attempt, address] of ['x', 'y'].entries()) {
      story.submitted(attempt, 0, 'online', 'both', address, '1001')
      story.gateway.push(event(1, 'accepted', 'both', address), event(2, 'sip-out', 'both', address, `sip:${address}`), event(4, 'outcome', 'both', address, 'delivered', '1000', 'confirmed', '200'))
    }
    story.terminals.push(event(3, 'received', 'both', '', 'sip:y', 'iy', '200', 'first'))
    expect(story.ledger().findings.lost.map(({ address }) => address)).toEqual(['x'])
  })
})

describe('the measures', () => {
  const samples = (story: Story, window = WINDOW) => {
    const taken = new Map<StageName, number[]>()
    const rows = measure(story.reconcile(), window, LIMITS, (stage, _row, _second, micros) => taken.set(stage, [...(taken.get(stage) ?? []), micros]), (address, last) => [`expired 4000 at ${address} by ${last}`, ...(address === 'bad' && last === 'session' ? ['expired 4000'] : ['delivered 1000'])])
    return { taken, rows }
  }

  it('count every stage from the planned time', () => {
    const { taken } = samples(new Story(1))
    expect(Object.fromEntries(taken)).toEqual({ lag: [500], submit: [3_000], submitService: [2_500], firstSip: [2_000], endToEnd: [4_000], confirmation: [5_000], notification: [6_000] })
  })

  it('keep what waited for a connection out of the generator\'s lag, and in the time to the answer', () => {
    const story = new Story(0)
    story.initiator.push(event(0, 'planned', 'p0', 'a0', 'online', '0'), event(90_500, 'sent', 'p0', 'a0', '0', '90000'), event(100_000, 'answered', 'p0', 'a0', '1001', '0'))
    const { taken } = samples(story)
    expect(Object.fromEntries(taken)).toEqual({ lag: [500], submit: [100_000], submitService: [9_500] })
  })

  it('tell how long attempts waited for a connection at the 99th percentile, and which of the window never left', () => {
    const story = new Story(0)
    for (let attempt = 0; attempt < 200; attempt++) {
      const at = attempt * 10_000
      story.initiator.push(event(at, 'planned', `p${attempt}`, 'a', 'online', String(attempt)))
      if (attempt !== 150) story.initiator.push(event(at + attempt, 'sent', `p${attempt}`, 'a', String(attempt), String(attempt)))
    }
    expect(sendingOf(story.reconcile(), { from: 1_000_000, to: 2_000_000 })).toEqual({ unsent: 1, connectionWaitP99Micros: 199 })
    expect(sendingOf(story.reconcile(), { from: 1_000_000, to: 1_990_000 })).toEqual({ unsent: 1, connectionWaitP99Micros: 198 })
    expect(sendingOf(story.reconcile(), { from: 5_000_000, to: 6_000_000 })).toEqual({ unsent: 0, connectionWaitP99Micros: 0 })
  })

  it('judge a push to a bad peer by what is right for it and by the binding of its last attempt, and keep it out of every other stage', () => {
    const story = new Story(3, 'misbehaving').without('terminals', 'received', 'p1')
    const end = (pushId: string, address: string, binding: string | undefined, ...outcome: readonly string[]): void => {
      story.submitted(Number(pushId.slice(1)), 30_000, 'misbehaving', pushId, address, '1001')
      story.gateway.push(event(31_000, 'accepted', pushId, address), ...(binding === undefined ? [] : [event(32_000, 'sip-out', pushId, address, 'sip:x', binding)]), event(35_000, 'outcome', pushId, address, ...outcome))
    }
    end('p3', 'bad', 'session', 'expired', '4000', '-', '0')
    end('p4', 'bad', 'session', 'expired', '4001', '-', '486')
    end('p5', 'bad', undefined, 'expired', '4000', '-', '-')
    const { taken, rows } = samples(story)
    // Two of the three that were delivered were seen; of the others one ended as it must.
    expect(rows.misbehaving).toEqual({ attempts: 6, asExpected: 3, inadequatelyHandled: 3 })
    expect([...taken.keys()].sort()).toEqual(['lag', 'settled', 'submit', 'submitService'])
    expect(taken.get('settled')).toEqual(Array(6).fill(5_000))
  })

  it('leave the warm-up out of the statistics, while the ledger holds it', () => {
    const story = new Story(100)
    const { rows } = samples(story, { from: 500_000, to: 1_000_000 })
    expect(rows.online.attempts).toBe(50)
    expect(story.ledger().ledger.attempted).toBe(100)
  })

  it('never hand on a sample that nobody saw', () => {
    const { taken } = samples(new Story(3).without('terminals', 'received', 'p1').without('initiator', 'sent', 'p2'))
    expect(taken.get('endToEnd')).toHaveLength(2)
    expect(taken.get('lag')).toHaveLength(2)
    expect([...taken.values()].flat().every((micros) => Number.isInteger(micros) && micros >= 0)).toBe(true)
  })

  it('take a late success for a failure', () => {
    const story = new Story(2)
    story.terminals.splice(0, 1, event(1_200_000, 'received', 'p0', '', 'sip:a0', 'i0', '200', 'first'))
    expect(samples(story).rows.online).toEqual({ attempts: 2, asExpected: 2, inadequatelyHandled: 1 })
  })

  it('measure a push for an absent recipient from the moment the device is back', () => {
    const story = new Story(1, 'offlineReturns')
    story.terminals.splice(0, 1, event(3_000_000, 'device-up', '', '', 'i0'), event(3_040_000, 'received', 'p0', '', 'sip:a0', 'i0', '200', 'first'))
    const { taken, rows } = samples(story)
    expect(taken.get('afterReturn')).toEqual([40_000])
    expect(taken.has('endToEnd')).toBe(false)
    expect(rows.offlineReturns.inadequatelyHandled).toBe(0)
  })

  it('expect a push to an absent recipient to expire soon after deliver-before, unseen', () => {
    const story = new Story(0)
    story.initiator.push(event(0, 'planned', 'p0', 'a0', 'expires', '0', '5000000'), event(1, 'sent', 'p0', 'a0', '0'), event(2, 'answered', 'p0', 'a0', '1001', '0'))
    story.gateway.push(event(2, 'accepted', 'p0', 'a0'), event(5_200_000, 'outcome', 'p0', 'a0', 'expired', '4000', '-', '480'))
    const { taken, rows } = samples(story)
    expect(taken.get('expiry')).toEqual([200_000])
    expect(rows.expires).toEqual({ attempts: 1, asExpected: 1, inadequatelyHandled: 0 })
    expect(causesOf(story.reconcile(), 0)).toEqual([{ outcome: 'expired', cause: 'PAP 4000, SIP 480', count: 1 }])
  })
})

describe('the intervals', () => {
  it('count by the second in which things happened and carry what is held over', () => {
    const story = new Story(150).without('gateway', 'outcome', 'p149')
    const intervals = intervalsOf(story.reconcile(), { from: 500_000, to: 2_500_000 })
    expect(intervals.map(({ planned }) => planned)).toEqual([100, 0])
    expect(intervals.map(({ delivered }) => delivered)).toEqual([99, 0])
    expect(intervals.map(({ inFlight }) => inFlight)).toEqual([1, 1])
  })

  it('check Little\'s law: what the gateway showed against what the journal says', () => {
    const tables = new Story(100).reconcile()
    // 100 pushes/s held 3.5 ms each.
    expect(littlesLaw(tables, { from: 0, to: 1_000_000 }, [0, 1, 0])).toMatchObject({ predicted: 0.35, ok: true })
    expect(littlesLaw(tables, { from: 0, to: 1_000_000 }, [50, 51, 50])).toMatchObject({ ok: false })
    expect(littlesLaw(tables, { from: 0, to: 1_000_000 }, [])).toBeUndefined()
  })
})

describe('bindings', () => {
  it('count a push by the binding of its last attempt, one without a word of it as a MESSAGE', () => {
    const story = new Story(3)
    const sent = story.gateway.findIndex(({ event: name, pushId }) => name === 'sip-out' && pushId === 'p1')
    story.gateway.splice(sent, 1, event(12_000, 'sip-out', 'p1', 'a1', 'sip:a1', 'message'), event(13_000, 'sip-out', 'p1', 'a1', 'sip:a1', 'session'))
    story.submitted(3, 30_000, 'online', 'p3', 'a3', '1001')
    story.gateway.push(event(31_000, 'accepted', 'p3', 'a3'), event(32_000, 'sip-out', 'p3', 'a3', 'sip:a3', 'session'), event(33_000, 'outcome', 'p3', 'a3', 'undeliverable', '2006', '-', '488'))
    const samples: [string, number][] = []
    const rows = bindingsOf(story.reconcile(), WINDOW, (binding, micros) => samples.push([binding, micros]))
    expect(rows).toEqual([{ name: 'message', pushes: 2, delivered: 2 }, { name: 'session', pushes: 2, delivered: 1 }])
    expect(samples).toEqual([['message', 4_000], ['session', 4_000], ['message', 4_000]])
  })

  it('have no latency from the warm-up, nor from pushes that waited for their recipient', () => {
    const early = new Story(2)
    expect(bindingsOf(early.reconcile(), { from: 5_000, to: 10_000_000 }, (_, micros) => expect(micros).toBe(4_000))).toMatchObject([{ pushes: 2 }])
    const samples: number[] = []
    bindingsOf(early.reconcile(), { from: 5_000, to: 10_000_000 }, (_, micros) => samples.push(micros))
    bindingsOf(new Story(2, 'offlineReturns').reconcile(), WINDOW, (_, micros) => samples.push(micros))
    expect(samples).toEqual([4_000])
  })
})

it('counts what single devices answered', () => {
  const story = new Story(1)
  for (const status of ['200', '480', '200', 'timeout']) story.gateway.push(event(4_000, 'device', 'p0', 'a0', 'sip:a0;gr=urn:uuid:1', status))
  expect([...story.reconcile().deviceStatuses]).toEqual([['200', 2], ['480', 1], ['timeout', 1]])
})

it('names the first line that could not be read, by file and line', () => {
  const reconciler = new Reconciler()
  reconciler.unreadableLine('gateway.journal:17')
  reconciler.unreadableLine('ims.journal:3')
  expect(ledgerOf(reconciler.tables(), false).findings.notes).toEqual(['2 journal lines could not be read (the first: gateway.journal:17)'])
})
