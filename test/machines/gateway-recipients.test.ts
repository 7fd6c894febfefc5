/** Memory of the gateway: nothing is kept of a recipient of whom nothing is known and for whom nothing waits. */
import { describe, expect, it } from 'vitest'
import { Hops } from '../../core/push/hops.js'
import { hostOf } from '../../core/push/notify-hosts.js'
import { Recipients } from '../../core/push/recipients.js'
import { targetOf } from '../../core/push/target.js'

const ANNA = targetOf('sip:anna@IMS.example')!
const GRUU = targetOf('sip:anna@ims.example;gr=urn:uuid:1')!

describe('the entry of a recipient', () => {
  it('goes with its last queue when no registration is known', () => {
    const recipients = new Recipients()
    const queue = recipients.queueOf(ANNA)
    const other = recipients.queueOf(GRUU)
    expect(other.recipient).toBe(queue.recipient)
    recipients.release(queue)
    expect(recipients.size).toBe(1)
    expect(recipients.queueOf(GRUU)).toBe(other)
    recipients.release(other)
    expect(recipients.size).toBe(0)
  })

  it('stays with a registration, or with deliveries in its queue', () => {
    const recipients = new Recipients()
    const queue = recipients.queueOf(ANNA)
    queue.members = 1
    recipients.release(queue)
    expect(recipients.queueOf(ANNA)).toBe(queue)
    queue.members = 0
    queue.recipient.registered = true
    recipients.release(queue)
    expect(recipients.size).toBe(1)
    expect(queue.recipient.firstQueue).toBeUndefined()
  })

  it('remembers the owner of a few temporary GRUUs, not of all there ever were', () => {
    const recipients = new Recipients()
    const anna = recipients.recipient(ANNA.aor)
    for (let count = 0; count < 20; count++) recipients.setDevices(anna, [{ instance: 'i', publicGruu: '', temporaryGruu: `sip:t${count}@ims.example;gr`, applications: undefined }])
    expect(recipients.queueOf(targetOf('sip:t4@ims.example;gr')!).recipient).toBe(anna)
    expect(recipients.queueOf(targetOf('sip:t3@ims.example;gr')!).recipient).not.toBe(anna)
  })
})

describe('a target', () => {
  it('is a SIP URI with a user; its kind follows from the gr parameter (RFC 5627)', () => {
    expect(ANNA).toEqual({ uri: 'sip:anna@IMS.example', aor: 'sip:anna@ims.example', host: 'ims.example', gruu: 'none' })
    expect(GRUU).toMatchObject({ aor: 'sip:anna@ims.example', gruu: 'public' })
    expect(targetOf('sip:t@ims.example;gr')).toMatchObject({ aor: 'sip:t@ims.example;gr', gruu: 'temporary' })
    for (const bad of ['sip:ims.example', 'tel:+35799', 'sip:a@b?x=y', 'http://x', '', 'sip:a b@c', `sip:${'a'.repeat(2_000)}@b`]) expect(targetOf(bad)).toBeUndefined()
  })
})

describe('a next hop', () => {
  it('is written as a loose route, IPv6 in brackets', () => {
    const hops = new Hops([{ transport: 'udp', address: '::1', port: 5060 }])
    expect(hops.pick({ mono: 0, wall: 0 })!.route).toBe('<sip:[::1]:5060;lr>')
  })

  it('has its connections used in turn, and rests with all of them', () => {
    const hops = new Hops([{ transport: 'tcp', address: '127.0.0.1', port: 5060, connections: 2 }])
    const now = { mono: 10, wall: 0 }
    expect([0, 1, 2].map(() => hops.pick(now)!.hop.lane)).toEqual([0, 1, 0])
    expect(hops.count).toBe(1)
    hops.rest(now, hops.pick(now)!.hop, 5)
    expect(hops.pick(now)).toBeUndefined()
  })

  it('that rests tells when it is awake again', () => {
    const hops = new Hops([{ transport: 'udp', address: '127.0.0.1', port: 5060 }])
    const now = { mono: 10, wall: 0 }
    hops.rest(now, { transport: 'udp', address: '127.0.0.1', port: 5060 }, 5)
    expect([hops.pick(now), hops.deadline(now), hops.deadline({ mono: 15, wall: 0 })]).toEqual([undefined, 15, Infinity])
  })
})

describe('the host of a notification URL', () => {
  it('is its authority without regard to case', () => {
    expect(['http://PI.example:8080/a?b', 'https://pi.example?x', 'HTTP://pi.example'].map(hostOf)).toEqual(['pi.example:8080', 'pi.example', 'pi.example'])
  })
})
