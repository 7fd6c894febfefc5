/**
 * Load on the parts of a Network, as a run makes it: the real generator on a plan from the scenario, its journal, and
 * what all journals of a folder say together afterwards. It draws no conclusions.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { parseJournalLine, type JournalEvent } from '../../core/kit/journal.js'
import { JournalWriter } from '../../core/live/journal.js'
import { Generator } from '../../loadgen/live/generator.js'
import { readJournal } from '../../loadgen/live/journal-reader.js'
import { populationFor, recipientsOf } from '../../loadgen/live/part-configs.js'
import { Recorder } from '../../loadgen/live/recorder.js'
import { FixedArrivals } from '../../loadgen/arrivals.js'
import { schedule } from '../../loadgen/pacing.js'
import { steady } from '../../loadgen/rate-curve.js'
import type { Scenario } from '../../loadgen/scenario.js'
import { SubmissionTemplate } from '../../loadgen/submission.js'
import { lifetimesOf, sharesOf, TrafficPlan } from '../../loadgen/traffic.js'

/** The initiator's journal, which tells what it is told: who waits for something to have happened looks at each line. */
export class WatchedJournal extends JournalWriter {
  /** Push-ids answered 1001, and push-ids notified. */
  readonly accepted = new Set<string>()
  readonly notified = new Set<string>()
  /** How often 1001 was answered. */
  answers = 0
  private waiting: { readonly condition: () => boolean; readonly resolve: () => void } | undefined

  override line(line: string): void {
    super.line(line)
    const event = parseJournalLine(line.trimEnd())
    if (event?.event === 'answered' && event.details[0] === '1001') {
      this.answers++
      this.accepted.add(event.pushId)
    } else if (event?.event === 'notified') this.notified.add(event.pushId)
    this.look()
  }

  /** Something else happened that a waiter may wait for. */
  look(): void {
    if (this.waiting?.condition() !== true) return
    this.waiting.resolve()
    this.waiting = undefined
  }

  /** One waiter at a time. */
  when(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.waiting = { condition, resolve }
      this.look()
    })
  }

  get allNotified(): boolean {
    for (const pushId of this.accepted) if (!this.notified.has(pushId)) return false
    return true
  }
}

/** The scenario's traffic for its whole duration; to be stopped when enough was sent. */
export function generatorFor(scenario: Scenario, url: URL, notifyUrl: string, journal: JournalWriter): Generator {
  const { load, push, seed, traffic } = scenario
  const entropy = new SeededEntropy(seed, 'load')
  const offsets = schedule(load.arrival, steady(load.rate, load.duration), entropy.fork('arrivals'))
  const plan = new TrafficPlan(offsets, sharesOf(traffic), recipientsOf(populationFor(scenario)), entropy.fork('traffic'), scenario.name)
  return new Generator({
    url, arrivals: new FixedArrivals(offsets, 'a test'), plan, plain: new SubmissionTemplate(push, notifyUrl, false), expiring: new SubmissionTemplate(push, notifyUrl, true),
    lifetimes: lifetimesOf(traffic), journal, submit: new Recorder(),
  })
}

/** Waits for `condition`, which `journal` looks at, no longer than `millis`; what is missing then is for the ledger to say. */
export async function atMost(millis: number, journal: WatchedJournal, condition: () => boolean): Promise<void> {
  let late: NodeJS.Timeout | undefined
  const deadline = new Promise<void>((resolve) => { late = setTimeout(resolve, millis) })
  await Promise.race([deadline, journal.when(condition)])
  clearTimeout(late)
}

/** Every event of a part's journals in a folder. A kill may tear a journal's last line, which is passed over. */
export async function eventsOf(folder: string, part: string, take: (event: JournalEvent) => void): Promise<void> {
  for (const name of readdirSync(folder).filter((each) => each.startsWith(part) && each.endsWith('.journal')).sort()) {
    await readJournal(join(folder, name), (event) => { if (event !== undefined) take(event) })
  }
}
