/** The dashboard's door: whoever is on this machine is shown the run so far, whoever else's page asks is not. */
import { request, type IncomingHttpHeaders } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Dashboard } from '../../loadgen/live/dashboard/dashboard.js'
import type { RateChange } from '../../loadgen/rate-course.js'
import { sampleProgress } from '../machines/sample-progress.js'
import { sampleRecord } from '../reports/sample-record.js'

let dashboard: Dashboard
beforeEach(async () => { dashboard = await Dashboard.open(0) })
afterEach(() => dashboard.close(undefined))

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** @param enough what the body may end with; the connection is let go then */
function ask(path: string, headers: Record<string, string> = {}, body?: string, enough?: RegExp): Promise<Answer> {
  const { hostname, port } = new URL(dashboard.url)
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method: body === undefined ? 'GET' : 'POST', headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers } }, (response) => {
      let text = ''
      const end = (): void => resolve({ status: response.statusCode!, headers: response.headers, body: text })
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (enough === undefined || !enough.test(text)) return
        end()
        asked.destroy()
      })
      response.on('end', end)
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** The pieces of one event, by their place. */
function pieces(events: string): Record<string, string> {
  const lines = events.split('\n').filter((line, index, all) => line.startsWith('data: ') && all[index - 1] === 'event: pieces')
  return Object.assign({}, ...lines.map((line) => JSON.parse(line.slice(6)) as Record<string, string>)) as Record<string, string>
}

const EVENT = /event: pieces\ndata: .*\n\n/

function runUntil(second: number): void {
  for (let at = 0; at <= second; at += 0.25) dashboard.progress(sampleProgress('load', at, { delivered: Math.round(100 * at) }))
}

describe('the dashboard', () => {
  it('gives a page that may load nothing but its own script and stream', async () => {
    const { status, headers, body } = await ask('/')
    expect(status).toBe(200)
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(body).not.toMatch(/https?:\/\//)
    expect(body).not.toMatch(/<script(?![^>]*\ssrc="\/)/)
    expect((await ask('/dashboard.js')).headers['content-type']).toContain('javascript')
    expect((await ask('/run.json')).status).toBe(404)
  })

  it('shows a browser that comes late the whole run so far', async () => {
    runUntil(90)
    const { body, headers } = await ask('/events', {}, undefined, EVENT)
    const shown = pieces(body)
    expect(headers['content-type']).toContain('text/event-stream')
    expect(shown['phase']).toBe('under load')
    expect(shown['tiles']).toContain('9,000 so far')
    expect(shown['causes']).toContain('undeliverable: SIP 404')
    expect(shown['rates']!.match(/[ML]/g)!.length).toBeGreaterThan(5 * 85)
  })

  it('answers nobody who came under another name, and no page of somebody else', async () => {
    runUntil(2)
    const { port } = new URL(dashboard.url)
    for (const path of ['/', '/events', '/dashboard.js']) {
      expect((await ask(path, { host: `evil.example:${port}` })).status, path).toBe(421)
      expect((await ask(path, { host: '127.0.0.1' })).status, path).toBe(421)
      expect((await ask(path, { 'sec-fetch-site': 'cross-site' })).status, path).toBe(403)
      expect((await ask(path, { origin: 'http://evil.example' })).status, path).toBe(403)
    }
    expect((await ask('/', { host: `localhost:${port}` })).status).toBe(200)
    expect((await ask('/')).headers).not.toHaveProperty('access-control-allow-origin')
  })

  it('passes on a wish for another rate, and says what came of it', async () => {
    const asked: RateChange[] = []
    expect((await ask('/rate', {}, '{"type":"hold"}')).body).toBe('there is no load under way')
    dashboard.steer((change) => {
      asked.push(change)
      return change.type === 'rate' ? { atMicros: 5, what: 'rate', perSecond: change.perSecond } : 'the rate is held already'
    })
    expect((await ask('/rate', {}, '{"type":"rate","perSecond":250}')).body).toBe('250/s from now on.')
    expect((await ask('/rate', {}, '{"type":"hold"}')).body).toBe('The rate stays what it is: the rate is held already.')
    for (const wrong of ['', 'x', '[]', '{"type":"rate"}', '{"type":"rate","perSecond":-1}', '{"type":"rate","perSecond":"1"}', `{"type":"hold"}${' '.repeat(2_000)}`]) expect((await ask('/rate', {}, wrong)).status, wrong.slice(0, 40)).toBe(400)
    expect((await ask('/rate', { 'content-type': 'text/plain' }, '{"type":"hold"}')).status).toBe(415)
    expect((await ask('/rate', { origin: 'http://evil.example' }, '{"type":"hold"}')).status).toBe(403)
    expect(asked).toEqual([{ type: 'rate', perSecond: 250 }, { type: 'hold' }])
  })

  it('draws nothing while nobody looks, and tells a browser only what changed', async () => {
    runUntil(3)
    const told = ask('/events', {}, undefined, /event: over/)
    await ask('/')
    dashboard.progress(sampleProgress('load', 4, { notified: 0 }))
    dashboard.progress(sampleProgress('load', 4.25, { notified: 0 }))
    void dashboard.close(undefined)
    const events = (await told).body.match(/event: pieces\ndata: .*/g)!.map((event) => JSON.parse(event.split('data: ')[1]!) as Record<string, string>)
    expect(events).toHaveLength(2)
    expect(Object.keys(events[1]!)).toContain('rates')
    expect(Object.keys(events[1]!)).not.toContain('causes')
  })

  it('hands over the verdict and the report at the end, and closes', async () => {
    runUntil(3)
    const record = sampleRecord()
    const told = ask('/events', {}, undefined, /event: over/)
    await ask('/')
    const begunAt = performance.now()
    await dashboard.close({ record, page: '<!doctype html><title>x</title>', report: 'runs/x/report.html' })
    const { body } = await told
    expect(pieces(body)).toMatchObject({ phase: 'over', result: expect.stringContaining('runs/x/report.html') as string })
    expect(body).toContain('event: report\ndata: "<!doctype html><title>x</title>"')
    expect(performance.now() - begunAt).toBeLessThan(4_000)
    await expect(ask('/')).rejects.toThrow()
  })
})
