/**
 * The ready-made experiment: at which size of a push, and at how many in a row to one recipient, another way overtakes MESSAGE. Five
 * ways to deliver, sizes on a logarithmic grid and around the limit of RFC 3428 section 8. Knows the plan, not what comes of it.
 */
import type { ExperimentPlan } from './plan-schema.js'

export interface ReadyMade {
  readonly plan: ExperimentPlan
  /** Which combinations are cells. */
  readonly wanted: (levels: readonly number[]) => boolean
}

/** A reused session lives through the pushes in a row and little longer, so that it is the row that it is reused for. */
const KEEP = '1s'

const WAYS = [
  { name: 'MESSAGE', set: { 'push.binding': 'message' } },
  { name: 'session each', set: { 'push.binding': 'session', 'gateway.sessionKeep': '0s' } },
  { name: 'session reused', set: { 'push.binding': 'session', 'gateway.sessionKeep': KEEP } },
  { name: 'NOTIFY', set: { 'push.binding': 'event', 'population.subscribing': '100%' } },
  { name: 'indirection', set: { 'push.binding': 'indirection' } },
] as const

const SIZES = ['64B', '256B', '1KiB', '1200B', '1300B', '1301B', '4KiB', '16KiB', '56KiB', '256KiB', '1MiB'] as const
const QUICK_SIZES = ['64B', '1300B', '32KiB'] as const
/** Where the quick one varies how many go in a row. */
const ROWS_AT = '1300B'
const ROWS = [1, 2, 5, 10, 50] as const
const QUICK_ROWS = [1, 3, 10] as const

/** Each trial begins with fresh processes: two thousand pushes and more (of large contents fewer) go before it, so that it is not their compiling that is compared. */
const WARM_UP_RATE = '500/s'

/** One device each, all online: what differs is the way alone. */
const EVERYBODY_ONLINE = {
  traffic: { online: { share: '100%', delayLimit: '2s' } },
  population: { subscribers: 400, devicesPerSubscriber: { 1: '100%' }, returning: { share: '0%' }, absent: '0%' },
  terminals: { reference: 0 },
}

/**
 * Quick: sizes for one push at a time, and rows of pushes at one size, in about twenty minutes. Full: every combination, in hours.
 * Both go on after a stop.
 */
export function messageVersusSession(quick: boolean, seed: number, trials: number | undefined): ReadyMade {
  const sizes = quick ? QUICK_SIZES : SIZES
  const rows = quick ? QUICK_ROWS : ROWS
  // At 20 a second 1 MiB is 160 Mbit/s on the wire, which one machine still carries for both sides. Few come back to a recipient while its session is kept.
  const load = quick ? { rate: '40/s', warmUp: '5s', duration: '5s' } : { rate: '20/s', warmUp: '9s', duration: '15s' }
  const plan: ExperimentPlan = {
    name: 'message-vs-session', seed, trials: trials ?? (quick ? 3 : 5), equal: 'load',
    scenario: {
      ...EVERYBODY_ONLINE, load: { drainMax: '20s', warmUpRate: WARM_UP_RATE, ...load },
      push: { notifications: false },
      objective: { inadequatelyHandled: '1%', lagShare: '25%' },
    },
    factors: [
      { name: 'way', levels: [...WAYS] },
      { name: 'size', key: 'push.size', levels: [...sizes] },
      { name: 'pushes in a row', key: 'push.inARow', levels: [...rows] },
    ],
  }
  const rowsAt = sizes.findIndex((size) => size === ROWS_AT)
  return { plan, wanted: ([, size, row]) => !quick || row === 0 || size === rowsAt }
}
