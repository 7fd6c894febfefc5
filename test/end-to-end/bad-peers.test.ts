/** Runs whose scenario has devices that are not as they should be: bad peers of each quick kind, and devices behind a constrained bearer. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Folder } from './command.js'
import { recordIn, small } from './small-run.js'

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

const LOAD = { rate: '20/s', warmUp: '0s', duration: '4s', drainMax: '40s' }

describe('a run with bad peers', () => {
  it('is valid, ends every push to them as the table of outcomes says, and keeps them out of what is measured of the others', async () => {
    const scenario = small({
      name: 'bad-peers',
      load: LOAD,
      traffic: { online: { share: '40%', delayLimit: '30s' }, misbehaving: { share: '60%', lifetime: '4s', delayLimit: '30s' } },
      // A session for each: what shows in MSRP shows.
      push: { size: '70 KiB', deliveryMethod: 'preferconfirmed' },
      population: {
        subscribers: 60, returning: { share: '0%' }, absent: '0%',
        misbehaving: { 'answers-twice': '5%', 'closes-mid-chunk': '5%', 'refuses-type': '5%', 'refuses-size': '5%', 'lies-about-support': '5%' },
      },
      terminals: { reference: 0, registrationRate: '200/s' },
    })
    const { code, stderr } = await folder.command(['run', folder.write('bad-peers.yaml', scenario)])
    const record = recordIn(folder.run())
    expect(record.verdict, stderr).toEqual({ valid: true, reasons: [] })
    const { ledger, causes, stages } = record
    expect({ code, ...ledger }).toMatchObject({ code: 0, lost: 0, inFlight: 0, refused: 0, accepted: ledger.attempted })
    const [online, bad] = record.scenarios
    expect([online, bad]).toMatchObject([{ name: 'online', asExpected: online!.attempts }, { name: 'misbehaving', asExpected: bad!.attempts, stage: 'settled' }])
    expect(stages['endToEnd']!.count).toBe(online!.attempts)
    expect(causes.map(({ outcome, cause }) => `${outcome} ${cause.split(',')[0]!}`).sort()).toEqual(['aborted PAP 5235', 'expired PAP 4000', 'undeliverable PAP 2006'])
  }, 90_000)
})

describe('a run over a constrained bearer', () => {
  it('cuts the content for devices that take MESSAGE only, and each gets it whole', async () => {
    const scenario = small({
      name: 'constrained',
      load: LOAD,
      traffic: { online: { share: '100%', delayLimit: '30s' } },
      population: { subscribers: 40, returning: { share: '0%' }, absent: '0%', messageOnly: '50%' },
      gateway: { segment: '140B' },
      terminals: { reference: 0, registrationRate: '200/s' },
      capture: true,
    })
    const { code, stderr } = await folder.command(['run', folder.write('constrained.yaml', scenario)])
    const record = recordIn(folder.run())
    expect(record.verdict, stderr).toEqual({ valid: true, reasons: [] })
    const { ledger } = record
    expect({ code, ...ledger }).toMatchObject({ code: 0, attempted: ledger.delivered, lost: 0, duplicated: 0 })
    const sent = readFileSync(join(folder.run(), 'gateway.pcap'), 'latin1')
    const pieces = [...sent.matchAll(/Content-Type: message\/partial; id="([^"]+)"; number=(\d); total=(\d)/g)].map(([, id, number, total]) => `${id} ${number} of ${total}`)
    const contents = new Set(pieces.map((piece) => piece.split(' ')[0]))
    expect([contents.size > 0, contents.size < ledger.delivered]).toEqual([true, true])
    expect(pieces.sort()).toEqual([...contents].flatMap((id) => [1, 2, 3].map((number) => `${id} ${number} of 3`)).sort())
  }, 90_000)
})
