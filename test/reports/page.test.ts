/** What the report promises a reader: the verdict first, every figure from the record, nothing fetched, nothing injected, small. */
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { count, duration, octets, percent, rate } from '../../reports/format.js'
import { renderPage } from '../../reports/page.js'
import { RunRecord } from '../../reports/record.js'
import { niceTicks, spread } from '../../reports/svg.js'
import { sampleHour, sampleRecord } from './sample-record.js'

describe('the report page', () => {
  const page = renderPage(sampleRecord())

  it('is made from a record that its own schema accepts', () => {
    expect(() => Schema.decodeUnknownSync(RunRecord)(JSON.parse(JSON.stringify(sampleRecord())))).not.toThrow()
  })

  it('refuses a record in which a count is negative or missing', () => {
    const record = sampleRecord()
    expect(() => Schema.decodeUnknownSync(RunRecord)({ ...record, ledger: { ...record.ledger, lost: -1 } })).toThrow(/lost/)
    expect(() => Schema.decodeUnknownSync(RunRecord)({ ...record, ledger: undefined })).toThrow(/ledger/)
  })

  it('needs no script and no network: it holds no script element, no link and no address to load from', () => {
    expect(page).not.toMatch(/<script|<link|<img|\bsrc=|@import|url\(|https?:\/\//)
  })

  it('opens with the verdict, and says why a run is invalid before any figure', () => {
    expect(page.indexOf('VALID')).toBeLessThan(page.indexOf('class="tiles"'))
    const invalid = renderPage(sampleRecord({ verdict: { valid: false, reasons: ['generator lag p99 80 ms exceeds 10 % of the limit'] } }))
    expect(invalid).toContain('>INVALID<')
    expect(invalid.indexOf('generator lag p99 80 ms')).toBeLessThan(invalid.indexOf('class="tiles"'))
  })

  it('names every lost and doubled push-id, and shows hostile text as text', () => {
    const record = sampleRecord()
    const shown = renderPage({ ...record, scenario: '<script>alert(1)</script>', findings: { balanced: false, lost: [{ pushId: 'p<1>', address: 'a', why: 'no outcome' }], duplicated: [{ pushId: 'p2', address: 'a', instance: 'urn:uuid:1', copies: 2 }], notes: [] } })
    expect(shown).toContain('p&lt;1&gt;')
    expect(shown).toContain('p2')
    expect(shown).not.toContain('<script')
  })

  it('draws six pictures, each named for a reader who cannot see it, and keeps the figures in tables', () => {
    expect(page.match(/<svg [^>]*role="img" aria-label="[^"]+"/g)?.length).toBe(6)
    expect(page.match(/<table>/g)?.length).toBeGreaterThanOrEqual(7)
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('stays readable when nothing was measured', () => {
    const { ledger } = sampleRecord()
    const nothing = renderPage(sampleRecord({ stages: {}, curves: {}, intervals: [], scenarios: [], causes: [], interrupted: 'stopped before the load began', ledger: Object.fromEntries(Object.keys(ledger).map((key) => [key, 0])) as RunRecord['ledger'] }))
    expect(nothing).toContain('stopped before the load began')
    expect(nothing).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('stays under 1 MB for an hour of seconds', () => {
    expect(renderPage(sampleHour()).length).toBeLessThan(1_000_000)
  })
})

describe('figures as people read them', () => {
  it('writes times, sizes and rates with the unit that fits', () => {
    expect([duration(87), duration(4_123), duration(1_300_000), duration(125_000_000)]).toEqual(['87 µs', '4.12 ms', '1.30 s', '2 min 05 s'])
    expect([octets(812), octets(1_363_149), count(1_234_567), rate(200), rate(12.5)]).toEqual(['812 B', '1.30 MiB', '1,234,567', '200/s', '12.5/s'])
  })

  it('never rounds a failure away', () => {
    expect([percent(9_999, 10_000), percent(999_999, 1_000_000), percent(1, 1_000_000), percent(5, 5), percent(0, 5), percent(0, 0)]).toEqual(['99.99 %', '99.9999 %', '0.0001 %', '100 %', '0 %', '–'])
  })

  it('places round ticks, and pushes labels apart inside the frame', () => {
    expect(niceTicks(0, 100, 5)).toEqual([0, 20, 40, 60, 80, 100])
    const placed = spread([10, 11, 12, 300], 16, 8, 300)
    expect(placed).toEqual([10, 26, 42, 300])
    expect(spread([299, 300], 16, 8, 300)).toEqual([284, 300])
  })
})
