/**
 * Samples to histograms: for the whole run by stage, by row of the traffic set, and second by second into the HDR log
 * files. Samples come in the order of the planned second, so one interval histogram per stage suffices.
 */
import { join } from 'node:path'
import type { WallMillis } from '../../core/kit/time.js'
import { HeatCounter } from '../../reports/heat.js'
import type { HeatMap } from '../../reports/record.js'
import type { StageName } from '../reconcile/measures.js'
import { ROW_STAGE } from '../reconcile/measures.js'
import type { RowName } from '../scenario.js'
import { HdrLog } from './hdr-log.js'
import { Recorder } from './recorder.js'

/** What the record's intervals show of one second. */
export interface IntervalLatencies {
  lagP99Us: number
  submitP50Us: number
  submitP99Us: number
  endToEndP50Us: number
  endToEndP99Us: number
}

/** The stage of the heat map: what the recipient notices. */
const HEAT_STAGE: StageName = 'endToEnd'

interface StageRecorders {
  readonly whole: Recorder
  readonly interval: Recorder
  readonly log: HdrLog
}

export class Measurements {
  readonly intervals: IntervalLatencies[]
  private readonly heat: HeatCounter
  private readonly stages = new Map<StageName, StageRecorders>()
  private readonly rows = new Map<RowName, Recorder>()
  private second = 0

  constructor(private readonly folder: string, private readonly windowStartedAt: WallMillis, private readonly seconds: number) {
    this.intervals = Array.from({ length: seconds }, () => ({ lagP99Us: 0, submitP50Us: 0, submitP99Us: 0, endToEndP50Us: 0, endToEndP99Us: 0 }))
    this.heat = new HeatCounter(seconds)
  }

  readonly take = (stage: StageName, row: RowName, second: number, micros: number): void => {
    while (this.second < second) this.endSecond()
    const recorders = this.stage(stage)
    recorders.whole.record(micros)
    recorders.interval.record(micros)
    if (stage === HEAT_STAGE) this.heat.add(second, micros)
    if (ROW_STAGE[row] === stage) this.row(row).record(micros)
  }

  async close(): Promise<void> {
    while (this.second < this.seconds) this.endSecond()
    await Promise.all([...this.stages.values()].map(({ log }) => log.close()))
  }

  /** Recorders of the whole run by stage; only stages that have a sample. */
  whole(): ReadonlyMap<StageName, Recorder> {
    return new Map([...this.stages].map(([name, { whole }]) => [name, whole]))
  }

  heatMap(): HeatMap | undefined {
    return this.heat.heatMap(HEAT_STAGE)
  }

  row(row: RowName): Recorder {
    let recorder = this.rows.get(row)
    if (recorder === undefined) this.rows.set(row, (recorder = new Recorder()))
    return recorder
  }

  private stage(name: StageName): StageRecorders {
    let recorders = this.stages.get(name)
    if (recorders === undefined) {
      recorders = { whole: new Recorder(), interval: new Recorder(), log: new HdrLog(join(this.folder, `${name}.hdr`), name, this.windowStartedAt) }
      for (let second = 0; second < this.second; second++) recorders.log.interval(second, recorders.interval.histogram)
      this.stages.set(name, recorders)
    }
    return recorders
  }

  private endSecond(): void {
    const latencies = this.intervals[this.second]
    for (const [name, { interval, log }] of this.stages) {
      if (latencies !== undefined) show(latencies, name, interval)
      log.interval(this.second, interval.histogram)
      interval.reset()
    }
    this.second++
  }
}

function show(latencies: IntervalLatencies, stage: StageName, recorder: Recorder): void {
  if (stage === 'lag') latencies.lagP99Us = recorder.percentile(99)
  else if (stage === 'submit') {
    latencies.submitP50Us = recorder.percentile(50)
    latencies.submitP99Us = recorder.percentile(99)
  } else if (stage === 'endToEnd') {
    latencies.endToEndP50Us = recorder.percentile(50)
    latencies.endToEndP99Us = recorder.percentile(99)
  }
}
