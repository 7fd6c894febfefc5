/**
 * `npm run bench`: what a push, a message, a terminal cost on this machine, each beside the bare cost of the same
 * traffic. Writes bench.json in the current folder and a table to stdout; progress goes to stderr. `--only <prefix>`
 * runs what has a row that begins so. Needs Linux, whose /proc tells what a process used.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { rowNames, WAYS } from './binding-cells.js'
import { benchBinding, benchReuse } from './bindings.js'
import { benchCeiling } from './pap-ceiling.js'
import { benchFlatness } from './gateway-flatness.js'
import { gatewayBreakdown } from './gateway-breakdown.js'
import { benchGateway } from './gateway.js'
import { benchGenerator, GENERATOR_ROWS } from './generator.js'
import { benchIms } from './ims.js'
import { Lab } from './lab.js'
import { benchMeasuringShare, benchRecording } from './measuring.js'
import { benchMemory, benchSubscriptionMemory } from './memory.js'
import { benchMsrp, benchMsrpMessages } from './msrp.js'
import { benchParse } from './parse.js'
import { benchPendingMemory, benchRestart } from './pending.js'
import { benchRegistrationKnowledge, REGISTRATION_ROWS } from './registration-knowledge.js'
import { rowOf, type Measured, type Missing, type Row } from './rows.js'
import { formatTable } from './table.js'
import { benchTerminals } from './terminals.js'

interface Benchmark {
  /** The rows it makes. */
  readonly rows: readonly string[]
  run(lab: Lab): Promise<readonly (Measured | Missing)[]>
}

/** Short ones first; memory is told by a process that has done nothing else. */
const BENCHMARKS: readonly Benchmark[] = [
  { rows: ['measure.record.ns'], run: benchRecording },
  { rows: ['sip.parse.perSecond'], run: benchParse },
  { rows: ['msrp.stream.ratio', 'msrp.stream.bytesPerSecond'], run: benchMsrp },
  { rows: ['msrp.messages.ratio', 'msrp.messages.perSecond'], run: benchMsrpMessages },
  { rows: ['msrp.reuse.ratio', 'msrp.reuse.perSecond'], run: benchReuse },
  { rows: ['ims.binding.bytes', 'terminal.idle.bytes'], run: benchMemory },
  { rows: ['event.subscription.bytes'], run: benchSubscriptionMemory },
  { rows: ['gateway.pending.bytes'], run: benchPendingMemory },
  { rows: ['gateway.restart.seconds'], run: benchRestart },
  { rows: ['terminal.answer.cpuUs.udp', 'terminal.answer.perSecond.udp'], run: benchTerminals },
  {
    rows: ['ims.message.cpuUs.udp', 'ims.message.perSecond.udp', 'ims.register.cpuUs', 'ims.register.perSecond', 'ims.message.cpuUs.tcp', 'ims.message.perSecond.tcp'],
    run: benchIms,
  },
  { rows: ['gateway.push.cpuUs', 'gateway.push.perSecond', 'gateway.notified.cpuUs', 'gateway.notified.perSecond'], run: benchGateway },
  { rows: ['gateway.flatness', 'gateway.flatness.devices', 'gateway.flatness.stored'], run: benchFlatness },
  { rows: REGISTRATION_ROWS, run: benchRegistrationKnowledge },
  ...WAYS.map((way) => ({ rows: rowNames(way), run: (lab: Lab) => benchBinding(lab, way) })),
  { rows: ['pap.ceiling.perSecond'], run: benchCeiling },
  { rows: GENERATOR_ROWS, run: benchGenerator },
  { rows: ['measure.share'], run: benchMeasuringShare },
]

function onlyOf(options: readonly string[]): string {
  if (options.length === 0) return ''
  if (options.length === 2 && options[0] === '--only') return options[1]!
  process.stderr.write('usage: npm run bench [-- --only <prefix of a row\'s name>]\n')
  process.exit(1)
}

async function main(): Promise<void> {
  const only = onlyOf(process.argv.slice(2))
  const chosen = BENCHMARKS.filter(({ rows }) => rows.some((name) => name.startsWith(only)))
  if (chosen.length === 0) {
    process.stderr.write(`no row begins with "${only}"; rows are ${BENCHMARKS.flatMap(({ rows }) => rows).join(', ')}\n`)
    process.exit(1)
  }
  const begun = Date.now()
  const lab = new Lab((line) => process.stderr.write(`${((Date.now() - begun) / 1_000).toFixed(0).padStart(4)} s  ${line}\n`))
  process.once('SIGINT', () => {
    lab.close()
    process.stderr.write('stopped; nothing was written\n')
    process.exit(130)
  })
  try {
    const rows: Row[] = []
    for (const benchmark of chosen) {
      try {
        rows.push(...(await benchmark.run(lab)).map(rowOf))
      } catch (error) {
        // What the others measured stands; what is missing is told, by the exit code too.
        lab.progress(`not measured: ${benchmark.rows.join(', ')}: ${error instanceof Error ? error.message : String(error)}`)
        process.exitCode = 1
      }
    }
    const shown = rows.filter(({ name }) => name.startsWith(only))
    writeFileSync('bench.json', `${JSON.stringify(recordOf(shown, begun), null, 2)}\n`)
    const breakdown = 'gateway.notified.cpuUs'.startsWith(only) || only.startsWith('gateway.notified') ? `\n${await gatewayBreakdown(lab)}\n` : ''
    process.stdout.write(`${formatTable(shown)}\n${breakdown}`)
  } finally {
    lab.close()
  }
}

function recordOf(rows: readonly Row[], begun: number): Record<string, unknown> {
  const processors = cpus()
  return { commit: commitNow(), node: process.version, cpu: processors[0]?.model ?? 'unknown', cores: processors.length, startedAt: new Date(begun).toISOString(), rows }
}

/** Empty outside of a checkout; `+` says that it was changed. */
function commitNow(): string {
  try {
    const git = (...words: string[]): string => execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
  } catch {
    return ''
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
