/** Plans against arithmetic done by hand, and against gateways whose costs are known: what is counted, what is said of it, and what is not known. */
import fc from 'fast-check'
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { PlanAnswer } from '../../reports/answers/plan.js'
import { erlangB } from '../../reports/statistics/queueing.js'
import { demandsOf, meanWaitMicros } from '../../loadgen/plan/demand.js'
import { planOf } from '../../loadgen/plan/plan.js'
import { PlanFile } from '../../loadgen/plan/plan-file.js'
import { observe, type Evidence } from '../../loadgen/plan/evidence.js'
import { fitLaws } from '../../loadgen/plan/laws.js'
import { needed } from '../../loadgen/plan/sensitivity.js'
import { erlangsFor, sparesFor, underPressure, upShare } from '../../loadgen/plan/sizing.js'
import { planLines } from '../../loadgen/plan/summary.js'
import { COST, capacityOf, linear, LOADS, runOf, runsOf, TAKES, type Cores } from './plan-evidence.js'

const planFile = (written: typeof PlanFile.Encoded = {}): PlanFile => Schema.decodeSync(PlanFile)(written)
const plan = (written: typeof PlanFile.Encoded = {}, evidence: Partial<Evidence> = {}): PlanAnswer =>
  planOf({ plan: planFile(written), planYaml: '', evidence: { runs: runsOf(), capacities: [], ...evidence }, startedAt: '2026-03-14T00:00:00Z', command: 'pushbench plan' })
const output = (answer: PlanAnswer, name: string): PlanAnswer['outputs'][number] => {
  const found = answer.outputs.find((row) => row.name === name)
  if (found === undefined) throw new Error(`there is no ${name} among ${answer.outputs.map((row) => row.name).join(', ')}`)
  return found
}
const HOUR = 3_600e6

