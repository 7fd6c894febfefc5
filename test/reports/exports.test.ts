/** A run for the tools of others: each format read back by a reader that is not ours, or by its grammar to the letter. */
import { XmlDocument } from 'libxml2-wasm'
import { describe, expect, it } from 'vitest'
import { readCsv } from '../../loadgen/csv-reader.js'
import { familiesOf } from '../../loadgen/export/families.js'
import { figuresCsv } from '../../loadgen/export/figures-csv.js'
import { githubSummary } from '../../loadgen/export/github.js'
import { junitXml } from '../../loadgen/export/junit.js'
import { otlpMetrics } from '../../loadgen/export/otlp.js'
import { prometheusText } from '../../loadgen/export/prometheus.js'
import { METRICS } from '../../loadgen/metrics.js'
import { sampleRecord } from './sample-record.js'

const HOSTILE = 'a "b" & <c> \\ \u0001 | *d*\nnext'
const thresholds = [
  { name: 'kept', measured: 1, limit: 2, unit: '%', passed: true }, { name: HOSTILE, limit: 2, unit: 'ms', passed: false, comparison: '<' as const },
]
const good = sampleRecord({ thresholds })
const invalid = sampleRecord({ thresholds, verdict: { valid: false, reasons: [`ledger: 3 were lost <${HOSTILE}>`] } })

describe('JUnit', () => {
  const read = (text: string) => {
    const document = XmlDocument.fromString(text)
    try {
      const all = (path: string) => document.find(path).map((node) => node.content)
      return { names: all('//testcase/@name'), failures: all('//failure'), messages: all('//failure/@message'), skipped: all('//skipped/@message'), counts: all('/testsuites/testsuite/@*[name()="tests" or name()="failures" or name()="skipped"]').map(Number) }
    } finally {
      document.dispose()
    }
  }

  it('has validity and each threshold as a case; what breaks one is in its failure', () => {
    const { names, messages, skipped, counts } = read(junitXml(good))
    expect(names).toEqual(['the run is valid', 'kept', HOSTILE.replace('\u0001', '\ufffd')])
    expect(messages).toHaveLength(1)
    expect(messages[0]).toContain('not measured, less than 2 ms are wanted')
    expect([skipped.length, counts]).toEqual([0, [3, 1, 0]])
  })

  it('skips the thresholds of a run that is invalid', () => {
    const { failures, skipped, counts } = read(junitXml(invalid))
    expect(failures[0]).toContain('ledger: 3 were lost <a "b" & <c>')
    expect([skipped.length, counts]).toEqual([2, [3, 1, 2]])
  })
})

describe('Prometheus', () => {
  /** The text format 0.0.4 to the letter: HELP and TYPE before the samples of a family, names and escapes by their grammar, no series twice. */
  function parse(text: string): Map<string, number> {
    expect(text.endsWith('\n')).toBe(true)
    const samples = new Map<string, number>()
    const families = new Set<string>()
    let family = ''
    for (const line of text.slice(0, -1).split('\n')) {
      const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (?:[^\\\n]|\\\\|\\n)*$/.exec(line)
      const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) gauge$/.exec(line)
      if (help !== null) {
        family = help[1]!
        expect(families.has(family)).toBe(false)
        families.add(family)
      } else if (type !== null) expect(type[1]).toBe(family)
      else {
        const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*\}) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line)
        if (sample === null) throw new Error(`no sample by the grammar: ${line}`)
        expect(sample[1]).toBe(family)
        expect(samples.has(`${sample[1]}${sample[2]}`)).toBe(false)
        samples.set(`${sample[1]}${sample[2]}`, Number(sample[3]))
      }
    }
    return samples
  }

  it('gets every measure in base units, with labels escaped', () => {
    const samples = parse(prometheusText(good))
    expect(samples.get('pushbench_stage_latency_seconds{scenario="sample",stage="endToEnd",quantile="0.99"}')).toBe(0.0148)
    expect(samples.get('pushbench_valid{scenario="sample"}')).toBe(1)
    expect(samples.get('pushbench_threshold_kept{scenario="sample",threshold="a \\"b\\" & <c> \\\\ \u0001 | *d*\\nnext"}')).toBe(0)
    expect(samples.size).toBe(familiesOf(good).reduce((sum, { points }) => sum + points.length, 0))
    expect(parse(prometheusText(invalid)).get('pushbench_valid{scenario="sample"}')).toBe(0)
  })
})

