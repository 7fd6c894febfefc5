/** The pages of answers and of a run in a real browser: readable without script and network, in every width, in the dark and on paper, and to who cannot see them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderPage } from '../../reports/page.js'
import { renderCapacityPage } from '../../reports/pages/capacity.js'
import { renderComparisonPage } from '../../reports/pages/comparison.js'
import { renderExperimentPage } from '../../reports/pages/experiment.js'
import { renderHistoryPage } from '../../reports/pages/history.js'
import { renderPlanPage } from '../../reports/pages/plan.js'
import { sampleCapacity, sampleComparison, sampleHistory, samplePlan } from '../reports/sample-answers.js'
import { sampleExperiment } from '../reports/sample-experiment.js'
import { sampleRecord } from '../reports/sample-record.js'
import { seriousFindings } from './axe.js'
import { CHROMIUM, openBrowser, type Browser } from './browser.js'
import { SHOWN_TEXTS, contrast, type ShownText } from './contrast.js'

const PAGES = {
  run: renderPage(sampleRecord()), capacity: renderCapacityPage(sampleCapacity()), comparison: renderComparisonPage(sampleComparison()),
  experiment: renderExperimentPage(sampleExperiment(2, {}, 4, 2)), plan: renderPlanPage(samplePlan()), history: renderHistoryPage(sampleHistory()),
}
const KINDS = Object.keys(PAGES) as (keyof typeof PAGES)[]
const WIDTHS = [400, 1_200, 1_920]
/** WCAG 2.1 success criterion 1.4.3: normal text, level AA. */
const CONTRAST_MIN = 4.5

if (CHROMIUM === undefined) process.stderr.write('not run: the pages of answers in a browser, because chromium is not installed\n')

describe.runIf(CHROMIUM !== undefined || process.env['CI'] === 'true')('pages in chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-pages-'))
  let reader: Browser
  /** The pages hold no script; axe-core is one. */
  let inspector: Browser

  beforeAll(async () => {
    expect(CHROMIUM, 'chromium is not installed').toBeDefined()
    reader = await openBrowser(CHROMIUM!)
    inspector = await openBrowser(CHROMIUM!, 'scripted')
  }, 120_000)
  afterAll(async () => {
    await reader?.close()
    await inspector?.close()
    rmSync(folder, { recursive: true, force: true })
  }, 30_000)

  describe.each(KINDS)('the page of a %s', (kind) => {
    const requests: string[] = []
    const path = join(folder, `${kind}.html`)
    const url = pathToFileURL(path).href
    let page: Page
    let inspected: Page

    beforeAll(async () => {
      writeFileSync(path, PAGES[kind])
      page = await opened(reader, url, (request) => requests.push(request))
      inspected = await opened(inspector, url, () => undefined)
    }, 120_000)
    afterAll(async () => {
      await page?.close()
      await inspected?.close()
    })

    it('draws its pictures large enough to be seen, and asks for nothing but itself', async () => {
      const pictures = await page.locator('figure svg').all()
      expect(pictures.length).toBeGreaterThanOrEqual(2)
      for (const picture of pictures) {
        const box = (await picture.boundingBox())!
        expect(Math.min(box.width, box.height)).toBeGreaterThan(50)
      }
      expect(requests).toEqual([url])
    })

    it.each(WIDTHS)('never scrolls sideways at %i px', async (width) => {
      await page.setViewportSize({ width, height: 900 })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    })

    it('keeps every word of its pictures inside them', async () => {
      await page.setViewportSize({ width: 1_200, height: 900 })
      expect(await page.evaluate<string[]>(`[...document.querySelectorAll('figure svg')].flatMap((svg) => {
        const frame = svg.getBoundingClientRect()
        return [...svg.querySelectorAll('text')].filter((text) => {
          const box = text.getBoundingClientRect()
          return box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1
        }).map((text) => svg.getAttribute('aria-label') + ': ' + text.textContent)
      })`)).toEqual([])
    })

    it.each(['light', 'dark'] as const)('has nothing that axe-core calls serious, nor faint words, in the %s', async (colorScheme) => {
      for (const media of ['screen', 'print'] as const) {
        await page.emulateMedia({ media, colorScheme })
        const texts = await page.evaluate<ShownText[]>(SHOWN_TEXTS)
        expect(texts.length).toBeGreaterThan(100)
        expect(texts.filter(({ ink, ground }) => contrast(ink, ground) < CONTRAST_MIN).map(({ text, ink, ground }) => `${media}: "${text}" ${ink} on ${ground}`)).toEqual([])
      }
      await inspected.emulateMedia({ media: 'screen', colorScheme })
      for (const width of [400, 1_200]) {
        await inspected.setViewportSize({ width, height: 900 })
        expect(await seriousFindings(inspected)).toEqual([])
      }
    }, 120_000)
  })
})

/** With all that is folded away unfolded. */
async function opened(browser: Browser, url: string, asked: (url: string) => void): Promise<Page> {
  const page = await browser.context.newPage()
  page.on('request', (request) => asked(request.url()))
  await page.goto(url)
  await page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true })")
  return page
}
