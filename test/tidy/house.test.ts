/** The house keeps its shape: one-way doors between rooms, no clock or chance in the pure rooms, files small enough to read. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT, sourceFiles, withoutCommentsAndStrings } from './source-tree.js'

const files = sourceFiles()

/** Which rooms each room may import besides itself. The longest matching prefix speaks for a file. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  'core/kit': [],
  'core/store': ['core/kit'],
  'core/xml': ['core/kit'],
  'core/mime': ['core/kit'],
  'core/pap': ['core/kit', 'core/xml', 'core/mime'],
  'core/sip': ['core/kit'],
  'core/msrp': ['core/kit'],
  'core/sdp': ['core/kit'],
  'core/reg': ['core/kit', 'core/xml'],
  // HTTP's digest is SIP's (RFC 7616).
  'core/border': ['core/kit', 'core/sip/digest.ts'],
  'core/ota': ['core/kit', 'core/sip', 'core/msrp', 'core/sdp', 'core/mime', 'core/pap', 'core/store'],
  'core/push': ['core/kit', 'core/sip', 'core/msrp', 'core/sdp', 'core/mime', 'core/pap', 'core/xml', 'core/reg', 'core/store', 'core/ota'],
  'core/live': ['core'],
  'sim/ims': ['core/kit', 'core/sip', 'core/sdp', 'core/mime', 'core/xml', 'core/reg'],
  'sim/terminal': ['core/kit', 'core/sip', 'core/msrp', 'core/sdp', 'core/mime', 'sim/ims/subscribers.ts'],
  'sim/network': ['core/kit'],
  'sim/world': ['core/kit', 'core/sip', 'core/msrp', 'core/sdp', 'core/mime', 'core/pap', 'core/store', 'core/push', 'sim/ims', 'sim/terminal', 'sim/network'],
  'sim/live': ['core', 'sim/ims', 'sim/terminal', 'sim/network'],
  loadgen: ['core/kit', 'core/pap', 'core/live/units.ts', 'core/live/nearest.ts', 'reports'],
  // The same machines as live, for a day: settings of the world's parts, and its time.
  'loadgen/world': ['core/kit', 'core/sip', 'core/push/bindings/selection-settings.ts', 'sim/world', 'sim/terminal', 'sim/network', 'loadgen', 'reports'],
  'loadgen/live': ['core/kit', 'core/pap', 'core/live', 'sim/live', 'loadgen', 'reports'],
  reports: [],
  test: ['core', 'sim', 'loadgen', 'reports', 'test'],
  'pushbench.ts': ['loadgen/live'],
}

/** Packages each kind of room may use; the pure rooms decide with nothing but the language, on the well-kept readers named here. */
const PURE_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'core/xml': ['saxes'],
  'core/sdp': ['sdp-transform'],
  reports: ['effect', 'hdr-histogram-js'],
  loadgen: ['effect'],
  'loadgen/world': ['effect'],
}

function roomOf(path: string): string {
  const room = Object.keys(DOORS).filter((prefix) => path === prefix || path.startsWith(`${prefix}/`)).sort((a, b) => b.length - a.length)[0]
  if (room === undefined) throw new Error(`${path} lies in no room of the house; see docs/house.md`)
  return room
}

function isEdge(path: string): boolean {
  return path.includes('/live/') || path.startsWith('test/') || path === 'pushbench.ts'
}

/** What a pure room must not touch, and what it uses instead. */
const BANNED: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b|\bnew Date\b|\bperformance\b|\bhrtime\b/, 'the `now` argument (core/kit/time.ts); calendar arithmetic from core/kit/calendar.ts'],
  [/\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b|\bqueueMicrotask\b/, 'deadline() of the machine contract'],
  [/\bMath\.random\b|\bcrypto\.(random|getRandom)/, 'an injected Entropy (core/kit/entropy.ts)'],
  [/\basync\b|\bawait\b|\bPromise\b/, 'inputs and outputs of the machine contract'],
  [/\bprocess\.|\bglobalThis\b|\brequire\(/, 'a setting handed in by the edge'],
]

