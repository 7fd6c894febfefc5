/** Our gateway before a third party's registrar and proxy: pushes through Kamailio to terminals made of sip.js and of plain text, by each way of knowing who is registered. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { registerText, tcpPeer, type TextPeer } from '../live/ims-peers.js'
import { answerTo } from '../live/sip-text.js'
import { HAS_REG_EVENT, KAMAILIO, tellMissing } from './installed.js'
import { DOMAIN, KamailioNetwork, type Knowledge } from './kamailio-network.js'
import { holdsConnection } from './kernel-sockets.js'
import { SipJsTerminal } from './sipjs-terminal.js'

tellMissing(['kamailio', 'its reg event package'], 'not every test of pushes through Kamailio runs')

const [FIRST, SECOND] = ['urn:uuid:00000000-0000-4000-8000-000000000001', 'urn:uuid:00000000-0000-4000-8000-000000000002']
const EVERY_OCTET = String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet))
const aor = (user: string): string => `sip:${user}@${DOMAIN}`

let network: KamailioNetwork
const terminals: SipJsTerminal[] = []
const peers: TextPeer[] = []

async function terminal(user: string, instance = FIRST, application = 'push.sia'): Promise<SipJsTerminal> {
  const made = new SipJsTerminal(network.proxy, aor(user), instance, application)
  terminals.push(made)
  await made.register()
  return made
}

/** A terminal of plain text, which leaves octets as they are. */
async function plainTerminal(user: string, instance = FIRST): Promise<TextPeer> {
  const peer = await tcpPeer(network.proxy)
  peers.push(peer)
  peer.send(registerText(peer, 'TCP', { user, domain: DOMAIN, impi: '', password: '' }, 1, '').replace(/urn:uuid:[^>]+/, instance))
  expect(await peer.next()).toMatch(/^SIP\/2\.0 200 /)
  return peer
}

function networkKnowing(knowledge: Knowledge): void {
  beforeAll(async () => { network = await KamailioNetwork.start(knowledge) })
  afterEach(async () => {
    for (const each of terminals.splice(0)) await each.stop()
    for (const each of peers.splice(0)) each.close()
  })
  afterAll(() => network.stop())
}

/** Until the gateway has been told so. */
const toldAway = (user: string, words: RegExp): Promise<void> =>
  network.until(() => network.crossed().some((message) => message.includes(`<${aor(user)}>`) && words.test(message)), `word that ${user} has gone`)

/** What each terminal got, push-ids and the URI each came to. */
const got = (each: SipJsTerminal): readonly string[] => each.received.map(({ pushId, to }) => `${pushId} ${to}`)

