/** INVITE through the three nodes: answered, refused, cancelled, forked, timed out, and its ACK (RFC 3261 section 16, RFC 6026), collapsed and split. */
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { AOR, Answerer, Call, SDP, keeping, left, send, statuses, took, withoutChance } from './ims-calls.js'
import { DOMAIN, ImsHarness, PORTS, type Peer } from './ims-harness.js'

const MODES = ['collapsed', 'split'] as const

interface Scene {
  readonly harness: ImsHarness
  readonly ues: Peer[]
  readonly gateway: Peer
}

function scene(mode: (typeof MODES)[number], devices = 1, timerCSeconds = 185): Scene {
  const harness = new ImsHarness((settings) => ({ ...settings, mode, limits: { ...settings.limits, timerCSeconds } }))
  const ues = Array.from({ length: devices }, (_, index) => {
    const ue = harness.tcp(PORTS.pcscf)
    const instance = `urn:uuid:00000000-0000-4000-8000-00000000000${index}`
    expect(ue.register({ instance, contact: `sip:alice@127.0.0.2:${ue.remote.port};transport=tcp` }).status).toBe(200)
    return ue
  })
  return { harness, ues, gateway: harness.tcp(PORTS.icscf, { address: '127.0.0.3', port: 41_022 }) }
}

/** The one INVITE of a device and the means to answer it. */
function ringing({ harness, ues }: Scene, index = 0): Answerer {
  return new Answerer(harness, ues[index]!, took(ues[index]!, 'INVITE'))
}

const routes = (message: SipMessage) => message.getAll(Header.RecordRoute).map((line) => line.replace(/[\w+/=]{32}@/, 'TOKEN@'))