describe('the house', () => {
  it('has one-way doors: a room imports only the rooms it may know', () => {
    const trespasses = files.flatMap((file) => {
      const room = roomOf(file.path)
      return file.imports
        .filter((target) => /^(core|sim|loadgen|reports|test)\//.test(target) || target === 'pushbench.ts')
        .filter((target) => roomOf(target) !== room && !DOORS[room]!.some((door) => target === door || target.startsWith(`${door}/`)))
        .map((target) => `${file.path} imports ${target}; ${room} may know ${DOORS[room]!.join(', ') || 'nothing but itself'}`)
    })
    expect(trespasses).toEqual([])
  })

  it('keeps time, chance, waiting and the process out of the pure rooms', () => {
    const found = files.filter((file) => !isEdge(file.path)).flatMap((file) =>
      file.code.split('\n').flatMap((line, index) =>
        BANNED.filter(([pattern]) => pattern.test(line)).map(([, instead]) => `${file.path}:${index + 1} ${line.trim()} — use ${instead}`)))
    expect(found).toEqual([])
  })

  it('lets pure rooms use no package but the readers named for them', () => {
    const found = files.filter((file) => !isEdge(file.path)).flatMap((file) =>
      file.imports
        .filter((target) => !/^(core|sim|loadgen|reports|test)\//.test(target))
        .filter((target) => !(PURE_PACKAGES[roomOf(file.path)] ?? []).includes(target.split('/')[0]!))
        .map((target) => `${file.path} imports ${target}`))
    expect(found).toEqual([])
  })

  it('uses Effect only at the edges and in the record types', () => {
    const found = files.filter((file) => file.path.startsWith('core/') && !file.path.startsWith('core/live/'))
      .filter((file) => file.imports.some((target) => /^(@effect\/|effect)/.test(target))).map((file) => file.path)
    expect(found).toEqual([])
  })

  it('has no file over 450 lines', () => {
    expect(files.filter((file) => file.text.split('\n').length > 451).map((file) => `${file.path}: ${file.text.split('\n').length - 1}`)).toEqual([])
  })

  it('opens every file with a comment that says what it knows', () => {
    expect(files.filter((file) => !/^(#!.*\n)?(\/\*\*?|\/\/)/.test(file.text)).map((file) => file.path)).toEqual([])
  })

  it('leaves nothing unfinished or unchecked behind', () => {
    const banned = /\bas any\b|: any\b|<any>|@ts-ignore|@ts-expect-error|@ts-nocheck|\b(?:it|test|describe)\.(?:skip|only|todo)\b/
    const words = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|${['X', 'XX'].join('')})\\b`)
    const found = files.flatMap((file) => {
      const codeLines = file.code.split('\n')
      return file.text.split('\n').flatMap((line, index) => (banned.test(codeLines[index]!) || words.test(line) ? [`${file.path}:${index + 1} ${line.trim()}`] : []))
    })
    expect(found).toEqual([])
  })

  it('holds no path of one machine in any tracked file', () => {
    const paths = new RegExp(`/(${['wo', 'rk'].join('')}|${['ro', 'ot'].join('')}|home/[a-z])/[a-z.]`)
    const tracked = existsSync(join(ROOT, '.git')) ? execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0').filter((path) => path !== '') : files.map((file) => file.path)
    const found = tracked.filter((path) => !/\.(png|dat|raw)$/.test(path) && path !== 'package-lock.json' && existsSync(join(ROOT, path)) && paths.test(readFileSync(join(ROOT, path), 'utf8')))
    expect(found).toEqual([])
  })

  it('reads code without being fooled by comments and strings', () => {
    expect(withoutCommentsAndStrings("a('await') // Promise\nb /* async\n */ c")).toBe("a(       )           \nb         \n    c")
  })
})