describe('OpenTelemetry', () => {
  type Shape = 'string' | 'double' | 'fixed64' | readonly [Shape] | { readonly [field: string]: Shape }
  const KEY_VALUE: Shape = { key: 'string', value: { stringValue: 'string' } }
  /** Of opentelemetry/proto/metrics/v1/metrics.proto what a gauge takes, by the proto3 JSON mapping: lowerCamelCase, 64-bit integers as decimal text. */
  const REQUEST: Shape = { resourceMetrics: [{
    resource: { attributes: [KEY_VALUE] },
    scopeMetrics: [{ scope: { name: 'string', version: 'string' }, metrics: [{ name: 'string', description: 'string', unit: 'string', gauge: { dataPoints: [{ attributes: [KEY_VALUE], startTimeUnixNano: 'fixed64', timeUnixNano: 'fixed64', asDouble: 'double' }] } }] }],
  }] }

  function check(value: unknown, shape: Shape, at: string): void {
    if (shape === 'string') expect(typeof value, at).toBe('string')
    else if (shape === 'double') expect(Number.isFinite(value), at).toBe(true)
    else if (shape === 'fixed64') expect(value, at).toMatch(/^\d{1,19}$/)
    else if (Array.isArray(shape)) for (const [index, each] of (value as unknown[]).entries()) check(each, (shape as readonly [Shape])[0], `${at}[${index}]`)
    else {
      const fields = shape as { readonly [field: string]: Shape }
      expect(Object.keys(value as object).filter((key) => !(key in fields)), at).toEqual([])
      for (const [key, inner] of Object.entries(fields)) check((value as Record<string, unknown>)[key], inner, `${at}.${key}`)
    }
  }

  it('gets them by the JSON mapping of its protocol, in the time of the run', () => {
    const data: unknown = JSON.parse(JSON.stringify(otlpMetrics(good)))
    check(data, REQUEST, 'request')
    const [metric] = otlpMetrics(good).resourceMetrics[0]!.scopeMetrics[0]!.metrics.filter(({ name }) => name === 'pushbench.stage_latency')
    expect(metric!.unit).toBe('s')
    // 2026-03-14T09:00:00Z, and the 39 s of the run.
    expect(metric!.gauge.dataPoints[0]).toMatchObject({ startTimeUnixNano: '1773478800000000000', timeUnixNano: '1773478839000000000', asDouble: 0.0003 })
  })
})

describe('Markdown and CSV', () => {
  it('of a job tell verdict, thresholds and figures, and nothing in them ends a cell', () => {
    const text = githubSummary(good)
    expect(text).toContain('## pushbench sample: ❌ FAILED')
    expect(githubSummary(invalid)).toContain('## pushbench sample: ❌ INVALID')
    expect(githubSummary(sampleRecord())).toContain('✅ VALID')
    const rows = text.split('\n').filter((line) => line.startsWith('| ') && line.includes('not measured'))
    expect(rows).toHaveLength(1)
    expect(rows[0]!.match(/(?<!\\)\|/g)).toHaveLength(3)
  })

  it('name every figure once, empty where the run has none', () => {
    const [header, ...rows] = readCsv(figuresCsv(good))
    expect(header!.cells).toEqual(['figure', 'value', 'unit', 'better', 'meaning'])
    expect(rows.map(({ cells }) => cells[0])).toEqual([...METRICS.keys()])
    expect(rows.find(({ cells }) => cells[0] === 'endToEnd.p99')!.cells.slice(1, 3)).toEqual(['14800', 'us'])
    expect(rows.find(({ cells }) => cells[0] === 'fanOut.p99')!.cells[1]).toBe('')
  })
})
