/**
 * Use cases D and E of the OMA SIP Push requirements (section 5), step by step through every real part: pushes without and with
 * confirmation, in pieces, to devices that are away, and to devices that could not use them. The numbers are the document's.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { UseCaseNetwork, type Push } from './use-case-network.js'

const SIA = 'X-Wap-Application-Id: x-wap-application:push.sia'
const SI = { contentType: 'text/vnd.wap.si', headers: [SIA], content: '<si><indication href="http://shop.example/">Today</indication></si>' }

/** UAProf: the device is assumed to take text. */
const PROFILE = `<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:prf="http://www.openmobilealliance.org/tech/profiles/UAPROF/ccppschema-20021212#">
<rdf:Description rdf:about="http://shop.example/profile"><prf:CcppAccept><rdf:Bag><rdf:li>text/plain</rdf:li></rdf:Bag></prf:CcppAccept></rdf:Description></rdf:RDF>`

describe('use case D: a push without a receipt', () => {
  let network: UseCaseNetwork
  // A constrained device: MESSAGE and nothing else, over a bearer for small messages.
  beforeAll(async () => { network = await UseCaseNetwork.start({ applications: ['push.sia'] }, { segment: '140B' }) })

  it('reaches the application with its metadata, and the initiator hears that nothing was confirmed', async () => {
    const user = network.population.impu(0)
    const quality = 'delivery-method="unconfirmed"'
    // 1: the initiator submits by PAP for a user, and names the user agent it means.
    // 2, 4: the gateway determines the way by quality of service and what is known of the device, and states the submission's fate.
    const headers = [SIA, 'X-Wap-Initiator-URI: http://shop.example/', 'X-Wap-Content-URI: http://shop.example/today']
    expect(await network.submit({ ...SI, headers, quality, pushId: 'advert@pi', to: user })).toMatchObject({ status: 202, code: 1001 })
    // 3, 5: forwarded without explicit confirmation; it arrives.
    expect(await network.received('advert@pi')).toMatchObject([{ to: user, status: '200', nth: 'first', binding: 'message' }])
    // 6: with what the terminal presents it by.
    for (const header of headers) await network.crossed(`\r\n${header}\r\n`)
    const told = await network.notification('advert@pi')
    expect(told).toContain('message-state="delivered"')
    expect(told).toContain(quality)
    expect(await network.outcome('advert@pi')).toEqual(['delivered', '1000', 'unconfirmed', '200'])
  })

  it('is for the user agent it names: a device without that application gets nothing', async () => {
    await network.submit({ ...SI, headers: ['X-Wap-Application-Id: x-wap-application:wml.ua'], pushId: 'other@pi', to: network.population.impu(0) })
    expect(await network.outcome('other@pi')).toMatchObject(['undeliverable', '2006', '-', '-'])
    expect(network.journal('terminals', 'other@pi')).toEqual([])
  })

  it('alternative flow: goes in pieces over a constrained bearer, and is put together before the user agent has it', async () => {
    const user = network.population.impu(1)
    await network.submit({ ...SI, content: `<si>${'x'.repeat(400)}</si>`, quality: 'delivery-method="unconfirmed"', pushId: 'long@pi', to: user })
    // 2 of the alternative: once, whole, as what it is; a terminal refuses pieces that do not make up a type it takes.
    expect(await network.received('long@pi')).toMatchObject([{ to: user, status: '200', nth: 'first', binding: 'message' }])
    // 1 of the alternative: at step 3 it was cut.
    for (const number of [1, 2, 3, 4]) await network.crossed(`; number=${number}; total=4\r\n`)
    expect(await network.outcome('long@pi')).toEqual(['delivered', '1000', 'unconfirmed', '200'])
  })

  it('alternative flow: pieces that make up what the user agent does not take are refused as a whole', async () => {
    await network.submit({ ...SI, contentType: 'image/png', content: 'x'.repeat(400), pushId: 'picture@pi', to: network.population.impu(2) })
    expect((await network.outcome('picture@pi')).slice(0, 2)).toEqual(['undeliverable', '2006'])
  })
})

