/** Initial filter criteria and third-party registration (TS 24.229 section 5.4.1.7): when a server hears of a user, and what. */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { parseMessage } from '../../core/sip/parse.js'
import { FilterCriteria, type ApplicationServer, type ServicePoint, type Triggering } from '../../sim/ims/filter-criteria.js'
import { DOMAIN, ImsHarness, PORTS, type Peer } from './ims-harness.js'

const INSTANCE = 'urn:uuid:6f0e1c5e-0a07-4b6e-9d52-1d2a3b4c5d6e'
const SERVER: ApplicationServer = {
  uri: `sip:push.${DOMAIN}`, hop: { transport: 'tcp', address: '127.0.0.1', port: 6_000 }, defaultHandling: 'continue',
  serviceInfo: 'push & more', includeRegisterRequest: true, includeRegisterResponse: true,
}

function withServer(change: Partial<ApplicationServer> = {}, groups: ServicePoint[][] = [[{ type: 'method', method: 'REGISTER' }]]) {
  const server = { ...SERVER, ...change }
  const harness = new ImsHarness((settings) => ({ ...settings, filterCriteria: [{ priority: 1, groups, server }] }))
  const peers = harness.listenAt(6_000)
  const ue = harness.tcp(PORTS.pcscf)
  return { harness, ue, server: (): Peer => peers[0]! }
}

function partsOf(message: SipMessage): { type: string; body: Buffer }[] {
  const boundary = /boundary="([^"]+)"/.exec(message.get(Header.ContentType)!)![1]!
  const pieces = message.body.toString('latin1').split(`--${boundary}`)
  expect(pieces[0]).toBe('')
  expect(pieces.at(-1)).toBe('--\r\n')
  return pieces.slice(1, -1).map((piece) => {
    const head = piece.indexOf('\r\n\r\n')
    return { type: /Content-Type: ([^\r]+)/.exec(piece)![1]!, body: Buffer.from(piece.slice(head + 4, -2), 'latin1') }
  })
}

describe('third-party registration', () => {
  it('tells of an initial registration with service info, the REGISTER and its 200', () => {
    const { ue, server } = withServer()
    ue.register({ instance: INSTANCE, params: ';+g.oma.pusheventapp="mms.ua"', expires: 1_200, more: '\nP-Access-Network-Info: IEEE-802.11' })
    const told = server().last()
    expect(told.method).toBe('REGISTER')
    expect(told.requestUri).toBe(`sip:push.${DOMAIN}`)
    expect(told.get(Header.To)).toBe(`<sip:alice@${DOMAIN}>`)
    expect(told.get(Header.From)).toMatch(/^<sip:scscf\.home1\.example>;tag=/)
    expect(told.get(Header.Contact)).toBe('<sip:scscf.home1.example>')
    expect(told.get(Header.Expires)).toBe('1200')
    expect(told.get(Header.PAccessNetworkInfo)).toBe('IEEE-802.11')
    expect(told.has(Header.Authorization)).toBe(false)
    const [info, register, answer, ...rest] = partsOf(told)
    expect(rest).toEqual([])
    expect(info!.type).toBe('application/3gpp-ims+xml')
    expect(info!.body.toString()).toContain('<service-info>push &amp; more</service-info>')
    expect([register!.type, answer!.type]).toEqual(['message/sip', 'message/sip'])
    const request = parseMessage(register!.body).message!
    expect(request.get(Header.Contact)).toContain('mms.ua')
    const response = parseMessage(answer!.body).message!
    expect(response.status).toBe(200)
    expect(response.get(Header.Contact)).toContain('pub-gruu')
  })

  it('tells of a refresh, of leaving and of expiry, each once', () => {
    const { harness, ue, server } = withServer()
    const told = (): string[] => server().received.splice(0).map((message) => message.get(Header.Expires)!)
    const answerAll = (): void => { for (const message of [...server().received]) server().answer(message, 200) }
    ue.register({ expires: 600 })
    answerAll()
    expect(told()).toEqual(['600'])
    harness.pass(100)
    ue.registerOnce({ expires: 600 })
    answerAll()
    expect(told()).toEqual(['600'])
    ue.registerOnce({ expires: 0 })
    answerAll()
    expect(told()).toEqual(['0'])
    ue.authorization = ''
    ue.register({ expires: 600 })
    answerAll()
    expect(told()).toEqual(['600'])
    harness.pass(600)
    const last = server().last()
    expect(last.get(Header.Expires)).toBe('0')
    expect(last.get(Header.ContentType)).toBe('application/3gpp-ims+xml')
  })

  it('is kept to the registration types the trigger names', () => {
    const { ue, server } = withServer({}, [[{ type: 'method', method: 'REGISTER', registrationTypes: ['de-registration'] }]])
    ue.register()
    expect(server()).toBeUndefined()
    ue.registerOnce({ expires: 0 })
    expect(server().last().get(Header.Expires)).toBe('0')
  })

  it('leaves out what the criterion does not ask for', () => {
    const { serviceInfo: _, ...bare } = SERVER
    const harness = new ImsHarness((settings) => ({
      ...settings, filterCriteria: [{ priority: 1, groups: [], server: { ...bare, includeRegisterRequest: false, includeRegisterResponse: false } }],
    }))
    const peers = harness.listenAt(6_000)
    harness.tcp(PORTS.pcscf).register()
    const told = peers[0]!.last()
    expect(told.body.length).toBe(0)
    expect(told.has(Header.ContentType)).toBe(false)
  })
})

