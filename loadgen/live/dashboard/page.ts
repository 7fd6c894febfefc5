/**
 * The page of the dashboard, empty: the places that pieces belong to, and the little script that puts them there. Loads nothing
 * but its own script and its own stream. Knows places, not what they show.
 */
import { PAGE_STYLE } from '../../../reports/page-style.js'

const STYLE = `
main{max-width:1400px}.pairs{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,560px),1fr));gap:8px 28px}.pairs section{min-width:0}.pairs h2{margin-top:20px}
.top{display:flex;flex-wrap:wrap;gap:4px 18px;align-items:baseline}#phase{color:var(--c1);font-weight:600}#link{margin-left:auto}
progress{width:min(380px,40vw);height:12px;accent-color:var(--c1);vertical-align:middle}#way{min-height:1.6em;font-variant-numeric:tabular-nums}
.steer{display:flex;flex-wrap:wrap;gap:8px 10px;align-items:center;margin:12px 0}
button,input{font:inherit;color:var(--ink);background:var(--panel);border:1px solid var(--soft);border-radius:6px;padding:4px 12px}input{width:8em}button{cursor:pointer}button:disabled,input:disabled{opacity:.5;cursor:default}
#rate{min-width:9em;font-variant-numeric:tabular-nums}a{color:var(--c1)}#report{font-weight:600}
@media (max-width:600px){figure svg{min-width:520px}}
`.trim().replaceAll('\n', '')

const change = (label: string, asked: object): string => `<button type="button" data-change='${JSON.stringify(asked)}'>${label}</button>`
const place = (id: string): string => `<div id="${id}"></div>`
const picture = (heading: string, id: string): string => `<section><h2>${heading}</h2><figure tabindex="0" id="${id}"></figure></section>`

/** @param script where the script is */
export function dashboardPage(script: string): string {
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>pushbench</title><style>${PAGE_STYLE}${STYLE}</style><script src="${script}" defer></script></head><body><main>`,
    '<div class="top"><h1 id="scenario">pushbench</h1><span id="phase" role="status"></span><span id="link" class="soft" role="status">connecting</span></div>',
    place('way'), place('result'), '<p><a id="report" hidden target="_blank" rel="noopener">Open the report</a></p>', place('notes'), place('tiles'),
    '<div class="steer" role="group" aria-label="Change the rate"><span id="rate"></span>',
    change('− 10 %', { type: 'factor', factor: 1 / 1.1 }), change('+ 10 %', { type: 'factor', factor: 1.1 }), change('Hold', { type: 'hold' }), change('Let go on', { type: 'release' }),
    '<label>per second <input id="wanted" type="number" min="0.1" max="100000" step="any"></label><button type="button" id="set">Set</button><span id="answer" class="soft" role="status"></span></div>',
    '<div class="pairs">', picture('Pushes per second', 'rates'), picture('Delays', 'delays'), picture('Accepted, without an outcome yet', 'held'), picture('How busy the parts are', 'busy'), '</div>',
    '<div class="pairs"><section><h2>Delays so far</h2>', place('delaysSoFar'),
    '<p class="soft">An answer is the push-response, a result the notification of the outcome at the initiator, of pushes to recipients who were online. When the content was at the terminals is in the report.</p></section>',
    '<section><h2>Parts</h2>', place('parts'), '<h2>Not delivered, and why</h2>', place('causes'), '</section></div>',
    '<section><h2>The last seconds</h2>', place('seconds'), '</section>',
    '</main></body></html>\n',
  ].join('\n')
}

/** Plain script for the browser; it decides nothing and draws nothing. */
export const DASHBOARD_SCRIPT = `'use strict'
const at = (id) => document.getElementById(id)
const show = (pieces) => {
  for (const [id, html] of Object.entries(pieces)) if (at(id) !== null) at(id).innerHTML = html
  document.title = at('scenario').textContent + ' · ' + at('phase').textContent + ' · pushbench'
}
const steer = (isOpen) => { for (const control of document.querySelectorAll('.steer button, .steer input')) control.disabled = !isOpen }
const source = new EventSource('/events')
source.addEventListener('open', () => { at('link').textContent = 'live' })
source.addEventListener('error', () => { at('link').textContent = 'the connection was lost; trying again' })
source.addEventListener('pieces', (event) => show(JSON.parse(event.data)))
source.addEventListener('steer', (event) => steer(JSON.parse(event.data)))
source.addEventListener('report', (event) => {
  at('report').href = URL.createObjectURL(new Blob([JSON.parse(event.data)], { type: 'text/html' }))
  at('report').hidden = false
})
source.addEventListener('over', (event) => {
  source.close()
  steer(false)
  at('link').textContent = JSON.parse(event.data)
})
const ask = async (change) => {
  try {
    const answer = await fetch('/rate', { method: 'POST', headers: { 'content-type': 'application/json' }, body: change })
    at('answer').textContent = await answer.text()
  } catch {
    at('answer').textContent = 'nobody is there to ask any more'
  }
}
for (const button of document.querySelectorAll('button[data-change]')) button.addEventListener('click', () => ask(button.dataset.change))
at('set').addEventListener('click', () => ask(JSON.stringify({ type: 'rate', perSecond: Number(at('wanted').value) })))
steer(false)
`
