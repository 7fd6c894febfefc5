/** Who the bench's pushes go to and what is in them: names by number, the same for the bench and all its children. */
import type { PushSettings } from '../../loadgen/submission.js'

/** What the gateway's default rules make of `user000123` lies in this domain. */
export const DOMAIN = 'ims.example.org'

/** A service indication of 300 octets: with its carriers some 1,100 octets of HTTP body and 900 of SIP. */
export const CONTENT: PushSettings = { contentType: 'text/vnd.wap.si', size: 300, application: 'x-wap-application:wml.ua', deliveryMethod: 'confirmed' }
export const APPLICATION = 'wml.ua'

export function userOf(number: number): string {
  return `user${String(number).padStart(6, '0')}`
}

export function initiatorAddress(user: string): string {
  return `WAPPUSH=${user}/TYPE=USER@ppg.example.org`
}
