/** A table as HTML. Numbers stand right, words left; it scrolls inside its frame where the page is narrow. */
import { escapeText } from './svg.js'

/** A column's heading; one that starts with `<` holds words and stands left. */
export type Heading = string

/** `caption` names it for a reader who cannot see it. */
export function table(headings: readonly Heading[], rows: readonly (readonly string[])[], caption: string): string {
  const words = headings.map((heading) => heading.startsWith('<'))
  const cell = (tag: 'th' | 'td', content: string, index: number) =>
    `<${tag}${words[index] ? ' class="words"' : ''}${tag === 'th' ? ' scope="col"' : ''}>${escapeText(content)}</${tag}>`
  const head = headings.map((heading, index) => cell('th', heading.replace(/^</, ''), index)).join('')
  const body = rows.map((row) => `<tr>${row.map((content, index) => cell('td', content, index)).join('')}</tr>`).join('')
  return `<div class="scroll" tabindex="0" role="group" aria-label="${escapeText(caption)}"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`
}
