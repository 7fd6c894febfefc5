/** Validity comes before performance: each check alone can make a run invalid, and says what it measured and what the limit is. */
import { describe, expect, it } from 'vitest'
import { capsOf } from '../../loadgen/caps.js'
import { bunchBinMicros, thresholdsOf, verdictOf, type VerdictInput } from '../../loadgen/verdict.js'

const good: VerdictInput = {
  ledger: { attempted: 1_000, accepted: 1_000, refused: 0, unanswered: 0, recovered: 0, delivered: 1_000, undeliverable: 0, rejected: 0, expired: 0, cancelled: 0, aborted: 0, timeout: 0, unknown: 0, inFlight: 0, lost: 0, duplicated: 0 },
  findings: { balanced: true, lost: [], duplicated: [], notes: [] },
  lagP99Micros: 2_000,
  tightestLimitMicros: 1_000_000,
  lagShare: 0.1,
  planned: 1_000,
  unsent: 0,
  attempts: 1_000,
  duplicatedAtBadPeers: 0,
  inadequatelyHandled: 0,
  inadequatelyHandledMax: 0.001,
  population: { provisioned: 500, registered: 500, refused: 0, waiting: 0, registrationSeconds: 1.2 },
  instruments: { generator: { seconds: 30, saturated: 0 }, terminals: { seconds: 30, saturated: 3 } },
  datagrams: { gateway: { dropped: 0, failed: 0 }, IMS: { dropped: 0, failed: 0 } },
  capsHit: [],
  failures: [],
  interrupted: undefined,
}

describe('the verdict', () => {
  it('is valid without reasons when every check holds', () => {
    expect(verdictOf(good)).toEqual({ valid: true, reasons: [] })
  })

  it.each<[string, string, Partial<VerdictInput>, string]>([
    ['a late generator', 'lag', { lagP99Micros: 150_000 }, 'generator lag: p99 150 ms is more than 10% of the tightest delay limit (100 ms)'],
    ['a lag nobody measured', 'lag', { lagP99Micros: NaN }, 'generator lag'],
    ['dropped arrivals', 'unsent', { unsent: 3 }, 'arrivals dropped: 3 of 1000 planned attempts were never sent'],
    ['bunched arrivals', 'bunched', { bunching: { binMicros: 10_000, planned: 0.3, sent: 0.7 } }, 'arrivals bunched: attempts in each 10 ms vary by 70% of their mean as they left, by 30% as planned (50% may be added)'],
    ['a load that never came to rest', 'growth', { growth: 'not stationary: in flight from 3 to 900, both growing' }, 'load: not stationary: in flight from 3 to 900'],
    ['a population that is not all there', 'population', { population: { provisioned: 500, registered: 497, refused: 1, waiting: 2, registrationSeconds: 31.4 } },
      'population: 497 devices were registered when the load began, 500 should have been (1 refused, 2 still trying after 31.4 s)'],
    ['a saturated instrument', 'saturation', { instruments: { terminals: { seconds: 30, saturated: 4 } } }, 'saturation: the terminals had an event loop more than 95% busy in 4 of 30 seconds (limit 3)'],
    ['a lost push', 'ledger', { ledger: { ...good.ledger, lost: 1 }, findings: { ...good.findings, balanced: false } }, 'ledger: 1 of 1000 accepted pushes were lost'],
    ['contradicting journals', 'ledger', { findings: { ...good.findings, balanced: false, notes: ['2 pushes have more than one final outcome'] } }, 'ledger: the journals contradict each other: 2 pushes have more than one final outcome'],
    ['datagrams dropped at a part\'s own sockets', 'datagrams', { datagrams: { gateway: { dropped: 0, failed: 0 }, IMS: { dropped: 41, failed: 1 } } }, 'datagrams: the IMS lost 42 at its own sockets (41 at a full receive buffer, 1 not sent or not received; 0 may be lost)'],
    ['datagrams the system would not take', 'datagrams', { datagrams: { terminals: { dropped: 0, failed: 3 } } }, 'datagrams: the terminals lost 3 at its own'],
    ['connections that were all waited on', 'limit', { connectionWaitP99Micros: 150_000 }, "limit hit: connections: all of the initiator's waited for answers, and attempts for one of them (p99 150 ms; limit 100 ms)"],
    ['a limit that was hit', 'limit', { capsHit: ['admission: 12 submissions answered 503'] }, 'limit hit: admission: 12 submissions answered 503'],
    ['a part that died', 'part', { failures: ['the gateway ended with exit code 1'] }, 'the gateway ended with exit code 1'],
    ['an interruption', 'interrupted', { interrupted: 'Ctrl-C after 4 s of load' }, 'interrupted: Ctrl-C after 4 s of load'],
    ['an empty window', 'load', { attempts: 0 }, 'load: no attempt fell into the measured window'],
  ])('is invalid after %s, and says why', (_what, check, change, reason) => {
    const { valid, reasons, checks } = verdictOf({ ...good, ...change })
    expect(valid).toBe(false)
    expect(reasons).toHaveLength(1)
    expect(checks).toEqual([check])
    expect(reasons[0]).toContain(reason)
  })
})

