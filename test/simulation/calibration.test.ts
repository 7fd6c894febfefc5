/**
 * A world calibrated by a run at one rate, held against runs at half and at one and a half times that rate. The runs are
 * virtual themselves, with jitter and queues the calibration is not told of: what it cannot find from a record of such a run, it could
 * not find from a real one.
 */
import { describe, expect, it } from 'vitest'
import { CarriedMessage } from '../../core/sip/carried-message.js'
import { Header } from '../../core/sip/header-names.js'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { calibrationOf, passed } from '../../loadgen/live/calibration-file.js'
import { populationFor, recipientsOf } from '../../loadgen/live/part-configs.js'
import { ShardHistograms } from '../../loadgen/live/shard-histograms.js'
import { at, curvesOf, type StageCurves } from '../../loadgen/world/calibration.js'
import { Day } from '../../loadgen/world/day.js'
import { costAtRate, servicesOf, type ServiceCosts } from '../../loadgen/world/services.js'
import type { Scenario } from '../../loadgen/scenario.js'
import type { RunRecord } from '../../reports/record.js'
import { scenarioOf } from './day.js'

const RATE = 200
/** In each run, whatever its rate: a 99th percentile needs as many at half the rate. */
const PUSHES = 5_000
const WARM_UP_SECONDS = 2
/** A gateway a third busy at the rate of the calibration, and half at one and a half times it. */
const COSTS: ServiceCosts = {
  gateway: { pushMicros: 75, registrationMicros: 35 }, ims: { pushMicros: 24, registrationMicros: 80 }, terminals: { pushMicros: 30, registrationMicros: 60 },
}
const FLUSH_MICROS = 900

function scenarioAt(rate: number): Scenario {
  return scenarioOf(1_000, {
    load: { rate: `${rate}/s`, warmUp: `${WARM_UP_SECONDS}s`, duration: `${PUSHES / rate}s`, drainMax: '10s' }, traffic: { online: { share: '100%' } },
    population: { subscribers: 1_000, devicesPerSubscriber: { 1: '100%' }, returning: { share: '0%' }, absent: '0%' },
  })
}

/**
 * What a machine adds that nobody accounts for: exponential, each way by itself, and now and then a stall. Chance covers all its
 * values evenly here, so that few pushes tell their 99th percentile.
 */
function jitter(prime: number, mean: number): (push: number) => number {
  const [one, other] = [Math.sqrt(prime), Math.sqrt(prime + 20)]
  return (push) => {
    const [common, rare] = [push * one % 1, push * other % 1]
    return Math.round(-Math.log(1 - common) * mean + (rare < 0.03 ? -Math.log(1 - rare / 0.03) * 4_000 : 0))
  }
}

const numberOf = (pushId: string): number => Number(/(\d+)@/.exec(pushId)![1])

function measured(rate: number): Pick<RunRecord, 'work' | 'curves' | 'stages' | 'throughput'> {
  const scenario = scenarioAt(rate)
  const population = populationFor(scenario)
  const histograms = new ShardHistograms(1)
  const [submit, answer, deliver] = [jitter(2, 500), jitter(3, 300), jitter(7, 400)]
  const day = new Day({
    scenario, population: population.settings, recipients: recipientsOf(population), shard: { index: 0, count: 1 }, startWall: 0, crypto: systemCrypto, carriage: 'messages',
    service: servicesOf(COSTS), flushMicros: FLUSH_MICROS, coreMicros: 30, sink: histograms.take, bindingSink: histograms.takeBinding,
    delays: {
      httpMicros: (way, pushId) => (way === 'submit' ? submit!(numberOf(pushId)) : way === 'answer' ? answer!(numberOf(pushId)) : 0),
      delay: (from, to, carried) => (from === 'ims' && to === 'terminals' && carried instanceof CarriedMessage ? deliver!(numberOf(carried.header(Header.XPushId) ?? '0@')) : 0),
    },
  })
  let before: Record<'gateway' | 'ims' | 'terminals', number> | undefined
  while (day.advance(1_000_000).phase !== 'over') before ??= busy(day)
  const { accepted } = day.totals().ledger
  const after = busy(day)
  const work = Object.fromEntries((['gateway', 'ims', 'terminals'] as const).map((part) => [part, { seconds: WARM_UP_SECONDS + PUSHES / rate, cpuSeconds: after[part] - before![part], counts: { accepted } }]))
  const throughput = { offeredPerSecond: rate, sentPerSecond: rate, acceptedPerSecond: rate, deliveredPerSecond: rate }
  return { work, curves: histograms.curves(), stages: { 'gateway.store': { count: 1, p50Us: FLUSH_MICROS, p90Us: FLUSH_MICROS, p99Us: FLUSH_MICROS, p999Us: FLUSH_MICROS, maxUs: FLUSH_MICROS } }, throughput }
}

