/** Wrong words on the command line: each is told in a line or two with what would be right, ends with 1 or 2, and shows no stack. */
import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Folder } from '../end-to-end/command.js'

const CASES: readonly (readonly [what: string, words: readonly string[], code: number, told: RegExp])[] = [
  ['an option nobody knows', ['run', '--rtae', '5'], 1, /there is no option "--rtae"/],
  ['an option without its value', ['run', '--seed'], 1, /the option "--seed" needs a value/],
  ['a value that is no number', ['run', '--seed', '0x1g'], 1, /'0x1g' is not a integer/],
  ['a seed below the smallest', ['run', '--seed', '-5'], 1, /--seed -5 is not between 0 and 4294967295/],
  ['a seed above the largest', ['check', '--seed', '4294967296'], 1, /--seed 4294967296 is not between/],
  ['two scenarios', ['check', 'a.yaml', 'b.yaml'], 1, /b\.yaml/],
  ['a folder as a scenario', ['check', '.'], 1, /regular file/],
  ['a command nobody knows', ['__proto__'], 1, /use one of 'run', .*'check', 'init'/],
  ['a file that is no text', ['check', process.execPath], 2, /characters|cannot be read/],
  ['an output folder that cannot be', ['run', '--out', '/dev/null/runs'], 1, /\/dev\/null\/runs/],
]

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

describe('the command line', () => {
  it.each(CASES)('refuses %s', async (_what, words, code, told) => {
    const ended = await folder.command(words)
    expect({ code: ended.code, stdout: ended.stdout }, ended.stderr).toEqual({ code, stdout: '' })
    expect(ended.stderr).toMatch(told)
    expect(ended.stderr).not.toMatch(/\n\s+at |\x1b\[/)
    expect(ended.stderr.length).toBeLessThan(2_000)
    expect(readdirSync(folder.path)).toEqual([])
  })
})
