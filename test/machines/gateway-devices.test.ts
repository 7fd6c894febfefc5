/** Pushes to users with several devices: to all of them, to one after another, to any; each device in its own queue. */
import { describe, expect, it } from 'vitest'
import { DEFAULT_SELECTION, type DevicesPolicy } from '../../core/push/bindings/selection-settings.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { decodeLegs, encodeLegs } from '../../core/store/legs.js'
import { GatewayWorld, START_WALL, sipAddress, silent, thirdPartyRegister, user, type CoreNetwork, type TestDevice } from './gateway-world.js'

const AOR = 'sip:anna@ims.example'
const phone: TestDevice = { instance: 'urn:uuid:1', publicGruu: `${AOR};gr=urn:uuid:1` }
const tablet: TestDevice = { instance: 'urn:uuid:2', publicGruu: `${AOR};gr=urn:uuid:2` }
const watch: TestDevice = { instance: 'urn:uuid:3', publicGruu: `${AOR};gr=urn:uuid:3` }
const MMS = { app: 'x-wap-application:mms.ua' }

function worldWith(devices: DevicesPolicy, core?: CoreNetwork): GatewayWorld {
  return new GatewayWorld({ settings: { selection: { ...DEFAULT_SELECTION, devices } }, ...(core === undefined ? {} : { core }) })
}

/** Each device registers after the one before it; the S-CSCF lists all that are there. */
function register(world: GatewayWorld, devices: readonly TestDevice[] = [phone, tablet]): void {
  devices.forEach((device, index) => {
    world.advance(1_000_000)
    world.receive(thirdPartyRegister(AOR, 3600, [device, ...devices.slice(0, index)]))
  })
}

const deviceOf = (request: SipMessage): string => request.requestUri.replace(`${AOR};gr=urn:uuid:`, 'device ')
const answering = (answers: Readonly<Record<string, number | undefined>>, seen: string[] = []): CoreNetwork => (request) => {
  const device = deviceOf(request)
  seen.push(device)
  return answers[device]
}
const desc = (world: GatewayWorld): string => world.notifies.at(-1)!.body

