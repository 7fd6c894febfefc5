/** What a REGISTER changes (RFC 3261 section 10.3, RFC 5626 section 6, TS 24.229 section 5.4.1): all or nothing. */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { DOMAIN, ImsHarness, PORTS, subscriber, type Peer } from './ims-harness.js'

const PHONE = 'urn:uuid:00000000-0000-4000-8000-000000000001'
const TABLET = 'urn:uuid:00000000-0000-4000-8000-000000000002'
const OUTBOUND = 'path, gruu, outbound'

function registered(options: Parameters<Peer['register']>[0] = {}) {
  const harness = new ImsHarness()
  const ue = harness.tcp(PORTS.pcscf)
  const answer = ue.register(options)
  return { harness, ue, answer }
}

/** A REGISTER with these header lines in place of the usual Contact. */
function raw(ue: Peer, cseq: number, lines: string, callId = `call-${ue.flow}`) {
  ue.request(`REGISTER sip:${DOMAIN}`, `Max-Forwards: 70
From: <sip:alice@${DOMAIN}>;tag=raw
To: <sip:alice@${DOMAIN}>
Call-ID: ${callId}
CSeq: ${cseq} REGISTER
Authorization: ${ue.authorization}
Supported: path
${lines}`.trim())
  return ue.last()
}

describe('expiry', () => {
  it('too brief is answered 423 with the least that is taken', () => {
    const { answer } = registered({ expires: 59 })
    expect(answer.status).toBe(423)
    expect(answer.get(Header.MinExpires)).toBe('60')
  })

  it('is the contact\'s own, else the Expires header, else the default, and never above the most', () => {
    expect(registered({ expires: 700, params: ';expires=900' }).answer.get(Header.Contact)).toMatch(/;expires=900$/)
    expect(registered({ expires: 700 }).answer.get(Header.Contact)).toMatch(/;expires=700$/)
    expect(registered().answer.get(Header.Contact)).toMatch(/;expires=3600$/)
    expect(registered({ expires: 4_294_967_295 }).answer.get(Header.Contact)).toMatch(/;expires=600000$/)
  })

  it('ends a binding to the second', () => {
    const { harness } = registered({ expires: 600 })
    harness.pass(599)
    expect(harness.core.population()).toEqual({ users: 1, bindings: 1 })
    harness.pass(1)
    expect(harness.core.population()).toEqual({ users: 0, bindings: 0 })
  })

  it('is counted anew by a refresh', () => {
    const { harness, ue } = registered({ expires: 600 })
    harness.pass(500)
    ue.registerOnce({ expires: 600 })
    harness.pass(500)
    expect(harness.core.population().bindings).toBe(1)
  })
})

describe('a REGISTER', () => {
  it('without Contact asks, and changes nothing', () => {
    const { harness, ue } = registered({ expires: 600 })
    const answer = raw(ue, 7, '')
    expect(answer.status).toBe(200)
    expect(answer.getAll(Header.Contact)).toHaveLength(1)
    expect(harness.core.population().bindings).toBe(1)
  })

  it('with Contact: * and Expires: 0 removes every binding; without them together it is 400', () => {
    const { harness, ue } = registered()
    expect(raw(ue, 7, 'Contact: *').status).toBe(400)
    expect(raw(ue, 8, 'Contact: *, <sip:alice@127.0.0.2>\nExpires: 0').status).toBe(400)
    expect(harness.core.population().bindings).toBe(1)
    expect(raw(ue, 9, 'Contact: *\nExpires: 0').status).toBe(200)
    expect(harness.core.population()).toEqual({ users: 0, bindings: 0 })
  })

  it('with a CSeq that is not higher, under the same Call-ID, fails as a whole', () => {
    const { harness, ue } = registered({ contact: 'sip:alice@127.0.0.2:1' })
    const answer = raw(ue, 2, 'Contact: <sip:alice@127.0.0.2:9>, <sip:alice@127.0.0.2:1>;expires=0')
    expect(answer.status).toBe(500)
    expect(harness.core.population().bindings).toBe(1)
    expect(raw(ue, 7, '').get(Header.Contact)).toContain('<sip:alice@127.0.0.2:1>')
    expect(raw(ue, 1, 'Contact: <sip:alice@127.0.0.2:1>;expires=0', 'another').status).toBe(200)
    expect(harness.core.population().bindings).toBe(0)
  })

  it('keeps nothing when one of several contacts is refused', () => {
    const { harness, ue } = registered()
    expect(raw(ue, 7, 'Contact: <sip:alice@127.0.0.2:8>\nContact: <sip:alice@127.0.0.2:9>;expires=5').status).toBe(423)
    expect(harness.core.population().bindings).toBe(1)
  })

  it('removes one contact and adds another in one step', () => {
    const { harness, ue } = registered({ contact: 'sip:alice@127.0.0.2:1' })
    expect(raw(ue, 7, 'Contact: <sip:alice@127.0.0.2:1>;expires=0, <sip:alice@127.0.0.2:2>').getAll(Header.Contact)).toHaveLength(1)
    expect(harness.core.population()).toEqual({ users: 1, bindings: 1 })
    expect(harness.core.scscf.registrar.isRegistered(`sip:alice@${DOMAIN}`)).toBe(true)
  })

  it('names an extension that is unknown: 420 with Unsupported', () => {
    const { ue } = registered()
    const answer = raw(ue, 7, 'Require: gruu, teleport\nContact: <sip:alice@127.0.0.2>')
    expect(answer.status).toBe(420)
    expect(answer.get(Header.Unsupported)).toBe('teleport')
  })

  it('may require what is supported, its name in any case (RFC 3261 section 7.3.1)', () => {
    const { ue } = registered()
    expect(raw(ue, 7, 'Require: GRUU, Path\nContact: <sip:alice@127.0.0.2>').status).toBe(200)
  })

  it('cannot bind the address-of-record, a GRUU, or what is no SIP URI', () => {
    const { ue } = registered()
    expect(raw(ue, 7, `Contact: <sip:alice@${DOMAIN}>`).status).toBe(403)
    expect(raw(ue, 8, `Contact: <sip:bob@${DOMAIN};gr=x>`).status).toBe(403)
    expect(raw(ue, 9, 'Contact: <mailto:alice@example.net>').status).toBe(400)
  })

  it('beyond the bindings one user may have is 403', () => {
    const { ue } = registered()
    const many = Array.from({ length: 16 }, (_, index) => `<sip:alice@127.0.0.2:${index + 1}>`).join(', ')
    expect(raw(ue, 7, `Contact: ${many}`).status).toBe(403)
  })
})

