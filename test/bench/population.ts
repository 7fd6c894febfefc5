/** Who the bench's pushes go to and what is in them: names by number, the same for the bench and all its children. */
import type { PushSettings } from '../../loadgen/submission.js'
import type { PopulationConfig } from '../../sim/live/population-config.js'

/** What the gateway's default rules make of `user000123` lies in this domain. */
export const DOMAIN = 'ims.example.org'

/** A service indication of 300 octets: with its carriers some 1,100 octets of HTTP body and 900 of SIP. */
export const CONTENT: PushSettings = { contentType: 'text/vnd.wap.si', size: 300, application: 'x-wap-application:wml.ua', deliveryMethod: 'confirmed' }
export const APPLICATION = 'wml.ua'

export function userOf(number: number): string {
  return `user${String(number).padStart(6, '0')}`
}

/** The sinks of the load say of these that they are not registered. */
export function awayUserOf(number: number): string {
  return `away${String(number).padStart(6, '0')}`
}

export function initiatorAddress(user: string): string {
  return `WAPPUSH=${user}/TYPE=USER@ppg.example.org`
}

/** The gateway's public service identity, which terminals subscribe to. */
export const PUSH_SERVICE = `sip:push@${DOMAIN}`

/** So many users for the core and the terminals, one device each, all with the application; `subscribing` says whether they subscribe to pushes. */
export function usersConfig(subscribers: number, subscribing: boolean): typeof PopulationConfig.Encoded {
  return {
    subscribers, identity: { domain: DOMAIN, privateIdentity: `user######@${DOMAIN}` }, devicesPerSubscriber: { 1: 1 },
    applicationSets: [{ applications: [APPLICATION], weight: 1 }], events: { share: subscribing ? 1 : 0, server: PUSH_SERVICE },
  }
}