describe('what a network asks for', () => {
  it('is pushes, campaign and registrations per second, as one works out on paper', () => {
    const { busyHour, campaign, campaignPushes } = demandsOf(planFile({
      subscribers: 360_000, pushes: 2, retries: { share: '10%', attempts: 2 }, campaign: { recipients: '50%', window: '30m' },
      devices: { each: 1.5, registered: '80%', interval: '30m', changes: 24 }, contents: [{ size: '1KiB', share: '75%' }, { size: '5KiB', share: '25%' }],
    }))
    // 360,000 × 2 / 3,600 s = 200/s, each 1 + 0.1 × 2 attempts; 180,000 in 1,800 s are 100/s more.
    expect(busyHour.pushes).toBeCloseTo(240, 9)
    expect(campaign.pushes).toBeCloseTo(360, 9)
    expect(campaignPushes).toBeCloseTo(216_000, 6)
    // 360,000 × 1.5 × 0.8 devices, each every 1,800 s, and 360,000 × 24 changes in 86,400 s.
    expect(busyHour.registered).toBeCloseTo(432_000, 6)
    expect(busyHour.registrations).toBeCloseTo(240 + 100, 9)
    expect(busyHour.kib).toBeCloseTo(2, 12)
    expect(busyHour.sessionShare).toBeCloseTo(0.25, 12)
  })

  it('is pushes that wait by Little: arrivals × offline share × the mean of the lesser of absence and lifetime', () => {
    const offline = { share: '25%', absence: '2h', lifetime: '24h', times: 'constant', overhead: '1KiB' } as const
    const common = { subscribers: 3_600_000, pushes: 1, campaign: { recipients: '0%' }, retries: { share: '0%' }, contents: [{ size: '1KiB', share: '100%' }] } as const
    const { busyHour } = demandsOf(planFile({ ...common, offline }))
    // 1,000/s × 0.25 × 7,200 s, each 2 KiB.
    expect(busyHour.waiting).toBeCloseTo(1_800_000, 3)
    expect(busyHour.waitingOctets).toBeCloseTo(1_800_000 * 2_048, 0)
    expect(demandsOf(planFile({ ...common, offline: { ...offline, lifetime: '1h' } })).busyHour.waiting).toBeCloseTo(900_000, 3)
    // Exponential absence of mean A cut off at A: A (1 - 1/e).
    expect(meanWaitMicros({ offline: { ...planFile().offline, absence: HOUR, lifetime: HOUR, times: 'exponential' } })).toBeCloseTo(HOUR * (1 - Math.exp(-1)), 0)
    // Of a campaign of 720,000 no more than the quarter who are away can wait, however slowly they return.
    const { campaign } = demandsOf(planFile({ ...common, offline, campaign: { recipients: '20%', window: '1h' } }))
    expect(campaign.waiting - busyHour.waiting).toBeCloseTo(180_000, 3)
  })

  it('is places for sessions by Erlang B, as its tables have them', () => {
    // Tables of Erlang B: 10 servers carry 4.46 erlangs at 1 %, 3.09 at 0.1 %; 100 servers 84.1 at 1 %.
    expect(erlangsFor(10, 0.01)).toBeCloseTo(4.46, 2)
    expect(erlangsFor(10, 0.001)).toBeCloseTo(3.09, 2)
    expect(erlangsFor(100, 0.01)).toBeCloseTo(84.06, 1)
    const answer = plan({ subscribers: 36_000, pushes: 1, campaign: { recipients: '0%' }, retries: { share: '0%' }, offline: { share: '0%' }, contents: [{ size: '4KiB', share: '100%' }], sessions: { keep: '30s' }, roaming: { share: '0%', homeRoundTrip: '0s' } })
    // 10/s × 30 s = 300 erlangs.
    expect(output(answer, 'sessions').value).toBeCloseTo(300, 6)
    const places = output(answer, 'sessions.ports').value
    expect(erlangB(places, 300)).toBeLessThanOrEqual(0.001)
    expect(erlangB(places - 1, 300)).toBeGreaterThan(0.001)
  })

  it('is spare nodes by the binomial distribution, one at least', () => {
    // One of two up: 1 - 0.01² ; both down is one in 10,000.
    expect(upShare(1, 1, 0.99)).toBeCloseTo(0.9999, 12)
    expect(sparesFor(1, 0.99, 0.9999)).toBe(1)
    expect(sparesFor(1, 0.99, 0.99995)).toBe(2)
    expect(sparesFor(5, 1, 0.9)).toBe(1)
    // Two of three up: 3 × 0.9² × 0.1 + 0.9³.
    expect(upShare(2, 1, 0.9)).toBeCloseTo(0.972, 12)
    // A thousand nodes that are each down one time in 200: about five are, and thrice as many hardly ever.
    expect(sparesFor(1_000, 0.995, 0.9999)).toBeGreaterThan(10)
    expect(sparesFor(1_000, 0.995, 0.9999)).toBeLessThan(20)
  })
})

