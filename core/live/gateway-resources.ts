/**
 * What a gateway holds of the world, each as a scoped layer that reports into one inbox: store, sockets, HTTP, notifier,
 * journal. It knows how each is opened and closed, not how a push goes through them; gateway-service.ts does.
 */
import { join } from 'node:path'
import * as Context from 'effect/Context'
import * as Data from 'effect/Data'
import * as Deferred from 'effect/Deferred'
import * as Effect from 'effect/Effect'
import * as Layer from 'effect/Layer'
import type { Endpoint } from '../kit/network.js'
import type { GatewayIn } from '../push/contract.js'
import { contentKey } from '../store/keys.js'
import { endpointOf, type GatewayConfig } from './config.js'
import { Capture } from './capture.js'
import { ContentListener } from './content-http.js'
import { ContentStore } from './content-store.js'
import { Gate } from './gate.js'
import { PapListener, type HttpSettings } from './http.js'
import { readInitiators } from './initiators-config.js'
import { JournalWriter } from './journal.js'
import { readMediaTls } from './media-tls.js'
import { Notifier } from './notifier.js'
import { NotifyGuard } from './notify-guard.js'
import { Sockets } from './sockets.js'
import { StageHistogram } from './stage-histogram.js'
import { openStore, type LmdbStore } from './store-lmdb.js'
import { readTls } from './tls.js'
import { TlsWatch } from './tls-watch.js'

/** Why a gateway could not start, or cannot go on. The message is for people. */
export class GatewayError extends Data.TaggedError('GatewayError')<{ readonly message: string }> {}

export class Config extends Context.Tag('gateway/Config')<Config, GatewayConfig>() {}

/** Where every input goes: kept until the machine exists, then handed to it at once. */
export class Inbox extends Context.Tag('gateway/Inbox')<Inbox, {
  deliver: (input: GatewayIn) => void
  readonly early: GatewayIn[]
  /** Stops the machine at once. */
  halt: () => void
  /** Fails when the gateway cannot go on. */
  readonly failure: Deferred.Deferred<never, GatewayError>
  /** A gateway that cannot trust its disk says nothing more, not even what it had already decided to say. */
  fail(error: Error): void
}>() {}

export class Stages extends Context.Tag('gateway/Stages')<Stages, {
  readonly store: StageHistogram
  readonly http: StageHistogram
  readonly notify: StageHistogram
}>() {}

export class Contents extends Context.Tag('gateway/Contents')<Contents, ContentStore>() {}
export class ContentHttp extends Context.Tag('gateway/ContentHttp')<ContentHttp, { readonly fetches: ContentListener; readonly content: Endpoint }>() {}
export class Store extends Context.Tag('gateway/Store')<Store, LmdbStore>() {}
export class Network extends Context.Tag('gateway/Network')<Network, { readonly sockets: Sockets; readonly capture: Capture | undefined; readonly sip: Endpoint; readonly sipTls: Endpoint | undefined; readonly msrp: Endpoint; readonly msrpFingerprint: string | undefined }>() {}
export class Http extends Context.Tag('gateway/Http')<Http, { readonly listener: PapListener; readonly pap: Endpoint; readonly papTls: Endpoint | undefined }>() {}
export class Notifications extends Context.Tag('gateway/Notifications')<Notifications, Notifier>() {}
export class Journal extends Context.Tag('gateway/Journal')<Journal, JournalWriter | undefined>() {}

const inbox = Layer.effect(Inbox, Effect.map(Deferred.make<never, GatewayError>(), (failure) => {
  const early: GatewayIn[] = []
  const box = {
    deliver: (input: GatewayIn) => { early.push(input) },
    early,
    halt: () => {},
    failure,
    fail: (error: Error) => {
      box.halt()
      Deferred.unsafeDone(failure, Effect.fail(new GatewayError({ message: error.message })))
    },
  }
  return box
}))

const stages = Layer.sync(Stages, () => ({ store: new StageHistogram(), http: new StageHistogram(), notify: new StageHistogram() }))

const store = Layer.scoped(Store, Effect.gen(function* () {
  const config = yield* Config
  const box = yield* Inbox
  const { store: histogram } = yield* Stages
  return yield* Effect.acquireRelease(
    attempt(() => openStore(config.store, {
      report: (input) => box.deliver(input),
      onFailure: (error) => box.fail(error),
      onBatch: (micros, commits) => histogram.record(micros, commits),
    })),
    (opened) => Effect.promise(() => opened.close()),
  )
}))

const contents = Layer.effect(Contents, Effect.gen(function* () {
  const config = yield* Config
  const rows = yield* Store
  const folder = join(config.store, 'content')
  return yield* attempt(async () => new ContentStore(folder, (id) => rows.has(contentKey(id))), `the folder of contents ${folder}`)
}))

