/**
 * What every page is built of: the sheet itself, sections, pictures with the table behind them, tiles, reasons. One
 * self-contained HTML text without script; knows the shape of a page, not what any page is about.
 */
import { PAGE_STYLE } from './page-style.js'
import { escapeText } from './svg.js'

/** A whole page. `parts` are HTML of ours, in reading order. */
export function sheet(title: string, parts: readonly string[]): string {
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escapeText(title)}</title><style>${PAGE_STYLE}</style></head><body><main>`,
    ...parts.filter((part) => part !== ''),
    '</main></body></html>\n',
  ].join('\n')
}

/** Whether what a page says is good news, bad news, or neither. */
export type Tone = 'good' | 'bad' | 'open'

export interface Opening {
  readonly heading: string
  /** When and with what, in small type. */
  readonly origin: string
  readonly badge: string
  readonly tone: Tone
  /** Listed before any figure. */
  readonly reasons?: readonly string[]
  /** The answer in a sentence or two each. */
  readonly sentences: readonly string[]
}

/** The top of a page: what it is, its verdict, and the answer in words. */
export function opening({ heading, origin, badge, tone, reasons = [], sentences }: Opening): string {
  return [
    `<h1>${escapeText(heading)}</h1><p class="soft">${escapeText(origin)}</p>`,
    `<div class="verdict ${tone}">${escapeText(badge)}</div>${list(reasons)}`,
    ...sentences.filter((sentence) => sentence !== '').map((sentence) => `<p>${escapeText(sentence)}</p>`),
  ].join('')
}

/** `reasons` are what a reader must not miss; `notes`, what is good to know. */
export function list(items: readonly string[], kind: 'reasons' | 'notes' = 'reasons'): string {
  return items.length === 0 ? '' : `<ul class="${kind}">${items.map((item) => `<li>${escapeText(item)}</li>`).join('')}</ul>`
}

/** Large figures with their names: [figure, name]. */
export function tiles(entries: readonly (readonly [string, string])[]): string {
  return `<div class="tiles">${entries.map(([figureText, name]) => `<div class="tile"><b>${escapeText(figureText)}</b><span>${escapeText(name)}</span></div>`).join('')}</div>`
}

/** Empty when there is no content. `lead` is HTML of ours, never data. */
export function section(heading: string, lead: string, content: string): string {
  return content === '' ? '' : `<section><h2>${escapeText(heading)}</h2>${lead === '' ? '' : `<p class="soft">${lead}</p>`}${content}</section>`
}

/** A picture, which a narrow page lets scroll inside its frame, and what lies behind it. */
export function figure(picture: string, behind = ''): string {
  if (picture === '') return ''
  return `<figure tabindex="0">${picture}</figure>${behind === '' ? '' : foldedTable('the figures behind it', behind)}`
}

/** A text as it is, folded away. */
export function folded(summary: string, content: string): string {
  return foldedTable(summary, pre(content))
}

/** A long table, folded away. */
export function foldedTable(summary: string, content: string): string {
  return `<details><summary>${escapeText(summary)}</summary>${content}</details>`
}

/** `name` is for who cannot see it; wide lines scroll inside. */
export function pre(content: string): string {
  return `<pre tabindex="0">${escapeText(content)}</pre>`
}
