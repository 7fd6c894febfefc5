/**
 * The day that is simulated when none is named: ten thousand subscribers with 5 pushes, 1.2 devices and 4 changes between on and
 * off each, a day's curve, absence, expiry and churn. The figures of larger populations differ by their number alone.
 */
import { Schema } from 'effect'
import { CheckedScenario } from '../scenario-rules.js'
import type { Scenario } from '../scenario.js'

const PUSHES_PER_DAY = 5
const DAY_SECONDS = 86_400

/**
 * @param subscribers of all gateway nodes together
 * @param gateways nodes
 */
export function dayScenario(subscribers: number, gateways: number): Scenario {
  return Schema.decodeSync(CheckedScenario)({
    name: 'day',
    seed: 20260314,
    load: { rate: `${subscribers * PUSHES_PER_DAY / DAY_SECONDS}/s`, warmUp: '0s', duration: '24h', drainMax: '60s', shape: 'day', day: { peak: 1.6 } },
    traffic: { anyone: { share: '100%' } },
    // Each of 1.2 devices has 3.33 changes a day: a turn of 14.4 hours.
    population: { subscribers, devicesPerSubscriber: { 1: '80%', 2: '20%' }, returning: { share: '100%', on: '12h', off: '2.4h', times: 'exponential' }, absent: '0%' },
    terminals: { reference: 0, registrationRate: '5000/s' },
    virtual: { gateways, churn: '0.1%' },
  })
}

export const DAY_SCENARIO: Scenario = dayScenario(10_000, 1)
