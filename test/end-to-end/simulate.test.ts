/** A day in virtual time as a user passes it: one command, the same folder as a run's, and Ctrl-C ends it with what there is. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Folder } from './command.js'
import { pageIn, recordIn } from './small-run.js'

/** A busy machine is given time. */
const PATIENCE = 180_000

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

const day = (subscribers: number, perSecond: number): string => `
name: small-day
seed: 7
load: { rate: ${perSecond}/s, warmUp: 0s, duration: 24h, drainMax: 60s }
traffic: { anyone: { share: 100% } }
population: { subscribers: ${subscribers}, returning: { share: 100%, 'on': 12h, 'off': 2.4h, times: exponential }, absent: 0% }
terminals: { reference: 0 }
virtual: { gateways: 2, churn: 1% }
`

describe('pushbench simulate', () => {
  it('passes three hours of two gateway nodes, and leaves a record and a page that say it was virtual', async () => {
    const { code, stdout, stderr } = await folder.command(['simulate', folder.write('day.yaml', day(200, 0.02)), '--for', '3h'])
    const record = recordIn(folder.run())
    expect(record.verdict, stderr).toEqual({ valid: true, reasons: [] })
    expect(code).toBe(0)
    expect(record.findings).toMatchObject({ balanced: true, lost: [], duplicated: [] })
    expect(record.virtual).toMatchObject({ gateways: 2, calibration: expect.stringContaining('typical') })
    expect(record.virtual!.sent['gateway>ims']!.octets).toBeGreaterThan(record.ledger.delivered * 500)
    expect(record.intervalSeconds).toBe(3_600)
    expect(record.intervals.map(({ second }) => second)).toEqual([0, 1, 2])
    expect(record.durations.loadSeconds).toBe(10_800)
    expect(pageIn(folder.run())).toContain('hours after the warm-up')
    expect(stdout).toContain('virtual time')
  }, PATIENCE)

  it('is ended by Ctrl-C at the time it has reached, with a ledger that balances', async () => {
    let told = false
    const { code } = await folder.command(['simulate', folder.write('day.yaml', day(2_000, 20))], (child, stderr) => {
      if (told || !stderr.includes(' of 24h')) return
      told = true
      child.kill('SIGINT')
    })
    expect(code).toBe(130)
    const record = recordIn(folder.run())
    expect(record.interrupted).toMatch(/^interrupted by Ctrl-C after \d+(\.\d)? h of the load$/)
    expect(record.findings.balanced).toBe(true)
    expect(record.durations.loadSeconds).toBeLessThan(86_400)
    expect(existsSync(join(folder.run(), 'report.html'))).toBe(true)
  }, PATIENCE)

  it('refuses what virtual time has not, before anything begins', async () => {
    const { code, stderr } = await folder.command(['simulate', folder.write('day.yaml', `${day(200, 1)}push: { binding: session }\n`)])
    expect(code).toBe(2)
    expect(stderr).toContain('push.binding session')
  })

  it('says what is wrong with a calibration that is none', async () => {
    const { code, stderr } = await folder.command(['simulate', folder.write('day.yaml', day(200, 1)), '--calibrate', 'nowhere'])
    expect(code).toBe(1)
    expect(stderr).toContain('--calibrate nowhere')
  })
})
