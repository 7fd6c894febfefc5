/** The generator of a scenario's load: its arrivals, what each attempt is, and the submissions it writes. Everything random in it follows from the seed. */
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { JournalWriter } from '../../core/live/journal.js'
import { plannedLoad } from '../load-shape.js'
import type { Scenario } from '../scenario.js'
import { SubmissionTemplate } from '../submission.js'
import type { Trace } from '../trace.js'
import { lifetimesOf, sharesOf, TrafficPlan } from '../traffic.js'
import { CONNECTIONS_MAX, Generator } from './generator.js'
import { populationFor, recipientsOf } from './part-configs.js'
import { Recorder } from './recorder.js'
import { templatesBySize } from './sized-templates.js'

export interface LoadingOptions {
  readonly scenario: Scenario
  /** The one a replay is of. */
  readonly trace: Trace | undefined
  /** The gateway's PAP endpoint, and where it is asked to send result notifications. */
  readonly pap: URL
  readonly notifyUrl: string
  /** Makes push-ids unique across runs, since the gateway remembers them for days. */
  readonly runId: string
  readonly journal: JournalWriter
}

export function generatorOf({ scenario, trace, pap, notifyUrl, runId, journal }: LoadingOptions): Generator {
  const { load, push, seed, traffic } = scenario
  const entropy = new SeededEntropy(seed, 'load')
  const { arrivals, settings } = plannedLoad(scenario, entropy.fork('arrivals'), trace)
  const plan = new TrafficPlan(new Float64Array(), sharesOf(traffic), recipientsOf(populationFor(scenario)), entropy.fork('traffic'), runId, settings)
  const notify = push.notifications ? notifyUrl : undefined
  return new Generator({
    url: pap, arrivals, plan, plain: new SubmissionTemplate(push, notify, false), expiring: new SubmissionTemplate(push, notify, true),
    ...(trace === undefined ? {} : { sized: templatesBySize(push, notify, trace.sizes) }),
    lifetimes: lifetimesOf(traffic), journal, submit: new Recorder(), connectionsMax: Math.max(CONNECTIONS_MAX, load.closed.initiators),
  })
}
