/**
 * A run as OpenTelemetry metrics: one ExportMetricsServiceRequest in OTLP's JSON encoding (opentelemetry-proto 1.x, metrics/v1; proto3 JSON mapping
 * with numbers of 64 bits as text). Knows measures and the format, not where it is sent.
 */
import type { RunRecord } from '../../reports/record.js'
import { familiesOf, type Family } from './families.js'

interface KeyValue {
  readonly key: string
  readonly value: { readonly stringValue: string }
}

interface DataPoint {
  readonly attributes: readonly KeyValue[]
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
  readonly asDouble: number
}

export interface OtlpMetrics {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] }
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string; readonly version: string }
      readonly metrics: readonly { readonly name: string; readonly description: string; readonly unit: string; readonly gauge: { readonly dataPoints: readonly DataPoint[] } }[]
    }[]
  }[]
}

/** UCUM, as OpenTelemetry's conventions for units ask. */
const UNITS: Readonly<Record<Family['unit'], string>> = { seconds: 's', bytes: 'By', ratio: '1', per_second: '{push}/s', '': '1' }

export function otlpMetrics(record: RunRecord): OtlpMetrics {
  const { disclosure, durations } = record
  const startedMillis = Date.parse(record.startedAt)
  const endedMillis = startedMillis + Math.round(1_000 * (durations.warmUpSeconds + durations.loadSeconds + durations.drainSeconds))
  const [startTimeUnixNano, timeUnixNano] = [nanos(startedMillis), nanos(endedMillis)]
  return { resourceMetrics: [{
    resource: { attributes: attributes({
      'service.name': 'pushbench', 'service.version': disclosure.pushbench, 'pushbench.scenario': record.scenario, 'pushbench.seed': String(record.seed), 'pushbench.commit': disclosure.commit,
      'pushbench.scenario_hash': disclosure.scenarioHash, 'host.cpu.model.name': disclosure.cpu, 'process.runtime.version': disclosure.node,
    }) },
    scopeMetrics: [{
      scope: { name: 'pushbench', version: disclosure.pushbench },
      metrics: familiesOf(record).map(({ name, unit, help, points }) => ({
        name: `pushbench.${name}`, description: help, unit: UNITS[unit],
        gauge: { dataPoints: points.map(({ labels, value }) => ({ attributes: attributes(labels), startTimeUnixNano, timeUnixNano, asDouble: value })) },
      })),
    }],
  }] }
}

function attributes(values: Readonly<Record<string, string>>): KeyValue[] {
  return Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }))
}

/** fixed64 is text in JSON; milliseconds times a million are beyond what a number holds exactly. */
function nanos(millis: number): string {
  return `${millis}000000`
}
