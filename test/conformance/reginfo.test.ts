/** Registration information (RFC 3680, RFC 5628): written and read the same, read from others, refused when malformed, and kept as a table. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CONTACT_EVENTS, REGISTRATION_STATES, type RegContact, type RegInfo } from '../../core/reg/model.js'
import { readRegInfo } from '../../core/reg/read.js'
import { RegTable } from '../../core/reg/table.js'
import { writeRegInfo } from '../../core/reg/write.js'

const CONTACT: RegContact = {
  id: 'c1', state: 'active', event: 'registered', uri: 'sip:user7@198.51.100.11:5060;transport=tcp', expiresSeconds: 600_000, callId: 'reg-7f3a@198.51.100.11', cseq: 2,
  displayName: undefined, durationSeconds: undefined, retryAfterSeconds: undefined, q: undefined,
  parameters: [{ name: '+sip.instance', value: '"<urn:uuid:6f0e1c5e-0a07-4b6e-9d52-1d2a3b4c5d6e>"' }, { name: 'audio', value: '' }],
  publicGruu: 'sip:user7@home1.example.net;gr=urn:uuid:6f0e1c5e-0a07-4b6e-9d52-1d2a3b4c5d6e',
  temporaryGruu: { uri: 'sip:tgruu.sto4b3j9Nmj1k21oePacYgEDkzi4PzxT1ueA@home1.example.net;gr', firstCseq: 2 },
}
const INFO: RegInfo = { version: 0, state: 'full', registrations: [{ aor: 'sip:user7@home1.example.net', id: 'r7', state: 'active', contacts: [CONTACT] }] }

function read(text: string): RegInfo {
  const result = readRegInfo(Buffer.from(text))
  if (!result.ok) throw new Error(result.problem)
  return result.info
}

function problemOf(text: string | Buffer): string {
  const result = readRegInfo(Buffer.from(text))
  return result.ok ? 'none' : result.problem
}

describe('a reginfo document', () => {
  it('is written as RFC 3680 and RFC 5628 have it', () => {
    expect(writeRegInfo(INFO).toString()).toBe(`<?xml version="1.0"?>
<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" xmlns:gr="urn:ietf:params:xml:ns:gruuinfo" version="0" state="full">
  <registration aor="sip:user7@home1.example.net" id="r7" state="active">
    <contact id="c1" state="active" event="registered" expires="600000" callid="reg-7f3a@198.51.100.11" cseq="2">
      <uri>sip:user7@198.51.100.11:5060;transport=tcp</uri>
      <unknown-param name="+sip.instance">&quot;&lt;urn:uuid:6f0e1c5e-0a07-4b6e-9d52-1d2a3b4c5d6e&gt;&quot;</unknown-param>
      <unknown-param name="audio"></unknown-param>
      <gr:pub-gruu uri="sip:user7@home1.example.net;gr=urn:uuid:6f0e1c5e-0a07-4b6e-9d52-1d2a3b4c5d6e"/>
      <gr:temp-gruu uri="sip:tgruu.sto4b3j9Nmj1k21oePacYgEDkzi4PzxT1ueA@home1.example.net;gr" first-cseq="2"/>
    </contact>
  </registration>
</reginfo>
`)
  })

  it('is read as it was written, whatever it says', () => {
    const text = fc.string({ minLength: 1, maxLength: 30 }).map((value) => value.trim()).filter((value) => value !== '')
    const number = fc.option(fc.nat(), { nil: undefined })
    const contact: fc.Arbitrary<RegContact> = fc.record({
      id: text, state: fc.constantFrom('active' as const, 'terminated' as const), event: fc.constantFrom(...CONTACT_EVENTS), uri: text,
      displayName: fc.option(text, { nil: undefined }), expiresSeconds: number, durationSeconds: number, retryAfterSeconds: number,
      q: fc.option(fc.constantFrom(0, 0.5, 1), { nil: undefined }), callId: fc.option(text, { nil: undefined }), cseq: number,
      parameters: fc.array(fc.record({ name: text, value: text }), { maxLength: 3 }), publicGruu: fc.option(text, { nil: undefined }),
      temporaryGruu: fc.option(fc.record({ uri: text, firstCseq: fc.nat() }), { nil: undefined }),
    })
    const registration = fc.record({ aor: text, id: text, state: fc.constantFrom(...REGISTRATION_STATES), contacts: fc.array(contact, { maxLength: 3 }) })
    const info: fc.Arbitrary<RegInfo> = fc.record({ version: fc.nat(), state: fc.constantFrom('full' as const, 'partial' as const), registrations: fc.array(registration, { maxLength: 3 }) })
    fc.assert(fc.property(info, (each) => { expect(readRegInfo(writeRegInfo(each))).toEqual({ ok: true, info: each }) }), { numRuns: 200 })
  })

  it('of others is read by namespaces, whatever prefixes they use and whatever else they say', () => {
    const info = read(`<?xml version="1.0" encoding="UTF-8"?>
      <r:reginfo xmlns:r="urn:ietf:params:xml:ns:reginfo" xmlns:x="urn:example:other" version="3" state="partial" x:note="1">
        <x:registration aor="not ours"/>
        <r:registration aor="sip:joe@example.com" id="a7" state="active">
          <r:contact id="76" state="active" event="created" duration-registered="7322" q="0.8">
            <r:uri>  sip:joe@pc34.example.com </r:uri>
            <r:display-name>Joe</r:display-name>
            <g:pub-gruu xmlns:g="urn:ietf:params:xml:ns:gruuinfo" uri="sip:joe@example.com;gr=urn:uuid:1"/>
            <temp-gruu xmlns="urn:ietf:params:xml:ns:gruuinfo" uri="sip:tgruu.7@example.com;gr" cseq="23001"/>
            <gr:pub-gruu xmlns:gr="urn:example:not-gruuinfo" uri="sip:wrong@example.com"/>
          </r:contact>
        </r:registration>
      </r:reginfo>`)
    expect(info.registrations).toHaveLength(1)
    expect(info.registrations[0]!.contacts[0]).toMatchObject({
      uri: 'sip:joe@pc34.example.com', displayName: 'Joe', durationSeconds: 7_322, q: 0.8,
      publicGruu: 'sip:joe@example.com;gr=urn:uuid:1', temporaryGruu: { uri: 'sip:tgruu.7@example.com;gr', firstCseq: 23_001 },
    })
  })

  const whole = writeRegInfo(INFO).toString()
  it.each<[string, string | Buffer, RegExp]>([
    ['that is none', '', /^line 1, column 1: /],
    ['cut short', whole.slice(0, -12), /^line \d+, column \d+: /],
    ['of another namespace', whole.replace('ns:reginfo', 'ns:watcherinfo'), /no reginfo of urn:ietf:params:xml:ns:reginfo/],
    ['with another root', '<presence xmlns="urn:ietf:params:xml:ns:reginfo"/>', /no reginfo/],
    ['without version', whole.replace(' version="0"', ''), /reginfo has no version/],
    ['with a version that is no number', whole.replace('version="0"', 'version="-1"'), /version of reginfo is "-1"; write a whole number/],
    ['with a version beyond all numbers', whole.replace('version="0"', `version="${'9'.repeat(40)}"`), /write a whole number/],
    ['neither full nor partial', whole.replace('"full"', '"half"'), /state of reginfo is "half"; it is one of full, partial/],
    ['with a registration of nobody', whole.replace(/ aor="[^"]*"/, ''), /line 3, column 3: registration has no aor/],
    ['with an event nobody knows', whole.replace('"registered"', '"vanished"'), /line 4, column 5: event of contact is "vanished"; it is one of registered, /],
    ['with a contact without URI', whole.replace(/<uri>[^<]*<\/uri>/, '<uri> </uri>'), /contact has no uri/],
    ['with a weight beyond 1', whole.replace(' cseq="2">', ' cseq="2" q="1.1">'), /q of contact is "1.1"; write a number from 0 to 1/],
    ['with a temporary GRUU without its CSeq', whole.replace(' first-cseq="2"', ''), /gr:temp-gruu has no first-cseq/],
    ['with a document type that would expand', `<!DOCTYPE r [<!ENTITY a "a">]>${whole.slice(22)}`, /internal subset/],
    ['deeper than any', `<a>${'<b>'.repeat(200)}`, /nested deeper/],
    ['of octets', Buffer.from([0xff, 0xfe, 0x00]), /^line 1, column 1: /],
  ])('%s is refused with its place', (_, text, problem) => {
    expect(problemOf(text)).toMatch(problem)
  })

  it('never throws, whatever the octets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => { expect(() => readRegInfo(Buffer.from(octets))).not.toThrow() }), { numRuns: 200 })
    fc.assert(fc.property(fc.nat(whole.length - 1), fc.string({ maxLength: 3 }), (at, piece) => {
      expect(() => readRegInfo(Buffer.from(whole.slice(0, at) + piece + whole.slice(at + 1)))).not.toThrow()
    }), { numRuns: 300 })
  })
})

describe('what a watcher knows', () => {
  const document = (version: number, state: 'full' | 'partial', ...contacts: RegContact[]): RegInfo => ({
    version, state, registrations: [{ aor: 'sip:user7@home1.example.net', id: 'r7', state: contacts.some((each) => each.state === 'active') ? 'active' : 'terminated', contacts }],
  })
  const second: RegContact = { ...CONTACT, id: 'c2' }
  const ids = (table: RegTable) => [...table.contacts()].map(({ id }) => id)

  it('is replaced by a full document and changed by a partial one', () => {
    const table = new RegTable()
    expect(table.apply(document(0, 'full', CONTACT))).toBe('applied')
    expect(table.apply(document(1, 'partial', second))).toBe('applied')
    expect(ids(table)).toEqual(['c1', 'c2'])
    expect(table.apply(document(2, 'partial', { ...CONTACT, state: 'terminated', event: 'expired' }))).toBe('applied')
    expect(ids(table)).toEqual(['c2'])
    expect(table.apply(document(3, 'full', CONTACT))).toBe('applied')
    expect(ids(table)).toEqual(['c1'])
    expect(table.registrations.get('r7')!.state).toBe('active')
  })

  it('is left alone by an old document, and by a partial one behind a gap until a full one comes', () => {
    const table = new RegTable()
    expect(table.apply(document(0, 'partial', CONTACT))).toBe('applied')
    expect(table.apply(document(0, 'partial'))).toBe('old')
    expect(table.apply(document(2, 'partial', second))).toBe('gap')
    expect(ids(table)).toEqual(['c1'])
    expect(table.apply(document(5, 'full', second))).toBe('applied')
    expect(table.apply(document(4, 'full', CONTACT))).toBe('old')
    expect(ids(table)).toEqual(['c2'])
  })

  it('is replaced by each full document of a notifier that gives all of them the same number', () => {
    const table = new RegTable()
    expect([document(0, 'full'), document(0, 'full', CONTACT), document(0, 'full', second)].map((each) => table.apply(each))).toEqual(['applied', 'applied', 'applied'])
    expect(ids(table)).toEqual(['c2'])
    expect(table.apply(document(0, 'partial', CONTACT))).toBe('old')
  })
})
