/** A MESSAGE to a user with several devices: who gets it, and which one answer goes back (RFC 3261 section 16.7, RFC 4320, RFC 3841). */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { DOMAIN, ImsHarness, PORTS, type Peer } from './ims-harness.js'

const AOR = `sip:alice@${DOMAIN}`
const INSTANCES = [1, 2, 3].map((number) => `urn:uuid:00000000-0000-4000-8000-00000000000${number}`)

function devices(...features: string[]): { harness: ImsHarness; ues: Peer[]; gateway: Peer } {
  const harness = new ImsHarness()
  const ues = features.map((params, index) => {
    const ue = harness.tcp(PORTS.pcscf)
    expect(ue.register({ instance: INSTANCES[index]!, params, contact: `sip:alice@127.0.0.2:${ue.remote.port};transport=tcp` }).status).toBe(200)
    return ue
  })
  return { harness, ues, gateway: harness.tcp(PORTS.icscf) }
}

/** Answers of the devices in this order of time; 0 stays silent. What the gateway gets, after all timers. */
function outcome(...statuses: number[]): SipMessage[] {
  const { harness, ues, gateway } = devices(...statuses.map(() => ''))
  gateway.message(AOR)
  const requests = ues.map((ue) => ue.last())
  requests.forEach((request, index) => { if (statuses[index] !== 0) ues[index]!.answer(request, statuses[index]!) })
  harness.pass(40)
  return gateway.received.filter((message) => message.status >= 200)
}

describe('the one answer to a forked MESSAGE', () => {
  const table: [statuses: number[], status: number][] = [
    [[486, 200], 200], [[200, 486], 200], [[200, 200], 200], [[603, 480], 603], [[480, 603], 603], [[603, 200], 200],
    [[486, 486], 486], [[404, 500], 404], [[500, 302], 302], [[480, 415], 415], [[415, 480], 415], [[503, 503], 500],
    // A device must not send 408 (RFC 4320 section 4.2); one that does has said nothing.
    [[408, 480], 480], [[480, 408], 480],
  ]
  for (const [statuses, status] of table) {
    it(`is ${status} for ${statuses.map((each) => each || 'silence').join(' and ')}`, () => {
      expect(outcome(...statuses).map((message) => message.status)).toEqual([status])
    })
  }

  it('is 500 for a 503, with its Retry-After: what it said of the request holds, what it would say of this node does not (16.7 step 6)', () => {
    for (const after of ['17 (moving house)', undefined]) {
      const { ues: [ue], gateway } = devices('')
      gateway.message(AOR)
      ue!.answer(ue!.last(), 503, ...(after === undefined ? [] : [[Header.RetryAfter, after] satisfies [typeof Header.RetryAfter, string]]))
      const answer = gateway.last()
      expect([answer.status, answer.get(Header.RetryAfter)]).toEqual([500, after])
    }
  })

  it('is 486 or 480 where one device says busy and one is unavailable', () => {
    const [answer, ...more] = outcome(486, 480)
    expect([480, 486]).toContain(answer!.status)
    expect(more).toEqual([])
  })

  it('does not exist when every device is silent: the sender\'s own timer F tells it (RFC 4320 section 4.2)', () => {
    const { harness, ues, gateway } = devices('', '')
    gateway.message(AOR)
    ues.forEach((ue) => ue.last())
    harness.pass(60)
    expect(gateway.received.map((message) => message.status)).toEqual([100])
    expect(harness.core.counters()['scscf.unanswered']).toBe(0)
  })

  it('comes too late to be sent when one device refuses and another stays silent: timer F of the sender fires first', () => {
    expect(outcome(503, 0)).toEqual([])
    expect(outcome(486, 0)).toEqual([])
  })

  it('merges the challenges of devices that ask for credentials (16.7 step 7)', () => {
    const { ues, gateway } = devices('', '')
    gateway.message(AOR)
    ues.forEach((ue, index) => ue.answer(ue.last(), 401, [Header.WwwAuthenticate as never, `Digest realm="${index}", nonce="n"`]))
    expect(gateway.last().getAll(Header.WwwAuthenticate)).toHaveLength(2)
  })

  it('leaves the other branches alone: a later answer is swallowed', () => {
    const { harness, ues, gateway } = devices('', '')
    gateway.message(AOR)
    const [first, second] = ues.map((ue) => ue.last())
    ues[1]!.answer(second!, 200)
    expect(gateway.last().status).toBe(200)
    ues[0]!.answer(first!, 200)
    expect(gateway.received).toEqual([])
    expect(ues[0]!.received).toEqual([])
    expect(harness.core.counters()['scscf.unanswered']).toBe(0)
  })
})

