/**
 * What inputs cost the nodes of the simulated world: processor time for each kind, as a run measured it or as typical figures
 * have it. Tells kinds of input apart; knows nothing of what becomes of them.
 */
import type { NetworkIn } from '../../core/kit/network.js'
import type { Micros } from '../../core/kit/time.js'
import { CarriedMessage } from '../../core/sip/carried-message.js'
import type { PushWorldOptions } from '../../sim/world/push-world.js'

/** Processor time by part, microseconds: for a push from submission to its acknowledged notification, and for a registration or its end. */
export interface ServiceCosts {
  readonly gateway: PartCosts
  readonly ims: PartCosts
  readonly terminals: PartCosts
}

export interface PartCosts {
  readonly pushMicros: number
  readonly registrationMicros: number
}

/** Of one core of a server of 2020, where no run was measured. */
export const TYPICAL_COSTS: ServiceCosts = {
  gateway: { pushMicros: 130, registrationMicros: 60 },
  ims: { pushMicros: 35, registrationMicros: 120 },
  terminals: { pushMicros: 30, registrationMicros: 60 },
}

/** How a push's time is spread over the inputs it causes at the gateway; as profiles of its turns show. */
const GATEWAY_SHARES = { 'pap-request': 0.35, value: 0.05, committed: 0.1, sip: 0.2, notified: 0.1 } as const

export function servicesOf({ gateway, ims, terminals }: ServiceCosts): PushWorldOptions['service'] {
  return {
    gateway: (input) => {
      switch (input.type) {
        case 'bytes': return whole(isRegister(input) ? gateway.registrationMicros : gateway.pushMicros * GATEWAY_SHARES.sip)
        case 'pap-request':
        case 'value':
        // Acceptance, outcome, and what is forgotten when its notification was taken.
        case 'committed':
        case 'notified':
          return whole(gateway.pushMicros * GATEWAY_SHARES[input.type])
        default: return 0
      }
    },
    // There and back each.
    ims: (input) => (input.type === 'bytes' ? whole((isRegister(input) ? ims.registrationMicros / 3 : ims.pushMicros / 2)) : 0),
    terminals: (input) => (input.type === 'bytes' ? whole(isRegister(input) ? terminals.registrationMicros / 2 : terminals.pushMicros) : 0),
  }
}

function whole(micros: number): Micros {
  return Math.round(micros)
}

const LETTER_R = 82

/** A REGISTER, or the answer to one. */
function isRegister({ bytes, carried }: Extract<NetworkIn, { type: 'bytes' }>): boolean {
  if (carried instanceof CarriedMessage) return carried.method === 'REGISTER'
  return bytes[0] === LETTER_R || (bytes[0] === 83 && bytes.includes('CSeq:') && /CSeq: \d+ REGISTER/.test(bytes.toString('latin1')))
}
