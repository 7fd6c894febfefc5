/** How an endpoint's messages leave: onto flows, as octets or, where a flow carries them so, whole. Knows transports and sizes, not transactions. */
import type { Endpoint } from '../kit/network.js'
import type { Hop, SipEndpointOptions } from './endpoint-contract.js'
import { CarriedMessage } from './carried-message.js'
import { type Flow, Flows, type Parcel } from './endpoint-flows.js'
import { Header } from './header-names.js'
import type { SipMessage } from './message.js'
import { OurVias } from './our-vias.js'
import { writeMessage } from './write.js'

/** RFC 3261 section 18.1.1: a larger request must not go out over UDP when the path's MTU is unknown. */
export const UDP_REQUEST_BYTES_MAX = 1_300
export class Wire {
  readonly flows: Flows
  readonly vias: OurVias
  /** Messages that were handed to a flow, retransmissions among them. */
  sent = 0

  constructor({ emit, sentBy, entropy, offersOverloadControl }: SipEndpointOptions) {
    this.flows = new Flows(emit)
    this.vias = new OurVias(sentBy, entropy, offersOverloadControl)
  }

  /** The message as this flow takes it. */
  packed(flow: Flow | undefined, message: SipMessage): Parcel {
    return flow?.isCarrying === true ? CarriedMessage.of(message) : writeMessage(message)
  }

  /** False when it cannot be sent or queued. `to` is for UDP flows. */
  write(flow: Flow | undefined, parcel: Parcel, to: Endpoint | undefined): boolean {
    this.sent++
    return flow !== undefined && this.flows.write(flow, parcel, flow.transport === 'udp' ? to : undefined)
  }

  /** A message outside any transaction; a request has our Via on top. Lost when it cannot be sent. */
  sendOnce(message: SipMessage, hop: Hop, branch: string): void {
    const flow = this.flows.towards(hop)
    const parcel = this.packed(flow, message)
    if (message.isRequest && hop.transport === 'udp' && parcel.length > UDP_REQUEST_BYTES_MAX) {
      message.replaceFirst(Header.Via, this.vias.text('tcp', branch))
      const stream = this.flows.towards(overTcp(hop))
      this.write(stream, this.packed(stream, message), undefined)
    } else this.write(flow, parcel, hop)
  }
}

/** The hop a request too large for UDP takes instead. */
export function overTcp(hop: Hop): Hop {
  return { transport: 'tcp', address: hop.address, port: hop.port, ...(hop.lane === undefined ? {} : { lane: hop.lane }) }
}
