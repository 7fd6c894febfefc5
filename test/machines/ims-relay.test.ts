/** REGISTER and MESSAGE through the three nodes: what each end sees, in both modes. */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { DOMAIN, ImsHarness, PORTS, type Peer } from './ims-harness.js'

const INSTANCE = 'urn:uuid:6f0e1c5e-0a07-4b6e-9d52-1d2a3b4c5d6e'
const TAGS = ';+g.oma.pusheventapp="push.sia,mms.ua"'
const ACCEPT = 'Accept-Contact: *;+g.oma.pusheventapp="mms.ua";require;explicit'

function registered(harness: ImsHarness): { ue: Peer; gateway: Peer } {
  const ue = harness.tcp(PORTS.pcscf)
  expect(ue.register({ instance: INSTANCE, params: TAGS, expires: 600_000 }).status).toBe(200)
  return { ue, gateway: harness.tcp(PORTS.icscf, { address: '127.0.0.3', port: 41_022 }) }
}

for (const mode of ['collapsed', 'split'] as const) {
  describe(`a ${mode} core`, () => {
    const make = () => new ImsHarness((settings) => ({ ...settings, mode }))

    it('challenges a REGISTER with both algorithms and takes it with credentials', () => {
      const ue = make().tcp(PORTS.pcscf)
      const challenge = ue.registerOnce({ instance: INSTANCE, params: TAGS })
      expect(challenge.status).toBe(401)
      expect(challenge.getAll(Header.WwwAuthenticate).map((value) => /algorithm=([\w-]+)/.exec(value)![1])).toEqual(['SHA-256', 'MD5'])
      const answer = ue.register({ instance: INSTANCE, params: TAGS, expires: 600_000 })
      expect(answer.status).toBe(200)
      expect(answer.get(Header.Path)).toMatch(/^<sip:[\w+/=]{32}@pcscf\.home1\.example;lr;ob>$/)
      expect(answer.get(Header.ServiceRoute)).toBe('<sip:orig@scscf.home1.example;lr>')
      expect(answer.get(Header.PAssociatedUri)).toBe(`<sip:alice@${DOMAIN}>`)
      expect(answer.get(Header.Contact)).toContain(`;+sip.instance="<${INSTANCE}>"${TAGS};pub-gruu="sip:alice@${DOMAIN};gr=${INSTANCE}";temp-gruu="sip:tgruu.`)
      expect(answer.get(Header.Contact)).toMatch(/;expires=600000$/)
      expect(answer.has(Header.PChargingVector)).toBe(false)
    })

    it('relays a MESSAGE to the terminal and its answer back', () => {
      const { ue, gateway } = registered(make())
      gateway.message(`sip:alice@${DOMAIN}`, ACCEPT)
      const request = ue.last()
      expect(request.method).toBe('MESSAGE')
      expect(request.requestUri).toBe(`sip:alice@${ue.remote.address}:${ue.remote.port};transport=tcp`)
      expect(request.get(Header.MaxForwards)).toBe('67')
      expect(request.get(Header.PAssertedIdentity)).toBe(`<sip:push@ppg.${DOMAIN}>`)
      expect(request.get(Header.PCalledPartyId)).toBe(`<sip:alice@${DOMAIN}>`)
      expect(request.has(Header.PChargingVector)).toBe(false)
      expect(request.has(Header.Route)).toBe(false)
      expect(request.getAll(Header.Via)).toHaveLength(4)
      expect(request.body.toString()).toBe('hello')
      ue.answer(request, 200)
      const response = gateway.last()
      expect(response.status).toBe(200)
      expect(response.getAll(Header.Via)).toHaveLength(1)
    })

    it.each([['stays silent', undefined], ['answers 408, which is silence (RFC 4320 section 4.2)', 408]])('forgets a MESSAGE whose terminal %s, in every node, and answers nothing', (_, status) => {
      const harness = make()
      const { ue, gateway } = registered(harness)
      gateway.received.length = 0
      gateway.message(`sip:alice@${DOMAIN}`, ACCEPT)
      if (status !== undefined) ue.answer(ue.last(), status)
      harness.pass(100)
      expect(gateway.received.filter(({ status }) => status >= 200)).toEqual([])
      const counters = harness.core.counters()
      for (const node of ['pcscf', 'icscf', 'scscf']) expect([node, counters[`${node}.unanswered`], counters[`${node}.openTransactions`]]).toEqual([node, 0, 0])
    })
  })
}

describe('collapsed and split', () => {
  it('write the same bytes to the terminal except branches and ports', () => {
    const seen = (['collapsed', 'split'] as const).map((mode) => {
      const { ue, gateway } = registered(new ImsHarness((settings) => ({ ...settings, mode })))
      ue.octets.length = 0
      gateway.message(`sip:alice@${DOMAIN};gr=${INSTANCE}`, ACCEPT)
      return withoutChance(ue.octets)
    })
    expect(seen[0]).toContain('P-Called-Party-ID')
    expect(seen[1]).toBe(seen[0])
  })
})

/** Branches and ports aside, which name transactions and sockets. */
function withoutChance(octets: readonly Buffer[]): string {
  return Buffer.concat(octets).toString('latin1').replace(/branch=[\w.]+/g, 'branch=B').replace(/(\d+\.\d+\.\d+\.\d+):\d+/g, '$1:P').replace(/rport=\d+/g, 'rport=P')
}