for (const mode of MODES) {
  describe(`an INVITE through a ${mode} core`, () => {
    it('keeps nothing of an answer once it has gone on: who accepted repeats its 2xx itself (RFC 6026 section 7.1, RFC 3261 section 13.3.1.4)', () => {
      const all = scene(mode)
      const call = new Call(all.harness, all.gateway, AOR)
      const callee = ringing(all)
      callee.answer(200, `${SDP}a=label:of-the-answer\r\n`)
      expect(all.gateway.last().body.toString()).toContain('of-the-answer')
      expect(keeping(all.harness.core, 'of-the-answer')).toBe(0)
      // The repeated INVITE is absorbed, the repeated 2xx goes through.
      call.repeat()
      expect(all.gateway.received).toEqual([])
      callee.answer(200, SDP)
      expect(statuses(all.gateway)).toEqual([200])
      all.harness.pass(70)
      expect(left(all.harness)).toEqual({})
    })

    it('keeps a refusal until it is acknowledged, and no longer', () => {
      const all = scene(mode)
      const call = new Call(all.harness, all.gateway, AOR)
      ringing(all).answer(486)
      const refusal = all.gateway.last()
      expect(keeping(all.harness.core, '486 Busy Here')).toBeGreaterThan(0)
      call.ackRefusal(refusal)
      expect(keeping(all.harness.core, '486 Busy Here')).toBe(0)
    })

    it('is answered 100 at once, rings, is answered, and its ACK reaches the terminal by the route set', () => {
      const all = scene(mode)
      const { harness, ues, gateway } = all
      const call = new Call(harness, gateway, AOR)
      expect(gateway.received.map(({ status }) => status)).toEqual([100])
      const callee = ringing(all)
      expect(callee.request.requestUri).toBe(`sip:alice@127.0.0.2:${ues[0]!.remote.port};transport=tcp`)
      expect(callee.request.get(Header.PCalledPartyId)).toBe(`<${AOR}>`)
      expect(callee.request.body.toString()).toBe(SDP)
      // Not the I-CSCF; the P-CSCF last, with the token of the terminal's flow (RFC 5626 section 5.3).
      expect(routes(callee.request)).toEqual(['<sip:TOKEN@pcscf.home1.example;lr>', '<sip:term@scscf.home1.example;lr>'])
      callee.answer(180)
      callee.answer(200, SDP)
      const answers = gateway.received.slice(1)
      expect(answers.map(({ status }) => status)).toEqual([180, 200])
      expect(answers[1]!.getAll(Header.Via)).toHaveLength(1)
      const core = harness.tcp(PORTS.scscf, gateway.remote)
      send(harness, core, call.dialog(answers[1]!).ack(1))
      const ack = took(ues[0]!, 'ACK')
      expect(ack.has(Header.Route)).toBe(false)
      expect(ack.get(Header.CSeq)).toBe('1 ACK')
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })

    it('takes its ACK also by the entry of the network, for an application server that knows no other', () => {
      const all = scene(mode)
      const { harness, ues, gateway } = all
      const call = new Call(harness, gateway, AOR)
      ringing(all).answer(200)
      send(harness, gateway, call.dialog(gateway.last()).ack(1))
      took(ues[0]!, 'ACK')
      expect(harness.core.counters()).toMatchObject({ 'icscf.acks': 1, 'scscf.acks': 1, 'pcscf.acks': 1, 'pcscf.acksLost': 0 })
    })

    it.each([486, 488, 603])('refused with %i is refused to the caller; the ACK ends at each hop', (status) => {
      const all = scene(mode)
      const { harness, ues, gateway } = all
      const call = new Call(harness, gateway, AOR)
      ringing(all).answer(status)
      // The P-CSCF's own ACK to the terminal, not the caller's.
      expect(took(ues[0]!, 'ACK').getAll(Header.Via)).toHaveLength(1)
      const response = gateway.last()
      expect(response.status).toBe(status)
      call.ackRefusal(response)
      harness.pass(70)
      expect(statuses(gateway)).toEqual([])
      expect(ues[0]!.received).toEqual([])
      expect(left(harness)).toEqual({})
    })

    it('cancelled while it rings: 200 to the CANCEL, one CANCEL to the terminal, whose 487 goes back', () => {
      const all = scene(mode)
      const { harness, ues, gateway } = all
      const call = new Call(harness, gateway, AOR)
      const callee = ringing(all)
      callee.answer(180)
      gateway.received.length = 0
      call.cancel()
      expect(statuses(gateway)).toEqual([200])
      expect(ues[0]!.received.map(({ method }) => method)).toEqual(['CANCEL'])
      ues[0]!.answer(took(ues[0]!, 'CANCEL'), 200)
      callee.answer(487)
      const response = gateway.last()
      expect([response.status, response.method]).toEqual([487, 'INVITE'])
      call.ackRefusal(response)
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })

    it('cancelled before the terminal said anything: the CANCEL waits for its first provisional response (RFC 3261 section 9.1)', () => {
      const all = scene(mode)
      const { harness, ues, gateway } = all
      const call = new Call(harness, gateway, AOR)
      const callee = ringing(all)
      call.cancel()
      expect(ues[0]!.received).toEqual([])
      callee.answer(180)
      ues[0]!.answer(took(ues[0]!, 'CANCEL'), 200)
      callee.answer(487)
      expect(gateway.last().status).toBe(487)
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })

    it('whose CANCEL crosses the 200 is answered 200, and the dialog stands', () => {
      const all = scene(mode)
      const { harness, ues, gateway } = all
      const call = new Call(harness, gateway, AOR)
      const callee = ringing(all)
      callee.answer(180)
      call.cancel()
      ues[0]!.answer(took(ues[0]!, 'CANCEL'), 200)
      gateway.received.length = 0
      callee.answer(200)
      const response = gateway.last()
      expect(response.status).toBe(200)
      // And the other way round: a CANCEL after the 200 changes nothing.
      call.cancel()
      expect(statuses(gateway)).toEqual([200])
      expect(ues[0]!.received).toEqual([])
      send(harness, gateway, call.dialog(response).ack(1))
      took(ues[0]!, 'ACK')
    })

    it('nobody answers at all is 408 after timer B', () => {
      const { harness, gateway } = scene(mode)
      new Call(harness, gateway, AOR)
      harness.pass(33)
      expect(statuses(gateway)).toEqual([408])
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })

    it('that rings and rings is cancelled when timer C runs out; every provisional response begins it anew', () => {
      const all = scene(mode, 1, 10)
      const { harness, ues, gateway } = all
      new Call(harness, gateway, AOR)
      const callee = ringing(all)
      callee.answer(180)
      harness.pass(9)
      callee.answer(180)
      harness.pass(9)
      expect(ues[0]!.received).toEqual([])
      expect(statuses(gateway)).toEqual([180, 180])
      harness.pass(2)
      ues[0]!.answer(took(ues[0]!, 'CANCEL'), 200)
      callee.answer(487)
      expect(statuses(gateway)).toEqual([487])
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })

    it('that rings, and whose terminal ignores the CANCEL too, ends with 408', () => {
      const all = scene(mode, 1, 10)
      const { harness, gateway } = all
      new Call(harness, gateway, AOR)
      ringing(all).answer(180)
      harness.pass(11 + 33)
      expect(statuses(gateway)).toEqual([180, 408])
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })

    it('repeated by its sender is the same INVITE', () => {
      const all = scene(mode)
      const { harness, ues, gateway } = all
      const call = new Call(harness, gateway, AOR)
      took(ues[0]!, 'INVITE')
      call.repeat()
      expect(ues[0]!.received).toEqual([])
      expect(gateway.received.map(({ status }) => status)).toEqual([100, 100])
    })

    it('whose 200 comes again has it passed on again, since only the caller\'s ACK ends it (RFC 6026 section 7.1)', () => {
      const all = scene(mode)
      const { harness, gateway } = all
      new Call(harness, gateway, AOR)
      const callee = ringing(all)
      callee.answer(200)
      callee.answer(200)
      expect(statuses(gateway)).toEqual([200, 200])
      expect(harness.core.counters()['icscf.unanswered']).toBe(0)
    })

    it('over a flow that breaks while it rings is 430', () => {
      const all = scene(mode)
      const { harness, ues, gateway } = all
      new Call(harness, gateway, AOR)
      ringing(all).answer(180)
      harness.close(ues[0]!)
      expect(statuses(gateway)).toEqual([180, 430])
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })

    it('to nobody is 404, to someone away 480, from one terminal to another as from a gateway', () => {
      const { harness, gateway, ues } = scene(mode)
      new Call(harness, gateway, `sip:nobody@${DOMAIN}`)
      expect(statuses(gateway)).toEqual([404])
      new Call(harness, gateway, `sip:bob@${DOMAIN}`)
      expect(statuses(gateway)).toEqual([480])
      new Call(harness, ues[0]!, `sip:nobody@${DOMAIN}`, AOR)
      expect(statuses(ues[0]!)).toEqual([404])
      new Call(harness, ues[0]!, `sip:bob@${DOMAIN}`, `sip:bob@${DOMAIN}`)
      expect(statuses(ues[0]!)).toEqual([403])
    })
  })

  describe(`an INVITE forked by a ${mode} core`, () => {
    it('rings on all devices; the first 200 cancels the others and ends the call there', () => {
      const all = scene(mode, 3)
      const { harness, ues, gateway } = all
      const call = new Call(harness, gateway, AOR)
      const devices = ues.map((_, index) => ringing(all, index))
      devices.forEach((device) => device.answer(180))
      devices[1]!.answer(200)
      expect(statuses(gateway)).toEqual([180, 180, 180, 200])
      expect(ues[1]!.received).toEqual([])
      for (const index of [0, 2]) {
        ues[index]!.answer(took(ues[index]!, 'CANCEL'), 200)
        devices[index]!.answer(487)
        took(ues[index]!, 'ACK')
      }
      expect(gateway.received).toEqual([])
      expect(call.invite.method).toBe('INVITE')
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })

    it('answered by two devices at once brings both 200s, each with a dialog of its own', () => {
      const all = scene(mode, 2)
      const { harness, ues, gateway } = all
      const call = new Call(harness, gateway, AOR)
      const devices = ues.map((_, index) => ringing(all, index))
      devices.forEach((device) => device.answer(200))
      const answers = gateway.received.filter(({ status }) => status === 200)
      expect(new Set(answers.map((answer) => call.dialog(answer).remoteTag))).toEqual(new Set(devices.map(({ tag }) => tag)))
      for (const [index, answer] of answers.entries()) {
        send(harness, gateway, call.dialog(answer).ack(1))
        took(ues[index]!, 'ACK')
        send(harness, gateway, call.dialog(answer).request('BYE'))
        ues[index]!.answer(took(ues[index]!, 'BYE'), 200)
      }
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })

    it('declined with 603 by one device is cancelled at the others and declined', () => {
      const all = scene(mode, 2)
      const { harness, ues, gateway } = all
      new Call(harness, gateway, AOR)
      const devices = ues.map((_, index) => ringing(all, index))
      devices[1]!.answer(180)
      devices[0]!.answer(603)
      expect(statuses(gateway)).toEqual([180])
      ues[1]!.answer(took(ues[1]!, 'CANCEL'), 200)
      devices[1]!.answer(487)
      expect(statuses(gateway)).toEqual([603])
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })

    it('refused by all brings the best refusal, when the last has spoken', () => {
      const all = scene(mode, 2)
      const { harness, ues, gateway } = all
      new Call(harness, gateway, AOR)
      const devices = ues.map((_, index) => ringing(all, index))
      devices[0]!.answer(500)
      expect(statuses(gateway)).toEqual([])
      devices[1]!.answer(486)
      expect(statuses(gateway)).toEqual([486])
    })

    it('and cancelled by the caller is cancelled at every device', () => {
      const all = scene(mode, 2)
      const { harness, ues, gateway } = all
      const call = new Call(harness, gateway, AOR)
      const devices = ues.map((_, index) => ringing(all, index))
      devices.forEach((device) => device.answer(180))
      call.cancel()
      devices.forEach((device, index) => {
        ues[index]!.answer(took(ues[index]!, 'CANCEL'), 200)
        device.answer(487)
      })
      expect(statuses(gateway)).toEqual([180, 180, 200, 487])
      harness.pass(70)
      expect(left(harness)).toEqual({})
    })
  })
}

