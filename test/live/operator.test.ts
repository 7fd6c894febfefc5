/**
 * What an operator asks of running gateways about event mode, by HTTP and over the control channel: terminals of the fleet are moved
 * to a second gateway and get their pushes there, then lose their subscriptions and get them as MESSAGE. And who asks wrongly is told.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Schema } from 'effect'
import { afterEach, describe, expect, it } from 'vitest'
import { parseJournalLine, type JournalEvent } from '../../core/kit/journal.js'
import type { GatewayConfigWritten } from '../../core/live/config.js'
import { OperatorListener } from '../../core/live/operator-http.js'
import { OperatorMistake, type SubscriptionsReport } from '../../core/live/operator.js'
import { startPart, type PartProcess } from '../../core/live/part-process.js'
import { userAddress } from '../../core/pap/addresses.js'
import { gatewayConfigOf, imsConfigOf, populationFor, PPG_DOMAIN, terminalsConfigOf, type HostPort } from '../../loadgen/live/part-configs.js'
import { Scenario } from '../../loadgen/scenario.js'
import { SubmissionTemplate } from '../../loadgen/submission.js'
import { diskFolder } from './disk.js'
import { steadyPort } from './network.js'

const OTHER = 'sip:push2@home1.example'
const SUBSCRIBERS = 6
const SCENARIO = Schema.decodeUnknownSync(Scenario)({
  name: 'operator',
  traffic: { online: { share: '100%' } },
  population: { subscribers: SUBSCRIBERS, devicesPerSubscriber: { 1: '100%' }, returning: { share: '0%' }, absent: '0%', subscribing: '100%' },
  terminals: { reference: 0 },
})
const STOP_MILLIS = 20_000

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

describe('an operator of two gateways', () => {
  it('moves the subscribed terminals from one to the other, and ends their subscriptions there', async () => {
    const { folder, first, second, terminals, stop } = await twoGateways()
    const door = new URL(first.addresses['operator']!)
    await report(first, ({ subscriptions }) => subscriptions === SUBSCRIBERS)
    expect(await ask(door, '/subscriptions')).toEqual({ status: 200, answer: { subscriptions: SUBSCRIBERS } })

    await expect(first.perform('move-subscriptions', { server: 'push2' })).rejects.toThrow('"push2" is no SIP URI: write that of the other push server, such as sip:push@other.example')
    expect(await ask(door, '/subscriptions/move', { server: 'sip:push@home1.example' })).toEqual({ status: 400, answer: { error: '"sip:push@home1.example" is this gateway itself' } })
    expect(await ask(door, '/subscriptions/move', { to: OTHER })).toMatchObject({ status: 400, answer: { error: expect.stringContaining('say where') as string } })

    const asked = await ask(door, '/subscriptions/move', { server: OTHER })
    expect(asked).toMatchObject({ status: 200, answer: { subscriptions: SUBSCRIBERS, move: { server: OTHER, subscriptions: SUBSCRIBERS, failed: 0 } } })
    const moved = await report(first, ({ subscriptions, move }) => move?.pending === 0 && subscriptions === 0)
    expect(moved.move).toEqual({ server: OTHER, subscriptions: SUBSCRIBERS, moved: SUBSCRIBERS, ended: 0, failed: 0, gone: 0, pending: 0 })
    expect(await second.perform('subscriptions')).toEqual({ subscriptions: SUBSCRIBERS })
    await push(first, 'left@pi')
    await push(second, 'moved@pi')

    expect(await second.perform('end-subscriptions')).toMatchObject({ subscriptions: SUBSCRIBERS })
    await report(second, ({ subscriptions }) => subscriptions === 0)
    expect(await terminals.perform('counters')).toMatchObject({ subscriptions: 0 })
    await push(second, 'ended@pi')

    await stop()
    expect(received(folder)).toEqual([['left@pi', '200', 'message'], ['moved@pi', '200', 'event'], ['ended@pi', '200', 'message']])
    const told = readFileSync(join(folder, 'second.pcap'), 'latin1').match(/NOTIFY [^\r]*\r\n(?:[^\r]+\r\n)*?Subscription-State: terminated;reason=noresource\r\n/g)
    expect(told).toHaveLength(SUBSCRIBERS)
  }, 60_000)
})

describe('the operator’s door over HTTP', () => {
  it('answers what is asked wrongly in words, and stays open', async () => {
    const asked: unknown[] = []
    const listener = new OperatorListener((word, argument) => {
      asked.push([word, argument])
      if (word === 'move-subscriptions') throw new OperatorMistake('not there')
      return { subscriptions: 3 }
    })
    closers.push(() => listener.close())
    const { port } = await listener.listen({ address: '127.0.0.1', port: 0 })
    const door = new URL(`http://127.0.0.1:${port}`)
    const status = async (path: string, options: RequestInit): Promise<number> => (await fetch(new URL(path, door), options)).status
    const json = { 'content-type': 'application/json' }
    expect(await status('/', {})).toBe(404)
    expect(await status('/subscriptions', { method: 'POST', headers: json, body: '{}' })).toBe(405)
    expect(await status('/subscriptions/end', {})).toBe(405)
    expect(await status('/subscriptions/end', { method: 'POST', body: '{}' })).toBe(415)
    expect(await status('/subscriptions/move', { method: 'POST', headers: json, body: '{"server":' })).toBe(400)
    expect(await status('/subscriptions/move', { method: 'POST', headers: json, body: 'x'.repeat(5_000) })).toBe(413)
    expect(asked).toEqual([])
    expect(await ask(door, '/subscriptions/move', { server: 'a' })).toEqual({ status: 400, answer: { error: 'not there' } })
    expect(await ask(door, '/subscriptions?x')).toEqual({ status: 200, answer: { subscriptions: 3 } })
    expect(asked).toEqual([['move-subscriptions', { server: 'a' }], ['subscriptions', undefined]])
  })
})

interface TwoGateways {
  readonly folder: string
  readonly first: PartProcess
  readonly second: PartProcess
  readonly terminals: PartProcess
  stop(): Promise<void>
}

/** Everybody registered, and told to both gateways; both prefer a subscription where one stands. */
async function twoGateways(): Promise<TwoGateways> {
  const folder = diskFolder()
  const at = async (): Promise<HostPort> => ({ address: '127.0.0.1', port: await steadyPort() })
  const [one, two] = [await at(), await at()]
  const start = async (name: string, module: string, config: unknown): Promise<PartProcess> => {
    const part = await startPart(fileURLToPath(new URL(`../../dist/${module}-part.js`, import.meta.url)), config, join(folder, `${name}.journal`), () => {})
    closers.push(() => part.kill())
    return part
  }
  const forOne = imsConfigOf(SCENARIO, one)
  const forTwo = imsConfigOf(SCENARIO, two)
  const criteria = [...forOne.filterCriteria!, ...forTwo.filterCriteria!.map((criterion) => ({ ...criterion, priority: 1 }))]
  const ims = await start('ims', 'sim/live/ims', { ...forOne, filterCriteria: criteria, services: { ...forOne.services, [OTHER]: { transport: 'tcp', ...two } } })
  const configOf = (name: string, sip: HostPort): GatewayConfigWritten => ({ ...gatewayConfigOf(SCENARIO, sip, ims.addresses, join(folder, name), join(folder, `${name}.pcap`)), selection: { preferEvent: true } })
  const first = await start('first', 'core/live/gateway', { ...configOf('first', one), operator: { listen: '127.0.0.1:0' } })
  const second = configOf('second', two)
  const other = await start('second', 'core/live/gateway', { ...second, sip: { ...second.sip, identity: OTHER } })
  const terminals = await start('terminals', 'sim/live/terminals', terminalsConfigOf(SCENARIO, ims.addresses))
  expect(await terminals.perform('register', { perSecond: 200, withinMicros: 30_000_000 })).toMatchObject({ wanted: SUBSCRIBERS, done: SUBSCRIBERS })
  return { folder, first, second: other, terminals, stop: async () => { for (const part of [first, other, terminals, ims]) await part.stop(STOP_MILLIS) } }
}

