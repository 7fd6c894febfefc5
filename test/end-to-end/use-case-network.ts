/**
 * A small network of the real parts, each a process of its own on real sockets, for pushes submitted by hand: core network,
 * gateway and terminals whose devices the test describes. It tells what each journal says of a push; what that should be is the test's.
 */
import { request as httpRequest } from 'node:http'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Schema } from 'effect'
import { afterAll } from 'vitest'
import { parseJournalLine, type JournalEvent } from '../../core/kit/journal.js'
import type { GatewayConfigWritten } from '../../core/live/config.js'
import { startPart, type PartProcess } from '../../core/live/part-process.js'
import { PPG_DOMAIN, gatewayConfigOf, imsConfigOf, terminalsConfigOf, type Population } from '../../loadgen/live/part-configs.js'
import { DEFAULT_SCENARIO } from '../../loadgen/scenario.js'
import { PopulationConfig, populationOf } from '../../sim/live/population-config.js'
import { Folder } from './command.js'
import { steadyPort } from '../live/network.js'
import { initiator, type Initiator } from '../live/sip-sink.js'

const REGISTER = { perSecond: 200, withinMicros: 30_000_000 }
const CAPTURE = 'gateway.pcap'
/** Journals are written behind; a part told to say its counters is no reason to have them flushed. */
const LOOK_MILLIS = 50

const closers: (() => Promise<unknown> | void)[] = []
afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

export interface Device {
  readonly applications: readonly string[]
  /** Besides MESSAGE. */
  readonly bindings?: readonly ('session' | 'event' | 'indirection')[]
  readonly sizeMax?: number
  /** Besides those of its applications. */
  readonly types?: readonly string[]
}

/** One push as its initiator writes it. */
export interface Push {
  readonly pushId: string
  /** The recipient's SIP URI: a public identity, or a GRUU. */
  readonly to: string
  readonly quality?: string
  /** Further attributes of the push-message. */
  readonly attributes?: string
  readonly headers?: readonly string[]
  readonly contentType: string
  /** Characters up to U+00FF, an octet each. */
  readonly content: string
  /** A client profile that states what the initiator assumes of the device. */
  readonly profile?: string
}

export interface Answer {
  readonly status: number
  readonly code: number
  /** The push-response. */
  readonly document: string
}

export class UseCaseNetwork {
  private constructor(readonly population: Population, readonly pi: Initiator, private readonly folder: Folder, private readonly terminals: PartProcess, private readonly papUrl: string) {}

  /**
   * Six subscribers, everybody registered: the first three have one device, the others two.
   * @param device what every device is
   */
  static async start(device: Device, selection: GatewayConfigWritten['selection'] = {}): Promise<UseCaseNetwork> {
    const folder = new Folder()
    closers.push(() => folder.remove())
    const pi = await initiator()
    closers.push(() => pi.close())
    const { applications, bindings = [], sizeMax, types = [] } = device
    const population = {
      subscribers: 6,
      devicesPerSubscriber: { 1: 0.5, 2: 0.5 },
      applicationSets: [{ applications: applications as readonly [string, ...string[]], weight: 1 }] as const,
      capabilities: [{ bindings, types, ...(sizeMax === undefined ? {} : { sizeMax }) }] as const,
    }
    const start = async (module: string, config: unknown): Promise<PartProcess> => {
      const name = module.slice(module.lastIndexOf('/') + 1)
      const part = await startPart(fileURLToPath(new URL(`../../dist/${module}-part.js`, import.meta.url)), config, join(folder.path, `${name}.journal`), () => {})
      closers.push(() => part.kill())
      return part
    }
    // Core network and gateway are told where the other one is: one of them before it is there.
    const sip = { address: '127.0.0.1', port: await steadyPort() }
    const ims = await start('sim/live/ims', { ...imsConfigOf(DEFAULT_SCENARIO, sip), population })
    const store = join(folder.path, 'store')
    const capture = join(folder.path, CAPTURE)
    const gateway = await start('core/live/gateway', { ...gatewayConfigOf(DEFAULT_SCENARIO, sip, ims.addresses, store, capture), selection })
    const terminals = await start('sim/live/terminals', { ...terminalsConfigOf(DEFAULT_SCENARIO, ims.addresses), population })
    const { wanted, done } = await terminals.perform('register', REGISTER) as { wanted: number; done: number }
    if (wanted !== done) throw new Error(`${done} of ${wanted} devices registered`)
    return new UseCaseNetwork(populationOf(Schema.decodeUnknownSync(PopulationConfig)(population)), pi, folder, terminals, gateway.addresses['pap']!)
  }

