/**
 * Where the time of a notified push goes: one run of the real gateway under the CPU profiler, its shares put on the
 * processor time that the same gateway needed without it. Printed, and no row of bench.json.
 */
import { readFileSync } from 'node:fs'
import { BenchGateway, countFor, profileIn, type Sinks } from './gateway.js'
import { cpuMicros, mainThreadMicros, type Lab } from './lab.js'
import { breakdownOf, GROUP_TEXTS, GROUPS, type CpuProfile } from './profile.js'
import { seedStore } from './seeding.js'
import { aligned } from './table.js'

const USERS = 1_000
const WARM_UP = 10_000
const TOP = 12
const INTERVAL_MICROS = 200

/** The table and the functions with the most self time, as text. */
export async function gatewayBreakdown(lab: Lab): Promise<string> {
  const load = lab.child('push-load')
  const sinks = await load.ask<Sinks>('sinks')
  const plain = await measured(lab, load, sinks, [])
  const profiles = lab.newFolder()
  await measured(lab, load, sinks, ['--cpu-prof', `--cpu-prof-dir=${profiles}`, '--cpu-prof-interval', String(INTERVAL_MICROS)])
  await load.stop()
  const { shares, top } = breakdownOf(JSON.parse(readFileSync(profileIn(profiles), 'utf8')) as CpuProfile, TOP)
  const lines = [['where a notified push goes', 'share', 'µs', ''], ...GROUPS.map((group) => [
    group, percent(shares[group] * plain.main / plain.whole), (shares[group] * plain.main).toFixed(1), GROUP_TEXTS[group],
  ])]
  lines.push(['other threads', percent(1 - plain.main / plain.whole), (plain.whole - plain.main).toFixed(1), 'LMDB writing and flushing, V8 collecting and compiling'])
  lines.push(['whole process', percent(1), plain.whole.toFixed(1), 'measured without the profiler'])
  const hot = [['most self time on the main thread', 'share'], ...top.map(({ name, share }) => [name, percent(share)])]
  return `${aligned(lines, new Set([0, 3]))}\n\n${aligned(hot, new Set([0]))}`
}

/** Per push: the whole process, and its main thread. The warm-up is in a profile, too. */
async function measured(lab: Lab, load: Parameters<typeof BenchGateway.start>[1], sinks: Sinks, flags: readonly string[]): Promise<{ readonly whole: number; readonly main: number }> {
  const store = lab.newFolder()
  await seedStore(store, { devices: USERS, waiting: 0 })
  const gateway = await BenchGateway.start(lab, load, sinks, store, { execArgv: ['--enable-source-maps', ...flags] })
  const warm = await gateway.push({ count: WARM_UP, notify: true, users: USERS })
  const { pid } = gateway.part
  const [whole, main] = [cpuMicros(pid), mainThreadMicros(pid)]
  const count = countFor(warm.perSecond, 4)
  await gateway.push({ count, notify: true, users: USERS })
  const result = { whole: (cpuMicros(pid) - whole) / count, main: (mainThreadMicros(pid) - main) / count }
  lab.progress(`gateway, breakdown${flags.length === 0 ? '' : ', profiled'}: ${result.whole.toFixed(1)} µs, main thread ${result.main.toFixed(1)} µs`)
  await lab.stopPart(gateway.part)
  return result
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
