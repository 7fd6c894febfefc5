/** SIPp as a terminal behind Kamailio: what it answers to a push becomes the outcome that docs/outcomes.md names for it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { steadyPort } from '../live/network.js'
import { KAMAILIO, SIPP, tellMissing } from './installed.js'
import { DOMAIN, KamailioNetwork } from './kamailio-network.js'
import { sipp } from './sipp.js'

const isInstalled = KAMAILIO !== undefined && SIPP !== undefined
tellMissing(['kamailio', 'sipp'], 'no push goes to SIPp behind Kamailio')

let network: KamailioNetwork

/** Registers SIPp as this user and lets it go on with a scenario; gives what the push came to and what SIPp found wrong. */
async function pushTo(user: string, scenario: string, quality?: string, calls = 1): Promise<readonly string[]> {
  const port = await steadyPort()
  const registered = await sipp('register', port, network.proxy, user).ended
  const answering = sipp(scenario, port, network.proxy, user, calls)
  await answering.ready
  expect(await network.submit({ pushId: user, to: `sip:${user}@${DOMAIN}`, content: 'x', ...(quality === undefined ? {} : { quality }) })).toBe(1001)
  return [await network.outcome(user), registered, await answering.ended]
}

describe.runIf(isInstalled)('a push to SIPp', () => {
  beforeAll(async () => { network = await KamailioNetwork.start('third-party') })
  afterAll(() => network.stop())

  it.each([
    ['that answers 200 is delivered', 'takes', undefined, 1, 'delivered 1000'],
    ['that answers 480 with Retry-After is tried again with the same Call-ID, and delivered', 'away-then-takes', undefined, 1, 'delivered 1000'],
    ['that answers 603 is aborted', 'declines', undefined, 1, 'aborted 5235'],
    ['that refuses the session which the push requires is undeliverable', 'no-sessions', 'bearer="SIP-MSRP" bearer-required="true"', 1, 'undeliverable 3007'],
    ['that refuses the session which the push prefers goes as MESSAGE', 'no-sessions', 'bearer="SIP-MSRP"', 2, 'delivered 1000'],
  ] as const)('%s', async (_what, scenario, quality, calls, outcome) => {
    const user = `${scenario}${calls}`
    expect(await pushTo(user, scenario, quality, calls)).toEqual([outcome, '', ''])
  })
})
