/** The scenarios in docs/scenarios, which a stranger runs as they are: each is explained, keeps to its words, and works; one is also run, briefly. */
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { ScenarioWritten } from '../../loadgen/scenario.js'
import { Folder } from './command.js'
import { SMALL, recordIn } from './small-run.js'

const DOCUMENTS = new URL('../../docs/scenarios/', import.meta.url)
const FILES = readdirSync(DOCUMENTS).sort()
const pathOf = (file: string): string => fileURLToPath(new URL(file, DOCUMENTS))

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

describe('the scenarios of the documentation', () => {
  it('are the four kinds of service', () => {
    expect(FILES).toEqual(['generic-push.yaml', 'offline-notification.yaml', 'selective-push.yaml', 'trusted-push.yaml'])
  })

  it.each(FILES)('%s is explained without a warning, and names itself', async (file) => {
    const { code, stdout, stderr } = await folder.command(['check', pathOf(file)])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`${file.replace('.yaml', '')}, seed 1`)
    expect(readFileSync(pathOf(file), 'utf8')).toContain(`pushbench run ${file}`)
  })

  it('of offline notification: who was away is told when he is back, who stays away is not, and both are known', async () => {
    const written = parse(readFileSync(pathOf('offline-notification.yaml'), 'utf8')) as ScenarioWritten
    const traffic = { offlineReturns: { share: '80%', delayLimit: '30s' }, expires: { share: '20%', lifetime: '8s', delayLimit: '30s' } }
    const brief = { ...written, load: { rate: '20/s', warmUp: '0s', duration: '4s', drainMax: '40s' }, traffic, population: { ...written.population, subscribers: 60 }, terminals: { reference: 0 }, objective: SMALL.objective }
    const { code, stderr } = await folder.command(['run', folder.write('brief.yaml', JSON.stringify(brief))])
    const { verdict, ledger } = recordIn(folder.run())
    expect(verdict, stderr).toEqual({ valid: true, reasons: [] })
    expect({ code, ...ledger }).toMatchObject({ code: 0, lost: 0, duplicated: 0, inFlight: 0, refused: 0, accepted: ledger.delivered + ledger.expired })
    expect(Math.min(ledger.delivered, ledger.expired)).toBeGreaterThan(0)
  }, 90_000)
})
