/**
 * Use cases A to C of the OMA SIP Push requirements (section 5), step by step through every real part: MMS notification and
 * delivery report, device management bootstrap, and a notification to one of several devices. The numbers are the document's.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { UseCaseNetwork } from './use-case-network.js'

const CONFIRMED = 'delivery-method="confirmed"'
const MMS = { contentType: 'application/vnd.wap.mms-message', headers: ['X-Wap-Application-Id: x-wap-application:mms.ua'], quality: CONFIRMED }
const DM = ['X-Wap-Application-Id: x-wap-application:syncml.dm']
const BOOTSTRAP = 'application/vnd.wap.connectivity-wbxml'
const SESSION = 'application/vnd.syncml.notification'
/** Header fields of an MMS PDU begin with an octet above 127; those of these two are their message types (OMA MMS encapsulation). */
const NOTIFICATION_IND = '\x8c\x82'
const DELIVERY_IND = '\x8c\x86'

let network: UseCaseNetwork
beforeAll(async () => { network = await UseCaseNetwork.start({ applications: ['mms.ua', 'syncml.dm'], types: [BOOTSTRAP] }) })

describe('use case A: MMS', () => {
  it('brings the notification to user B and the delivery report to user A, and tells the proxy-relay of both', async () => {
    const { population } = network
    const [userA, userB] = [population.impu(0), population.impu(1)]
    // 1 to 6: user A's message reaches user B's MMS proxy-relay, which is the push initiator; that is not push.
    // 7: it submits the notification to the gateway and asks for confirmation.
    const accepted = await network.submit({ ...MMS, pushId: 'ind@mms', to: userB, content: `${NOTIFICATION_IND} http://relay.example/1` })
    expect(accepted).toMatchObject({ status: 202, code: 1001 })
    // 8: the gateway forwards it to user B's MMS client by OTA-SIP.
    expect(await network.received('ind@mms')).toEqual([{ to: userB, instance: population.instance(1, 0), status: '200', nth: 'first', binding: 'message' }])
    const told = await network.notification('ind@mms')
    expect(told).toContain('message-state="delivered"')
    expect(told).toContain(CONFIRMED)
    // 9 to 11: retrieval and its acknowledgement are between the client and the proxy-relay.
    // 12: the proxy-relay submits the delivery report for user A.
    expect(await network.submit({ ...MMS, pushId: 'report@mms', to: userA, content: `${DELIVERY_IND} 1` })).toMatchObject({ code: 1001 })
    // 13: the gateway forwards it, and user A is informed (post-condition).
    expect(await network.received('report@mms')).toEqual([{ to: userA, instance: population.instance(0, 0), status: '200', nth: 'first', binding: 'message' }])
    expect(await network.notification('report@mms')).toContain('message-state="delivered"')
  })
})

describe('use case B: a new service is provisioned by device management', () => {
  it('brings the bootstrap to a user who has no configuration, then what starts the session', async () => {
    const { population } = network
    const user = population.impu(2)
    // 1, 2: the user orders the service, whose provider asks the device management server: not push.
    // 3: the server, as push initiator, submits the bootstrap message by PAP.
    expect(await network.submit({ pushId: 'bootstrap@dm', to: user, headers: DM, quality: CONFIRMED, contentType: BOOTSTRAP, content: '\x03\x0b\x6a\x00E' })).toMatchObject({ code: 1001 })
    // 4, 5: gateway and core network forward it. 6: the terminal takes it: the type is one it handles, the application is there.
    expect(await network.received('bootstrap@dm')).toMatchObject([{ to: user, status: '200', nth: 'first' }])
    expect(await network.notification('bootstrap@dm')).toContain('message-state="delivered"')
    // 7: now that it knows the server, the session initiation follows.
    expect(await network.submit({ pushId: 'session@dm', to: user, headers: DM, quality: CONFIRMED, contentType: SESSION, content: '\x02\x00\x00\x00' })).toMatchObject({ code: 1001 })
    // 8: the core network forwards it, and the terminal answers.
    expect(await network.received('session@dm')).toMatchObject([{ to: user, instance: population.instance(2, 0), status: '200' }])
    expect(await network.notification('session@dm')).toContain('message-state="delivered"')
    // 9 is the user's game.
  })
})

describe('use case C: continuous device management', () => {
  it('notifies the one device whose settings changed, by its GRUU, and no other device of its user', async () => {
    const { population } = network
    const subscriber = population.range('multi-device').from
    const gruu = population.publicGruu(subscriber, 1)
    // 1: the service orders a change. 2: the device management server, which knows the terminal's address, submits the notification.
    expect(await network.submit({ pushId: 'change@dm', to: gruu, headers: DM, quality: CONFIRMED, contentType: SESSION, content: '\x02\x00\x00\x01' })).toMatchObject({ code: 1001 })
    // 3, 4: gateway and core network forward it. 5: that terminal has it.
    expect(await network.received('change@dm')).toMatchObject([{ to: gruu, instance: population.instance(subscriber, 1), status: '200' }])
    expect(await network.notification('change@dm')).toContain('message-state="delivered"')
    // A push to the user is the measure: then both devices have it, and still only one has the other push.
    expect(await network.submit({ pushId: 'all@dm', to: population.impu(subscriber), headers: DM, contentType: SESSION, content: '\x02\x00\x00\x02' })).toMatchObject({ code: 1001 })
    expect(new Set((await network.received('all@dm', 2)).map(({ instance }) => instance))).toEqual(new Set([population.instance(subscriber, 0), population.instance(subscriber, 1)]))
    expect(await network.received('change@dm')).toHaveLength(1)
  })
})