/** Asks over the control channel until the report is as wanted. */
async function report(gateway: PartProcess, isWanted: (report: SubscriptionsReport) => boolean): Promise<SubscriptionsReport> {
  for (;;) {
    const told = await gateway.perform('subscriptions') as SubscriptionsReport
    if (isWanted(told)) return told
  }
}

async function ask(door: URL, path: string, argument?: unknown): Promise<{ readonly status: number; readonly answer: unknown }> {
  const response = await fetch(new URL(path, door), argument === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(argument) })
  return { status: response.status, answer: await response.json() }
}

/** Submits a push to the first subscriber, and waits until the gateway says that it was delivered. */
async function push(gateway: PartProcess, pushId: string): Promise<void> {
  const template = new SubmissionTemplate(SCENARIO.push, undefined, false)
  const delivered = async (): Promise<number> => (await gateway.perform('counters') as Record<string, number>)['delivered']!
  const before = await delivered()
  const address = userAddress(populationFor(SCENARIO).impu(0), PPG_DOMAIN)
  const { status } = await fetch(gateway.addresses['pap']!, { method: 'POST', headers: { 'content-type': template.contentType }, body: template.text(pushId, address) })
  expect(status).toBe(202)
  while (await delivered() === before);
}

/** Push-id, status and binding of what the terminals received, in order. */
function received(folder: string): (readonly string[])[] {
  const events: JournalEvent[] = readFileSync(join(folder, 'terminals-0.journal'), 'utf8').split('\n').filter((line) => line !== '').map((line) => parseJournalLine(line)!)
  return events.filter(({ event }) => event === 'received').map(({ pushId, details }) => [pushId, details[2]!, details[4]!])
}
