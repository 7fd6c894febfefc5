/** A run in Prometheus' text exposition format, version 0.0.4: for the textfile collector or a push gateway. Knows measures and the format. */
import type { RunRecord } from '../../reports/record.js'
import { familiesOf, type Point } from './families.js'

/** All are gauges: a run is over and counts no further. */
export function prometheusText(record: RunRecord): string {
  return familiesOf(record).map(({ name, unit, help, points }) => {
    const full = `pushbench_${name}${unit === '' ? '' : `_${unit}`}`
    return [`# HELP ${full} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${full} gauge`, ...points.map((point) => `${full}${labelsOf(point)} ${point.value}`)].join('\n')
  }).join('\n') + '\n'
}

function labelsOf({ labels }: Point): string {
  return `{${Object.entries(labels).map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`).join(',')}}`
}
