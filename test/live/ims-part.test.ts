/** The core as a forked part: tells its addresses, its population and its counters, and stops. Forked from dist. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { startPart } from '../../core/live/part-process.js'
import { registerAt, tcpPeer } from './ims-peers.js'

it('the IMS part runs, is asked and stops', async () => {
  const part = await startPart(fileURLToPath(new URL('../../dist/sim/live/ims-part.js', import.meta.url)), { mode: 'split' }, undefined, () => {})
  expect(Object.keys(part.addresses)).toEqual(['pcscf', 'icscf', 'scscf'])
  const ue = await tcpPeer(part.addresses['pcscf']!)
  await registerAt(ue, 'TCP', { user: 'user000001', domain: 'home1.example', impi: 'user000001@home1.example', password: 'secret-000001' })
  expect(await part.perform('population')).toEqual({ users: 1, bindings: 1 })
  await expect(part.perform('dance')).rejects.toThrow(/knows no word "dance"/)
  ue.close()
  const stopped = await part.stop(5_000)
  expect(stopped.resources.cpuSeconds).toBeGreaterThan(0)
})

it('a part with a wrong configuration says what is wrong', async () => {
  await expect(startPart(fileURLToPath(new URL('../../dist/sim/live/ims-part.js', import.meta.url)), { mode: 'folded' }, undefined, () => {})).rejects.toThrow(/mode/)
})