  /** PAP 2.1 over HTTP, by hand; result notifications go to `pi`. */
  submit({ pushId, to, quality = '', attributes = '', headers = [], contentType, content, profile }: Push): Promise<Answer> {
    const control = '<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.1//EN" "http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd">'
      + `<pap><push-message push-id="${pushId}" ppg-notify-requested-to="${this.pi.url}" ${attributes}>`
      + `<address address-value="WAPPUSH=${encodeURIComponent(to)}/TYPE=USER@${PPG_DOMAIN}"/>${quality === '' ? '' : `<quality-of-service ${quality}/>`}</push-message></pap>`
    const parts = [['Content-Type: application/xml', '', control], [`Content-Type: ${contentType}`, ...headers, '', content], ...(profile === undefined ? [] : [['Content-Type: application/rdf+xml', '', profile]])]
    // Each character of a content is an octet.
    const body = Buffer.from(`${parts.map((lines) => `--edge\r\n${lines.join('\r\n')}\r\n`).join('')}--edge--\r\n`, 'latin1')
    return new Promise((resolve, reject) => {
      httpRequest(this.papUrl, { method: 'POST', headers: { 'content-type': 'multipart/related; boundary=edge; type="application/xml"', 'content-length': body.length } }, (response) => {
        let document = ''
        response.on('data', (chunk: Buffer) => { document += chunk.toString() })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, code: Number(/ code="(\d+)"/.exec(document)?.[1] ?? 0), document }))
      }).once('error', reject).end(body)
    })
  }

  /** The result notification of a push, once it has come. */
  async notification(pushId: string): Promise<string> {
    await look(() => this.pi.notified.includes(pushId))
    return this.pi.documents[this.pi.notified.indexOf(pushId)]!
  }

  /** What the terminals received of a push, once there are so many lines. */
  async received(pushId: string, count = 1): Promise<readonly Received[]> {
    const lines = () => this.journal('terminals', pushId).filter(({ event }) => event === 'received')
    await look(() => lines().length >= count)
    return lines().map(({ details }) => ({ to: details[0]!, instance: details[1]!, status: details[2]!, nth: details[3]!, binding: details[4]! }))
  }

  /** What a part wrote of a push so far, event and details. */
  journal(part: 'gateway' | 'ims' | 'terminals', pushId: string): readonly JournalEvent[] {
    const { path } = this.folder
    const files = readdirSync(path).filter((name) => name.startsWith(part) && name.endsWith('.journal'))
    return files.flatMap((name) => readFileSync(join(path, name), 'utf8').split('\n').map(parseJournalLine)).filter((event): event is JournalEvent => event?.pushId === pushId)
  }

  /** The gateway's final word about a push, once it is written: state, code, how it was confirmed, last SIP status. */
  async outcome(pushId: string): Promise<readonly string[]> {
    const lines = () => this.journal('gateway', pushId).filter(({ event }) => event === 'outcome')
    await look(() => lines().length > 0)
    return lines()[0]!.details
  }

  /** Waits until this text, such as a request line or a header line, has crossed the gateway's sockets. */
  async crossed(text: string): Promise<void> {
    await look(() => readFileSync(join(this.folder.path, CAPTURE), 'latin1').includes(text))
  }

  /** Switches every device of a subscriber on or off; resolves when it is registered, or not any more. */
  async turn(subscriber: number, to: 'on' | 'off'): Promise<void> {
    const counted = async (): Promise<number> => (await this.terminals.perform('counters') as Record<string, number>)['registered'] ?? 0
    const before = await counted()
    await this.terminals.perform('switch', { subscriber, to })
    for (;;) if (await counted() !== before) return
  }
}

export interface Received {
  readonly to: string
  readonly instance: string
  readonly status: string
  readonly nth: string
  readonly binding: string
}

/** Files have no event of their own; within the test's time limit. */
function look(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const again = (): void => {
      if (condition()) resolve()
      else setTimeout(again, LOOK_MILLIS)
    }
    again()
  })
}
