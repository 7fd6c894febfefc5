/** The Push Sender Agent alone: what it sends, what it makes of the answers, and one MESSAGE pending to a Request-URI. */
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { TICK } from '../../core/kit/machine.js'
import { SenderAgent, type AgentAnswer, type AgentPush } from '../../core/ota/sender-agent.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { parseMessage } from '../../core/sip/parse.js'
import { responseTo, writeMessage } from '../../core/sip/write.js'

const FLOW = 7

/** The agent with one connection to the core network, whose other end the test plays. */
class Network {
  readonly agent = new SenderAgent({ identity: 'sip:mail@ims.example', sipAddress: '127.0.0.1:5090', userAgent: 'test', nextHop: { transport: 'tcp', address: '127.0.0.1', port: 5070 } }, new SeededEntropy(5))
  readonly requests: SipMessage[] = []
  readonly answers: AgentAnswer[] = []
  mono = 1_000_000

  push(push: Partial<AgentPush> & { ticket: number }): void {
    this.agent.handle(this.now, { type: 'push', to: 'sip:alice@ims.example', application: 'x-wap-application:mms.ua', contentType: 'text/plain', content: Buffer.from('hello'), ...push })
    this.drain()
  }

  answer(status: number): void {
    this.agent.handle(this.now, { type: 'bytes', flow: FLOW, bytes: writeMessage(responseTo(this.requests.shift()!, status, undefined, 'ue')) })
    this.drain()
  }

  pass(seconds: number): void {
    this.mono += seconds * 1_000_000
    this.agent.handle(this.now, TICK)
    this.drain()
  }

  private get now() {
    return { mono: this.mono, wall: 1_700_000_000_000 }
  }

  private drain(): void {
    for (let out = this.agent.poll(); out !== undefined; out = this.agent.poll()) {
      if (out.type === 'pushed') this.answers.push(out)
      else if (out.type === 'transmit') this.requests.push(parseMessage(out.bytes).message!)
      else if (out.type === 'connect') {
        this.agent.handle(this.now, { type: 'flow-up', flow: FLOW, transport: 'tcp', local: { address: '127.0.0.1', port: 40_000 }, remote: out.remote, ticket: out.ticket })
      }
    }
  }
}

describe('the Push Sender Agent', () => {
  it('sends a MESSAGE aimed at the application, under its own asserted identity', () => {
    const network = new Network()
    network.push({ ticket: 1, pushId: 'mail-1' })
    const [request] = network.requests
    expect(request!.requestUri).toBe('sip:alice@ims.example')
    expect(request!.get(Header.AcceptContact)).toBe('*;+g.oma.pusheventapp="mms.ua";require;explicit')
    expect(request!.get(Header.PAssertedIdentity)).toBe('<sip:mail@ims.example>')
    expect(request!.get(Header.XPushId)).toBe('mail-1')
    expect(request!.get(Header.RequestDisposition)).toBe('fork, parallel')
    expect(request!.body.toString()).toBe('hello')
  })

  it('does not let a push to one GRUU fork', () => {
    const network = new Network()
    network.push({ ticket: 1, to: 'sip:alice@ims.example;gr=urn:uuid:1' })
    expect(network.requests[0]!.get(Header.RequestDisposition)).toBe('no-fork')
  })

  it.each([[200, 'delivered'], [202, 'stored'], [404, 'refused'], [480, 'refused'], [603, 'refused']] as const)('reports %i as %s', (status, result) => {
    const network = new Network()
    network.push({ ticket: 4 })
    network.answer(status)
    expect(network.answers).toMatchObject([{ ticket: 4, result, status }])
    expect(network.agent.underWay).toBe(0)
  })

  it('reports silence when timer F has fired', () => {
    const network = new Network()
    network.push({ ticket: 1 })
    network.pass(31)
    expect(network.answers).toEqual([])
    network.pass(2)
    expect(network.answers).toMatchObject([{ result: 'unanswered', status: 0 }])
    expect([network.agent.underWay, network.agent.deadline()]).toEqual([0, Infinity])
  })

  it('keeps one MESSAGE pending to a Request-URI and sends the others in their order; other users do not wait (RFC 3428 section 8)', () => {
    const network = new Network()
    for (const ticket of [1, 2, 3]) network.push({ ticket, pushId: `mail-${ticket}` })
    network.push({ ticket: 4, to: 'sip:bob@ims.example', pushId: 'mail-4' })
    const sent = () => network.requests.map((request) => request.get(Header.XPushId))
    expect(sent()).toEqual(['mail-1', 'mail-4'])
    network.answer(200)
    expect(sent()).toEqual(['mail-4', 'mail-2'])
    network.answer(200)
    network.answer(486)
    network.answer(200)
    expect(network.answers.map(({ ticket, result }) => [ticket, result])).toEqual([[1, 'delivered'], [4, 'delivered'], [2, 'refused'], [3, 'delivered']])
  })

  it.each([
    ['tel:+35799000000', 'sip:alice@ims.example', { to: 'tel:+35799000000' }], ['no user', 'sip:alice@ims.example', { to: 'sip:ims.example' }],
    ['no application', 'x-wap-application:mms.ua', { application: 'mms' }], ['no content type', 'text/plain', { contentType: 'plain' }],
    ['a line break in the content type', 'text/plain', { contentType: 'text/plain; a=1\r\nEvil: 1' }], ['a line break in the push-id', 'line break', { pushId: 'a\r\nEvil: 1' }],
  ])('sends nothing for %s and says what would be right', (_, right, wrong) => {
    const network = new Network()
    network.push({ ticket: 9, ...wrong })
    expect(network.requests).toEqual([])
    expect(network.answers).toMatchObject([{ ticket: 9, result: 'invalid' }])
    expect(network.answers[0]!.reason).toContain(right)
  })
})
