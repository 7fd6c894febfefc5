/** The shape of run.json that others may rely on: published as a JSON Schema, made from the record's own schema, and never out of step. */
import { readFileSync, writeFileSync } from 'node:fs'
import { JSONSchema, Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { RunRecord, SCHEMA_VERSION, STAGES } from '../../reports/record.js'
import { sampleRecord } from './sample-record.js'

const decode = Schema.decodeUnknownSync(RunRecord, { onExcessProperty: 'error' })

describe('the record of a run', () => {
  it('has the published JSON Schema (docs/run.schema.json; UPDATE_DOCS=1 writes it)', () => {
    const published = new URL('../../docs/run.schema.json', import.meta.url)
    const text = `${JSON.stringify(JSONSchema.make(RunRecord), undefined, 2)}\n`
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(published, text)
    expect(readFileSync(published, 'utf8')).toBe(text)
  })

  it('names in that schema everything that others rely on', () => {
    const { properties, required } = JSONSchema.make(RunRecord) as unknown as { readonly properties: Record<string, unknown>; readonly required: readonly string[] }
    for (const name of ['schemaVersion', 'verdict', 'ledger', 'stages', 'throughput', 'parts', 'population']) expect(required).toContain(name)
    expect(properties['schemaVersion']).toMatchObject({ enum: [SCHEMA_VERSION] })
  })

  it('holds nothing that the schema does not name', () => {
    const record: unknown = JSON.parse(JSON.stringify(sampleRecord()))
    expect(Object.keys(decode(record).stages)).toEqual(expect.arrayContaining([...STAGES]))
    expect(() => decode({ ...sampleRecord(), lossRate: 0 })).toThrow(/lossRate/)
  })
})
