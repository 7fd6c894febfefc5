/** The kept reference values are what their script makes, so that nobody can bend them towards our functions by hand. */
import { expect, it } from 'vitest'
import { expectClose, reference } from './oracle.js'
import { madeAnew, wantsPython } from './oracle-python.js'

/** Every number of both, with the way to it; texts and shapes are compared whole. */
function leaves(value: unknown, way: string, into: Map<string, unknown>): Map<string, unknown> {
  if (typeof value !== 'object' || value === null) into.set(way, value)
  else for (const [key, inner] of Object.entries(value)) leaves(inner, `${way}.${key}`, into)
  return into
}

it.runIf(wantsPython)('scipy and statsmodels still give the reference values that are kept', { timeout: 240_000 }, () => {
  const { versions: _made, ...made } = madeAnew()
  const { versions: _kept, ...kept } = reference
  const madeLeaves = leaves(made, '', new Map())
  const keptLeaves = leaves(kept, '', new Map())
  expect([...madeLeaves.keys()]).toEqual([...keptLeaves.keys()])
  for (const [way, theirs] of keptLeaves) {
    const ours = madeLeaves.get(way)
    // scipy's own resampling may draw otherwise in another version.
    if (way.startsWith('.bootstraps.scipy') && typeof theirs === 'number' && typeof ours === 'number') expect(Math.abs(ours / theirs - 1), way).toBeLessThan(0.01)
    else if (typeof theirs === 'number' && typeof ours === 'number') expectClose(ours, theirs, way, 1e-12)
    else expect(ours, way).toBe(theirs)
  }
})