describe('the targets of a MESSAGE', () => {
  const MMS = ';+g.oma.pusheventapp="mms.ua,push.sia"'
  const DM = ';+g.oma.pusheventapp="syncml.dm"'
  const to = (ues: Peer[]) => ues.map((ue) => ue.received.filter((message) => message.isRequest).length)

  it('are all devices of the user', () => {
    const { ues, gateway } = devices(MMS, DM, '')
    gateway.message(AOR)
    expect(to(ues)).toEqual([1, 1, 1])
  })

  it('are those with the application, by Accept-Contact with require and explicit', () => {
    const { ues, gateway } = devices(MMS, DM, '')
    gateway.message(AOR, 'Accept-Contact: *;+g.oma.pusheventapp="MMS.ua";require;explicit')
    expect(to(ues)).toEqual([1, 0, 0])
  })

  it('with require alone include a device that does not speak of applications', () => {
    const { ues, gateway } = devices(MMS, DM, ';audio')
    gateway.message(AOR, 'Accept-Contact: *;+g.oma.pusheventapp="mms.ua";require')
    expect(to(ues)).toEqual([1, 0, 1])
  })

  it('leave out what Reject-Contact names', () => {
    const { ues, gateway } = devices(MMS, DM)
    gateway.message(AOR, 'Reject-Contact: *;+g.oma.pusheventapp="syncml.dm"')
    expect(to(ues)).toEqual([1, 0])
  })

  it('are one, the best, with no-fork', () => {
    const { ues, gateway } = devices(`${MMS};q=0.3`, `${MMS};q=0.9`)
    gateway.message(AOR, 'Request-Disposition: no-fork')
    expect(to(ues)).toEqual([0, 1])
  })

  it('can be preferred by instance id', () => {
    const { ues, gateway } = devices(MMS, MMS)
    gateway.message(AOR, `Accept-Contact: *;+sip.instance="<${INSTANCES[1]}>";require`)
    expect(to(ues)).toEqual([0, 1])
  })

  it('that no device meets: 480, also for the right GRUU and the wrong application', () => {
    const { gateway } = devices(MMS)
    const wrong = 'Accept-Contact: *;+g.oma.pusheventapp="wml.ua";require;explicit'
    gateway.message(AOR, wrong)
    expect(gateway.last().status).toBe(480)
    gateway.message(`${AOR};gr=${INSTANCES[0]}`, wrong)
    expect(gateway.last().status).toBe(480)
  })

  it('stated by more preferences than are read: 400 (RFC 3841 section 11)', () => {
    const { gateway } = devices(MMS)
    gateway.message(AOR, `Accept-Contact: ${Array.from({ length: 21 }, (_, index) => `*;audio;x${index}`).join(', ')}`)
    expect(gateway.last().status).toBe(400)
  })
})

describe('a device with two flows (reg-id 1 and 2)', () => {
  function twoFlows() {
    const harness = new ImsHarness()
    const ues = [1, 2].map((regId) => {
      const ue = harness.tcp(PORTS.pcscf)
      expect(ue.register({ instance: INSTANCES[0]!, params: `;reg-id=${regId}`, supported: 'path, gruu, outbound', callId: `flow-${regId}` }).status).toBe(200)
      return ue
    })
    return { harness, ues, gateway: harness.tcp(PORTS.icscf) }
  }

  it('gets one copy, over the flow refreshed last', () => {
    const { ues, gateway } = twoFlows()
    gateway.message(AOR)
    expect(ues.map((ue) => ue.received.length)).toEqual([0, 1])
  })

  it('is tried over the other flow when one answers 430, whose binding goes', () => {
    const { harness, ues, gateway } = twoFlows()
    harness.close(ues[1]!)
    gateway.message(AOR)
    ues[0]!.answer(ues[0]!.last(), 200)
    expect(gateway.last().status).toBe(200)
    expect(harness.core.population()).toEqual({ users: 1, bindings: 1 })
  })

  it('with both flows dead is 430, and 480 from then on', () => {
    const { harness, ues, gateway } = twoFlows()
    ues.forEach((ue) => harness.close(ue))
    gateway.message(AOR)
    expect(gateway.last().status).toBe(430)
    gateway.message(AOR)
    expect(gateway.last().status).toBe(480)
  })
})

describe('the journal of the core', () => {
  it('names the push, its target and branches, and each branch\'s end', () => {
    const { harness, ues, gateway } = devices('', '')
    gateway.message(AOR, 'X-Push-Id: push-1')
    ues.forEach((ue, index) => ue.answer(ue.last(), index === 0 ? 486 : 200))
    expect(harness.journal.map(({ event, pushId, details }) => [event, pushId, details[1]])).toEqual([
      ['fork', 'push-1', '2'], ['branch', 'push-1', '486'], ['branch', 'push-1', '200'],
    ])
    expect(harness.journal[0]!.details[0]).toBe(AOR)
  })
})
