/**
 * One reference terminal: a sip.js user agent with its own connection, registered with digest, answering MESSAGE, INVITE and
 * the NOTIFYs of its subscription through that library's API, which answers OPTIONS by itself. The independent implementation on the other side of our wire: what it decides it decides from
 * what sip.js read. Knows one subscriber; counting and pacing are the panel's.
 */
import { type Invitation, type Message, type Notification, Registerer, RegistererState, Subscriber, UserAgent } from 'sip.js'
import { SDP_TYPE } from '../../core/sdp/msrp-media.js'
import { parseDescription } from '../../core/sdp/parse.js'
import { OMA_PUSH } from '../../core/sip/event.js'
import { PUSH_APPLICATION_TAG, acceptedTypes, applicationName } from '../terminal/applications.js'
import { acceptedApplication } from '../terminal/judgement.js'
import type { BindingName } from '../terminal/capabilities.js'
import type { Subscriber as Person } from '../terminal/population.js'
import { RecentPushIds } from '../terminal/push-ids.js'
import { ReferenceDescriptions, type ReferenceMedia, type ReferenceUse } from './reference-media.js'
import { ReferenceTransport, type ReferenceTransportOptions } from './reference-transport.js'

/** What it asks for; sip.js refreshes by itself. */
const EXPIRY_ASKED_SECONDS = 3_600
/** How soon it tries again when the network failed it. */
const RETRY_MILLIS = 1_000

/** What became of a REGISTER. `failed`: it may succeed another time (sip.js says 408 for silence, 503 for a broken transport). */
type RegisterEnd = 'accepted' | 'refused' | 'failed'

/** What happens to it, told to the panel. */
export interface ReferenceWatcher {
  registered(instance: string): void
  unregistered(instance: string): void
  received(push: { readonly target: string; readonly pushId: string; readonly instance: string; readonly status: number; readonly isRepeat: boolean; readonly binding: BindingName }): void
}

export class ReferenceTerminal {
  readonly instance: string
  private readonly agent: UserAgent
  private readonly registerer: Registerer
  private readonly pushIds = new RecentPushIds()
  private readonly applications: readonly string[]
  private readonly types: readonly string[]
  private isUp = false
  private isStopped = false
  /** It is registering for the first time, which sees to lost connections itself. */
  private isStarting = false
  private retrying: NodeJS.Timeout | undefined

