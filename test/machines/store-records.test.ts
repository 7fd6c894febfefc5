/** The rows of the store: what is written is what is read, and keys sort by what they are looked for by. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ContentFile } from '../../core/store/content.js'
import { after, doneKey, pendingKey, pushIdKey, recipientOf, sequenceOf, sequenceOfWall } from '../../core/store/keys.js'
import { decodePushId, encodePushId } from '../../core/store/push-ids.js'
import {
  BINDING_NAMES, DELIVERY_METHODS, MARK, MESSAGE_STATES, PRIORITIES, decodeFinal, decodeMeta, decodeRegistration, decodeSubmission, encodeFinal, encodeMeta,
  encodeRegistration, encodeSubmission, type DeviceRecord, type FinalRecord, type RegistrationRecord, type SubmissionRecord,
} from '../../core/store/records.js'

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((each) => each.replaceAll('\0', ''))
const word = fc.stringMatching(/^[a-z0-9.]{1,12}$/)
const wall = fc.integer({ min: 0, max: 253_402_300_799_000 })

const binding = fc.constantFrom(undefined, ...BINDING_NAMES)
const hexadecimal = (length: number): fc.Arbitrary<string> => fc.uint8Array({ minLength: length / 2, maxLength: length / 2 }).map((octets) => Buffer.from(octets).toString('hex'))
const contentFile: fc.Arbitrary<ContentFile> = fc.record({ id: hexadecimal(32), size: fc.nat({ max: 2 ** 40 }), sha1: hexadecimal(40) })

const submission: fc.Arbitrary<SubmissionRecord> = fc.record({
  acceptedAt: wall, deliverAfter: wall, expiresAt: wall, hasDeliverBefore: fc.boolean(), priority: fc.constantFrom(...PRIORITIES),
  deliveryMethod: fc.constantFrom(...DELIVERY_METHODS), bearer: binding, bearerRequired: fc.boolean(), hasQualityOfService: fc.boolean(), statesCapabilities: fc.boolean(), papForm: word,
  initiator: text, pushId: text, notifyUrl: text, sourceReference: fc.option(text, { nil: undefined }), token: word, applicationId: text, featureTag: text,
  recipients: fc.array(fc.record({ literal: text, uri: text }), { minLength: 1, maxLength: 4 }), contentType: text,
  contentHeaders: fc.array(fc.record({ name: text, value: text }), { maxLength: 4 }), content: fc.oneof(fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets)), contentFile),
}).map((record) => ({ ...record, bearerRequired: record.bearer !== undefined && record.bearerRequired }))
const final: fc.Arbitrary<FinalRecord> = fc.record({
  state: fc.constantFrom(...MESSAGE_STATES), code: fc.integer({ min: 1000, max: 5999 }), confirmed: fc.option(fc.boolean(), { nil: undefined }),
  sipStatus: fc.integer({ min: 0, max: 699 }), acceptedAt: wall, endedAt: wall, priority: fc.constantFrom(...PRIORITIES),
  deliveryMethod: fc.constantFrom(...DELIVERY_METHODS), hasQualityOfService: fc.boolean(), last: fc.boolean(), papForm: word, initiator: text,
  pushId: text, literal: text, notifyUrl: text, desc: text, binding,
})
const device: fc.Arbitrary<DeviceRecord> = fc.record({
  instance: word, publicGruu: text, temporaryGruu: text, applications: fc.option(fc.array(word, { maxLength: 3 }), { nil: undefined }),
  methods: fc.option(fc.array(word, { minLength: 1, maxLength: 3 }), { nil: undefined }), registeredAt: fc.option(wall, { nil: undefined }),
})
const registration: fc.Arbitrary<RegistrationRecord> = fc.record({ registered: fc.boolean(), expiresAt: wall, devices: fc.option(fc.array(device, { maxLength: 3 }), { nil: undefined }) })
const sequence = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

describe('a row', () => {
  it('of a pending push is read as it was written', () => fc.assert(fc.property(submission, (record) => { expect(decodeSubmission(encodeSubmission(record))).toEqual(record) })))
  it('of an outcome is read as it was written', () => fc.assert(fc.property(final, (record) => { expect(decodeFinal(encodeFinal(record))).toEqual(record) })))
  it('of a push-id is read as it was written', () => fc.assert(fc.property(fc.record({ sequence, recipients: fc.nat(0xffff) }), (record) => { expect(decodePushId(encodePushId(record))).toEqual(record) })))
  it('of a registration is read as it was written', () => fc.assert(fc.property(registration, (record) => { expect(decodeRegistration(encodeRegistration(record))).toEqual(record) })))
  it('of the store itself is read as it was written', () => fc.assert(fc.property(sequence, (sequenceBound) => { expect(decodeMeta(encodeMeta({ sequenceBound }))).toEqual({ sequenceBound }) })))
})

describe('a row of an earlier release', () => {
  it('of a pending push, which has no source-reference behind its headers, is read', () => {
    fc.assert(fc.property(submission, ({ sourceReference: _, ...record }) => { expect(decodeSubmission(encodeSubmission(record))).toEqual(record) }))
  })
  it('of a push-id says that it is taken, and not where its push lies', () => expect(decodePushId(MARK)).toBeUndefined())
})

describe('a key', () => {
  it('sorts pushes by acceptance, and their outcomes by recipient within', () => {
    fc.assert(fc.property(sequence, sequence, fc.nat(999), fc.nat(999), (a, b, r, s) => {
      expect(Math.sign(Buffer.compare(pendingKey(a), pendingKey(b)))).toBe(Math.sign(a - b))
      expect(Math.sign(Buffer.compare(doneKey(a, r), doneKey(b, s)))).toBe(a === b ? Math.sign(r - s) : Math.sign(a - b))
      expect([sequenceOf(doneKey(a, r)), recipientOf(doneKey(a, r))]).toEqual([a, r])
    }))
  })

  it('of a push-id differs for every pair of initiator and push-id', () => {
    fc.assert(fc.property(text, text, text, text, (i, p, j, q) => { expect(pushIdKey(i, p).equals(pushIdKey(j, q))).toBe(i === j && p === q) }))
  })

  it('has a next one that nothing lies between', () => {
    const key = pendingKey(5)
    expect(Buffer.compare(key, after(key))).toBe(-1)
    expect(Buffer.compare(after(key), pendingKey(6))).toBe(-1)
  })

  it('holds numbers that fit a double until the year 2109', () => expect(sequenceOfWall(4_398_046_511_103)).toBeLessThan(Number.MAX_SAFE_INTEGER))
})