function busy(day: Day): Record<'gateway' | 'ims' | 'terminals', number> {
  const { gateway, ims, terminals } = day.use()
  return { gateway: gateway.busySeconds, ims: ims.busySeconds, terminals: terminals.busySeconds }
}

describe('service times', () => {
  it('are those in a row at once, and up to the rested ones after a rest', () => {
    const { terminals } = servicesOf(COSTS)
    const push = { type: 'bytes', flow: 1, bytes: Buffer.from('MESSAGE sip:a@b SIP/2.0\r\n\r\n') } as const
    const rested = terminals(push, 0)
    expect(terminals(push, 0)).toBe(COSTS.terminals.pushMicros)
    const half = terminals(push, 7_000)
    expect(rested).toBeGreaterThan(10 * COSTS.terminals.pushMicros)
    expect(half).toBe((rested + COSTS.terminals.pushMicros) / 2)
  })

  it('rest by kind: an answer is none the cheaper for the request before it', () => {
    const { ims } = servicesOf(COSTS)
    const first = ims({ type: 'bytes', flow: 1, bytes: Buffer.from('MESSAGE sip:a@b SIP/2.0\r\n\r\n') }, 0)
    expect(ims({ type: 'bytes', flow: 1, bytes: Buffer.from('SIP/2.0 200 OK\r\nCSeq: 1 MESSAGE\r\n\r\n') }, 1)).toBe(first)
  })

  it.each([50, 500, 5_000])('cost at %i a second, coming by chance, what the calibration reckons with', (perSecond) => {
    const { gateway } = servicesOf(COSTS)
    const entropy = new SeededEntropy(7)
    let [now, sum] = [0, 0]
    for (let count = 0; count < 20_000; count++) {
      now += entropy.exponential(1e6 / perSecond)
      sum += gateway({ type: 'bytes', flow: 1, bytes: Buffer.from('SIP/2.0 200 OK\r\nCSeq: 1 MESSAGE\r\n\r\n') }, now)
    }
    expect(sum / 20_000 / (COSTS.gateway.pushMicros * 0.3 * costAtRate('gateway', perSecond))).toBeCloseTo(1, 1)
  })
})

describe('a calibration by several runs', () => {
  it('takes their median: one run on a busy machine changes nothing', () => {
    const run = measured(RATE)
    const busy = { ...run, curves: Object.fromEntries(Object.entries(run.curves).map(([stage, curve]) => [stage, curve.map(([percent, micros]): [number, number] => [percent, 10 * micros])])) }
    const scenario = scenarioAt(RATE)
    expect(calibrationOf([run, busy, run], scenario, 'three runs').residuals).toEqual(calibrationOf([run], scenario, 'a run').residuals)
    expect(calibrationOf([run, busy, busy], scenario, 'three runs').residuals.delivery[50]).toBeGreaterThan(2 * calibrationOf([run], scenario, 'a run').residuals.delivery[50]!)
  })
})

describe('a calibration at 200/s', () => {
  const calibration = calibrationOf([measured(RATE)], scenarioAt(RATE), 'a run')

  it('finds what a push costs each part', () => {
    for (const part of ['gateway', 'ims', 'terminals'] as const) {
      expect(Math.abs(calibration.costs[part].pushMicros - COSTS[part].pushMicros) / COSTS[part].pushMicros, part).toBeLessThan(0.15)
    }
  })

  it.each([0.5, 1, 1.5])('tells the latencies at %s times that rate within a tenth: p50, p90 and p99 of submission and delivery', (factor) => {
    const real: StageCurves = curvesOf([measured(RATE * factor)])!
    const told: StageCurves = curvesOf([{ curves: passed(scenarioAt(RATE * factor), calibration).curves() }])!
    for (const stage of ['submit', 'endToEnd'] as const) {
      for (const percent of [50, 90, 99]) {
        const error = at(told[stage], percent) / at(real[stage], percent) - 1
        expect(Math.abs(error), `${stage} p${percent}: told ${at(told[stage], percent)} µs, was ${at(real[stage], percent)} µs`).toBeLessThan(0.1)
      }
    }
  }, 400_000)
})