describe('bunches', () => {
  it('are no reason as long as they add no more than half a mean to how the plan varies by itself', () => {
    expect(verdictOf({ ...good, bunching: { binMicros: 10_000, planned: 2, sent: 2.06 } }).valid).toBe(true)
    expect(verdictOf({ ...good, bunching: { binMicros: 10_000, planned: 2, sent: 2.07 } }).valid).toBe(false)
  })

  it('are looked for at a tenth of the lag that is allowed, never below ten milliseconds, and where five attempts are to be expected', () => {
    expect(bunchBinMicros(100_000, 1_000)).toBe(10_000)
    expect(bunchBinMicros(3_000_000, 1_000)).toBe(300_000)
    expect(bunchBinMicros(20_000, 1_000)).toBe(10_000)
    expect(bunchBinMicros(20_000, 200)).toBe(25_000)
    expect(bunchBinMicros(20_000, 15)).toBe(333_333)
  })
})

describe('limits of the set-up', () => {
  const cause = (outcome: string, words: string, count: number) => ({ outcome, cause: words, count })

  it('are the gateway\'s admission, and sockets, files and ports that the system would not give; no other cause is one', () => {
    expect(capsOf([cause('refused', 'HTTP 503', 12), cause('refused', 'PAP 2007', 3), cause('unanswered', 'ECONNRESET', 4)], 50)).toEqual(['admission: the gateway answered 12 submissions with 503 (gateway.inFlightMax 50)'])
    expect(capsOf([cause('unanswered', 'EMFILE', 7), cause('unanswered', 'EADDRNOTAVAIL', 1)], 50)).toEqual([
      'sockets: 7 submissions had no connection, EMFILE: open files of the process (ulimit -n)',
      'sockets: 1 submissions had no connection, EADDRNOTAVAIL: ports of this machine (net.ipv4.ip_local_port_range)',
    ])
    expect(capsOf([cause('undeliverable', 'EMFILE', 7)], 50)).toEqual([])
  })
})

describe('the thresholds', () => {
  it('pass at the limit and fail above it', () => {
    expect(thresholdsOf({ ...good, inadequatelyHandled: 1 })[0]).toEqual({ name: 'inadequately handled attempts', measured: 0.1, limit: 0.1, unit: '%', passed: true })
    expect(thresholdsOf({ ...good, inadequatelyHandled: 2 })[0]).toMatchObject({ measured: 0.2, passed: false })
    expect(thresholdsOf({ ...good, ledger: { ...good.ledger, duplicated: 1 } })[1]).toMatchObject({ measured: 1, passed: false })
    expect(thresholdsOf({ ...good, ledger: { ...good.ledger, duplicated: 3 }, duplicatedAtBadPeers: 3 })[1]).toMatchObject({ measured: 0, passed: true })
  })
})
