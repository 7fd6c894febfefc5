/**
 * The parts of one run: starts each as a process of its own, keeps their latest samples, notices when one ends before
 * its time, and never leaves one behind. Knows processes and counters, not what they count.
 */
import { processResources, type Resources } from '../../core/live/control.js'
import { startPart, type PartProcess } from '../../core/live/part-process.js'
import { SATURATED_SHARE, type DatagramLosses } from '../verdict.js'
import { PartsNow } from './parts-now.js'
import { decodeHistogram, summaryOf } from './recorder.js'
import { WorkWatch } from './work.js'
import type { StageSummary } from '../../reports/record.js'

export type PartName = 'ims' | 'gateway' | 'terminals'

const MODULES: Readonly<Record<PartName, string>> = {
  ims: '../../sim/live/ims-part.js',
  gateway: '../../core/live/gateway-part.js',
  terminals: '../../sim/live/terminals-part.js',
}
/**
 * Where processors are short, what is measured goes short first, and what measures it (generator, terminals) is still on time: else the
 * instruments would give out before the system under test, and a run beyond its capacity would say nothing about it.
 */
const NICENESS: Readonly<Record<PartName, number>> = { ims: 10, gateway: 10, terminals: 0 }
const STOP_MILLIS = 10_000

/** What people call a part. */
export const PART_WORDS: Readonly<Record<PartName, string>> = { ims: 'IMS', gateway: 'gateway', terminals: 'terminals' }

export interface PartUse {
  cpuSeconds: number
  rssBytesMax: number
  loopUtilisationMax: number
  /** Samples, about one a second, and those in which the busiest event loop was saturated. */
  seconds: number
  saturated: number
}

export class Parts {
  /** Latest counters by part. */
  readonly counters: Partial<Record<PartName, Readonly<Record<string, number>>>> = {}
  readonly use = new Map<string, PartUse>()
  readonly work = new WorkWatch()
  readonly now = new PartsNow()
  readonly stages: Record<string, typeof StageSummary.Type> = {}
  /** Why parts ended before they were told to, in words. */
  readonly failures: string[] = []
  /** Resolves with the first failure. */
  readonly failed: Promise<string>
  /** Counters when what counts began. */
  private readonly before: Partial<Record<PartName, Readonly<Record<string, number>>>> = {}
  private readonly sampleCounts = new Map<PartName, number>()
  private tellFailure!: (why: string) => void
  private readonly running = new Map<PartName, PartProcess>()
  private over = false
  private readonly stopping = new Set<PartName>()
  /** This process may have performed other runs before. */
  private readonly usedBefore = processResources().cpuSeconds
  private rssSeen = 0

  /** @param onSample called with a part's counters about once a second */
  constructor(private readonly onSample: (name: PartName, counters: Readonly<Record<string, number>>) => void) {
    this.failed = new Promise((resolve) => { this.tellFailure = resolve })
  }

  /** Resolves with what the part bound; rejects with the part's own words. */
  async start(name: PartName, config: unknown, journalPath: string | undefined): Promise<Readonly<Record<string, string>>> {
    const part = await startPart(new URL(MODULES[name], import.meta.url), config, journalPath, (sample) => {
      const { counters, resources } = sample
      this.counters[name] = counters
      this.sampleCounts.set(name, this.samples(name) + 1)
      this.note(name, resources)
      this.now.note(PART_WORDS[name], resources, sample.at)
      this.work.sampled(name, sample)
      this.onSample(name, counters)
    }, { niceness: NICENESS[name] })
    if (this.over) {
      await part.kill()
      throw new Error(`the ${name} was started when the run was over`)
    }
    this.running.set(name, part)
    void part.ended.then((why) => {
      this.running.delete(name)
      if (this.stopping.has(name)) return
      const words = `the ${PART_WORDS[name]} ended during the run: ${why ?? 'it stopped by itself'}`
      this.failures.push(words)
      this.tellFailure(words)
    })
    return part.addresses
  }

  perform(name: PartName, what: string, argument?: unknown): Promise<unknown> {
    const part = this.running.get(name)
    return part === undefined ? Promise.reject(new Error(`the ${name} is not running`)) : part.perform(what, argument)
  }

  /** How many samples of a part have come, to tell a new one from the last. */
  samples(name: PartName): number {
    return this.sampleCounts.get(name) ?? 0
  }

  /** Stops one part cleanly; one that does not stop is killed and counts as a failure. */
  async stop(name: PartName): Promise<void> {
    const part = this.running.get(name)
    if (part === undefined) return
    this.stopping.add(name)
    try {
      const { resources, histograms } = await part.stop(STOP_MILLIS)
      this.note(name, resources)
      for (const [stage, base64] of Object.entries(histograms)) {
        const histogram = decodeHistogram(base64)
        if (histogram !== undefined) this.stages[stage.startsWith(`${name}.`) ? stage : `${name}.${stage}`] = summaryOf(histogram)
      }
    } catch (error) {
      this.failures.push(`the ${name} did not stop cleanly: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** Ends what still runs, at once. */
  async kill(): Promise<void> {
    this.over = true
    await Promise.all([...this.running].map(([name, part]) => {
      this.stopping.add(name)
      return part.kill()
    }))
  }

  /** Starting and registering may keep a part as busy, and its sockets as full, as they like; from here on it counts. */
  forgetPeaks(): void {
    for (const use of this.use.values()) Object.assign(use, { loopUtilisationMax: 0, seconds: 0, saturated: 0 })
    Object.assign(this.before, this.counters)
    this.work.open()
  }

  /** Datagrams each part's sockets lost since, by its last sample. */
  datagramsLost(): Record<PartName, DatagramLosses> {
    const since = (part: PartName, counter: string): number => (this.counters[part]?.[counter] ?? 0) - (this.before[part]?.[counter] ?? 0)
    const of = (part: PartName): DatagramLosses => ({ dropped: since(part, 'datagramsDropped'), failed: since(part, 'datagramsFailed') })
    return { ims: of('ims'), gateway: of('gateway'), terminals: of('terminals') }
  }

  /** What the generator, which is this process, uses for this run. */
  ofGenerator(loopUtilisation: number): Resources {
    return { cpuSeconds: processResources().cpuSeconds - this.usedBefore, rssBytesMax: this.rssBytes(), loopUtilisation }
  }

  /** As last seen where it cannot be read: it lies in a file, and a process at its limit of open files has to say so in a report, not to end. */
  private rssBytes(): number {
    try {
      this.rssSeen = process.memoryUsage.rss()
    } catch {
      // EMFILE: what it had a second ago will do.
    }
    return this.rssSeen
  }

  /** Adds up what a part has used; the busiest second counts. */
  note(name: string, { cpuSeconds, rssBytesMax, loopUtilisation }: Resources): void {
    const use = this.use.get(name) ?? { cpuSeconds: 0, rssBytesMax: 0, loopUtilisationMax: 0, seconds: 0, saturated: 0 }
    use.cpuSeconds = Math.max(use.cpuSeconds, cpuSeconds)
    use.rssBytesMax = Math.max(use.rssBytesMax, rssBytesMax)
    use.loopUtilisationMax = Math.max(use.loopUtilisationMax, loopUtilisation)
    use.seconds++
    if (loopUtilisation > SATURATED_SHARE) use.saturated++
    this.use.set(name, use)
  }
}
