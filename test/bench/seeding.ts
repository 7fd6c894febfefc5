/**
 * Stores as a gateway would have left them: devices known from their registrations, and pushes that wait for users who
 * are away. Written through the store's own driver and rows.
 */
import { openStore } from '../../core/live/store-lmdb.js'
import { META_KEY, pendingKey, pushIdKey, registrationKey, sequenceOfWall } from '../../core/store/keys.js'
import type { StoreOperation } from '../../core/store/operations.js'
import { encodePushId } from '../../core/store/push-ids.js'
import { encodeMeta, encodeRegistration, encodeSubmission } from '../../core/store/records.js'
import { APPLICATION, awayUserOf, CONTENT, DOMAIN, initiatorAddress, userOf } from './population.js'

const PER_COMMIT = 1_000
const DAY_MILLIS = 86_400_000

export interface Seed {
  /** Registered users, one device each. */
  readonly devices: number
  /** Pushes that wait, each for another user who is away. */
  readonly waiting: number
}

export async function seedStore(folder: string, { devices, waiting }: Seed): Promise<void> {
  const store = await openStore(folder, { report: () => {}, onFailure: (error) => { throw error } })
  const now = Date.now()
  let operations: StoreOperation[] = []
  let tickets = 0
  const put = (key: Buffer, value: Buffer): void => {
    if (operations.push({ type: 'put', key, value }) < PER_COMMIT) return
    commit()
  }
  const commit = (): void => {
    store.output({ type: 'commit', ticket: ++tickets, operations })
    operations = []
  }
  for (let number = 0; number < devices; number++) put(registrationKey(`sip:${userOf(number)}@${DOMAIN}`), registrationOf(number, now))
  for (let number = 0; number < waiting; number++) {
    const pushId = `waiting-${number}@pi.example`
    const sequence = sequenceOfWall(now - DAY_MILLIS) + number
    put(pendingKey(sequence), submissionOf(number, pushId, now))
    put(pushIdKey('anonymous', pushId), encodePushId({ sequence, recipients: 1 }))
  }
  // Only what lies below the bound is a push of before.
  if (waiting > 0) put(META_KEY, encodeMeta({ sequenceBound: sequenceOfWall(now) }))
  commit()
  await store.close()
}

function registrationOf(number: number, now: number): Buffer {
  const aor = `sip:${userOf(number)}@${DOMAIN}`
  const instance = `urn:uuid:00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
  return encodeRegistration({
    registered: true, expiresAt: now + DAY_MILLIS,
    devices: [{ instance: `<${instance}>`, publicGruu: `${aor};gr=${instance}`, temporaryGruu: `sip:tgruu.${number}@${DOMAIN};gr`, applications: [APPLICATION] }],
  })
}

function submissionOf(number: number, pushId: string, now: number): Buffer {
  const user = awayUserOf(number)
  return encodeSubmission({
    acceptedAt: now - DAY_MILLIS, deliverAfter: 0, expiresAt: now + DAY_MILLIS, hasDeliverBefore: false, priority: 'medium', deliveryMethod: 'confirmed',
    hasQualityOfService: true, statesCapabilities: false, papForm: '2.0', initiator: 'anonymous', pushId, notifyUrl: '', token: `waiting${number}`,
    applicationId: CONTENT.application, featureTag: APPLICATION, recipients: [{ literal: initiatorAddress(user), uri: `sip:${user}@${DOMAIN}` }],
    contentType: CONTENT.contentType, contentHeaders: [], content: Buffer.alloc(CONTENT.size, 0x78),
  })
}
