/** Memory of the gateway: nothing is kept of a recipient of whom nothing is known and for whom nothing waits. */
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { Identity } from '../../core/ota/identity.js'
import { Rights } from '../../core/push/admission/rights.js'
import { Deliveries } from '../../core/push/delivery/deliveries.js'
import type { End } from '../../core/push/delivery/roles.js'
import type { Delivery } from '../../core/push/delivery/delivery.js'
import { Hops } from '../../core/push/delivery/hops.js'
import { hostOf } from '../../core/push/notification/notify-hosts.js'
import { Outbox, noCounts } from '../../core/push/outbox.js'
import { Recipients } from '../../core/push/delivery/recipients.js'
import { ContentPort } from '../../core/push/bindings/content-port.js'
import { StorePort } from '../../core/push/store-port.js'
import { targetOf } from '../../core/push/delivery/target.js'
import type { SubmissionRecord } from '../../core/store/records.js'
import { SETTINGS } from './gateway-world.js'

const ANNA = targetOf('sip:anna@IMS.example')!
const GRUU = targetOf('sip:anna@ims.example;gr=urn:uuid:1')!

describe('the entry of a recipient', () => {
  it('goes with its last queue when no registration is known', () => {
    const recipients = new Recipients(1)
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
    const recipients = new Recipients(1)
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
    const recipients = new Recipients(1)
    const anna = recipients.recipient(ANNA.aor)
    for (let count = 0; count < 20; count++) recipients.setDevices(anna, [{ instance: 'i', publicGruu: '', temporaryGruu: `sip:t${count}@ims.example;gr`, applications: undefined }])
    expect(recipients.queueOf(targetOf('sip:t4@ims.example;gr')!).recipient).toBe(anna)
    expect(recipients.queueOf(targetOf('sip:t3@ims.example;gr')!).recipient).not.toBe(anna)
  })
})

describe('a delivery', () => {
  const NOW = { mono: 1_000_000, wall: 1_773_300_000_000 }
  const DELIVERED: End = { state: 'delivered', code: 1000, confirmed: true }

  /** Deliveries whose attempts the test ends, and the recipients they are for. */
  function deliveries(): { readonly deliveries: Deliveries; readonly recipients: Recipients; readonly attempted: Delivery[]; readonly push: (uri: string, lifetimeMillis?: number) => void } {
    const out = new Outbox()
    const context = { settings: SETTINGS, identity: new Identity(SETTINGS), rights: new Rights(undefined), entropy: new SeededEntropy(1), crypto: systemCrypto, store: new StorePort(out), contents: new ContentPort(out), out, counters: noCounts(), unwritten: false }
    const recipients = new Recipients(1)
    const made = new Deliveries(context, recipients, new Hops(SETTINGS.nextHops))
    const attempted: Delivery[] = []
    made.sender = { hasOther: () => true, send: (_now, delivery) => attempted.push(delivery) }
    made.recorder = { record: () => {} }
    let sequence = 0
    const push = (uri: string, lifetimeMillis = 60_000): void => {
      const submission: SubmissionRecord = {
        acceptedAt: NOW.wall, deliverAfter: 0, expiresAt: NOW.wall + lifetimeMillis, hasDeliverBefore: true, priority: 'medium', deliveryMethod: 'notspecified', hasQualityOfService: false,
        statesCapabilities: false, papForm: 'pap-2.1', initiator: 'pi', pushId: `p${sequence}`, notifyUrl: '', token: 't', applicationId: '', featureTag: '',
        recipients: [{ literal: uri, uri }], contentType: 'text/plain', contentHeaders: [], content: Buffer.alloc(0),
      }
      made.add(NOW, ++sequence, 0, submission, undefined, false)
      made.pump(NOW)
    }
    return { deliveries: made, recipients, attempted, push }
  }

  it('that ended leaves no entry of its recipient behind: memory follows what waits, not everybody ever pushed to', () => {
    const { deliveries: all, recipients, attempted, push } = deliveries()
    for (let count = 0; count < 100; count++) push(`sip:user${count}@ims.example`)
    expect([attempted.length, recipients.size]).toEqual([100, 100])
    const last = attempted.pop()!
    for (const delivery of attempted) all.end(NOW, delivery, DELIVERED)
    expect(recipients.size).toBe(1)
    all.end(NOW, last, DELIVERED)
    expect(recipients.size).toBe(0)
  })

  it('that expired while it waited for its turn leaves no entry behind either', () => {
    const { deliveries: all, recipients, attempted, push } = deliveries()
    push('sip:anna@ims.example')
    push('sip:anna@ims.example', 1_000)
    all.tick({ mono: NOW.mono + 2_000_000, wall: NOW.wall + 2_000 })
    for (const delivery of attempted.splice(0)) all.end(NOW, delivery, DELIVERED)
    expect(recipients.size).toBe(0)
  })

  it('that moved to another Request-URI takes its place in that queue and leaves the old one behind empty, so gone', () => {
    const { deliveries: all, recipients, attempted, push } = deliveries()
    push('sip:anna@ims.example')
    const [delivery] = attempted.splice(0)
    all.move(NOW, delivery!, targetOf('sip:berta@ims.example')!)
    all.pump(NOW)
    expect([recipients.size, attempted[0]?.queue.target.uri]).toEqual([1, 'sip:berta@ims.example'])
    all.end(NOW, attempted[0]!, DELIVERED)
    expect(recipients.size).toBe(0)
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
