/** What axe-core finds wrong with a page as it is shown now. Its rules of WCAG 2 A and AA and its best practices; knows no page. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'

interface Finding {
  readonly id: string
  readonly impact: string
  readonly help: string
  readonly nodes: readonly string[]
}

/** Serious and critical findings, each in one line with the places it was found in. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const findings = await page.evaluate<Finding[]>(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.slice(0, 5).map(({ html }) => html.slice(0, 200)) })))`)
  return findings.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, impact, help, nodes }) => `${impact} ${id}: ${help}: ${nodes.join(' | ')}`)
}