describe('use case E: a push with a receipt', () => {
  let network: UseCaseNetwork
  beforeAll(async () => { network = await UseCaseNetwork.start({ applications: ['push.sia'], bindings: ['session'], sizeMax: 20_000 }) })
  const quality = 'delivery-method="confirmed"'
  /** More than a MESSAGE may hold, so that the device is asked first. */
  const LARGE: Omit<Push, 'pushId' | 'to'> = { contentType: 'text/plain', headers: [SIA], content: 'x'.repeat(70_000), quality }

  it('is confirmed by the client, and the initiator is notified', async () => {
    const user = network.population.impu(0)
    // 1: confirmed delivery and a result notification are asked for.
    expect(await network.submit({ ...SI, quality, pushId: 'stock@pi', to: user })).toMatchObject({ status: 202, code: 1001 })
    // 2, 3, 6: forwarded to the client, which has it for its user agent.
    expect(await network.received('stock@pi')).toMatchObject([{ to: user, status: '200', nth: 'first' }])
    // 4, 5: the client's 200 is the receipt, of which the initiator hears.
    const told = await network.notification('stock@pi')
    expect(told).toContain('message-state="delivered"')
    expect(told).toContain(quality)
    expect(await network.outcome('stock@pi')).toEqual(['delivered', '1000', 'confirmed', '200'])
  })

  it('alternative 1: waits for a device that is away, says so in progress notes, and is delivered when it registers', async () => {
    const user = network.population.impu(1)
    await network.turn(1, 'off')
    const accepted = await network.submit({ ...SI, quality, attributes: 'progress-notes-requested="true"', pushId: 'later@pi', to: user })
    // 1b: how far it has come, up to the acceptance (PAP has no later place for notes).
    expect(accepted.document).toMatch(/<progress-note [^>]*stage="accepted"/)
    expect(network.journal('gateway', 'later@pi').map(({ event }) => event)).not.toContain('outcome')
    await network.turn(1, 'on')
    expect(await network.received('later@pi')).toMatchObject([{ to: user, status: '200', nth: 'first' }])
    expect(await network.outcome('later@pi')).toEqual(['delivered', '1000', 'confirmed', '200'])
  })

  it('alternative 1: expires when the device does not come, and the initiator is told', async () => {
    await network.turn(2, 'off')
    const before = new Date(Date.now() + 4_000).toISOString().replace(/\.\d+/, '')
    expect(await network.submit({ ...SI, quality, attributes: `deliver-before-timestamp="${before}"`, pushId: 'gone@pi', to: network.population.impu(2) })).toMatchObject({ code: 1001 })
    // 1a: non-delivery.
    expect(await network.notification('gone@pi')).toContain('message-state="expired"')
    expect(network.journal('terminals', 'gone@pi')).toEqual([])
  })

  it.each([
    ['size', 'large@pi', {}, '2006'],
    ['type', 'film@pi', { contentType: 'video/mp4' }, '2006'],
    ['size, where the initiator had stated what it assumed of the device', 'stated@pi', { profile: PROFILE }, '2005'],
  ] as const)('alternative 2: asks the device, and attempts nothing it could not use: its %s', async (_what, pushId, change, code) => {
    const subscriber = network.population.range('multi-device').from
    const gruu = network.population.publicGruu(subscriber, 0)
    expect(await network.submit({ ...LARGE, ...change, pushId, to: gruu })).toMatchObject({ code: 1001 })
    // 2b: the initiator hears that it cannot be delivered.
    const told = await network.notification(pushId)
    expect(told).toContain('message-state="undeliverable"')
    expect(told).toContain(`code="${code}"`)
    // 2: the capabilities were asked for by SIP. 2a: the push itself was not attempted.
    await network.crossed(`OPTIONS ${gruu} SIP/2.0\r\n`)
    expect(network.journal('gateway', pushId).map(({ event }) => event)).not.toContain('sip-out')
    expect(network.journal('terminals', pushId)).toEqual([])
  })
})