describe('a plan on a gateway whose costs are known', () => {
  const modest = { contents: [{ size: '300B', share: '90%' }, { size: '4KiB', share: '10%' }] } as const
  const cost = COST.push + COST.kib * (0.9 * 300 + 0.1 * 4_096) / 1_024 + 0.1 * COST.session

  it('finds what each thing costs, to the digits it was made with', () => {
    const answer = plan(modest)
    const measured = Object.fromEntries(answer.measurements.map(({ name, value }) => [name, value]))
    expect(measured['gateway.perRegistration']).toBeCloseTo(COST.registration, 6)
    expect(measured['memory.perDevice']).toBeCloseTo(TAKES.device, 3)
    expect(measured['memory.perWaiting']).toBeCloseTo(TAKES.waiting, 3)
    expect(measured['wire.perPush']).toBeCloseTo(TAKES.wire + TAKES.octet * (0.9 * 300 + 0.1 * 4_096), 6)
    expect(answer.models.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['gateway.cpu', 'holds'], ['ims.cpu', 'holds'], ['gateway.wire', 'holds'], ['gateway.memory', 'holds'], ['latency.p50', 'holds'], ['latency.p99', 'holds'],
    ])
    // Latencies are whole microseconds, memory whole octets.
    expect(answer.models.filter(({ heldOutError }) => heldOutError! > 1e-3)).toEqual([])
    // And every figure that rests on something measured names a measurement or a model that is there.
    const there = new Set([...answer.measurements, ...answer.models].map(({ name }) => name))
    expect(answer.outputs.flatMap(({ rests }) => rests).filter((name) => !there.has(name))).toEqual([])
    expect(answer.measurements.every(({ runs }) => runs.length === LOADS.length)).toBe(true)
  })

  it('counts the nodes one counts by hand: without a capacity, up to the share of a processor given', () => {
    const answer = plan({ ...modest, subscribers: 7_000_000, node: { load: '80%', busy: '60%', memory: '65536MiB' } })
    const { busyHour, campaign } = demandsOf(planFile({ ...modest, subscribers: 7_000_000 }))
    const nodes = ({ pushes, registrations }: { pushes: number; registrations: number }): number =>
      Math.ceil((pushes * cost + registrations * COST.registration) / 1e6 / (0.8 * 0.6 - COST.idle))
    expect(answer.outcome).toBe('planned')
    expect(answer.nodes).toMatchObject({ busyHour: nodes(busyHour), campaign: nodes(campaign), needed: nodes(campaign) })
    expect(answer.nodes!.total).toBe(nodes(campaign) + sparesFor(nodes(campaign), 0.995, 0.9999))
    expect(answer.constraint).toMatchObject({ name: 'processor' })
    expect(answer.uncounted.join()).toContain('no capacity search')
    const perMillion = output(answer, 'cpu.gateway').value
    const pushesOfNode = campaign.pushes / nodes(campaign)
    expect(perMillion).toBeCloseTo(cost + COST.idle * 1e6 / pushesOfNode, 6)
  })

  it('takes a measured capacity by the low end of its interval, at what this mix costs against what was pushed in its search', () => {
    const many = { ...modest, subscribers: 18_500_000, node: { load: '100%', memory: '65536MiB' }, devices: { registered: '0%', changes: 0 } } as const
    const answer = plan(many, { capacities: [capacityOf(1_000)] })
    const plain = COST.push + COST.kib * 300 / 1_024
    const doc = output(answer, 'doc')
    expect(doc.value).toBeCloseTo(1_000 * plain / cost, 3)
    expect(doc.low).toBeCloseTo(950 * plain / cost, 3)
    expect(doc.rests).toEqual(['capacity', 'gateway.perPush', 'gateway.perRegistration'])
    const { campaign } = demandsOf(planFile(many))
    expect(answer.nodes!.needed).toBe(Math.ceil(campaign.pushes / (950 * plain / cost)))
    expect(answer.nodes!.needed).toBeGreaterThan(Math.ceil(campaign.pushes / (1_000 * plain / cost)))
    expect(answer.measurements[0]).toMatchObject({ name: 'capacity', value: 1_000, low: 950, high: 1_050, runs: ['runs/capacity/answer.json'] })
  })

  it('says so when a capacity was searched with other pushes than the plan’s', () => {
    expect(plan(modest, { capacities: [capacityOf(1_000)] }).uncounted.join()).not.toContain('other rows')
    expect(plan(modest, { capacities: [{ ...capacityOf(1_000), plain: 0.7 }] }).uncounted.join()).toContain('which 70 % were')
  })

  it('does not use a capacity measured for a looser objective', () => {
    const answer = plan(modest, { capacities: [capacityOf(5_000, { limit: 0.05 })] })
    expect(answer.measurements.some(({ name }) => name === 'capacity')).toBe(false)
  })

  it('names what binds: memory, sockets, bandwidth or disk, when they are scarce', () => {
    const binds = (node: NonNullable<(typeof PlanFile.Encoded)['node']>): string => plan({ ...modest, node }).constraint!.name
    expect(binds({ memory: '120MiB' })).toBe('memory')
    expect(binds({ sockets: 50 })).toBe('sessions')
    expect(binds({ bandwidth: '20KiB' })).toBe('bandwidth')
    expect(binds({ disk: '100MiB' })).toBe('disk')
    expect(plan({ ...modest, node: { memory: '50MiB' } })).toMatchObject({ outcome: 'unmeasured', why: expect.stringContaining('memory') })
  })

  it('says what goes beyond the runs: rates, sizes, sessions, registrations', () => {
    expect(output(plan(modest), 'nodes.total').extrapolated).toBeUndefined()
    expect(output(plan({ ...modest, node: { busy: '90%', load: '100%' } }), 'doc').extrapolated).toBe('1,530/s on a node, measured up to 800/s; 768/s registrations on a node, measured up to 500/s')
    expect(output(plan({ contents: [{ size: '300B', share: '99%' }, { size: '1MiB', share: '1%' }] }), 'nodes.total').extrapolated).toBe('contents of 1,048,576 octets, measured up to 16,384')
    const withoutSessions = runsOf().filter(({ record }) => record.bindings![0]!.name === 'message')
    expect(output(plan(modest, { runs: withoutSessions }), 'nodes.total').extrapolated).toContain('pushes in sessions, of which none was measured')
    expect(plan(modest, { runs: withoutSessions }).uncounted.join()).toContain('what a session costs')
    expect(output(plan(modest), 'memory').extrapolated).toMatch(/registered devices on a node, measured up to 20,000/)
  })
})

