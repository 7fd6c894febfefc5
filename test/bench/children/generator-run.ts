/**
 * The real generator for some seconds, its lag read from the journal it wrote, as a run does it; and the bare cost:
 * undici requests begun by a 1 ms timer, ten at a time, with no plan, journal or addresses.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { parseJournalLine } from '../../../core/kit/journal.js'
import { SeededEntropy } from '../../../core/kit/entropy.js'
import { monoMicros } from '../../../core/live/clock.js'
import { JournalWriter } from '../../../core/live/journal.js'
import { Generator } from '../../../loadgen/live/generator.js'
import { HIGHEST_MICROS, Recorder } from '../../../loadgen/live/recorder.js'
import { FixedArrivals } from '../../../loadgen/arrivals.js'
import { schedule } from '../../../loadgen/pacing.js'
import { steady } from '../../../loadgen/rate-curve.js'
import { SubmissionTemplate } from '../../../loadgen/submission.js'
import { TrafficPlan } from '../../../loadgen/traffic.js'
import { CONTENT, initiatorAddress, userOf } from '../population.js'
import { serve } from './serve.js'

export interface GeneratorLoad {
  readonly port: number
  readonly perSecond: number
  /** Not counted. */
  readonly warmUpMicros: number
  readonly micros: number
  readonly journal: string
}

const USERS = 1_000
const START_MICROS = 200_000

/** The 99th percentile of planned to sent, microseconds. */
async function lag({ port, perSecond, warmUpMicros, micros, journal: path }: GeneratorLoad): Promise<number> {
  const offsets = schedule('poisson', steady(perSecond, warmUpMicros + micros), new SeededEntropy(1))
  const pool = { size: USERS, address: (index: number) => initiatorAddress(userOf(index)) }
  const shares = { online: 0.6, fanOut: 0.2, gruu: 0.1, offlineReturns: 0.05, expires: 0.03, anyone: 0, duplicate: 0.02, misbehaving: 0 }
  const plan = new TrafficPlan(offsets, shares, { online: pool, fanOut: pool, gruu: pool, offlineReturns: pool, expires: pool, anyone: pool, misbehaving: pool }, new SeededEntropy(2), 'bench')
  const journal = new JournalWriter(path, (error) => { throw error })
  const generator = new Generator({
    url: new URL(`http://127.0.0.1:${port}/pap`), arrivals: new FixedArrivals(offsets, 'a bench'), plan, plain: new SubmissionTemplate(CONTENT, undefined, false), expiring: new SubmissionTemplate(CONTENT, undefined, true),
    lifetimes: { expires: 5_000_000 }, journal, submit: new Recorder(),
  })
  const startAt = monoMicros() + START_MICROS
  await generator.run(startAt)
  await journal.close()
  await generator.close()
  return lagIn(path, startAt + warmUpMicros)
}

function lagIn(path: string, countedFrom: number): number {
  const plannedAt: number[] = []
  const lags = new Recorder()
  for (const line of readFileSync(path, 'latin1').split('\n')) {
    const event = parseJournalLine(line)
    if (event?.event === 'planned') plannedAt[Number(event.details[1])] = event.mono
    else if (event?.event === 'sent') {
      const planned = plannedAt[Number(event.details[0])]!
      if (planned >= countedFrom) lags.record(event.mono - planned)
    }
  }
  // What was planned and never sent, because too much was unanswered, is later than anything.
  const counted = plannedAt.filter((planned) => planned >= countedFrom).length
  for (let missing = counted - lags.count; missing > 0; missing--) lags.record(HIGHEST_MICROS)
  return lags.percentile(99)
}

/** The 99th percentile from the timer's due time to the request's start, microseconds. */
async function bare({ port, perSecond, warmUpMicros, micros }: GeneratorLoad): Promise<number> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1_000, pipelining: 1 })
  const template = new SubmissionTemplate(CONTENT, undefined, false)
  const body = template.body('bare@pi.example', initiatorAddress(userOf(0)))
  const headers = { 'content-type': template.contentType }
  const lags = new Recorder()
  const perMilli = perSecond / 1_000
  const startedAt = monoMicros()
  let sent = 0
  let open = 0
  const request = (dueAt: number): void => {
    open++
    pool.dispatch({ path: '/pap', method: 'POST', headers, body }, {
      onRequestStart: () => { if (dueAt - startedAt > warmUpMicros) lags.record(monoMicros() - dueAt) },
      onResponseStart: () => {},
      onResponseData: () => {},
      onResponseEnd: () => { open-- },
      onResponseError: (_controller, error) => { throw error },
    })
  }
  for (let elapsed = 0; elapsed < warmUpMicros + micros; elapsed = monoMicros() - startedAt) {
    for (const due = elapsed * perMilli / 1_000; sent < due; sent++) request(startedAt + sent * 1_000 / perMilli)
    await pause(1)
  }
  while (open > 0) await pause(1)
  await pool.destroy()
  return lags.percentile(99)
}

serve({ lag, bare })
