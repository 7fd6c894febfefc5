/** GRUUs of the registrar: the vector of RFC 5627 appendix A.2, and how long each kind lives. */
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { flowToken, openFlowToken } from '../../sim/ims/flow-token.js'
import { TemporaryGruus, grOfInstance } from '../../sim/ims/gruu.js'
import { DOMAIN, ImsHarness, PORTS } from './ims-harness.js'

const octets = (count: number, from = 0): Buffer => Buffer.from(Array.from({ length: count }, (_, index) => from + index))
const INSTANCE = 'urn:uuid:6f0e1c5e-0a07-4b6e-9d52-1d2a3b4c5d6e'
const temporaryOf = (answer: SipMessage): string => /temp-gruu="([^"]+)"/.exec(answer.get(Header.Contact)!)![1]!
const publicOf = (answer: SipMessage): string => /pub-gruu="([^"]+)"/.exec(answer.get(Header.Contact)!)![1]!

describe('temporary GRUUs', () => {
  const gruus = new TemporaryGruus(systemCrypto, new SeededEntropy(1), octets(16), octets(32))

  it('follow the algorithm of RFC 5627 A.2 to the octet', () => {
    expect(gruus.mint(7, octets(10, 1))).toBe('tgruu.sto4b3j9Nmj1k21oePacYgEDkzi4PzxT1ueA')
    expect(gruus.open('tgruu.sto4b3j9Nmj1k21oePacYgEDkzi4PzxT1ueA')).toBe(7)
  })

  it('open only when nobody touched them', () => {
    const user = gruus.mint(2 ** 40)
    expect(gruus.open(user)).toBe(2 ** 40)
    for (const at of [6, 20, 27, 28, 41]) {
      const touched = user.slice(0, at) + (user[at] === 'A' ? 'B' : 'A') + user.slice(at + 1)
      expect(gruus.open(touched), touched).toBeUndefined()
    }
    expect(gruus.open(user.slice(0, -1))).toBeUndefined()
  })
})

describe('public GRUUs', () => {
  it('use a UUID as it is and hide an IMEI behind a name-based one (RFC 7255 section 7)', () => {
    expect(grOfInstance(systemCrypto, INSTANCE)).toBe(INSTANCE)
    const gr = grOfInstance(systemCrypto, 'urn:gsma:imei:90420156-025763-0')
    expect(gr).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(grOfInstance(systemCrypto, 'urn:gsma:imei:90420156-025763-0')).toBe(gr)
  })
})

describe('flow tokens', () => {
  const K = octets(20)
  const flow = { transport: 'tcp', local: { address: '203.0.113.5', port: 5060 }, remote: { address: '198.51.100.11', port: 5060 } } as const

  it('are HMAC-SHA1-80 over the ends of the flow (RFC 5626 section 5.2)', () => {
    expect(flowToken(systemCrypto, K, flow)).toBe('MKUqDG3GOaUiyQHLAHEFE8TGM2QLE8Q=')
    expect(openFlowToken(systemCrypto, K, 'MKUqDG3GOaUiyQHLAHEFE8TGM2QLE8Q=')).toEqual(flow)
  })

  it('are not opened under another key, nor when cut or made longer', () => {
    expect(openFlowToken(systemCrypto, octets(20, 1), 'MKUqDG3GOaUiyQHLAHEFE8TGM2QLE8Q=')).toBeUndefined()
    for (const token of ['', 'MKUqDG3GOaUiyQHLAHEFE8TGM2QLE8', 'MKUqDG3GOaUiyQHLAHEFE8TGM2QLE8QA', '!!!', 'A'.repeat(32)]) {
      expect(openFlowToken(systemCrypto, K, token), token).toBeUndefined()
    }
  })

  it('carry IPv6 addresses', () => {
    const six = { transport: 'udp', local: { address: '::1', port: 5060 }, remote: { address: '2001:db8::9:1', port: 40000 } } as const
    const opened = openFlowToken(systemCrypto, K, flowToken(systemCrypto, K, six))!
    expect(flowToken(systemCrypto, K, opened)).toBe(flowToken(systemCrypto, K, six))
  })
})

describe('a registered instance', () => {
  function setUp() {
    const harness = new ImsHarness()
    const ue = harness.tcp(PORTS.pcscf)
    return { harness, ue, gateway: harness.tcp(PORTS.icscf), first: ue.register({ instance: INSTANCE }) }
  }

  it('is reached by its public and by every temporary GRUU of its Call-ID epoch', () => {
    const { ue, gateway, first } = setUp()
    const second = ue.register({ instance: INSTANCE })
    expect(temporaryOf(second)).not.toBe(temporaryOf(first))
    for (const gruu of [publicOf(first), temporaryOf(first), temporaryOf(second)]) {
      gateway.message(gruu)
      const request = ue.last()
      expect(request.get(Header.PCalledPartyId)).toBe(`<${gruu}>`)
      expect(request.requestUri).not.toContain('gr')
      ue.answer(request, 200)
      expect(gateway.last().status).toBe(200)
    }
  })

  it('loses its temporary GRUUs when it registers with a new Call-ID, and keeps the public one', () => {
    const { ue, gateway, first } = setUp()
    ue.register({ instance: INSTANCE, callId: 'after-reboot' })
    gateway.message(temporaryOf(first))
    expect(gateway.last().status).toBe(404)
    gateway.message(publicOf(first))
    expect(ue.last().method).toBe('MESSAGE')
  })

  it('is known but offline after it has left: 480 for the public GRUU, 404 for a temporary one', () => {
    const { ue, gateway, first } = setUp()
    ue.register({ instance: INSTANCE, expires: 0 })
    gateway.message(publicOf(first))
    expect(gateway.last().status).toBe(480)
    gateway.message(temporaryOf(first))
    expect(gateway.last().status).toBe(404)
  })

  it('is 404 under a GRUU that never was', () => {
    const { gateway } = setUp()
    gateway.message(`sip:alice@${DOMAIN};gr=urn:uuid:00000000-0000-4000-8000-000000000000`)
    expect(gateway.last().status).toBe(404)
    gateway.message(`sip:tgruu.${'A'.repeat(36)}@${DOMAIN};gr`)
    expect(gateway.last().status).toBe(404)
  })

  it('is told no GRUU when it does not understand them', () => {
    const harness = new ImsHarness()
    const answer = harness.tcp(PORTS.pcscf).register({ instance: INSTANCE, supported: 'path' })
    expect(answer.get(Header.Contact)).not.toContain('gruu')
  })
})
