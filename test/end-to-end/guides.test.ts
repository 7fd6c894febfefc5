/** The guides say what works: their scenarios pass `check`, and every command and option they name exists. */
import { readFileSync, readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readGatewayConfig } from '../../core/live/config.js'
import { Folder } from './command.js'

const GUIDES = new URL('../../docs/guides/', import.meta.url)
const FILES = readdirSync(GUIDES).sort()
const textOf = (file: string): string => readFileSync(new URL(file, GUIDES), 'utf8')
const blocksIn = (text: string, language: string): string[] => [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => match[1]!)

/** The commands of a guide, in blocks of their own or within a workflow, as words. */
const commandsIn = (text: string): string[][] =>
  [...text.matchAll(/^(?: *- run: )?npx pushbench (.*?)(?:\s+(?:#|>>).*)?$/gm)].map((match) => match[1]!.split(/\s+/))

let folder: Folder
beforeEach(() => { folder = new Folder() })
afterEach(() => folder.remove())

describe('the guides', () => {
  it('are one for each kind of user, one for CI and one for a network that is not ours', () => {
    expect(FILES).toEqual(['ci.md', 'developer.md', 'operator.md', 'other-network.md', 'planner.md', 'researcher.md'])
  })

  it('name commands and options that exist', { timeout: 180_000 }, async () => {
    const used = new Map<string, Set<string>>()
    for (const words of FILES.flatMap((file) => commandsIn(textOf(file)))) {
      const options = used.get(words[0]!) ?? new Set()
      used.set(words[0]!, options)
      for (const word of words) if (word.startsWith('-')) options.add(word)
    }
    expect([...used.keys()].sort()).toEqual(['capacity', 'check', 'compare', 'experiment', 'export', 'history', 'ims', 'plan', 'run', 'serve', 'simulate', 'store', 'terminals'])
    for (const [command, options] of used) {
      const { code, stdout } = await folder.command([command, '--help'])
      expect(code, command).toBe(0)
      for (const option of options) expect(stdout, `pushbench ${command} ${option}`).toContain(option)
    }
  })

  const documents = FILES.flatMap((file) => blocksIn(textOf(file), 'yaml').map((text) => [file, text] as const))
  const [scenarios, gateways] = [false, true].map((isGateway) => documents.filter(([, text]) => text.startsWith('# gateway.yaml\n') === isGateway)) as [typeof documents, typeof documents]
  it.each(scenarios)('show scenarios that pass the check: %s', { timeout: 30_000 }, async (_file, text) => {
    const { code, stderr } = await folder.command(['check', folder.write('scenario.yaml', text)])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  it.each(gateways)('show configurations of a gateway that are right: %s', (file, text) => {
    expect(readGatewayConfig(text, file)).toMatchObject({ ok: true })
  })
})
