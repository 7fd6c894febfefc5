/**
 * One MSRP session between two processes over loopback TCP, beside a bare TCP stream between two processes that carries the same
 * octets in pieces of a chunk's size: how much of the bare stream's speed is left. And short messages through one kept session beside
 * a session on a connection of its own for each, without the SIP around either (whole pushes are compared by msrp.reuse.ratio, bindings.ts).
 * In turns, so that both see the same machine.
 */
import type { Child, Lab } from './lab.js'
import type { Measured } from './rows.js'

const REPEATS = 7
/** One repeat lasts about this long on either side. */
const REPEAT_SECONDS = 1
const WARM_UP_BYTES = 200_000_000

/** Sessions of one message each in one repeat: few enough that their connections linger without running out of ports. */
const OWN_SESSIONS = 1_000
const KEPT_MESSAGES = 10_000

interface Stream {
  /** Sends so many octets; octets each second until the other side has them all. */
  perSecond(bytes: number): Promise<number>
  stop(): Promise<unknown>
}

export async function benchMsrp(lab: Lab): Promise<Measured[]> {
  const msrp = await msrpStream(lab)
  const bare = await bareStream(lab)
  const rates: number[] = []
  const floors: number[] = []
  let counts: readonly [number, number] = [WARM_UP_BYTES, WARM_UP_BYTES]
  for (let repeat = -2; repeat < REPEATS; repeat++) {
    const rate = await msrp.perSecond(counts[0])
    const floor = await bare.perSecond(counts[1])
    lab.progress(`msrp.stream, ${repeat < 0 ? 'warm-up' : `repeat ${repeat + 1} of ${REPEATS}`}: ${(rate / 1e6).toFixed(0)} MB/s, bare ${(floor / 1e6).toFixed(0)} MB/s`)
    counts = repeat < 0 ? [Math.ceil(rate * REPEAT_SECONDS), Math.ceil(floor * REPEAT_SECONDS)] : counts
    if (repeat < 0) continue
    rates.push(rate)
    floors.push(floor)
  }
  await Promise.all([msrp.stop(), bare.stop()])
  return [
    { name: 'msrp.stream.ratio', unit: 'ratio', values: rates.map((rate, index) => rate / floors[index]!), floors: [] },
    { name: 'msrp.stream.bytesPerSecond', unit: 'B/s', values: rates, floors },
  ]
}

async function msrpStream(lab: Lab): Promise<Stream> {
  const receiver = lab.child('msrp-stream')
  const sender = lab.child('msrp-stream')
  const path = await receiver.ask<string>('offer')
  await receiver.ask('accept', await sender.ask<string>('answer', path))
  return {
    perSecond: async (bytes) => bytes * 1_000_000 / await sender.ask<number>('send', bytes),
    stop: () => Promise.all([sender.stop(), receiver.stop()]),
  }
}

async function bareStream(lab: Lab): Promise<Stream> {
  const receiver = lab.child('msrp-stream')
  const sender = lab.child('msrp-stream')
  await sender.ask('bareConnect', await receiver.ask<number>('bareListen'))
  return {
    perSecond: async (bytes) => bytes * 1_000_000 / await sender.ask<number>('bareSend', bytes),
    stop: () => Promise.all([sender.stop(), receiver.stop()]),
  }
}

export async function benchMsrpMessages(lab: Lab): Promise<Measured[]> {
  const gateway = lab.child('msrp-messages')
  const phones = lab.child('msrp-messages')
  await gateway.ask('listen')
  const values: number[] = []
  const rates: number[] = []
  const floors: number[] = []
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    const own = await ownSessions(gateway, phones)
    const kept = await keptSession(gateway, phones)
    lab.progress(`msrp.messages, ${repeat < 0 ? 'warm-up' : `repeat ${repeat + 1} of ${REPEATS}`}: ${kept.toFixed(0)}/s through one session, ${own.toFixed(0)}/s in one each`)
    if (repeat < 0) continue
    values.push(kept / own)
    rates.push(kept)
    floors.push(own)
  }
  await Promise.all([gateway.stop(), phones.stop()])
  return [{ name: 'msrp.messages.ratio', unit: 'ratio', values, floors: [] }, { name: 'msrp.messages.perSecond', unit: '1/s', values: rates, floors }]
}

/** The two ends' sessions know each other's paths; the gateway waits for the phones. */
async function prepared(gateway: Child, phones: Child, count: number): Promise<readonly string[]> {
  const paths = await gateway.ask<readonly string[]>('make', count)
  await gateway.ask('expectPhones', await phones.ask<readonly string[]>('make', count))
  return paths
}

async function ownSessions(gateway: Child, phones: Child): Promise<number> {
  const paths = await prepared(gateway, phones, OWN_SESSIONS)
  const micros = gateway.ask<number>('awaitOwn', OWN_SESSIONS)
  await phones.ask('connect', paths)
  return OWN_SESSIONS * 1_000_000 / await micros
}

async function keptSession(gateway: Child, phones: Child): Promise<number> {
  await phones.ask('connect', await prepared(gateway, phones, 1))
  return KEPT_MESSAGES * 1_000_000 / await gateway.ask<number>('sendKept', KEPT_MESSAGES)
}
