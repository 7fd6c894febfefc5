/** Scaffolding for event mode: terminals that subscribe by hand, and what the gateway notifies them of. */
import { expect } from 'vitest'
import { parseEvent, parseSubscriptionState } from '../../core/sip/event.js'
import { Header } from '../../core/sip/header-names.js'
import { composed } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { cseqNumber } from '../../core/sip/values.js'
import type { GatewaySettings } from '../../core/push/settings.js'
import { GatewayWorld, PEER, SETTINGS, user, type CoreNetwork } from './gateway-world.js'

export const AOR = 'sip:anna@ims.example'
export const GRUU = `${AOR};gr=urn:uuid:1`

export interface Wish {
  readonly event?: string
  readonly expires?: number | undefined
  readonly callId?: string
  readonly cseq?: number
  readonly toTag?: string
  readonly asserted?: string | undefined
  readonly contact?: string
  readonly from?: string
}

let branches = 0

export function subscribe(wish: Wish = {}): SipMessage {
  const { event = 'oma-push;event-app-id="mms.ua,wml.ua";dev-cap="Vendor X1 2.0"', callId = 'sub1', cseq = 1, toTag, contact = GRUU, from = AOR } = wish
  const request = new SipMessage({ method: 'SUBSCRIBE', requestUri: 'sip:push@ppg.example' })
  request.append(Header.Via, composed(`SIP/2.0/TCP ${PEER}:5060;branch=z9hG4bKs${++branches}`)).append(Header.MaxForwards, composed('70'))
  request.append(Header.RecordRoute, composed(`<sip:${PEER}:5060;transport=tcp;lr>`))
  request.append(Header.From, composed(`<${from}>;tag=u`)).append(Header.To, composed(`<sip:push@ppg.example>${toTag === undefined ? '' : `;tag=${toTag}`}`))
  request.append(Header.CallId, composed(callId)).append(Header.CSeq, composed(`${cseq} SUBSCRIBE`)).append(Header.Contact, composed(`<${contact}>;+g.oma.pusheventapp="mms.ua"`))
  request.append(Header.Event, composed(event))
  const asserted = 'asserted' in wish ? wish.asserted : `<${from}>`
  if (asserted !== undefined) request.append(Header.PAssertedIdentity, composed(asserted))
  const expires = 'expires' in wish ? wish.expires : 3_600
  if (expires !== undefined) request.append(Header.Expires, composed(String(expires)))
  return request
}

export interface Notified {
  readonly request: SipMessage
  readonly apps: readonly string[] | undefined
  readonly state: string
  readonly cseq: number
  readonly body: string
}

export type EventWorld = GatewayWorld & { notified: Notified[]; messages: SipMessage[] }

export function world(core: CoreNetwork = () => 200, settings: Partial<GatewaySettings> = {}): EventWorld {
  const notified: Notified[] = []
  const messages: SipMessage[] = []
  const made = new GatewayWorld({
    settings: { selection: { ...SETTINGS.selection, preferEvent: true }, ...settings },
    core: (request, self) => {
      if (request.method === 'NOTIFY') {
        const state = parseSubscriptionState(request.get(Header.SubscriptionState)!)!
        notified.push({
          request, apps: parseEvent(request.get(Header.Event)!)!.applications, state: state.state + (state.reason === undefined ? '' : ` ${state.reason}`),
          cseq: cseqNumber(request.get(Header.CSeq)!), body: request.body.toString(),
        })
      } else messages.push(request)
      return core(request, self)
    },
  })
  return Object.assign(made, { notified, messages })
}

export function subscribed(core?: CoreNetwork, settings?: Partial<GatewaySettings>, wish?: Wish): EventWorld {
  const made = world(core, settings)
  made.receive(subscribe(wish))
  expect(made.responses.at(-1)!.status).toBe(200)
  made.notified.length = 0
  return made
}

export const push = (made: GatewayWorld, pushId: string, app = 'x-wap-application:mms.ua'): number => made.submit({ pushId, addresses: [user('anna')] }, { app, body: pushId })
