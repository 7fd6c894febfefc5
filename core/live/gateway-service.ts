/**
 * The gateway as a running service: resources, the machine on its pump, and a clean way down (stop accepting, drain,
 * flush, close). It carries inputs and outputs between them and decides nothing.
 */
import * as Deferred from 'effect/Deferred'
import * as Effect from 'effect/Effect'
import * as Layer from 'effect/Layer'
import type * as Scope from 'effect/Scope'
import { bug } from '../kit/assert.js'
import { Gateway } from '../push/gateway.js'
import type { GatewayIn, GatewayOut } from '../push/contract.js'
import { contentUrl, endpointOf, formatEndpoint, papUrl, settingsOf, type GatewayConfig } from './config.js'
import { systemCrypto } from './crypto.js'
import { SystemEntropy } from './entropy.js'
import { attempt, Config, ContentHttp, Contents, Http, Inbox, Journal, Network, Notifications, resources, Stages, Store, type GatewayError } from './gateway-resources.js'
import { Operator } from './operator.js'
import { OperatorListener } from './operator-http.js'
import { Pump } from './pump.js'

export { GatewayError } from './gateway-resources.js'

/** How long what is under way may take to end once stopping has begun; what is not ended by then is in the store. */
const DRAIN_MILLIS = 10_000

export interface GatewayService {
  /** `pap` and `content` are URLs, with TLS also `papTls`, `sip` an address with its port, with TLS also `sipTls`, `store` the folder; `operator` a URL, where that door is open. */
  readonly addresses: Readonly<Record<string, string>>
  /** What people should know, such as a store that lies in memory. */
  readonly warnings: readonly string[]
  readonly operator: Operator
  /** Running totals and gauges of the machine and what surrounds it. */
  counters(): Record<string, number>
  /** By stage (gateway.store, gateway.http, gateway.notify): hdr-histogram compressed base64, microseconds. */
  histograms(): Record<string, string>
  /** Fails when the gateway cannot go on (its disk, its journal); never succeeds. */
  readonly failure: Effect.Effect<never, GatewayError>
}

/** Starts a gateway that lives as long as the scope; ready when it returns. */
export function startGateway(config: GatewayConfig): Effect.Effect<GatewayService, GatewayError, Scope.Scope> {
  return Effect.gen(function* () {
    const held = yield* Layer.build(resources.pipe(Layer.provide(Layer.succeed(Config, config))))
    return yield* run(config).pipe(Effect.provide(held))
  })
}