  constructor(subscriber: Person, options: ReferenceTransportOptions, private readonly watcher: ReferenceWatcher, private readonly media: ReferenceMedia) {
    const device = subscriber.devices[0]!
    this.instance = device.instance
    this.applications = device.applications
    this.types = [...acceptedTypes(device.applications)]
    this.agent = new UserAgent({
      uri: UserAgent.makeURI(subscriber.impu)!,
      authorizationUsername: subscriber.impi,
      authorizationPassword: subscriber.password,
      transportConstructor: ReferenceTransport,
      transportOptions: { ...options, subscribedApplications: device.applications },
      sessionDescriptionHandlerFactory: (session) => new ReferenceDescriptions(media, this.useOf(session as Invitation)),
      // sip.js drops a response whose Via has a port, so the Via it writes must have none.
      viaHost: options.localAddress,
      contactParams: { transport: options.tls === undefined ? 'tcp' : 'tls' },
      sipExtensionExtraSupported: ['path', 'gruu'],
      logBuiltinEnabled: false,
      logConfiguration: false,
      delegate: {
        onMessage: (message) => this.answer(message),
        onInvite: (invitation) => this.invited(invitation),
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

  /** Connects and registers, again and again while the network fails it; false when the registrar refuses. */
  async register(): Promise<boolean> {
    this.isStarting = true
    let end = await this.attempt(() => this.agent.start())
    while (end === 'failed' && !this.isStopped) {
      await new Promise<void>((resolve) => { this.retrying = setTimeout(resolve, RETRY_MILLIS) })
      end = await this.attempt(() => this.agent.reconnect())
    }
    this.isStarting = false
    return end === 'accepted'
  }

  /** Ends the binding; false when there was no answer that says so. */
  deregister(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (done: boolean) => (): void => resolve(done)
      this.registerer.unregister({ requestDelegate: { onAccept: settle(true), onReject: settle(false), onRedirect: settle(false) } }).catch(settle(false))
    })
  }

  /** Subscribes to oma-push there; sip.js refreshes by itself. */
  async subscribe(server: string): Promise<void> {
    const subscriber = new Subscriber(this.agent, UserAgent.makeURI(server)!, OMA_PUSH, {
      expires: EXPIRY_ASKED_SECONDS,
      delegate: { onNotify: (notification) => this.notified(notification) },
    })
    await subscriber.subscribe()
  }

  /** Closes the connection; a binding is left as it is. sip.js keeps timers, which end with the thread. */
  async stop(): Promise<void> {
    this.isStopped = true
    clearTimeout(this.retrying)
    await this.agent.transport.dispose()
  }

  private attempt(connect: () => Promise<void>): Promise<RegisterEnd> {
    return connect().then(() => this.sendRegister(), () => 'failed')
  }

  private sendRegister(): Promise<RegisterEnd> {
    return new Promise((resolve) => {
      this.registerer.register({
        requestDelegate: {
          onAccept: () => {
            // After a lost connection sip.js goes from registered to registered, which is no change of its state.
            this.setUp(true)
            resolve('accepted')
          },
          onReject: ({ message: { statusCode = 0 } }) => resolve(statusCode === 408 || statusCode >= 500 && statusCode < 600 ? 'failed' : 'refused'),
          onRedirect: () => resolve('refused'),
        },
      }).catch(() => resolve('failed'))
    })
  }

  private connectionLost(): void {
    this.setUp(false)
    if (this.isStarting) return
    this.retrying = setTimeout(() => {
      void this.attempt(() => this.agent.reconnect()).then((end) => { if (end !== 'accepted' && !this.isStopped) this.connectionLost() })
    }, RETRY_MILLIS)
  }

  private setUp(isUp: boolean): void {
    if (isUp === this.isUp) return
    this.isUp = isUp
    if (isUp) this.watcher.registered(this.instance)
    else this.watcher.unregistered(this.instance)
  }

  private answer(message: Message): void {
    const status = this.judge(message.request)
    this.note(message.request, message.request.getHeader('X-Push-Id') ?? '', status, 'message')
    const extraHeaders = status === 415 ? [`Accept: ${this.types.join(', ')}`] : []
    const answered = status === 200 ? message.accept() : message.reject({ statusCode: status, extraHeaders })
    // An answer that cannot be sent is the network's loss; the connection's end is told elsewhere.
    answered.catch(() => {})
  }

  private invited(invitation: Invitation): void {
    const { description } = parseDescription(invitation.body ?? '')
    const checked = this.judge(invitation.request, SDP_TYPE)
    const status = checked !== 200 ? checked : description === undefined || this.media.lineOf(description, this.types) < 0 ? 488 : 200
    if (status !== 200) this.note(invitation.request, invitation.request.getHeader('X-Push-Id') ?? '', status, 'session')
    const answered = status === 200 ? invitation.accept() : invitation.reject({ statusCode: status })
    answered.catch(() => {})
  }

  private useOf({ request }: Invitation): ReferenceUse {
    return {
      types: this.types,
      received: (pushId, status) => this.note(request, pushId === '' ? request.getHeader('X-Push-Id') ?? '' : pushId, status, 'session'),
    }
  }

  /** The first NOTIFY for each application, and the last one, bring nothing. */
  private notified(notification: Notification): void {
    const { request } = notification
    const type = request.getHeader('Content-Type')
    const status = request.body === '' || type === undefined || this.types.includes(bareType(type)) ? 200 : 415
    if (request.body !== '') this.note(request, request.getHeader('X-Push-Id') ?? '', status, 'event')
    const answered = status === 200 ? notification.accept() : notification.reject({ statusCode: status })
    answered.catch(() => {})
  }

  private note(request: Message['request'], pushId: string, status: number, binding: BindingName): void {
    const isRepeat = status === 200 && pushId !== '' && this.pushIds.isRepeat(pushId)
    this.watcher.received({ target: request.to.uri.toString(), pushId, instance: this.instance, status, isRepeat, binding })
  }

  /** The checks of a Push Receiver Agent, in the order the fleet makes them (sim/terminal/judgement.ts). */
  private judge(request: Message['request'], body?: string): number {
    if (!request.hasHeader('P-Asserted-Identity')) return 403
    const id = request.getHeader('X-Wap-Application-Id')
    const application = id === undefined ? request.getHeaders('Accept-Contact').map(acceptedApplication).find((name) => name !== '') : applicationName(id)
    if (application !== undefined && !this.applications.includes(application)) return 480
    const type = request.getHeader('Content-Type')
    return type === undefined || (body === undefined ? this.types.includes(bareType(type)) : bareType(type) === body) ? 200 : 415
  }
}

function bareType(text: string): string {
  return text.split(';')[0]!.trim().toLowerCase()
}