describe('a contact', () => {
  it('is the same under RFC 3261 19.1.4, however it is written', () => {
    const { harness, ue } = registered({ contact: 'sip:alice@127.0.0.2:1;x=1' })
    raw(ue, 7, 'Contact: <sip:%61lice@127.0.0.2:1>')
    expect(harness.core.population().bindings).toBe(1)
  })

  it('of the same instance takes the place of the old one (no reg-id)', () => {
    const { harness, ue } = registered({ instance: PHONE })
    const answer = ue.registerOnce({ instance: PHONE, contact: 'sip:alice@127.0.0.9:4' })
    expect(answer.getAll(Header.Contact)).toHaveLength(1)
    expect(answer.get(Header.Contact)).toContain('<sip:alice@127.0.0.9:4>')
    expect(harness.core.population().bindings).toBe(1)
  })

  it('of another instance stands beside it', () => {
    const { harness } = registered({ instance: PHONE })
    harness.tcp(PORTS.pcscf).register({ instance: TABLET })
    expect(harness.core.population()).toEqual({ users: 1, bindings: 2 })
  })

  it('is keyed by instance and reg-id with outbound, whatever its URI', () => {
    const { harness, ue, answer } = registered({ instance: PHONE, params: ';reg-id=1', supported: OUTBOUND })
    expect(answer.get(Header.Require)).toBe('outbound')
    ue.registerOnce({ instance: PHONE, params: ';reg-id=1', supported: OUTBOUND, contact: 'sip:alice@127.0.0.9:4' })
    expect(harness.core.population().bindings).toBe(1)
    ue.registerOnce({ instance: PHONE, params: ';reg-id=2', supported: OUTBOUND, contact: 'sip:alice@127.0.0.9:5' })
    expect(harness.core.population().bindings).toBe(2)
  })

  it('keeps its feature tags only as long as each refresh repeats them', () => {
    const { ue, answer } = registered({ instance: PHONE, params: ';+g.oma.pusheventapp="mms.ua"' })
    expect(answer.get(Header.Contact)).toContain('mms.ua')
    expect(ue.registerOnce({ instance: PHONE }).get(Header.Contact)).not.toContain('mms.ua')
  })

  it('several live ones with a reg-id in one REGISTER are 400', () => {
    const { ue } = registered()
    const lines = ['Supported: outbound', `Contact: <sip:a@127.0.0.2:1>;reg-id=1;+sip.instance="<${PHONE}>", <sip:a@127.0.0.2:2>;reg-id=2;+sip.instance="<${PHONE}>"`]
    expect(raw(ue, 7, lines.join('\n')).status).toBe(400)
  })
})

describe('identities', () => {
  const tel = 'tel:+12125550107'
  const people = [
    subscriber('alice', { identities: [{ uri: `sip:alice@${DOMAIN}`, barred: false }, { uri: tel, barred: false }, { uri: `sip:hidden@${DOMAIN}`, barred: true }] }),
    subscriber('carol', { mayRegister: false }),
  ]

  it('of one implicit registration set share bindings; a barred one is left out', () => {
    const harness = new ImsHarness((settings) => settings, people)
    const ue = harness.tcp(PORTS.pcscf)
    expect(ue.register().get(Header.PAssociatedUri)).toBe(`<sip:alice@${DOMAIN}>, <${tel}>`)
    const gateway = harness.tcp(PORTS.icscf)
    gateway.message(tel)
    expect(ue.last().get(Header.PCalledPartyId)).toBe(`<${tel}>`)
    gateway.message(`sip:hidden@${DOMAIN}`)
    expect(gateway.last().status).toBe(404)
  })

  it('that are unknown, or may not register, are refused 403 by the I-CSCF', () => {
    const ue = new ImsHarness((settings) => settings, people).tcp(PORTS.pcscf)
    expect(ue.registerOnce({ name: 'nobody' }).status).toBe(403)
    expect(ue.registerOnce({ name: 'carol' }).status).toBe(403)
  })
})