const run = (config: GatewayConfig) => Effect.gen(function* () {
  const box = yield* Inbox
  const store = yield* Store
  const contents = yield* Contents
  const { sockets, capture, sip, sipTls, msrp, msrpFingerprint } = yield* Network
  const { listener, pap, papTls } = yield* Http
  const { fetches, content } = yield* ContentHttp
  const notifier = yield* Notifications
  const journal = yield* Journal
  const stages = yield* Stages
  const drained = yield* Deferred.make<void>()

  const gateway = new Gateway({ settings: settingsOf(config, { pap, sip, msrp, msrpFingerprint, content }), entropy: new SystemEntropy(), crypto: systemCrypto })
  const output = (out: GatewayOut): void => {
    switch (out.type) {
      case 'transmit':
      case 'connect':
      case 'close':
        capture?.left(out)
        return sockets.output(out)
      case 'commit':
      case 'read':
      case 'scan':
        return store.output(out)
      case 'content-read':
        contents.read(out.id, out.offset, out.length).then(
          (bytes) => pump.input({ type: 'content', ticket: out.ticket, bytes }),
          () => pump.input({ type: 'content', ticket: out.ticket, bytes: undefined }),
        )
        return
      case 'content-delete':
        void contents.delete(out.id)
        return
      case 'content-reply':
        return fetches.reply(out)
      case 'pap-reply':
        return listener.reply(out)
      case 'notify':
        return notifier.notify(out)
      case 'journal':
        return journal?.write(out.event, out.pushId, out.address, out.details)
      case 'drained':
        return Deferred.unsafeDone(drained, Effect.void)
      default:
        return bug(`the gateway put out ${JSON.stringify(out satisfies never)}`)
    }
  }
  const endTurn = (): void => {
    sockets.flush()
    store.flush()
  }
  const pump = new Pump<GatewayIn, GatewayOut>(gateway, output, endTurn)

  yield* Effect.acquireRelease(
    Effect.sync(() => {
      box.deliver = (input) => pump.input(input)
      box.halt = () => pump.stop()
      pump.start()
      for (const input of box.early.splice(0)) pump.input(input)
    }),
    () => Effect.gen(function* () {
      listener.stopAccepting()
      pump.input({ type: 'drain' })
      // After a failed flush nothing is waited for: what could not be kept must not be acted upon either.
      // A finalizer is not interruptible, and a race that cannot interrupt its loser never ends.
      yield* Effect.raceFirst(Deferred.await(drained), Effect.ignore(Deferred.await(box.failure))).pipe(Effect.timeoutOption(DRAIN_MILLIS), Effect.interruptible)
      pump.stop()
      endTurn()
    }),
  )

  const operator = new Operator(gateway, (input) => pump.input(input), config.sip.identity)
  const operatorUrl = yield* operatorDoor(config, operator)

  return {
    operator,
    addresses: { pap: papUrl(pap), ...(papTls === undefined ? {} : { papTls: papUrl(papTls, true) }), content: contentUrl(content, config.content.tls !== undefined), sip: formatEndpoint(sip), msrp: formatEndpoint(msrp), ...(sipTls === undefined ? {} : { sipTls: formatEndpoint(sipTls) }), store: config.store, ...(operatorUrl === undefined ? {} : { operator: operatorUrl }) },
    warnings: store.warning === undefined ? [] : [store.warning],
    counters: () => ({
      ...gateway.counters,
      sipMessagesIn: gateway.endpoint.messages.in, sipMessagesOut: gateway.endpoint.messages.out, msrpMessagesIn: gateway.sessions.messages.in, msrpMessagesOut: gateway.sessions.messages.out,
      subscriptions: gateway.subscriptions.size, sessionsOpen: gateway.sessions.open.sessions, dialogsOpen: gateway.sessions.open.dialogs, msrpConnections: gateway.sessions.open.connections,
      httpRequests: listener.counters.requests, httpRefused: listener.counters.refused, httpClientsGone: listener.counters.clientsGone,
      storeCommits: store.counters.commits, storeBatches: store.counters.batches, storeFull: store.counters.full,
      contentRequests: fetches.counters.requests, contentRefused: fetches.counters.refused, contentFetched: fetches.counters.fetched, contentBroken: fetches.counters.broken,
      contentsStored: contents.counters.stored, contentsDeleted: contents.counters.deleted, contentsSwept: contents.counters.swept,
      wireBytesIn: sockets.counters.bytesIn, wireBytesOut: sockets.counters.bytesOut, contentBytesIn: fetches.octets().in, contentBytesOut: fetches.octets().out,
      connections: sockets.counters.connections, handshakesFailed: sockets.counters.handshakesFailed, datagramsFailed: sockets.counters.datagramsFailed, datagramsDropped: sockets.datagramsDropped(),
    }),
    histograms: () => ({ 'gateway.store': stages.store.encode(), 'gateway.http': stages.http.encode(), 'gateway.notify': stages.notify.encode() }),
    failure: Deferred.await(box.failure),
  } satisfies GatewayService
})

/** Its URL, where the configuration wants it. */
const operatorDoor = (config: GatewayConfig, operator: Operator) => Effect.gen(function* () {
  const { listen } = config.operator
  if (listen === undefined) return undefined
  const door = yield* Effect.acquireRelease(Effect.sync(() => new OperatorListener((word, argument) => operator.perform(word, argument))), (opened) => Effect.promise(() => opened.close()))
  return `http://${formatEndpoint(yield* attempt(() => door.listen(endpointOf(listen)!), `the operator's listener at ${listen}`))}`
})
