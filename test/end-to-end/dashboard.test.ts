/** A short real run as a browser of this machine sees it: from the start to the report. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import type { RunRecord } from '../../reports/record.js'
import { count } from '../../reports/format.js'
import { seriousFindings } from './axe.js'
import { CHROMIUM, openBrowser, type Browser } from './browser.js'
import { Folder, type Ended } from './command.js'
import { recordIn, small } from './small-run.js'

const PATIENCE = { timeout: 60_000 }

if (CHROMIUM === undefined) process.stderr.write('not run: the dashboard in a browser, because chromium is not installed\n')

describe.runIf(CHROMIUM !== undefined || process.env['CI'] === 'true')('the dashboard of a run in chromium', () => {
  const folder = new Folder()
  const requests = new Set<string>()
  const complaints: string[] = []
  let browser: Browser
  let page: Page
  let ended: Promise<Ended>
  let url: string

  beforeAll(async () => {
    expect(CHROMIUM, 'chromium is not installed').toBeDefined()
    browser = await openBrowser(CHROMIUM!, 'scripted')
    page = await browser.context.newPage()
    page.on('request', (request) => requests.add(request.url()))
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => complaints.push(error.message))
    url = await new Promise<string>((resolve, reject) => {
      const scenario = folder.write('small.yaml', small({ load: { rate: '40/s', warmUp: '1s', duration: '15s', drainMax: '40s' } }))
      ended = folder.command(['run', scenario, '--dashboard=0', '--stream'], (_child, told) => {
        const place = /shown at (http:\S+)/.exec(told)
        if (place !== null) resolve(place[1]!)
      })
      void ended.then(({ stderr }) => reject(new Error(`the command ended without a dashboard: ${stderr}`)))
    })
    await page.goto(url)
    await page.locator('#phase', { hasText: 'under load' }).waitFor(PATIENCE)
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    folder.remove()
  }, 30_000)

  const planned = async (): Promise<number> => Number(/planned now, ([\d,]+) so far/.exec(await page.locator('#tiles').innerText())?.[1]?.replaceAll(',', '') ?? 0)
  const grown = (than: number): Promise<void> => expect.poll(planned, PATIENCE).toBeGreaterThan(than)

  it('shows figures that move, and all of them again after a reload', async () => {
    const first = await planned()
    await grown(first)
    await page.reload()
    await grown(first)
    expect(await page.locator('#link').innerText()).toBe('live')
    expect(await page.title()).toBe('small · under load · pushbench')
    for (const id of ['rates', 'delays', 'held', 'busy']) expect(await page.locator(`#${id} svg`).isVisible(), id).toBe(true)
  }, 90_000)

  it('changes the rate of the load under way', async () => {
    await page.locator('#wanted').fill('60')
    await page.locator('#set').click()
    await page.locator('#answer', { hasText: '60.0/s from now on.' }).waitFor(PATIENCE)
    await page.getByRole('button', { name: 'Hold' }).click()
    await page.locator('#rate', { hasText: 'Held at 60.0/s' }).waitFor(PATIENCE)
  }, 90_000)

  it('is accessible in light and dark, and scrolls sideways at no width', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      expect(await seriousFindings(page), colorScheme).toEqual([])
    }
    for (const width of [400, 1_200, 1_920]) {
      await page.setViewportSize({ width, height: 900 })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    }
  }, 90_000)

  it('ends with the figures of the record, its verdict, and the report, and stays readable when the command has gone', async () => {
    await page.locator('#phase', { hasText: 'over' }).waitFor(PATIENCE)
    const { code, stderr } = await ended
    const record: RunRecord = recordIn(folder.run())
    expect([0, 4], stderr).toContain(code)
    expect(record.ledger.delivered).toBeGreaterThan(0)
    const tiles = await page.locator('#tiles').innerText()
    expect(tiles).toContain(`planned now, ${count(record.ledger.attempted)} so far`)
    expect(tiles).toContain(`delivered now, ${count(record.ledger.delivered)} so far`)
    const { notification } = record.stages
    expect(await page.locator('#delaysSoFar tr', { hasText: 'to result, load so far' }).innerText()).toContain(`\t${count(notification!.count)}\t`)
    expect(await page.locator('#result').innerText()).toContain(record.verdict.valid ? 'VALID' : 'INVALID')
    expect(await page.locator('#link').innerText()).toBe('The run is over; this page stays as it is.')
    expect(await page.locator('#set').isDisabled()).toBe(true)

    const [report] = await Promise.all([browser.context.waitForEvent('page'), page.locator('#report').click()])
    await report.locator('h1', { hasText: 'small' }).waitFor(PATIENCE)
    expect(await report.evaluate("getComputedStyle(document.querySelector('.verdict')).color")).toBe('rgb(255, 255, 255)')
    expect(await report.locator('figure svg').first().isVisible()).toBe(true)
  }, 120_000)

  it('told programs the same as JSON lines, second by second, with the record as the last', async () => {
    const lines = (await ended).stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { type: string; phase?: string; runSeconds?: number; planned?: number; ledger?: RunRecord['ledger'] })
    const told = lines.filter(({ type }) => type === 'progress')
    expect(new Set(told.map(({ phase }) => phase))).toEqual(new Set(['start', 'register', 'warm-up', 'load', 'drain', 'report']))
    expect(told.map(({ planned }) => planned!)).toEqual(told.map(({ planned }) => planned!).toSorted((a, b) => a - b))
    const last = lines.at(-1)!
    expect(last).toMatchObject({ type: 'result', folder: expect.stringContaining('small') as string, schemaVersion: 1 })
    expect(told.at(-1)!.planned).toBe(last.ledger!.attempted)
  }, 120_000)

  it('asked for nothing but its own page, script and stream, and nothing went wrong in it', () => {
    expect([...requests].filter((asked) => !asked.startsWith(url) && !asked.startsWith('blob:'))).toEqual([])
    expect(complaints).toEqual([])
  })
})
