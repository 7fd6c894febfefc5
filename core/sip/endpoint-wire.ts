/** How an endpoint's messages leave: onto flows, as octets. Knows transports and sizes, not transactions. */
import type { Endpoint } from '../kit/network.js'
import type { Hop, SipEndpointOptions } from './endpoint-contract.js'
import { type Flow, Flows } from './endpoint-flows.js'
import { Header } from './header-names.js'
import type { SipMessage } from './message.js'
import { OurVias } from './our-vias.js'
import { writeMessage } from './write.js'

/** RFC 3261 section 18.1.1: a larger request must not go out over UDP when the path's MTU is unknown. */
export const UDP_REQUEST_BYTES_MAX = 1_300
export class Wire {
  readonly flows: Flows
  readonly vias: OurVias

  constructor({ emit, sentBy, entropy }: SipEndpointOptions) {
    this.flows = new Flows(emit)
    this.vias = new OurVias(sentBy, entropy)
  }

  /** False when it cannot be sent or queued. `to` is for UDP flows. */
  write(flow: Flow | undefined, bytes: Buffer, to: Endpoint | undefined): boolean {
    return flow !== undefined && this.flows.write(flow, bytes, flow.transport === 'udp' ? to : undefined)
  }

  /** A message outside any transaction; a request has our Via on top. Lost when it cannot be sent. */
  sendOnce(message: SipMessage, hop: Hop, branch: string): void {
    let bytes = writeMessage(message)
    if (message.isRequest && hop.transport === 'udp' && bytes.length > UDP_REQUEST_BYTES_MAX) {
      message.replaceFirst(Header.Via, this.vias.text('tcp', branch))
      bytes = writeMessage(message)
      this.write(this.flows.towards(overTcp(hop)), bytes, undefined)
    } else this.write(this.flows.towards(hop), bytes, hop)
  }
}

/** The hop a request too large for UDP takes instead. */
export function overTcp(hop: Hop): Hop {
  return { transport: 'tcp', address: hop.address, port: hop.port, ...(hop.lane === undefined ? {} : { lane: hop.lane }) }
}
