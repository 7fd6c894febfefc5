/**
 * The report of a real run in a real browser: readable without script and without a network, in every width, in the
 * dark and on paper.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Schema } from 'effect'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunRecord } from '../../reports/record.js'
import { CHROMIUM, openBrowser, type Browser } from './browser.js'
import { Folder } from './command.js'
import { SHOWN_TEXTS, contrast, type ShownText } from './contrast.js'

const SCENARIO = JSON.stringify({
  name: 'seen', load: { rate: '30/s', warmUp: '500ms', duration: '3s', drainMax: '30s' },
  traffic: { online: { share: '70%' }, fanOut: { share: '25%' }, duplicate: { share: '5%' } },
  population: { subscribers: 60, returning: { share: '0%' }, absent: '0%' }, terminals: { reference: 1 },
})
const WIDTHS = [400, 1_200, 1_920]
const PICTURES = 6
/** WCAG 2.1 success criterion 1.4.3: normal text, level AA. */
const CONTRAST_MIN = 4.5
const WHITE = 'rgb(255, 255, 255)'

if (CHROMIUM === undefined) process.stderr.write('not run: the report in a browser, because chromium is not installed\n')

describe.runIf(CHROMIUM !== undefined || process.env['CI'] === 'true')('the report of a run in chromium, without script and network', () => {
  const folder = new Folder()
  const requests: string[] = []
  const complaints: string[] = []
  let record: RunRecord
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    expect(CHROMIUM, 'chromium is not installed').toBeDefined()
    await folder.command(['run', '--quiet', folder.write('seen.yaml', SCENARIO)])
    record = Schema.decodeUnknownSync(RunRecord)(JSON.parse(readFileSync(join(folder.run(), 'run.json'), 'utf8')))
    browser = await openBrowser(CHROMIUM!)
    browser.context.on('request', (request) => requests.push(request.url()))
    page = await browser.context.newPage()
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(pathToFileURL(join(folder.run(), 'report.html')).href)
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    folder.remove()
  }, 30_000)

  it('opens with its title and the verdict, which is seen without scrolling', async () => {
    const { valid } = record.verdict
    expect(await page.title()).toBe(`seen · ${valid ? 'valid' : 'INVALID'} · pushbench`)
    const verdict = page.locator('.verdict')
    expect(await verdict.innerText()).toBe(valid ? 'VALID' : 'INVALID')
    const box = (await verdict.boundingBox())!
    expect(box.y + box.height).toBeLessThan(page.viewportSize()!.height)
  })

  it('shows every picture and the figures of the ledger', async () => {
    const pictures = await page.locator('figure svg').all()
    expect(pictures).toHaveLength(PICTURES)
    for (const picture of pictures) {
      expect(await picture.isVisible()).toBe(true)
      const box = (await picture.boundingBox())!
      expect(Math.min(box.width, box.height)).toBeGreaterThan(50)
    }
    const text = await page.locator('main').innerText()
    for (const count of [record.ledger.attempted, record.ledger.accepted, record.ledger.delivered]) expect(text).toContain(count.toLocaleString('en'))
  })

  it.each(WIDTHS)('never scrolls sideways at %i px', async (width) => {
    await page.setViewportSize({ width, height: 900 })
    for (const details of await page.locator('details').all()) await details.locator('summary').click()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
  })

  it('is read as well in the dark as in the light, and on paper whatever the reader prefers', async () => {
    const grounds: string[] = []
    for (const [media, colorScheme] of [['screen', 'light'], ['screen', 'dark'], ['print', 'light'], ['print', 'dark']] as const) {
      await page.emulateMedia({ media, colorScheme })
      grounds.push(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'))
      const texts = await page.evaluate<ShownText[]>(SHOWN_TEXTS)
      expect(texts.length).toBeGreaterThan(100)
      const faint = texts.filter(({ ink, ground }) => contrast(ink, ground) < CONTRAST_MIN).map(({ text, ink, ground }) => `${media} ${colorScheme}: "${text}" ${ink} on ${ground}`)
      expect(faint).toEqual([])
    }
    expect(grounds[0]).toBe(WHITE)
    expect(grounds[1]).not.toBe(WHITE)
    expect(grounds.slice(2)).toEqual([WHITE, WHITE])
  })

  it('asked for nothing but itself, and nothing went wrong in it', () => {
    expect(requests).toEqual([pathToFileURL(join(folder.run(), 'report.html')).href])
    expect(complaints).toEqual([])
  })
})
