/**
 * Registration knowledge by the reg event package (RFC 3680, RFC 5628): whom the gateway watches, what it believes, how it
 * mends gaps, and that pushes wait and wake as with third-party REGISTER.
 */
import { describe, expect, it } from 'vitest'
import type { GatewaySettings } from '../../core/push/settings.js'
import type { RegContact, RegInfo } from '../../core/reg/model.js'
import { writeRegInfo } from '../../core/reg/write.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { tagOf } from '../../core/sip/name-addr.js'
import { responseTo } from '../../core/sip/write.js'
import { GatewayWorld, PEER, sipAddress, thirdPartyRegister, user } from './gateway-world.js'

const SECOND = 1_000_000
const HOUR = 3_600 * SECOND
const AOR = 'sip:anna@ims.example'
const GRUU = `${AOR};gr=urn:uuid:1`

/** The reg notifier of the S-CSCF by hand, and terminals that answer `terminal`. */
class Watched extends GatewayWorld {
  readonly subscribes: SipMessage[] = []
  readonly messages: SipMessage[] = []
  terminal: number | undefined = 200
  refusal = 200
  /** Of a refusal; '' for none. */
  retryAfter = ''
  private version = 0
  private cseq = 0
  private branch = 0

  constructor(settings: Partial<GatewaySettings> = {}) {
    super({
      settings: { registrations: 'reg-event', ...settings },
      core: (request) => this.answered(request),
    })
  }

  private answered(request: SipMessage): number | SipMessage | undefined {
    if (request.method !== 'SUBSCRIBE') {
      this.messages.push(request)
      return this.terminal
    }
    this.subscribes.push(request)
    if (this.refusal !== 200) return this.retryAfter === '' ? this.refusal : responseTo(request, this.refusal, undefined, 'scscf').append(Header.RetryAfter, composed(this.retryAfter))
    const ok = responseTo(request, 200, undefined, 'scscf')
    return ok.append(Header.Contact, composed(`<sip:${PEER}:5060;transport=tcp>`)).append(Header.Expires, request.get(Header.Expires)!)
  }

  /** A NOTIFY in the dialog of the last first SUBSCRIBE. */
  tell(info: Partial<RegInfo> & Pick<RegInfo, 'registrations'>, state = 'active;expires=3600', body?: Buffer, type = 'application/reginfo+xml'): number {
    const first = [...this.subscribes].reverse().find((request) => tagOf(request, Header.To) === '')!
    const notify = new SipMessage({ method: 'NOTIFY', requestUri: 'sip:127.0.0.1:5070' })
    notify.append(Header.Via, composed(`SIP/2.0/TCP ${PEER}:5060;branch=z9hG4bKn${++this.branch}`)).append(Header.MaxForwards, composed('70'))
    notify.append(Header.From, composed(`${first.get(Header.To)!};tag=scscf`)).append(Header.To, first.get(Header.From)!).append(Header.CallId, first.get(Header.CallId)!)
    notify.append(Header.CSeq, composed(`${++this.cseq} NOTIFY`)).append(Header.Contact, composed(`<sip:${PEER}:5060;transport=tcp>`))
    notify.append(Header.Event, composed('reg')).append(Header.SubscriptionState, composed(state)).append(Header.ContentType, composed(type))
    notify.body = body ?? writeRegInfo({ version: this.version++, state: 'full', ...info })
    const before = this.responses.length
    this.receive(notify)
    return this.responses[before]?.status ?? 0
  }

  skipVersion(): void {
    this.version++
  }

  /** Watching begins anew: the notifier counts from zero. */
  renewed(): void {
    this.version = 0
    this.cseq = 0
  }
}

function contact(more: Partial<RegContact> = {}): RegContact {
  return {
    id: 'c1', state: 'active', event: 'registered', uri: 'sip:anna@192.0.2.1', expiresSeconds: 600, callId: 'r', cseq: 1, publicGruu: GRUU,
    parameters: [{ name: '+sip.instance', value: '"<urn:uuid:1>"' }, { name: '+g.oma.pusheventapp', value: '"mms.ua,wml.ua"' }], ...more,
  }
}

const registered = (...contacts: RegContact[]): Pick<RegInfo, 'registrations'> => ({ registrations: [{ aor: AOR, id: 'r1', state: 'active', contacts: contacts.length === 0 ? [contact()] : contacts }] })
const away: Pick<RegInfo, 'registrations'> = { registrations: [{ aor: AOR, id: 'r1', state: 'terminated', contacts: [contact({ state: 'terminated', event: 'unregistered' })] }] }

