/**
 * A terminal made of sip.js alone, registered wherever it is told: an instance of its own, GRUUs asked for, every MESSAGE kept
 * and answered 200. What it understands it understands by that library.
 */
import { type Message, Registerer, UserAgent } from 'sip.js'
import { ReferenceTransport } from '../../sim/live/reference-transport.js'

export interface Received {
  readonly to: string
  readonly pushId: string
  readonly body: string
}

export class SipJsTerminal {
  readonly received: Received[] = []
  publicGruu = ''
  private readonly agent: UserAgent
  private readonly registerer: Registerer

  /** @param proxy address and port */
  constructor(proxy: string, aor: string, readonly instance: string, application: string) {
    const [address, port] = proxy.split(':')
    this.agent = new UserAgent({
      uri: UserAgent.makeURI(aor)!,
      transportConstructor: ReferenceTransport,
      transportOptions: { proxy: { address, port: Number(port) }, localAddress: '127.0.0.1', tls: undefined },
      viaHost: '127.0.0.1',
      contactParams: { transport: 'tcp' },
      sipExtensionExtraSupported: ['path', 'gruu'],
      logBuiltinEnabled: false,
      logConfiguration: false,
      delegate: { onMessage: (message) => this.take(message) },
    })
    this.registerer = new Registerer(this.agent, {
      expires: 600,
      extraContactHeaderParams: [`+sip.instance="<${instance}>"`, `+g.oma.pusheventapp="${application}"`],
      logConfiguration: false,
    })
  }

  /** Connects and registers; rejects with the status of a refusal. */
  async register(): Promise<void> {
    await this.agent.start()
    await new Promise<void>((resolve, reject) => {
      this.registerer.register({
        requestDelegate: {
          onAccept: ({ message }) => {
            // All bindings of the user are in it; ours names our instance.
            const ours = message.getHeaders('Contact').join(',').split(/,(?=\s*<)/).find((contact) => contact.includes(this.instance)) ?? ''
            this.publicGruu = /pub-gruu="([^"]+)"/.exec(ours)?.[1] ?? ''
            resolve()
          },
          onReject: ({ message }) => reject(new Error(`REGISTER was answered ${message.statusCode}`)),
        },
      }).catch(reject)
    })
  }

  /** Takes its binding away and closes its connection. */
  async stop(): Promise<void> {
    await this.agent.stop()
  }

  private take(message: Message): void {
    const { request } = message
    this.received.push({ to: request.to.uri.toString(), pushId: request.getHeader('X-Push-Id') ?? '', body: request.body })
    message.accept().catch(() => {})
  }
}