describe('collapsed and split', () => {
  it('write the same bytes to the terminal and to the caller for a call with CANCEL, answer, ACK and BYE', () => {
    const seen = MODES.map((mode) => {
      const all = scene(mode)
      const { harness, ues, gateway } = all
      const ue = ues[0]!
      ue.octets.length = 0
      const cancelled = new Call(harness, gateway, AOR)
      const first = ringing(all)
      first.answer(180)
      cancelled.cancel()
      ue.answer(took(ue, 'CANCEL'), 200)
      first.answer(487)
      cancelled.ackRefusal(gateway.last())
      const call = new Call(harness, gateway, AOR)
      ringing(all).answer(200)
      const dialog = call.dialog(gateway.last())
      send(harness, gateway, dialog.ack(1))
      send(harness, gateway, dialog.request('BYE'))
      ue.answer(took(ue, 'BYE'), 200)
      expect(gateway.last().status).toBe(200)
      return [withoutChance(ue.octets), withoutChance(gateway.octets)]
    })
    for (const text of ['INVITE', 'CANCEL', 'ACK', 'BYE', 'Record-Route: <sip:TOKEN@']) expect(seen[0]![0]).toContain(text)
    expect(seen[1]![0]).toBe(seen[0]![0])
    expect(seen[1]![1]!.split('\r\n').filter((line) => !line.startsWith('To:'))).toEqual(seen[0]![1]!.split('\r\n').filter((line) => !line.startsWith('To:')))
  })
})