const push = (world: GatewayWorld, pushId: string, app = 'x-wap-application:mms.ua'): number => world.submit({ pushId, addresses: [user('anna')] }, { app })

describe('a gateway that watches', () => {
  it('subscribes to the registration of a user when a push for him comes, once', () => {
    const world = new Watched()
    push(world, 'p')
    push(world, 'q')
    expect(world.subscribes).toHaveLength(1)
    const [subscribe] = world.subscribes as [SipMessage]
    expect([subscribe.requestUri, subscribe.get(Header.Event), subscribe.get(Header.Accept), subscribe.get(Header.Expires), subscribe.get(Header.PAssertedIdentity)])
      .toEqual([AOR, 'reg', 'application/reginfo+xml', '3761', '<sip:push@ppg.example>'])
    expect(world.outcomes()).toHaveLength(2)
  })

  it('keeps the push of a user who is away until it is told that he is there', () => {
    const world = new Watched()
    world.terminal = 480
    push(world, 'p')
    expect(world.tell(away)).toBe(200)
    push(world, 'q')
    expect(world.messages).toHaveLength(1)
    world.terminal = 200
    world.tell({ state: 'partial', ...registered() })
    expect([world.messages.length, world.outcomes()]).toEqual([3, ['delivered 1000 confirmed', 'delivered 1000 confirmed']])
    expect(world.gateway.counters.registrations).toBe(2)
  })

  it('believes each full document of a notifier that numbers none, as Kamailio does not', () => {
    const world = new Watched()
    world.terminal = 480
    push(world, 'p')
    const unnumbered = { version: 0, state: 'full' } as const
    expect([world.tell({ ...unnumbered, ...away }), world.tell({ ...unnumbered, ...registered() }), world.tell({ ...unnumbered, ...away })]).toEqual([200, 200, 200])
    expect(world.messages).toHaveLength(2)
    world.terminal = 200
    world.tell({ ...unnumbered, ...registered() })
    expect([world.messages.length, world.outcomes()]).toEqual([3, ['delivered 1000 confirmed']])
  })

  it('knows devices, GRUUs and applications by it', () => {
    const world = new Watched()
    push(world, 'p')
    world.tell(registered(contact({ temporaryGruu: { uri: 'sip:tgruu.1@ims.example;gr', firstCseq: 1 } })))
    push(world, 'q', 'x-wap-application:syncml.dm')
    expect(world.outcomes('q')).toEqual(['undeliverable 2006 -'])
    world.terminal = undefined
    world.submit({ pushId: 'r', addresses: [sipAddress('sip:tgruu.1@ims.example;gr')] }, { app: 'x-wap-application:mms.ua' })
    expect(world.subscribes, 'a temporary GRUU is known to be his').toHaveLength(1)
    world.answer(404)
    expect(world.messages.at(-1)!.requestUri, 'a dead temporary GRUU gives way to the public one').toBe(GRUU)
  })

  it('asks for the full state when a document is missing', () => {
    const world = new Watched()
    push(world, 'p')
    world.tell(away)
    world.skipVersion()
    world.tell({ state: 'partial', ...registered() })
    expect([world.subscribes.length, tagOf(world.subscribes[1]!, Header.To)]).toEqual([2, 'scscf'])
    push(world, 'q')
    expect(world.messages).toHaveLength(1)
    world.tell(registered())
    expect(world.messages).toHaveLength(2)
  })

  it('asks for the full state when a document cannot be read, and says so', () => {
    const world = new Watched()
    push(world, 'p')
    expect(world.tell(away)).toBe(200)
    expect(world.tell(away, undefined, Buffer.from('<reginfo'))).toBe(400)
    expect(world.subscribes).toHaveLength(2)
    expect(world.tell(away, undefined, Buffer.from('{}'), 'application/json')).toBe(415)
    expect(world.tell(away, undefined, Buffer.alloc(0))).toBe(200)
  })

  it('believes nobody but its peers, and no watch that is not its own', () => {
    const world = new Watched()
    push(world, 'p')
    const stray = new SipMessage({ method: 'NOTIFY', requestUri: 'sip:127.0.0.1:5070' })
    stray.append(Header.Via, composed(`SIP/2.0/TCP ${PEER}:5060;branch=z9hG4bKstray`)).append(Header.MaxForwards, composed('70')).append(Header.From, composed(`<${AOR}>;tag=x`)).append(Header.To, composed('<sip:push@ppg.example>;tag=y'))
    stray.append(Header.CallId, composed('stray')).append(Header.CSeq, composed('1 NOTIFY')).append(Header.Event, composed('reg')).append(Header.SubscriptionState, composed('active')).append(Header.Contact, composed('<sip:x@192.0.2.9>'))
    world.receive(stray)
    expect(world.responses.at(-1)!.status).toBe(481)
    world.receive(stray.clone(), '192.0.2.9')
    expect(world.responses.at(-1)!.status).toBe(403)
  })

  it('refreshes while pushes come, and gives up an hour after the last one; what it knew is then unknown', () => {
    const world = new Watched()
    push(world, 'p')
    world.tell(away)
    world.advance(HOUR - 60 * SECOND)
    expect(world.subscribes).toHaveLength(2)
    world.advance(2 * HOUR)
    expect(world.subscribes.at(-1)!.get(Header.Expires)).toBe('0')
    world.tell(away, 'terminated;reason=timeout')
    expect([world.gateway.watches!.size, world.store.rows('R')]).toEqual([0, 0])
    push(world, 'q')
    expect([world.messages.length, tagOf(world.subscribes.at(-1)!, Header.To)]).toEqual([2, ''])
  })

  it('watches on as long as a push waits, for as long as that takes', () => {
    const world = new Watched()
    world.terminal = 480
    push(world, 'p')
    world.tell(away)
    for (let hours = 0; hours < 20; hours++) {
      world.advance(HOUR)
      world.tell(away)
    }
    expect(world.gateway.watches!.size).toBe(1)
    world.terminal = 200
    world.tell({ state: 'partial', ...registered() })
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it.each([
    ['is refused', 403, HOUR], ['fails', 503, 60 * SECOND], ['meets silence', 408, 60 * SECOND],
  ])('tries again when watching %s, and pushes go meanwhile', (_what, status, wait) => {
    const world = new Watched()
    world.refusal = status
    world.terminal = 480
    push(world, 'p')
    expect(world.messages).toHaveLength(1)
    world.refusal = 200
    world.advance(wait / 2)
    expect(world.subscribes).toHaveLength(1)
    world.advance(wait / 2 + 2 * SECOND)
    expect(world.subscribes).toHaveLength(2)
    world.terminal = 200
    world.tell(registered())
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('waits as long as a refusal asks for, before it watches again (RFC 3261 section 20.33)', () => {
    const world = new Watched()
    world.refusal = 500
    world.retryAfter = '300'
    world.terminal = 480
    push(world, 'p')
    world.refusal = 200
    world.advance(299 * SECOND)
    expect(world.subscribes).toHaveLength(1)
    world.advance(3 * SECOND)
    expect(world.subscribes).toHaveLength(2)
  })

  it('watches again when the notifier ended it, as it says', () => {
    const world = new Watched()
    world.terminal = 480
    push(world, 'p')
    world.tell(away)
    world.tell(away, 'terminated;reason=deactivated')
    world.advance(2 * SECOND)
    expect(world.subscribes).toHaveLength(2)
    world.renewed()
    world.terminal = 200
    world.tell(registered())
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('begins anew after a restart, for the pushes that wait', () => {
    const world = new Watched()
    world.terminal = 480
    push(world, 'p')
    world.tell(away)
    world.boot()
    expect(tagOf(world.subscribes.at(-1)!, Header.To)).toBe('')
    world.renewed()
    world.terminal = 200
    world.tell(registered())
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('knows no third-party REGISTER where it watches alone, and takes both where told so', () => {
    const alone = new Watched()
    alone.receive(thirdPartyRegister(AOR, 600))
    expect(alone.responses[0]!.status).toBe(405)
    const both = new Watched({ registrations: 'both' })
    both.terminal = 480
    push(both, 'p')
    both.tell(away)
    both.terminal = 200
    both.receive(thirdPartyRegister(AOR, 600))
    expect(both.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('learns of every identity that a document speaks of', () => {
    const world = new Watched()
    push(world, 'p')
    world.tell({ registrations: [...registered().registrations, { aor: 'sip:second@ims.example', id: 'r2', state: 'terminated', contacts: [] }, { aor: 'tel:+4970001', id: 'r3', state: 'active', contacts: [contact()] }] })
    expect(world.gateway.counters.registrations).toBe(2)
  })
})