describe('what was measured decides what may be said', () => {
  it('a law that does not fit is said not to fit, and the plan is doubtful', () => {
    // A machine of moods: twice the processor time in every other run.
    let turn = 0
    const moody: Cores = (known) => linear(known) * (turn++ % 2 === 0 ? 1 : 2)
    const answer = plan({}, { runs: runsOf(moody) })
    expect(answer.outcome).toBe('doubtful')
    expect(answer.why).toMatch(/errs by \d+(\.\d+)? % at runs it was not fitted to, more than the 10 % allowed/)
    expect(answer.models[0]).toMatchObject({ name: 'gateway.cpu', verdict: 'does-not-hold' })
    expect(planLines(answer, false)[0]).toContain('DOUBTFUL')
  })

  it('the error of a law is that at runs left out of its fit, by hand', () => {
    const cores = [0.04, 0.05, 0.06]
    const points = cores.map((of) => observe(runOf({ perSecond: 100 }, () => of)))
    // Of the others' y the law takes Σ (1 / y) / Σ (1 / y²): 36.667 / 677.78 = 0.054098 of 0.05 and 0.06, and so on.
    expect(fitLaws(points).gateway!.model.heldOutErrors).toEqual([0.054098 / 0.04 - 1, 0.046154 / 0.05 - 1, 0.043902 / 0.06 - 1].map((error) => expect.closeTo(error, 4)))
  })

  it('latency that does not follow the queue is not quoted', () => {
    const runs = runsOf().map((run, index) => ({ ...run, record: { ...run.record, stages: { ...run.record.stages, endToEnd: { ...run.record.stages['endToEnd']!, p99Us: 5_000 * (1 + index % 3) } } } }))
    const answer = plan({}, { runs })
    expect(answer.models.find(({ name }) => name === 'latency.p99')).toMatchObject({ verdict: 'does-not-hold' })
    expect(answer.outputs.some(({ name }) => name === 'latency.p99')).toBe(false)
    expect(answer.outputs.some(({ name }) => name === 'latency.p50')).toBe(true)
  })

  it('what an event pays that comes alone, pushes and registrations each by themselves, is told from what each push costs', () => {
    const batching: Cores = (known) => {
      const [pushes, registrations] = [known.perSecond, known.registrations ?? 0]
      return linear({ ...known, registrations: 0, session: false }) - COST.idle + 0.001 * pushes / (1 + pushes / 200) + 0.002 * registrations / (1 + registrations / 200)
    }
    const answer = plan({}, { runs: runsOf(batching) })
    expect(answer.models[0]).toMatchObject({ verdict: 'holds' })
    expect(answer.models[0]!.formula).toContain('r/(1+r/200)')
    expect(answer.models[0]!.formula).toContain('g/(1+g/200)')
    expect(answer.models[0]!.heldOutError!).toBeLessThan(1e-6)
    const law = fitLaws(runsOf(batching).map(observe)).gateway!
    expect(law.term('g', { pushes: 100, registrations: 200, kib: 1, sessions: 0 })).toMatchObject({ low: expect.closeTo(0.001, 6), value: expect.closeTo(0.001, 9), high: expect.closeTo(0.001, 6) })
    expect(law.term('g', { pushes: 100, registrations: 0, kib: 1, sessions: 0 })!.value).toBeCloseTo(0.002, 9)
    // As cheap as in the search for the capacity, though this node has a tenth of its load: 10/s each, what comes alone at 100/s as 1/(1+100/200) of it.
    const perPush = 1e-6 * (COST.push + COST.kib) + 0.001 / 1.5
    expect(underPressure(law, 100)({ pushes: 10, registrations: 10, kib: 1, sessions: 0 })).toBeCloseTo(10 * (perPush + 0.002 / 1.5), 6)
  })

  it('runs that are invalid, overloaded, virtual, of another machine or in other ways are left out, and each says why', () => {
    const [good] = runsOf()
    const sample = good!.record
    const left = [
      runOf({ perSecond: 900 }, linear, 0, { verdict: { valid: false, reasons: ['the generator was late'] } }),
      runOf({ perSecond: 901 }, linear, 0, { scenarios: [{ ...sample.scenarios[0]!, attempts: 100, inadequatelyHandled: 20 }] }),
      runOf({ perSecond: 902 }, linear, 0, { virtual: { gateways: 1, calibration: 'typical', tookSeconds: 1, sent: {} } }),
      runOf({ perSecond: 904 }, linear, 0, { bindings: [{ name: 'message', pushes: 500, delivered: 500 }, { name: 'indirection', pushes: 500, delivered: 500 }] }),
      runOf({ perSecond: 903 }, linear, 0, { disclosure: { ...sample.disclosure, cpu: 'another processor' } }),
    ]
    const answer = plan({}, { runs: [...runsOf(), ...left] })
    expect(answer.runs.flatMap(({ leftOut }) => leftOut ?? [])).toEqual([
      'it is not valid: the generator was late', expect.stringContaining('it was overloaded: 20 %'), expect.stringContaining('virtual time'), expect.stringContaining('went by indirection'), expect.stringContaining('another machine (another processor'),
    ])
    expect(answer.measurements).toEqual(plan().measurements)
    expect(plan({}, { runs: left.slice(0, 1) })).toMatchObject({ outcome: 'unmeasured' })
  })

  it('too few runs to check a law leave it unchecked, not believed', () => {
    const answer = plan({}, { runs: [100, 200].map((perSecond) => runOf({ perSecond })) })
    expect(answer.outcome).not.toBe('planned')
    expect(answer.uncounted.join()).toContain('what a registration costs')
  })

  it('nodes that share something follow the scalability law, up to where more of them help nobody', () => {
    const scaling = (sigma: number, kappa: number) => [1, 2, 4, 8, 16].map((nodes) => ({ nodes, rate: `${1_000 * nodes / (1 + sigma * (nodes - 1) + kappa * nodes * (nodes - 1))}/s` }))
    const alone = plan({ subscribers: 20_000_000 })
    const sharing = plan({ subscribers: 20_000_000, scaling: scaling(0.02, 0) })
    expect(sharing.nodes!.needed).toBeGreaterThan(alone.nodes!.needed)
    expect(sharing.models.find(({ name }) => name === 'nodes')).toMatchObject({ verdict: 'holds' })
    expect(plan({ subscribers: 100_000_000, scaling: scaling(0.05, 0.01) })).toMatchObject({ outcome: 'unmeasured', why: expect.stringContaining('no number of nodes is enough') })
  })
})

