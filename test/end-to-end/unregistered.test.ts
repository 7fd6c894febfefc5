/** A run whose devices could not all register: it waits for them as long as a terminal may try again (two minutes), and says how many are missing. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Folder, HAS_PRLIMIT, allowFiles, childrenOf, commandLine } from './command.js'
import { recordIn, small } from './small-run.js'

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

it.skipIf(!HAS_PRLIMIT)('a run ends with 4 when not all devices could register, and says how many could', async () => {
  let isBound = false
  const many = small({
    load: { rate: '20/s', warmUp: '0s', duration: '2s', drainMax: '20s' },
    traffic: { online: { share: '100%', delayLimit: '30s' } }, population: { subscribers: 120, returning: { share: '0%' }, absent: '0%' },
    terminals: { reference: 0, transport: 'tcp', registrationRate: '50/s', ownConnections: '100%' }, objective: { lagShare: '100%', inadequatelyHandled: '100%' },
  })
  const { code, stderr } = await folder.command(['run', folder.write('many.yaml', many)], (child) => {
    const terminals = childrenOf(child.pid!).find((pid) => commandLine(pid).includes('terminals-part'))
    if (isBound || terminals === undefined) return
    isBound = true
    allowFiles(terminals, 20)
  })
  const { verdict, population } = recordIn(folder.run())
  expect(verdict.checks, stderr).toContain('population')
  expect(population.registered).toBeLessThan(population.provisioned)
  expect(verdict.reasons.join('\n')).toContain(`population: ${population.registered} devices were registered when the load began, ${population.provisioned} should have been`)
  expect(code).toBe(4)
}, 240_000)
