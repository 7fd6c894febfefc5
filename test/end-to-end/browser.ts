/**
 * A real browser for looking at a page as its reader does: Debian's chromium, with an empty profile, and without script and
 * network unless the page is made of them. Knows where a browser may be and how it is kept quiet, not what is looked at.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { chromium, type BrowserContext } from 'playwright-core'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** Where chromium is; undefined where it is not installed. */
export const CHROMIUM = ['/usr/bin', ...(process.env['PATH'] ?? '').split(delimiter)].map((folder) => join(folder, 'chromium')).find((path) => existsSync(path))

export interface Browser {
  readonly context: BrowserContext
  close(): Promise<void>
}

/** @param kind whether its pages may have scripts and a network; a report needs neither */
export async function openBrowser(executablePath: string, kind: 'plain' | 'scripted' = 'plain'): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'pushbench-browser-'))
  const context = await chromium.launchPersistentContext(profile, { executablePath, args: FLAGS, headless: true, javaScriptEnabled: kind === 'scripted', offline: kind === 'plain' })
  return {
    context,
    close: async () => {
      await context.close()
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
