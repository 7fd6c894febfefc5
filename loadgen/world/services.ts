/**
 * What inputs cost the nodes of the simulated world: processor time for each kind, as a run measured it or as typical figures
 * have it, and more of it after a rest. Tells kinds of input apart; knows nothing of what becomes of them.
 */
import type { NetworkIn } from '../../core/kit/network.js'
import type { Micros } from '../../core/kit/time.js'
import { CarriedMessage } from '../../core/sip/carried-message.js'
import type { PushWorldOptions } from '../../sim/world/push-world.js'

/**
 * Processor time by part, microseconds, of a part that does nothing else all the time: for a push from submission to its
 * acknowledged notification, and for a registration or its end.
 */
export interface ServiceCosts {
  readonly gateway: PartCosts
  readonly ims: PartCosts
  readonly terminals: PartCosts
}

export interface PartCosts {
  readonly pushMicros: number
  readonly registrationMicros: number
}

/** Of the machine of docs/measuring.md, where no run was measured. */
export const TYPICAL_COSTS: ServiceCosts = {
  gateway: { pushMicros: 56, registrationMicros: 28 },
  ims: { pushMicros: 32, registrationMicros: 112 },
  terminals: { pushMicros: 54, registrationMicros: 108 },
}

/**
 * What an input costs after a long rest, in what it costs in a row: an idle processor has to be woken, and its caches hold
 * something else by then. Fitted, with `HALF_RESTED`, to what 21 runs of 100 to 2,600 pushes a second took (docs/measuring.md).
 */
const RESTED: Readonly<Record<keyof ServiceCosts, number>> = { gateway: 87, ims: 38, terminals: 13 }
/** Half of that comes with a rest of so long since the last input of its kind. */
const HALF_RESTED_MICROS: Micros = 7_000

/**
 * How a push's time is spread over the inputs it causes at the gateway, as profiles of its turns show; what is done when the store
 * has each of them (acceptance, outcome, what is forgotten once its notification was taken) is counted with them.
 */
const GATEWAY_SHARES = { 'pap-request': 0.45, value: 0.05, sip: 0.3, notified: 0.2 } as const

/** Services of one world: what they say depends on what they were asked before. */
export function servicesOf({ gateway, ims, terminals }: ServiceCosts): PushWorldOptions['service'] {
  const [atGateway, atIms, atTerminals] = [new Rests(RESTED.gateway), new Rests(RESTED.ims), new Rests(RESTED.terminals)]
  return {
    gateway: (input, now) => {
      switch (input.type) {
        case 'bytes': return atGateway.micros(kindOf(input), isRegister(input) ? gateway.registrationMicros : gateway.pushMicros * GATEWAY_SHARES.sip, now)
        case 'pap-request':
        case 'value':
        case 'notified':
          return atGateway.micros(input.type, gateway.pushMicros * GATEWAY_SHARES[input.type], now)
        default: return 0
      }
    },
    // There and back each.
    ims: (input, now) => (input.type === 'bytes' ? atIms.micros(kindOf(input), isRegister(input) ? ims.registrationMicros / 3 : ims.pushMicros / 2, now) : 0),
    terminals: (input, now) => (input.type === 'bytes' ? atTerminals.micros(kindOf(input), isRegister(input) ? terminals.registrationMicros / 2 : terminals.pushMicros, now) : 0),
  }
}

type Packet = Extract<NetworkIn, { type: 'bytes' }>
type Kind = 'register' | 'register-answer' | 'push' | 'push-answer' | 'pap-request' | 'value' | 'notified'

function kindOf(input: Packet): Kind {
  if (isRegister(input)) return isAnswer(input) ? 'register-answer' : 'register'
  return isAnswer(input) ? 'push-answer' : 'push'
}

/** When a part last served an input of each kind, and so what the next one costs. */
class Rests {
  private readonly last: Record<Kind, Micros> = { register: -Infinity, 'register-answer': -Infinity, push: -Infinity, 'push-answer': -Infinity, 'pap-request': -Infinity, value: -Infinity, notified: -Infinity }

  constructor(private readonly rested: number) {}

  micros(kind: Kind, inARow: number, now: Micros): Micros {
    const rest = restShare(now - this.last[kind])
    this.last[kind] = now
    return Math.round(inARow * (1 + (this.rested - 1) * rest))
  }
}

/** 0 without a rest, 1 after an endless one. */
function restShare(micros: Micros): number {
  return micros === Infinity ? 1 : micros / (micros + HALF_RESTED_MICROS)
}

const QUANTILES = 200

/** How many times its cost in a row an input costs on average, where inputs of its kind come at this rate and by chance. */
export function costAtRate(part: keyof ServiceCosts, perSecond: number): number {
  let sum = 0
  for (let index = 0; index < QUANTILES; index++) sum += restShare(-Math.log(1 - (index + 0.5) / QUANTILES) / perSecond * 1e6)
  return 1 + (RESTED[part] - 1) * sum / QUANTILES
}

const LETTER_R = 82

/** A REGISTER, or the answer to one. */
function isRegister({ bytes, carried }: Packet): boolean {
  if (carried instanceof CarriedMessage) return carried.method === 'REGISTER'
  return bytes[0] === LETTER_R || (isStatusLine(bytes) && bytes.includes('CSeq:') && /CSeq: \d+ REGISTER/.test(bytes.toString('latin1')))
}

function isAnswer({ bytes, carried }: Packet): boolean {
  return carried instanceof CarriedMessage ? carried.status !== 0 : isStatusLine(bytes)
}

/** SIP/2.0 and not a SUBSCRIBE. */
function isStatusLine(bytes: Buffer): boolean {
  return bytes[0] === 83 && bytes[1] === 73
}
