/** The journal file: every line whole and in order once closed, appended to what is there, torn at most at its end. */
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseJournalLine } from '../../core/kit/journal.js'
import { monoMicros } from '../../core/live/clock.js'
import { JournalWriter } from '../../core/live/journal.js'
import { diskFolder } from './disk.js'

describe('the journal writer', () => {
  it('keeps every event in order and appends to an older, torn file', async () => {
    const path = join(diskFolder(), 'gateway.journal')
    appendFileSync(path, '17\taccepted\tp\t\n18\tacc')
    appendFileSync(path, '\n')
    const from = monoMicros()
    const writer = new JournalWriter(path, (error) => { throw error })
    for (let index = 0; index < 5_000; index++) writer.write('accepted', `push-${index}`, 'WAPPUSH=alice/TYPE=USER@example.com', ['a\tb'])
    await writer.close()
    const events = readFileSync(path, 'utf8').split('\n').map(parseJournalLine).filter((event) => event !== undefined)
    expect(events.length).toBe(5_001)
    expect(events.slice(1).map((event) => event.pushId)).toEqual(Array.from({ length: 5_000 }, (_, index) => `push-${index}`))
    expect(events[5_000]!.details).toEqual(['a\tb'])
    expect(events[1]!.mono).toBeGreaterThanOrEqual(from)
  })

  it('keeps long lines, lines of many octets a character and short ones in their order, whatever a buffer holds', async () => {
    const path = join(diskFolder(), 'gateway.journal')
    const writer = new JournalWriter(path, (error) => { throw error })
    const addresses = Array.from({ length: 400 }, (_, index) => (index % 50 === 7 ? 'long'.repeat(30_000) : index % 3 === 0 ? '€'.repeat(index * 7) : 'é'.repeat(index)))
    for (const [index, address] of addresses.entries()) writer.write('accepted', `push-${index}`, address, [])
    await writer.close()
    const events = readFileSync(path, 'utf8').split('\n').slice(0, -1).map(parseJournalLine)
    expect(events.map((event) => event?.pushId)).toEqual(addresses.map((_, index) => `push-${index}`))
    expect(events.every((event, index) => event?.address === addresses[index])).toBe(true)
  })

  it('writes soon without being asked', async () => {
    const path = join(diskFolder(), 'gateway.journal')
    const writer = new JournalWriter(path, (error) => { throw error })
    writer.write('refused', 'p', '', ['2000'])
    await new Promise<void>((resolve) => {
      const look = (): void => {
        let text = ''
        try {
          text = readFileSync(path, 'utf8')
        } catch {
          text = ''
        }
        if (text.includes('refused')) resolve()
        else setTimeout(look, 10)
      }
      look()
    })
    await writer.close()
  })

  it('tells once when the file cannot be written and goes on without it', async () => {
    const failures: string[] = []
    const failed = new Promise<void>((resolve) => {
      const writer = new JournalWriter(join(diskFolder(), 'missing', 'gateway.journal'), (error) => {
        failures.push(error.message)
        writer.write('refused', 'p', '', ['2000'])
        void writer.close().then(resolve)
      })
      writer.write('refused', 'p', '', ['2000'])
    })
    await failed
    expect(failures.length).toBe(1)
    expect(failures[0]).toMatch(/the journal .*gateway\.journal cannot be written: ENOENT/)
  })
})
