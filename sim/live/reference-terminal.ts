/**
 * One reference terminal: a sip.js user agent with its own connection, registered with digest, answering MESSAGE through
 * that library's API. The independent implementation on the other side of our wire: what it decides it decides from
 * what sip.js read. Knows one subscriber; counting and pacing are the panel's.
 */
import { type Message, Registerer, RegistererState, UserAgent } from 'sip.js'
import { PUSH_APPLICATION_TAG, acceptedTypes, applicationName } from '../terminal/applications.js'
import { acceptedApplication } from '../terminal/judgement.js'
import type { Subscriber } from '../terminal/population.js'
import { RecentPushIds } from '../terminal/push-ids.js'
import { ReferenceTransport, type ReferenceTransportOptions } from './reference-transport.js'

/** What it asks for; sip.js refreshes by itself. */
const EXPIRY_ASKED_SECONDS = 3_600
/** How soon it connects again when the connection is lost. */
const RECONNECT_MILLIS = 1_000

/** What happens to it, told to the panel. */
export interface ReferenceWatcher {
  registered(instance: string): void
  unregistered(instance: string): void
  received(push: { readonly target: string; readonly pushId: string; readonly instance: string; readonly status: number; readonly isRepeat: boolean }): void
}

export class ReferenceTerminal {
  readonly instance: string
  private readonly agent: UserAgent
  private readonly registerer: Registerer
  private readonly pushIds = new RecentPushIds()
  private readonly applications: readonly string[]
  private isUp = false
  private reconnecting: NodeJS.Timeout | undefined

  constructor(subscriber: Subscriber, options: ReferenceTransportOptions, private readonly watcher: ReferenceWatcher) {
    const device = subscriber.devices[0]!
    this.instance = device.instance
    this.applications = device.applications
    this.agent = new UserAgent({
      uri: UserAgent.makeURI(subscriber.impu)!,
      authorizationUsername: subscriber.impi,
      authorizationPassword: subscriber.password,
      transportConstructor: ReferenceTransport,
      transportOptions: options,
      // sip.js drops a response whose Via has a port, so the Via it writes must have none.
      viaHost: options.localAddress,
      contactParams: { transport: options.tls === undefined ? 'tcp' : 'tls' },
      sipExtensionExtraSupported: ['path', 'gruu'],
      logBuiltinEnabled: false,
      logConfiguration: false,
      delegate: {
        onMessage: (message) => this.answer(message),
        onDisconnect: (error) => { if (error !== undefined) this.connectionLost() },
      },
    })
    this.registerer = new Registerer(this.agent, {
      expires: EXPIRY_ASKED_SECONDS,
      extraContactHeaderParams: [`+sip.instance="<${device.instance}>"`, `${PUSH_APPLICATION_TAG}="${device.applications.join(',')}"`],
      logConfiguration: false,
    })
    this.registerer.stateChange.addListener((state) => this.setUp(state === RegistererState.Registered))
  }

  /** Connects and registers; false when the registrar, or the network, does not let it. */
  async register(): Promise<boolean> {
    try {
      await this.agent.start()
      return await this.sendRegister()
    } catch {
      return false
    }
  }

  /** Ends the binding; false when there was no answer that says so. */
  deregister(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (done: boolean) => (): void => resolve(done)
      this.registerer.unregister({ requestDelegate: { onAccept: settle(true), onReject: settle(false), onRedirect: settle(false) } }).catch(settle(false))
    })
  }

  /** Closes the connection; a binding is left as it is. sip.js keeps timers, which end with the thread. */
  async stop(): Promise<void> {
    clearTimeout(this.reconnecting)
    await this.agent.transport.dispose()
  }

  private sendRegister(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (done: boolean) => (): void => {
        // After a lost connection sip.js goes from registered to registered, which is no change of its state.
        if (done) this.setUp(true)
        resolve(done)
      }
      this.registerer.register({ requestDelegate: { onAccept: settle(true), onReject: settle(false), onRedirect: settle(false) } }).catch(settle(false))
    })
  }

  private connectionLost(): void {
    this.setUp(false)
    this.reconnecting = setTimeout(() => {
      this.agent.reconnect().then(() => this.sendRegister()).catch(() => false).then((done) => { if (!done) this.connectionLost() }, () => {})
    }, RECONNECT_MILLIS)
  }

  private setUp(isUp: boolean): void {
    if (isUp === this.isUp) return
    this.isUp = isUp
    if (isUp) this.watcher.registered(this.instance)
    else this.watcher.unregistered(this.instance)
  }

  private answer(message: Message): void {
    const { request } = message
    const pushId = request.getHeader('X-Push-Id') ?? ''
    const status = this.judge(message)
    const isRepeat = status === 200 && pushId !== '' && this.pushIds.isRepeat(pushId)
    this.watcher.received({ target: request.to.uri.toString(), pushId, instance: this.instance, status, isRepeat })
    const extraHeaders = status === 415 ? [`Accept: ${[...acceptedTypes(this.applications)].join(', ')}`] : []
    const answered = status === 200 ? message.accept() : message.reject({ statusCode: status, extraHeaders })
    // An answer that cannot be sent is the network's loss; the connection's end is told elsewhere.
    answered.catch(() => {})
  }

  /** The checks of a Push Receiver Agent, in the order the fleet makes them (sim/terminal/judgement.ts). */
  private judge({ request }: Message): number {
    if (!request.hasHeader('P-Asserted-Identity')) return 403
    const id = request.getHeader('X-Wap-Application-Id')
    const application = id === undefined ? request.getHeaders('Accept-Contact').map(acceptedApplication).find((name) => name !== '') : applicationName(id)
    if (application !== undefined && !this.applications.includes(application)) return 480
    const type = request.getHeader('Content-Type')?.split(';')[0]!.trim().toLowerCase()
    return type === undefined || acceptedTypes(this.applications).has(type) ? 200 : 415
  }
}
