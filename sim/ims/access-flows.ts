/**
 * The flows between terminals and the P-CSCF under the names the core knows them by: a token in the Path (RFC 5626
 * section 5). A token is computed once per flow; UDP flows, which never say goodbye, are kept while a registration
 * uses them. A flow with a Flow-Timer is over when it has been silent for too long. Knows no message.
 */
import type { Crypto } from '../../core/kit/crypto.js'
import { DeadlineHeap } from '../../core/kit/heap.js'
import type { Endpoint, FlowId, FlowUp } from '../../core/kit/network.js'
import { owned } from '../../core/kit/own-text.js'
import { MICROS_PER_SECOND, type Micros } from '../../core/kit/time.js'
import type { Hop } from '../../core/sip/endpoint-contract.js'
import { composed, type HeaderText } from '../../core/sip/header-text.js'
import { flowToken, openFlowToken } from './flow-token.js'

/** RFC 5626 section 5.4: how much longer than its Flow-Timer a flow may be silent, for what a keep-alive takes on its way. */
export const SILENCE_GRACE_MICROS: Micros = 5 * MICROS_PER_SECOND

export class AccessFlow {
  /** Registrations that came over it. */
  uses = 0
  /** How long it may be silent; 0 while nobody was told a Flow-Timer over it. */
  silenceMaxMicros: Micros = 0
  heardAt: Micros = 0
  /** It was silent for too long. A registration over it makes it good again. */
  isOver = false

  /**
   * @param path the Path value that names this flow
   * @param hop leads to the terminal over this very flow
   */
  constructor(readonly token: string, readonly path: HeaderText, readonly hop: Hop) {}
}

export class AccessFlows {
  private readonly tokens = new Map<string, AccessFlow>()
  private readonly streams = new Map<FlowId, AccessFlow>()
  private readonly datagrams = new Map<string, AccessFlow>()
  private readonly locals = new Map<FlowId, Endpoint>()
  /** Bound UDP sockets by port. */
  private readonly sockets = new Map<number, FlowId>()
  /** When to look at each flow with a Flow-Timer: what is heard of it meanwhile moves nothing. */
  private readonly looks = new DeadlineHeap<AccessFlow>()

  constructor(private readonly crypto: Crypto, private readonly key: Uint8Array, private readonly hostName: string) {}

  /** Flows that have a token: open connections that registered, and UDP flows in use. */
  get size(): number {
    return this.tokens.size
  }

  up(flow: FlowUp): void {
    this.locals.set(flow.flow, flow.local)
    if (flow.transport === 'udp') this.sockets.set(flow.local.port, flow.flow)
  }

  /** Is this a flow of terminals? */
  has(id: FlowId): boolean {
    return this.locals.has(id)
  }

  /** From now on its token is answered 430. */
  down(id: FlowId): void {
    this.locals.delete(id)
    const flow = this.streams.get(id)
    if (flow === undefined) return
    this.streams.delete(id)
    this.tokens.delete(flow.token)
  }

  /** The flow a terminal's request came over; undefined for a flow that is not between a terminal and this node. */
  of(source: Hop): AccessFlow | undefined {
    if (source.flow === undefined) return undefined
    const udp = source.transport === 'udp'
    const known = udp ? this.datagrams.get(datagramKey(source)) : this.streams.get(source.flow)
    return known ?? this.add(source)
  }

  /** The flow a token names: `forged` when it is not ours (403), `gone` when the flow is over (430). RFC 5626 section 5.3. */
  find(token: string): AccessFlow | 'forged' | 'gone' {
    const known = this.tokens.get(token)
    if (known !== undefined) return known.isOver ? 'gone' : known
    const name = openFlowToken(this.crypto, this.key, token)
    if (name === undefined) return 'forged'
    const socket = name.transport === 'udp' ? this.sockets.get(name.local.port) : undefined
    // A UDP flow has no end of its own: as long as our socket is bound, the terminal may hear us.
    return socket === undefined ? 'gone' : this.add({ transport: 'udp', ...name.remote, flow: socket }) ?? 'gone'
  }

  acquire(flow: AccessFlow): void {
    flow.uses += 1
    if (flow.uses > 1 || flow.hop.transport !== 'udp') return
    this.datagrams.set(datagramKey(flow.hop), flow)
    this.tokens.set(flow.token, flow)
  }

  release(flow: AccessFlow): void {
    flow.uses -= 1
    if (flow.uses > 0 || flow.hop.transport !== 'udp') return
    this.datagrams.delete(datagramKey(flow.hop))
    this.tokens.delete(flow.token)
  }

  /** Who registered over this flow was told this Flow-Timer: from now on silence ends it. */
  time(now: Micros, flow: AccessFlow, flowTimerSeconds: number): void {
    const isTimed = flow.silenceMaxMicros > 0
    flow.silenceMaxMicros = flowTimerSeconds * MICROS_PER_SECOND + SILENCE_GRACE_MICROS
    flow.heardAt = now
    flow.isOver = false
    if (!isTimed) this.looks.arm(now + flow.silenceMaxMicros, flow)
  }

  /** Octets came over a flow; `from` for a datagram. */
  heard(now: Micros, id: FlowId, from: Endpoint | undefined): void {
    if (this.looks.size === 0) return
    const flow = from === undefined ? this.streams.get(id) : this.datagrams.get(datagramKey({ flow: id, ...from }))
    if (flow !== undefined) flow.heardAt = now
  }

  deadline(): Micros {
    return this.looks.next()
  }

  /** The next flow that was silent for too long: its token is answered 430 from now on. Undefined when there is none now. */
  silentOne(now: Micros): AccessFlow | undefined {
    for (let flow = this.looks.popDue(now); flow !== undefined; flow = this.looks.popDue(now)) {
      const until = flow.heardAt + flow.silenceMaxMicros
      if (this.tokens.get(flow.token) === flow && flow.uses > 0 && until > now) {
        this.looks.arm(until, flow)
        continue
      }
      flow.silenceMaxMicros = 0
      if (this.tokens.get(flow.token) !== flow || flow.uses === 0) continue
      flow.isOver = true
      return flow
    }
    return undefined
  }

  private add(source: Hop): AccessFlow | undefined {
    const { flow: id, transport, port } = source
    const local = id === undefined ? undefined : this.locals.get(id)
    if (id === undefined || local === undefined) return undefined
    const address = owned(source.address)
    const token = flowToken(this.crypto, this.key, { transport, local, remote: { address, port } })
    const path = composed(`<sip:${token}@${this.hostName};lr;ob>`)
    const flow = new AccessFlow(token, path, { transport, address, port, flow: id })
    // Whoever sends datagrams can make up sources: such a flow is kept only when a registration uses it.
    if (transport === 'udp') return flow
    this.tokens.set(token, flow)
    this.streams.set(id, flow)
    return flow
  }
}

function datagramKey(hop: Pick<Hop, 'flow' | 'address' | 'port'>): string {
  return `${hop.flow}/${hop.address}:${hop.port}`
}