describe('a server that fails', () => {
  it('changes nothing under SESSION_CONTINUED', () => {
    const { harness, ue, server } = withServer()
    ue.register()
    server().answer(server().last(), 503)
    expect(harness.core.population().users).toBe(1)
  })

  for (const [how, fail] of [
    ['answers 5xx', (_: ImsHarness, server: Peer): void => server.answer(server.last(), 500)],
    ['is silent', (harness: ImsHarness): void => harness.pass(33)],
  ] as const) {
    it(`and ${how} ends the registration under SESSION_TERMINATED`, () => {
      const { harness, ue, server } = withServer({ defaultHandling: 'terminate' })
      ue.register()
      expect(harness.core.population().users).toBe(1)
      fail(harness, server())
      expect(harness.core.population()).toEqual({ users: 0, bindings: 0 })
    })
  }

  it('cannot be reached: the registration ends under SESSION_TERMINATED', () => {
    const harness = new ImsHarness((settings) => ({ ...settings, filterCriteria: [{ priority: 1, groups: [], server: { ...SERVER, defaultHandling: 'terminate' } }] }))
    expect(harness.tcp(PORTS.pcscf).register().status).toBe(200)
    harness.pass(1)
    expect(harness.core.population().users).toBe(0)
  })
})

describe('filter criteria', () => {
  const request = (change: Partial<Triggering> = {}): Triggering => ({
    method: 'MESSAGE', requestUri: `sip:alice@${DOMAIN}`, sessionCase: 'terminating-unregistered', registrationType: undefined,
    header: (name) => (name === 'accept-contact' ? ['*;+g.oma.pusheventapp="mms.ua"'] : []), ...change,
  })
  const fires = (...groups: ServicePoint[][]): boolean => new FilterCriteria([{ priority: 0, groups, server: SERVER }]).matching(request()).length === 1

  it('without a trigger point always fire', () => {
    expect(fires()).toBe(true)
  })

  it('join points by AND within a group, groups by OR, and may be negated', () => {
    const method: ServicePoint = { type: 'method', method: 'MESSAGE' }
    const registeredCase: ServicePoint = { type: 'session-case', sessionCase: 'terminating-registered' }
    expect(fires([method])).toBe(true)
    expect(fires([method, registeredCase])).toBe(false)
    expect(fires([method, { ...registeredCase, negated: true }])).toBe(true)
    expect(fires([registeredCase], [method])).toBe(true)
  })

  it('look at headers by name and content, and at the Request-URI', () => {
    expect(fires([{ type: 'header', name: 'Accept-Contact', content: '.*pusheventapp.*' }])).toBe(true)
    expect(fires([{ type: 'header', name: 'Accept-Contact', content: 'wml' }])).toBe(false)
    expect(fires([{ type: 'header', name: 'Accept-Contact' }])).toBe(true)
    expect(fires([{ type: 'header', name: 'Subject' }])).toBe(false)
    expect(fires([{ type: 'request-uri', pattern: '^sip:alice@' }])).toBe(true)
  })

  it('run in order of priority', () => {
    const criteria = new FilterCriteria([3, 1, 2].map((priority) => ({ priority, groups: [], server: { ...SERVER, uri: `sip:${priority}` } })))
    expect(criteria.matching(request()).map((server) => server.uri)).toEqual(['sip:1', 'sip:2', 'sip:3'])
  })
})
