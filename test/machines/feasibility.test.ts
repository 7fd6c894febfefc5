/** What cannot run is refused with its arithmetic before any load, and what can is not. */
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { explanation } from '../../loadgen/explain.js'
import { feasibilityOf, type Feasibility, type MachineLimits, type Pools } from '../../loadgen/feasibility.js'
import { Scenario, type ScenarioWritten } from '../../loadgen/scenario.js'

const ROOMY: MachineLimits = { cores: 4, memoryBytes: 64e9, diskBytes: 1e12, openFiles: 1_000_000, ports: 28_232 }
const POOLS: Pools = { online: 1_000, fanOut: 1_000, gruu: 1_000, offlineReturns: 1_000, expires: 1_000, anyone: 1_000, misbehaving: 1_000 }

function examine(written: ScenarioWritten, { pools = {}, machine = {}, devices = 3_000 }: { pools?: Partial<Pools>; machine?: Partial<MachineLimits>; devices?: number } = {}): Feasibility {
  return feasibilityOf(Schema.decodeUnknownSync(Scenario)(written), { ...POOLS, ...pools }, devices, { ...ROOMY, ...machine }, undefined)
}

const words = (remarks: Feasibility['refusals']): string[] => remarks.map(({ path, message }) => `${path}: ${message}`)

describe('a scenario that cannot run', () => {
  it('is one whose recipients are all busy by Little\'s law: 200/s of 50 ms keep ten busy, and nine are too few', () => {
    const written = { traffic: { online: { share: '100%' } } }
    expect(words(examine(written, { pools: { online: 9 } }).refusals)).toEqual([
      'traffic.online: 200/s x 50 ms = 10.0 recipients are busy at once (Little\'s law), and there are 9: the queue would only grow; 100 recipients would do',
    ])
    const tight = examine(written, { pools: { online: 11 } })
    expect(tight.refusals).toEqual([])
    expect(words(tight.warnings)[0]).toContain('aims 200 pushes/s at 11 recipients')
    expect(examine(written, { pools: { online: 100 } })).toMatchObject({ refusals: [], warnings: [] })
    // Terminals that take their time keep more of them busy.
    expect(words(examine({ ...written, population: { answerDelay: '1s' } }, { pools: { online: 209 } }).refusals)[0]).toContain('200/s x 1050 ms = 210.0 recipients')
  })

  it('is one whose peak is too much for them, whatever its mean', () => {
    const spike = { load: { shape: 'spike' as const, spike: { factor: 100 } }, traffic: { online: { share: '100%' } } }
    expect(words(examine(spike, { pools: { online: 900 } }).refusals)[0]).toContain('= 1000.0 recipients are busy at once')
  })

  it('is a campaign to more than there are', () => {
    const campaign = { load: { shape: 'campaign' as const, campaign: { recipients: 2_000 } }, traffic: { online: { share: '60%' }, fanOut: { share: '40%' } } }
    expect(words(examine(campaign).refusals)).toEqual(['load.campaign.recipients: 1,200 of them are to be of the row online, which has 1,000 recipients; a campaign pushes to nobody twice'])
  })

  it.each<[string, ScenarioWritten, Partial<MachineLimits>, string]>([
    ['open files', { terminals: { ownConnections: '100%' } }, { openFiles: 3_050 }, 'terminals.ownConnections: 3,000 devices x 100 % x 1 flow = 3,000 connections, and a process may have 3,050 files open, 100 of them for other things (ulimit -n)'],
    ['ports', { terminals: { ownConnections: '100%', flows: 2 } }, { ports: 5_000 }, 'terminals.ownConnections: 3,000 devices x 100 % x 2 flows = 6,000 connections to one address of the core network, and this machine has 5,000 ports for it'],
    ['files for initiators', { load: { closed: { initiators: 1_000 } } }, { openFiles: 1_024 }, 'load.closed.initiators: about 1,000 connections for submissions, and a process may have 1,024 files open'],
    ['memory', { load: { rate: '1000/s', duration: '1h' } }, { memoryBytes: 2e9 }, 'load.duration: 572 MiB for the parts + 3,000 devices x 5.86 KiB + 3,605,000 attempts x 900 B and connections = about 3.60 GiB of memory, and 1.86 GiB are free'],
    ['disk', { load: { rate: '1000/s', duration: '1h' } }, { diskBytes: 1e9 }, 'load.duration: 3,605,000 attempts x 1.66 KiB of journals = about 5.71 GiB on disk, and 954 MiB are free'],
    ['an impossible rate', { load: { rate: '60000/s', duration: '10s' } }, {}, 'load.rate: 60,000/s at its peak is more than the 50,000/s one generator can plan and write in its one thread'],
  ])('is one that needs more than there is of %s, with the arithmetic', (_what, written, machine, told) => {
    const { refusals } = examine(written, { machine, pools: { online: 1e6, fanOut: 1e6, gruu: 1e6 } })
    expect(words(refusals)).toEqual([expect.stringContaining(told)])
  })

  it('is none where a system tells no limits', () => {
    const unknown = { memoryBytes: undefined, diskBytes: undefined, openFiles: undefined, ports: undefined }
    expect(examine({ terminals: { ownConnections: '100%' } }, { machine: unknown, devices: 1e6 }).refusals).toEqual([])
  })
})

describe('the explanation of a load', () => {
  it.each<[string, ScenarioWritten['load'], readonly string[]]>([
    ['stairs', { shape: 'stairs' }, ['5 steps of 5.00 s each: 16,000 attempts', '200/s, 400/s, 600/s, 800/s, 1,000/s']],
    ['spike', { shape: 'spike' }, ['1,000/s for 5.00 s, 10.0 s into the measured window']],
    ['ramp', { shape: 'ramp' }, ['from 200/s straight to 400/s: 8,500 attempts']],
    ['bursts', { shape: 'bursts' }, ['200/s on average', 'bursts of 1,053/s, 1.00 s long every 9.00 s or so']],
    ['campaign', { shape: 'campaign' }, ['one content to 500 recipients within 10.0 s, none of them twice']],
    ['closed', { closed: { initiators: 50 } }, ['closed: 50 initiators, 1.00 s from an answer to the next submission', 'a slow system is asked less']],
  ])('says what %s is', (_shape, load, told) => {
    const scenario = Schema.decodeUnknownSync(Scenario)({ load })
    const lines = explanation(scenario, examine({ load: load! }), ROOMY)
    for (const text of told) expect(lines.join('\n')).toContain(text)
    expect(lines.every((line) => line.length <= 88), lines.join('\n')).toBe(true)
  })
})