describe.runIf(KAMAILIO !== undefined)('through Kamailio, which tells of registrations by third-party REGISTER,', () => {
  networkKnowing('third-party')

  it('a push comes to a terminal of sip.js as it was submitted, and its initiator is notified', async () => {
    const anna = await terminal('anna')
    const text = 'Grüße — 5 €\r\n\r\n--edg\r\n'
    expect(await network.submit({ pushId: 'words', to: aor('anna'), content: Buffer.from(text).toString('latin1'), contentType: 'text/plain;charset=utf-8' })).toBe(1001)
    expect(await network.outcome('words')).toBe('delivered 1000')
    expect(anna.received.map(({ body }) => body)).toEqual([text])
  })

  it('every octet comes as it was submitted', async () => {
    const peer = await plainTerminal('bert')
    expect(await network.submit({ pushId: 'octets', to: aor('bert'), content: EVERY_OCTET, contentType: 'application/octet-stream' })).toBe(1001)
    const request = await peer.next()
    expect(request.slice(request.indexOf('\r\n\r\n') + 4)).toBe(EVERY_OCTET)
    expect(request).toMatch(/^MESSAGE sip:bert@127\.0\.0\.1:/)
    peer.send(answerTo(request, '200 OK'))
    expect(await network.outcome('octets')).toBe('delivered 1000')
  })

  it('a push to a GRUU comes to that device alone, and one to the user comes to each of his devices by its GRUU', async () => {
    const one = await terminal('cora', FIRST)
    const other = await terminal('cora', SECOND)
    expect([one.publicGruu, other.publicGruu]).toEqual([`${aor('cora')};gr=${FIRST}`, `${aor('cora')};gr=${SECOND}`])
    await network.submit({ pushId: 'to-one', to: other.publicGruu, content: 'x' })
    expect(await network.outcome('to-one')).toBe('delivered 1000')
    await network.submit({ pushId: 'to-all', to: aor('cora'), content: 'x' })
    expect(await network.outcome('to-all')).toBe('delivered 1000')
    expect(got(one)).toEqual([`to-all ${one.publicGruu}`])
    expect(got(other)).toEqual([`to-one ${other.publicGruu}`, `to-all ${other.publicGruu}`])
  })

  it('a push to a user comes to those of his devices that have the application', async () => {
    const one = await terminal('kurt', FIRST, 'push.sia')
    const other = await terminal('kurt', SECOND, 'mms.ua')
    for (const application of ['push.sia', 'mms.ua']) {
      await network.submit({ pushId: `for-${application}`, to: aor('kurt'), content: 'x', application })
      expect(await network.outcome(`for-${application}`)).toBe('delivered 1000')
    }
    expect(got(one)).toEqual([`for-push.sia ${one.publicGruu}`])
    expect(got(other)).toEqual([`for-mms.ua ${other.publicGruu}`])
  })

  it('a push to somebody unregistered waits until he registers', async () => {
    expect(await network.submit({ pushId: 'early', to: aor('dora'), content: 'x' })).toBe(1001)
    await network.answered('early', 480)
    const dora = await terminal('dora')
    expect(await network.outcome('early')).toBe('delivered 1000')
    expect(got(dora)).toHaveLength(1)
  })

  it('a push to somebody who was there and has gone is not sent until he is there again', async () => {
    await (await terminal('emil')).stop()
    await toldAway('emil', /^REGISTER .*\r\nExpires: 0\r\n/s)
    expect(await network.submit({ pushId: 'gone', to: aor('emil'), content: 'x' })).toBe(1001)
    await terminal('emil')
    expect(await network.outcome('gone')).toBe('delivered 1000')
    expect(network.sent('gone')).toHaveLength(1)
  })

  it('a push to somebody who never registers ends when it was to be delivered by', async () => {
    const by = new Date(Date.now() + 2_000).toISOString().replace(/\.\d+/, '')
    expect(await network.submit({ pushId: 'late', to: aor('fred'), content: 'x', attributes: `deliver-before-timestamp="${by}"` })).toBe(1001)
    expect(await network.outcome('late')).toBe('expired 4000')
  })

  it('a push to a terminal whose connection is gone is delivered when it has come back', async () => {
    const peer = await plainTerminal('gerd')
    peer.close()
    await network.until(() => !holdsConnection(Number(network.proxy.split(':')[1]), peer.port), 'the end of the connection at Kamailio')
    expect(await network.submit({ pushId: 'flow', to: aor('gerd'), content: 'x' })).toBe(1001)
    await network.answered('flow', 430)
    await terminal('gerd')
    expect(await network.outcome('flow')).toBe('delivered 1000')
  })
})

describe.runIf(HAS_REG_EVENT)('through Kamailio, which tells of registrations by the reg event package,', () => {
  networkKnowing('reg-event')

  it('a push waits until its recipient registers, the first time and again', async () => {
    expect(await network.submit({ pushId: 'first', to: aor('hans'), content: 'x' })).toBe(1001)
    await network.answered('first', 480)
    const hans = await terminal('hans')
    expect(await network.outcome('first')).toBe('delivered 1000')
    await hans.stop()
    await toldAway('hans', /^NOTIFY .*<registration [^>]*state="terminated"/s)
    expect(await network.submit({ pushId: 'again', to: aor('hans'), content: 'x' })).toBe(1001)
    await terminal('hans')
    expect(await network.outcome('again')).toBe('delivered 1000')
    expect(network.sent('again')).toHaveLength(1)
  })
})

describe.runIf(KAMAILIO !== undefined)('through Kamailio, which tells nothing of registrations,', () => {
  networkKnowing('nothing')

  it('a push comes to whoever is registered', async () => {
    const ida = await terminal('ida')
    await network.submit({ pushId: 'there', to: aor('ida'), content: 'x' })
    expect(await network.outcome('there')).toBe('delivered 1000')
    expect(got(ida)).toEqual([`there ${aor('ida')}`])
  })

  it('a push to somebody unregistered is tried again after the Retry-After of the 480', async () => {
    await network.submit({ pushId: 'away', to: aor('jens'), content: 'x' })
    await network.answered('away', 480)
    await terminal('jens')
    expect(await network.outcome('away')).toBe('delivered 1000')
  })
})
