/** Whether a request subscribes to the registration state of a user (RFC 3680). */
import { parseEvent } from '../../core/sip/event.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'

export function isRegSubscription(request: SipMessage): boolean {
  if (request.method !== 'SUBSCRIBE') return false
  const event = request.get(Header.Event)
  return event !== undefined && parseEvent(event)?.package === 'reg'
}
