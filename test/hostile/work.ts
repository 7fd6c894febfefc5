/**
 * What a piece of our code costs, counted and not timed, so that a busy machine finds the same: how often each block of ours was run (V8's
 * own count) and how many octets and characters the built-in methods were given to look at or to copy. What a regular expression does with
 * the characters it was given stays unseen, and so may calls of a function without a branch that V8 has built into its caller. Counting
 * begins when this file is loaded, with what is compiled from then on: a test imports it before anything of ours, in a file of its own.
 */
import { Session, type Profiler } from 'node:inspector'

/** How much a call of a built-in method handles. */
type Cost = (self: { readonly length: number }, args: readonly unknown[], result: unknown) => number

const whole: Cost = (self) => self.length
const upTo = (self: { readonly length: number }, from: unknown, to: unknown): number => Math.max(0, (typeof to === 'number' ? to : self.length) - (typeof from === 'number' ? from : 0))
const searched: Cost = (self, [, from], found) => upTo(self, from, typeof found === 'number' && found >= 0 ? found + 1 : undefined)
const written: Cost = (self, [, from, to]) => upTo(self, from, to)
const given: Cost = (_self, [text]) => (typeof text === 'string' ? text.length : 0)

const METHODS: readonly (readonly [object, Readonly<Record<string, Cost>>])[] = [
  [Buffer.prototype, {
    indexOf: searched, lastIndexOf: whole, copy: (_self, _args, copied) => Number(copied), equals: whole, toString: written,
    compare: (self, [, , , from, to]) => upTo(self, from, to), write: (_self, _args, octets) => Number(octets),
  }],
  [Buffer, { concat: (_self, _args, made) => (made as Buffer).length, from: (_self, _args, made) => (made as Buffer).length }],
  [String.prototype, { indexOf: searched, lastIndexOf: whole, includes: whole, split: whole, trim: whole, replace: whole, replaceAll: whole, match: whole, toLowerCase: whole, toUpperCase: whole }],
  [RegExp.prototype, { exec: given, test: given }],
]

const session = new Session()
session.connect()
session.post('Profiler.enable')
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })

/** What `run` costs. Of our code only what lies in `core` is counted. */
export function workOf(run: () => void): number {
  blocksRun()
  return handledBy(run) + blocksRun()
}

/** Since it was last asked. */
function blocksRun(): number {
  let scripts: readonly Profiler.ScriptCoverage[] = []
  session.post('Profiler.takePreciseCoverage', (error, taken) => {
    if (error !== null) throw error
    scripts = taken.result
  })
  let count = 0
  for (const { url, functions } of scripts) {
    if (!url.includes('/core/')) continue
    for (const { functionName, isBlockCoverage, ranges } of functions) {
      for (const range of ranges) count += range.count
      if (!isBlockCoverage && ranges[0]!.count > 0 && /^\w/.test(functionName)) throw new Error(`the blocks of ${functionName} are not counted: ${url} was loaded before work.ts`)
    }
  }
  return count
}

function handledBy(run: () => void): number {
  let handled = 0
  const restore: (() => void)[] = []
  for (const [owner, costs] of METHODS) {
    for (const [name, cost] of Object.entries(costs)) {
      const property = Object.getOwnPropertyDescriptor(owner, name)!
      const method = property.value as (...args: readonly unknown[]) => unknown
      const counted = function (this: { readonly length: number }, ...args: readonly unknown[]): unknown {
        const result = Reflect.apply(method, this, args) as unknown
        handled += cost(this, args, result)
        return result
      }
      Object.defineProperty(owner, name, { ...property, value: counted })
      restore.push(() => Object.defineProperty(owner, name, property))
    }
  }
  try {
    run()
  } finally {
    for (const each of restore) each()
  }
  return handled
}