describe('a push to all devices of a user', () => {
  it('is delivered when every one took it, one MESSAGE to each GRUU', () => {
    const seen: string[] = []
    const world = worldWith('all', answering({ 'device 1': 200, 'device 2': 200 }, seen))
    register(world)
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    expect(seen.sort()).toEqual(['device 1', 'device 2'])
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
    expect(world.gateway.counters).toMatchObject({ inFlight: 0, waiting: 0, delivered: 1 })
  })

  it('goes once to a device with two flows, which has a binding for each (RFC 5626 section 6)', () => {
    const seen: string[] = []
    const world = worldWith('all', answering({ 'device 1': 200, 'device 2': 200 }, seen))
    const flow = (regId: number): TestDevice => ({ ...phone, features: `;reg-id=${regId};+g.oma.pusheventapp="mms.ua"` })
    world.receive(thirdPartyRegister(AOR, 3600, [flow(2), tablet, flow(1)]))
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    expect(seen.sort()).toEqual(['device 1', 'device 2'])
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('goes to those that registered with the application, though the registrar does not repeat with what', () => {
    const seen: string[] = []
    const world = worldWith('all', answering({ 'device 1': 200, 'device 2': 200 }, seen))
    const other: TestDevice = { ...tablet, features: ';+g.oma.pusheventapp="push.sia"' }
    world.receive(thirdPartyRegister(AOR, 3600, [phone], false))
    world.receive(thirdPartyRegister(AOR, 3600, [other, phone], false))
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    world.submit({ pushId: 'q', addresses: [user('anna')] }, { app: 'x-wap-application:push.sia' })
    expect(seen).toEqual(['device 1', 'device 2'])
    // With none at all it is taken to want anything (RFC 3841 section 7.2.4), also where it once named some.
    world.receive(thirdPartyRegister(AOR, 3600, [{ ...phone, features: '' }, other], false))
    world.submit({ pushId: 'r', addresses: [user('anna')] }, { app: 'x-wap-application:push.sia' })
    expect(seen.slice(2).sort()).toEqual(['device 1', 'device 2'])
  })

  it('ends as the device that fared worst, with a word on each, and one result notification', () => {
    const world = worldWith('all', answering({ 'device 1': 200, 'device 2': 415, 'device 3': 603 }))
    register(world, [phone, tablet, watch])
    world.submit({ pushId: 'p', addresses: [user('anna')], notifyRequestedTo: 'http://pi.example/' }, MMS)
    expect(world.outcomes()).toEqual(['undeliverable 2006 -'])
    expect(world.notifies).toHaveLength(1)
    expect(desc(world)).toContain('1 of 3 devices took it')
    expect(desc(world)).toContain('gr=urn:uuid:3 aborted 5235')
    const lines = world.journal.filter((line) => line.event === 'device' && line.details.length === 5)
    expect(lines.map((line) => line.details.slice(3).join(' ')).sort()).toEqual(['aborted 5235', 'delivered 1000', 'undeliverable 2006'])
  })

  it('is reported unconfirmed when one of them did not confirm', () => {
    for (const [one, two] of [[200, 202], [202, 200]] as const) {
      const world = worldWith('all', answering({ 'device 1': one, 'device 2': two }))
      register(world)
      world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
      expect(world.outcomes()).toEqual(['delivered 1000 unconfirmed'])
    }
  })

  it('waits for the one that is away, repeats to no other, and ends expired with its lifetime', () => {
    const seen: string[] = []
    const world = worldWith('all', answering({ 'device 1': 200, 'device 2': 480 }, seen))
    register(world)
    world.submit({ pushId: 'p', addresses: [user('anna')], deliverBefore: START_WALL + 60_000 }, MMS)
    expect(world.outcomes()).toEqual([])
    expect(world.gateway.counters).toMatchObject({ inFlight: 1, waiting: 1 })
    world.receive(thirdPartyRegister(AOR, 3600, [tablet, phone]))
    expect(seen.filter((device) => device === 'device 1')).toHaveLength(1)
    expect(seen.filter((device) => device === 'device 2')).toHaveLength(2)
    world.advance(61_000_000)
    expect(world.outcomes()).toEqual(['expired 4000 -'])
    expect(world.gateway.counters).toMatchObject({ inFlight: 0, waiting: 0 })
  })

  it('holds up no other push to the devices that are done with it', () => {
    const world = worldWith('all', (request) => (request.requestUri === tablet.publicGruu ? undefined : 200))
    register(world)
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    world.submit({ pushId: 'q', addresses: [sipAddress(phone.publicGruu!)] }, MMS)
    expect(world.outcomes('q')).toEqual(['delivered 1000 confirmed'])
    expect(world.sent).toHaveLength(1)
    world.answer(200)
    expect(world.outcomes('p')).toEqual(['delivered 1000 confirmed'])
  })

  it('keeps one MESSAGE pending to a GRUU, whoever it is for', () => {
    const world = worldWith('all', silent)
    register(world)
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    world.submit({ pushId: 'q', addresses: [user('anna')] }, MMS)
    expect(world.sent.map(({ request }) => deviceOf(request)).sort()).toEqual(['device 1', 'device 2'])
  })

  it('goes on after a restart with the devices that had no outcome, and no row of it stays behind', () => {
    for (let answered = 0; answered <= 1; answered++) {
      const seen: string[] = []
      const world = worldWith('all', silent)
      register(world)
      world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
      const [first] = world.sent
      for (let count = 0; count < answered; count++) world.answer(200)
      expect(world.store.rows('L')).toBe(answered)
      world.core = answering({ 'device 1': 200, 'device 2': 200 }, seen)
      world.boot()
      expect(seen).toHaveLength(2 - answered)
      if (answered === 1) expect(seen).not.toContain(deviceOf(first!.request))
      expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
      expect(world.store.rows('L') + world.store.rows('P')).toBe(0)
    }
  })

  it('leaves no row behind when the devices are unknown after a restart', () => {
    const world = worldWith('all', silent)
    register(world)
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    world.answer(200)
    for (const key of [...world.store.durable.keys()]) if (key.startsWith('R')) world.store.durable.delete(key)
    world.core = () => 200
    world.boot()
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
    expect(world.store.rows('L')).toBe(0)
  })

  it('is one request to the address while not every device has a GRUU', () => {
    const seen: string[] = []
    const world = worldWith('all', (request) => { seen.push(request.requestUri); return 200 })
    register(world, [phone, { instance: 'urn:uuid:2' }])
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    expect(seen).toEqual([AOR])
  })

  it('counts a device that died with its temporary GRUU as one, at its present GRUU', () => {
    const seen: string[] = []
    const world = worldWith('all', (request) => { seen.push(request.requestUri); return request.requestUri.includes('tgruu.1') ? 404 : 200 })
    const moving = (temporaryGruu: string): TestDevice => ({ instance: 'urn:uuid:9', temporaryGruu })
    register(world, [phone, moving('sip:tgruu.1@ims.example;gr')])
    world.core = (request, here) => {
      seen.push(request.requestUri)
      if (!request.requestUri.includes('tgruu.1')) return 200
      here.receive(thirdPartyRegister(AOR, 3600, [moving('sip:tgruu.2@ims.example;gr'), phone]))
      return 404
    }
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    expect(seen).toContain('sip:tgruu.2@ims.example;gr')
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })
})

describe('a push to the first device that takes it', () => {
  it('goes to the one that registered last, and to no other when it takes it', () => {
    const seen: string[] = []
    const world = worldWith('first', answering({ 'device 1': 200, 'device 2': 200 }, seen))
    register(world)
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    expect(seen).toEqual(['device 2'])
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('goes on to the next when one refuses, does not know the method, or cannot be had now', () => {
    for (const status of [405, 415, 480, 486, 603]) {
      const seen: string[] = []
      const world = worldWith('first', answering({ 'device 1': 200, 'device 2': status }, seen))
      register(world)
      world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
      expect(seen).toEqual(['device 2', 'device 1'])
      expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
    }
  })

  it('ends as the worst when each refused', () => {
    const world = worldWith('first', answering({ 'device 1': 415, 'device 2': 603 }))
    register(world)
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    expect(world.outcomes()).toEqual(['undeliverable 2006 -'])
  })

  it('begins anew at the next registration when one of them could not be had, whichever it was', () => {
    for (const [one, two] of [[480, 415], [415, 480]] as const) {
      const seen: string[] = []
      const world = worldWith('first', answering({ 'device 1': one, 'device 2': two }, seen))
      register(world)
      world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
      expect(seen).toEqual(['device 2', 'device 1'])
      expect(world.gateway.counters).toMatchObject({ inFlight: 1, waiting: 1 })
      world.core = answering({ 'device 1': 200, 'device 2': 415 }, seen)
      world.receive(thirdPartyRegister(AOR, 3600, [phone, tablet]))
      expect(seen).toEqual(['device 2', 'device 1', 'device 1'])
      expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
      expect(world.gateway.counters).toMatchObject({ inFlight: 0, waiting: 0 })
    }
  })

  it('misses no registration that comes while the last of them is being tried', () => {
    const seen: string[] = []
    const world = worldWith('first', (request, here) => {
      seen.push(deviceOf(request))
      if (seen.length === 2) here.receive(thirdPartyRegister(AOR, 3600, [tablet, phone]))
      return seen.length <= 2 ? 480 : 200
    })
    register(world)
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    world.advance(10_000)
    expect(seen).toEqual(['device 2', 'device 1', 'device 2'])
    expect(world.outcomes()).toEqual(['delivered 1000 confirmed'])
  })

  it('knows who registered last by each REGISTER, in whatever order the S-CSCF lists them', () => {
    const seen: string[] = []
    const world = worldWith('first', answering({ 'device 1': 415, 'device 2': 415, 'device 3': 415 }, seen))
    for (const devices of [[phone], [watch, phone], [tablet, phone, watch]]) {
      world.advance(1_000_000)
      world.receive(thirdPartyRegister(AOR, 3600, devices))
    }
    world.boot()
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    expect(seen).toEqual(['device 2', 'device 3', 'device 1'])
  })
})

describe('a push to any device', () => {
  it('is one request to the user’s address, which the core network forks', () => {
    const seen: string[] = []
    const world = worldWith('any', (request) => { seen.push(request.requestUri); return 200 })
    register(world)
    world.submit({ pushId: 'p', addresses: [user('anna')] }, MMS)
    expect(seen).toEqual([AOR])
  })
})

describe('the row of device outcomes', () => {
  it('is read as it was written', () => {
    const legs = [{ device: 'sip:a@x;gr=1', state: 'delivered' as const, code: 1000, confirmed: true }, { device: 'sip:a@x;gr=2', state: 'aborted' as const, code: 5235, confirmed: undefined }]
    expect(decodeLegs(encodeLegs(legs))).toEqual(legs)
    expect(decodeLegs(encodeLegs([]))).toEqual([])
  })
})

describe('a crash between any two outputs', () => {
  class Crash extends Error {}

  /** The whole history of two pushes to two devices each, ended after `outputs` outputs of the machine and begun again from what was flushed. */
  function history(devices: DevicesPolicy, outputs: number): { readonly world: GatewayWorld; readonly crashed: boolean } {
    let left = outputs
    let crashed = false
    const busy = new Set<string>()
    const world = worldWith(devices, (request) => {
      const once = `${request.requestUri} ${request.get(Header.XPushId)}`
      if (busy.has(once)) return 200
      busy.add(once)
      return request.requestUri === tablet.publicGruu ? 486 : 200
    })
    world.afterOutput = () => { if (--left < 0 && !crashed) throw new Crash() }
    const step = (does: () => void): void => {
      try {
        does()
      } catch (error) {
        if (!(error instanceof Crash)) throw error
        crashed = true
        world.boot()
      }
    }
    step(() => register(world))
    for (const pushId of ['p', 'q']) step(() => { world.submit({ pushId, addresses: [user('anna'), user('ben')], notifyRequestedTo: 'http://pi.example/' }, MMS) })
    step(() => world.advance(120_000_000))
    step(() => world.advance(120_000_000))
    return { world, crashed }
  }

  for (const policy of ['all', 'first'] as const) {
    it(`loses no accepted push under ${policy}, ends each recipient once, and leaves no row behind`, () => {
      for (let outputs = 0; ; outputs++) {
        const { world, crashed } = history(policy, outputs)
        const accepted = world.replies.filter((reply) => reply.body.includes('code="1001"')).length
        expect(world.store.rows('D'), `after ${outputs} outputs`).toBeGreaterThanOrEqual(accepted * 2)
        expect(world.store.rows('P') + world.store.rows('L')).toBe(0)
        expect(world.gateway.counters).toMatchObject({ inFlight: 0, waiting: 0 })
        if (!crashed) {
          expect(accepted).toBe(2)
          return
        }
      }
    })
  }
})