describe('a plan moves the way the network does', () => {
  const laws = fitLaws(runsOf().map(observe))
  const bigger = (written: typeof PlanFile.Encoded): number => needed({ plan: planFile(written), laws, scalability: undefined, limits: { cores: 0.6, sessionErlangs: 40_000 }, processor: (load) => laws.gateway!.at(load) }).nodes

  it('more subscribers, pushes or devices never need fewer nodes', () => {
    fc.assert(fc.property(fc.integer({ min: 1_000, max: 20_000_000 }), fc.double({ min: 1, max: 3, noNaN: true }), fc.double({ min: 0.1, max: 5, noNaN: true }), (subscribers, by, pushes) => {
      const before = bigger({ subscribers, pushes })
      return bigger({ subscribers: Math.floor(subscribers * by), pushes }) >= before && bigger({ subscribers, pushes: pushes * by }) >= before
        && bigger({ subscribers, pushes, devices: { each: 1.2 * by } }) >= before
    }), { numRuns: 25 })
  })

  it('the staircase climbs: each step more subscribers, more nodes, and the plan itself stands on it', () => {
    const answer = plan({ subscribers: 3_000_000 })
    const { staircase } = answer
    expect(staircase.length).toBeGreaterThan(3)
    for (const [index, step] of staircase.entries()) {
      if (index > 0) expect(step.subscribers).toBeGreaterThan(staircase[index - 1]!.subscribers)
      expect(step.withSpares).toBeGreaterThan(step.nodes)
      expect(bigger({ subscribers: step.subscribers })).toBeLessThanOrEqual(step.nodes)
    }
    expect(staircase.at(-1)!.subscribers).toBe(6_000_000)
    expect(staircase.find(({ subscribers }) => subscribers >= 3_000_000)!.nodes).toBeGreaterThanOrEqual(answer.nodes!.needed)
  })

  it('a fifth more of an input pushes the nodes where one expects, and the strongest is told first', () => {
    const { sensitivity } = plan({ subscribers: 5_000_000, node: { memory: '65536MiB' } })
    const sign = (input: string): number => {
      const { less, more } = sensitivity.find((row) => row.input === input)!
      return Math.sign(more.exactNodes - less.exactNodes)
    }
    for (const input of ['subscribers', 'pushes', 'devices.each', 'devices.registered', 'devices.changes', 'campaign.recipients', 'contents', 'retries.share', 'measured: processor time']) expect([input, sign(input)]).toEqual([input, 1])
    for (const input of ['devices.interval', 'campaign.window', 'node.load']) expect([input, sign(input)]).toEqual([input, -1])
    expect(['subscribers', 'measured: processor time', 'node.load']).toContain(sensitivity[0]!.input)
    const influence = sensitivity.map(({ less, more }) => Math.abs(more.exactNodes - less.exactNodes))
    expect(influence).toEqual([...influence].sort((a, b) => b - a))
  })
})

describe('a plan as it is shown', () => {
  it('is a record of its schema, and reads in 80 columns', () => {
    const answer = plan({}, { capacities: [capacityOf(1_000)] })
    expect(Schema.decodeUnknownSync(PlanAnswer, { onExcessProperty: 'error' })(JSON.parse(JSON.stringify(answer)))).toEqual(answer)
    const lines = planLines(answer, false)
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    expect(lines[0]).toMatch(/^PLAN +\d+ nodes: \d+ and \d+ spare$/)
    expect(lines.join('\n')).toContain('what binds: processor time of the gateway')
  })
})