const network = Layer.scoped(Network, Effect.gen(function* () {
  const config = yield* Config
  const box = yield* Inbox
  const { tls } = config.sip
  const material = tls === undefined ? undefined : yield* attempt(async () => readTls(tls))
  const { tls: mediaFiles } = config.msrp
  const media = mediaFiles === undefined ? undefined : yield* attempt(async () => readMediaTls(mediaFiles))
  const { capture: capturePath } = config
  const capture = capturePath === undefined ? undefined : yield* Effect.acquireRelease(
    Effect.sync(() => new Capture(capturePath, (error) => box.fail(error))),
    (opened) => Effect.promise(() => opened.close()),
  )
  const sockets = yield* Effect.acquireRelease(
    Effect.sync(() => new Sockets((input) => {
      capture?.came(input)
      box.deliver(input)
    }, material, media)),
    (opened) => Effect.promise(() => opened.close()),
  )
  const sip = yield* attempt(() => sockets.listen(['udp', 'tcp'], endpointOf(config.sip.listen)!), `the SIP listener at ${config.sip.listen}`)
  const sipTls = material === undefined ? undefined : yield* attempt(() => sockets.listen(['tls'], endpointOf(config.sip.listenTls)!), `the SIP listener at ${config.sip.listenTls}`)
  const msrp = yield* attempt(() => sockets.listen([media === undefined ? 'tcp' : 'tls'], endpointOf(config.msrp.listen)!, 'fingerprint'), `the MSRP listener at ${config.msrp.listen}`)
  return { sockets, capture, sip, sipTls, msrp, msrpFingerprint: media?.fingerprint }
}))

const http = Layer.scoped(Http, Effect.gen(function* () {
  const config = yield* Config
  const box = yield* Inbox
  const store = yield* Contents
  const { http: histogram } = yield* Stages
  const { initiators } = config
  const { tls } = config.pap
  const gate = initiators === undefined ? undefined : yield* attempt(async () => new Gate(readInitiators(initiators, process.env)))
  const material = tls === undefined ? undefined : yield* attempt(async () => readTls(tls))
  const settings: HttpSettings = {
    bodyBytesMax: config.pap.bodyMax, content: { store, bytesMax: config.pap.contentMax },
    ...(gate === undefined ? {} : { gate }), ...(material === undefined ? {} : { tls: material }),
  }
  const listener = yield* Effect.acquireRelease(
    Effect.sync(() => new PapListener(settings, (request) => box.deliver(request), (micros) => histogram.record(micros))),
    (opened) => Effect.promise(() => opened.close()),
  )
  const pap = yield* attempt(() => listener.listen(endpointOf(config.pap.listen)!), `the PAP listener at ${config.pap.listen}`)
  if (tls === undefined) return { listener, pap, papTls: undefined }
  const papTls = yield* attempt(() => listener.listenTls(endpointOf(config.pap.listenTls)!), `the PAP listener at ${config.pap.listenTls}`)
  yield* Effect.acquireRelease(
    Effect.sync(() => new TlsWatch(tls, (renewed) => listener.renewTls(renewed), (why) => process.stderr.write(`warning: pap.tls: ${why}\n`))),
    (watch) => Effect.sync(() => watch.close()),
  )
  return { listener, pap, papTls }
}))

const contentHttp = Layer.scoped(ContentHttp, Effect.gen(function* () {
  const { content: config } = yield* Config
  const box = yield* Inbox
  const files = yield* Contents
  const { tls } = config
  const material = tls === undefined ? undefined : yield* attempt(async () => readTls(tls))
  const fetches = yield* Effect.acquireRelease(
    Effect.sync(() => new ContentListener((id, offset, length) => files.read(id, offset, length), (input) => box.deliver(input), material)),
    (opened) => Effect.promise(() => opened.close()),
  )
  const content = yield* attempt(() => fetches.listen(endpointOf(config.listen)!), `the listener for contents at ${config.listen}`)
  return { fetches, content }
}))

const notifications = Layer.scoped(Notifications, Effect.gen(function* () {
  const config = yield* Config
  const box = yield* Inbox
  const { notify: histogram } = yield* Stages
  return yield* Effect.acquireRelease(
    Effect.sync(() => new Notifier((answer, micros) => {
      histogram.record(micros)
      box.deliver(answer)
    }, new NotifyGuard(config.notifications.inside))),
    (opened) => Effect.promise(() => opened.close()),
  )
}))

const journal = Layer.scoped(Journal, Effect.gen(function* () {
  const config = yield* Config
  const box = yield* Inbox
  const path = config.journal
  if (path === undefined) return undefined
  return yield* Effect.acquireRelease(
    Effect.sync(() => new JournalWriter(path, (error) => box.fail(error))),
    (opened) => Effect.promise(() => opened.close()),
  )
}))

/** Everything but the machine. The store is opened first and closed last but one: what the others still say can be kept. */
export const resources: Layer.Layer<Stages | Inbox | Store | Contents | ContentHttp | Network | Http | Notifications | Journal, GatewayError, Config> =
  Layer.mergeAll(http, contentHttp, network, notifications).pipe(Layer.provideMerge(contents), Layer.provideMerge(store), Layer.provideMerge(journal), Layer.provideMerge(Layer.merge(inbox, stages)))

/** @param what is being opened, where the reason does not say it */
export function attempt<Value>(open: () => Promise<Value>, what?: string): Effect.Effect<Value, GatewayError> {
  return Effect.tryPromise({
    try: open,
    catch: (error) => {
      const reason = error instanceof Error ? error.message : String(error)
      return new GatewayError({ message: what === undefined ? reason : `${what} cannot be opened: ${reason}` })
    },
  })
}
