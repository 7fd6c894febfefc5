/** What is told of the pushes in a store: each once, in order, with every recipient's state, and never what was pushed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { doneKey, legsKey, pendingKey, unacknowledgedKey } from '../../core/store/keys.js'
import { encodeLegs } from '../../core/store/legs.js'
import type { StoreRow } from '../../core/store/operations.js'
import { pushesOf, type StoredPush } from '../../core/store/pushes.js'
import { MARK, encodeFinal, encodeSubmission } from '../../core/store/records.js'

const SECRET = 'secret'

interface Made {
  /** By recipient: whether it has its outcome. */
  readonly ended: readonly boolean[]
  readonly acknowledged: boolean
}

const made = fc.array(fc.record<Made>({ ended: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }), acknowledged: fc.boolean() }), { maxLength: 12 })

function rowsOf(pushes: readonly Made[]): { readonly pending: StoreRow[]; readonly done: StoreRow[]; readonly legs: StoreRow[]; readonly unacknowledged: StoreRow[] } {
  const rows = { pending: [] as StoreRow[], done: [] as StoreRow[], legs: [] as StoreRow[], unacknowledged: [] as StoreRow[] }
  pushes.forEach(({ ended, acknowledged }, number) => {
    const sequence = 1_000 * (number + 1)
    const facts = { acceptedAt: 5_000 + number, priority: 'high', deliveryMethod: 'confirmed', hasQualityOfService: true, papForm: '2.0', initiator: 'pi', pushId: `p${number}`, notifyUrl: `http://pi/${SECRET}` } as const
    if (ended.includes(false)) rows.pending.push({
      key: pendingKey(sequence),
      value: encodeSubmission({
        ...facts, deliverAfter: 0, expiresAt: 9_000, hasDeliverBefore: false, statesCapabilities: false, token: SECRET, applicationId: 'wml.ua', featureTag: 'wml.ua',
        recipients: ended.map((_, index) => ({ literal: `address ${index}`, uri: `sip:u${index}@ims` })), contentType: 'text/plain', contentHeaders: [{ name: 'X', value: SECRET }], content: Buffer.from(SECRET),
      }),
    })
    ended.forEach((isEnded, recipient) => {
      if (!isEnded) return rows.legs.push({ key: legsKey(sequence, recipient), value: encodeLegs([{ device: 'sip:d', state: 'delivered', code: 1000, confirmed: true }]) })
      rows.done.push({ key: doneKey(sequence, recipient), value: encodeFinal({ ...facts, state: 'delivered', code: 1000, confirmed: true, binding: 'message', sipStatus: 200, endedAt: 6_000, last: false, literal: `address ${recipient}`, desc: 'because' }) })
      if (!acknowledged) rows.unacknowledged.push({ key: unacknowledgedKey(sequence, recipient), value: MARK })
    })
  })
  return rows
}

describe('the pushes of a store', () => {
  it('are told once each in the order of acceptance, with what every recipient came to', () => {
    fc.assert(fc.property(made, (pushes) => {
      const told = [...pushesOf(rowsOf(pushes))]
      expect(told.map(({ pushId }) => pushId)).toEqual(pushes.map((_, number) => `p${number}`))
      told.forEach((push, number) => {
        const { ended, acknowledged } = pushes[number]!
        expect(push).toMatchObject({ initiator: 'pi', acceptedAt: 5_000 + number, priority: 'high', deliveryMethod: 'confirmed' })
        expect(push.pending === undefined).toBe(!ended.includes(false))
        expect(push.recipients.map(({ address }) => address)).toEqual(ended.map((_, index) => `address ${index}`))
        expect(push.recipients.map(({ outcome }) => outcome?.state)).toEqual(ended.map((isEnded) => (isEnded ? 'delivered' : undefined)))
        for (const { outcome, devices } of push.recipients) {
          if (outcome === undefined) expect(devices).toEqual([{ device: 'sip:d', state: 'delivered', code: 1000, confirmed: true }])
          else expect(outcome).toMatchObject({ code: 1000, endedAt: 6_000, notification: acknowledged ? 'settled' : 'unacknowledged' })
        }
      })
    }))
  })

  it('are told without their content, its headers, and what only the initiator and we should know', () => {
    const [push] = [...pushesOf(rowsOf([{ ended: [false, true], acknowledged: false }]))] as [StoredPush]
    expect(push.pending).toEqual({ deliverAfter: 0, expiresAt: 9_000, applicationId: 'wml.ua', contentType: 'text/plain', contentOctets: SECRET.length })
    expect(JSON.stringify(push)).not.toContain(SECRET)
  })
})
