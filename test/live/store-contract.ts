/**
 * What every store behind core/store/operations.ts must do, live or simulated: one suite, run for each implementation.
 * The implementation is reached through `open`; nothing here knows an engine.
 */
import { describe, expect, it } from 'vitest'
import type { StoreIn, StoreOperation, StoreOut } from '../../core/store/operations.js'

/** One opened store. `settle` resolves when every output given so far has been answered. */
export interface StoreUnderTest {
  output(output: StoreOut): void
  readonly answers: StoreIn[]
  settle(): Promise<void>
  close(): Promise<void>
}

export interface StoreOpener {
  /** A store without rows. */
  fresh(): Promise<StoreUnderTest>
  /** The store that was closed last, with its rows. */
  reopen(): Promise<StoreUnderTest>
}

const key = (text: string): Buffer => Buffer.from(text, 'latin1')
const put = (name: string, value: string): StoreOperation => ({ type: 'put', key: key(name), value: Buffer.from(value) })
const remove = (name: string): StoreOperation => ({ type: 'delete', key: key(name) })

async function commit(store: StoreUnderTest, ticket: number, ...operations: StoreOperation[]): Promise<void> {
  store.output({ type: 'commit', ticket, operations })
  await store.settle()
}

async function valueOf(store: StoreUnderTest, name: string): Promise<string | undefined> {
  const before = store.answers.length
  store.output({ type: 'read', ticket: 9_000, key: key(name) })
  await store.settle()
  const answer = store.answers.slice(before).find((seen) => seen.type === 'value' && seen.ticket === 9_000)
  return answer?.type === 'value' ? answer.value?.toString() : 'no answer'
}

async function rowsOf(store: StoreUnderTest, from: string, to: string, limit = 1_000): Promise<[string, string][]> {
  const before = store.answers.length
  store.output({ type: 'scan', ticket: 9_001, from: key(from), to: key(to), limit })
  await store.settle()
  const answer = store.answers.slice(before).find((seen) => seen.type === 'rows')
  return answer?.type === 'rows' ? answer.rows.map((row) => [Buffer.from(row.key).toString('latin1'), Buffer.from(row.value).toString()]) : []
}

export function storeContract(name: string, opener: StoreOpener): void {
  describe(`${name} as a store`, () => {
    it('keeps what was committed and forgets what was deleted', async () => {
      const store = await opener.fresh()
      await commit(store, 1, put('a', '1'), put('b', '2'))
      await commit(store, 2, remove('a'), put('b', '3'), remove('never there'))
      expect(await valueOf(store, 'a')).toBeUndefined()
      expect(await valueOf(store, 'b')).toBe('3')
      expect(store.answers.filter((answer) => answer.type === 'committed')).toEqual([{ type: 'committed', ticket: 1 }, { type: 'committed', ticket: 2 }])
      await store.close()
    })

    it('answers every commit once and in order, however many are given at once', async () => {
      const store = await opener.fresh()
      for (let ticket = 0; ticket < 2_000; ticket++) store.output({ type: 'commit', ticket, operations: [put(`k${ticket % 50}`, `${ticket}`), put(`n${ticket}`, 'x'.repeat(300))] })
      await store.settle()
      expect(store.answers.map((answer) => answer.ticket)).toEqual(Array.from({ length: 2_000 }, (_, index) => index))
      expect(await valueOf(store, 'k7')).toBe('1957')
      expect((await rowsOf(store, 'n', 'o', 5_000)).length).toBe(2_000)
      await store.close()
    })

    it('applies the operations of one commit in their order', async () => {
      const store = await opener.fresh()
      await commit(store, 1, put('k', 'first'), remove('k'), put('k', 'last'), put('gone', 'x'), remove('gone'))
      expect(await valueOf(store, 'k')).toBe('last')
      expect(await valueOf(store, 'gone')).toBeUndefined()
      await store.close()
    })

    it('scans from a key inclusive to a key exclusive, in octet order, up to a limit', async () => {
      const store = await opener.fresh()
      await commit(store, 1, ...['b', 'a', 'c', 'ab', 'a\x00', 'a\xff', '\xff', 'B'].map((name) => put(name, name.length.toString())))
      expect((await rowsOf(store, 'a', 'b')).map(([name]) => name)).toEqual(['a', 'a\x00', 'ab', 'a\xff'])
      expect((await rowsOf(store, 'a\x00', 'c')).map(([name]) => name)).toEqual(['a\x00', 'ab', 'a\xff', 'b'])
      expect((await rowsOf(store, 'a', 'd', 2)).map(([name]) => name)).toEqual(['a', 'a\x00'])
      expect((await rowsOf(store, '', '\xff\xff')).map(([name]) => name)).toEqual(['B', 'a', 'a\x00', 'ab', 'a\xff', 'b', 'c', '\xff'])
      expect(await rowsOf(store, 'x', 'y')).toEqual([])
      await store.close()
    })

    it('tells an empty value from a missing one and keeps large values whole', async () => {
      const store = await opener.fresh()
      const large = 'pushed '.repeat(30_000)
      await commit(store, 1, put('empty', ''), put('large', large))
      expect(await valueOf(store, 'empty')).toBe('')
      expect(await valueOf(store, 'missing')).toBeUndefined()
      expect(await valueOf(store, 'large')).toBe(large)
      await store.close()
    })

    it('gives values that stay what they were when the store moves on', async () => {
      const store = await opener.fresh()
      await commit(store, 1, put('k', 'old value'), put('j', 'other value'))
      store.output({ type: 'read', ticket: 5, key: key('k') })
      store.output({ type: 'read', ticket: 6, key: key('j') })
      store.output({ type: 'scan', ticket: 7, from: key('j'), to: key('z'), limit: 9 })
      await store.settle()
      const seen = store.answers.slice(-3)
      await commit(store, 8, put('k', 'new value'), remove('j'))
      await valueOf(store, 'k')
      expect(seen.map((answer) => (answer.type === 'value' ? answer.value?.toString() : answer.type === 'rows' ? answer.rows.map((row) => Buffer.from(row.value).toString()) : '')))
        .toEqual(['old value', 'other value', ['other value', 'old value']])
      await store.close()
    })

    it('has after closing and opening again what was committed', async () => {
      const store = await opener.fresh()
      for (let ticket = 0; ticket < 100; ticket++) store.output({ type: 'commit', ticket, operations: [put(`row${String(ticket).padStart(3, '0')}`, `${ticket}`)] })
      await store.settle()
      await store.close()
      const again = await opener.reopen()
      expect((await rowsOf(again, 'row', 'rox')).map(([, value]) => Number(value))).toEqual(Array.from({ length: 100 }, (_, index) => index))
      await again.close()
    })
  })
}
