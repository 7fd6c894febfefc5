/** The lock file can be installed: `npm ci` refuses one that names a package it does not hold. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from './source-tree.js'

interface LockEntry {
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly resolved?: string
}

describe('package-lock.json', () => {
  const text = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
  const packages = (JSON.parse(text) as { packages: Record<string, LockEntry> }).packages

  it('holds an entry for every dependency that an entry names, optional ones included', () => {
    const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)))
    const missing = Object.entries(packages).flatMap(([path, entry]) =>
      Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }).filter((name) => !names.has(name)).map((name) => `${path || 'the project'} names ${name}`))
    expect(missing).toEqual([])
  })

  it('names no place to download from, so that whatever registry a machine is set to can serve it', () => {
    expect(Object.entries(packages).filter(([, entry]) => entry.resolved !== undefined).map(([path]) => path)).toEqual([])
  })
})
