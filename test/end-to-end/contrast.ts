/**
 * How well text stands out from what is behind it (WCAG 2.1 relative luminance and contrast ratio), for every text a
 * page shows. What runs inside the page is a text here: this project knows no types of a browser's.
 */
export interface ShownText {
  readonly text: string
  readonly ink: string
  readonly ground: string
}

/** Evaluates to ShownText[]: each visible text with its colour and the nearest colour painted behind it, as the browser computed them. */
export const SHOWN_TEXTS = `(() => {
  const shown = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const holder = node.parentElement
    const text = node.textContent.trim()
    if (text === '' || !holder.checkVisibility()) continue
    let behind = holder
    while (behind !== null && getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement
    const style = getComputedStyle(holder)
    shown.push({ text, ink: holder instanceof SVGElement ? style.fill : style.color, ground: behind === null ? 'rgb(255, 255, 255)' : getComputedStyle(behind).backgroundColor })
  }
  return shown
})()`

/** 1 for the same colour, 21 for black on white. */
export function contrast(one: string, other: string): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance(colour: string): number {
  const parts = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(colour)
  if (parts === null) throw new Error(`a colour of text or ground is opaque sRGB here, and not ${colour}`)
  const [red, green, blue] = parts.slice(1).map((part) => {
    const share = Number(part) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
