/**
 * HTTP GETs for terminals that were sent a reference in place of content (RFC 4483): counts and digests what comes without
 * keeping it, within limits of size, time and number. Knows URLs and HTTP; what the content should be is the fleet's matter.
 * Redirects are answers like any other.
 */
import { createHash } from 'node:crypto'
import { Agent, type Dispatcher } from 'undici'
import type { FleetIn, FleetOut } from '../terminal/fleet-contract.js'

const CONNECT_TIMEOUT_MILLIS = 5_000
/** For the headers and between two pieces of the body. */
const READ_TIMEOUT_MILLIS = 15_000
/** For the whole: 100 MB over a slow link, and no longer for a body that trickles. */
const TOTAL_TIMEOUT_MILLIS = 120_000
const CONNECTIONS_PER_ORIGIN = 32

export type FetchEnd = Extract<FleetIn, { type: 'fetched' | 'fetch-failed' }>

export class Fetcher {
  private readonly agent = new Agent({
    connections: CONNECTIONS_PER_ORIGIN, pipelining: 1, connect: { timeout: CONNECT_TIMEOUT_MILLIS },
    headersTimeout: READ_TIMEOUT_MILLIS, bodyTimeout: READ_TIMEOUT_MILLIS,
  })
  private closed = false

  /** @param report takes exactly one end for each `fetch`, none after `close` */
  constructor(private readonly report: (end: FetchEnd) => void) {}

  fetch({ ticket, url, bytesMax }: Extract<FleetOut, { type: 'fetch' }>): void {
    const download = new Download(ticket, bytesMax, (end) => { if (!this.closed) this.report(end) })
    try {
      const { origin, pathname, search } = new URL(url)
      this.agent.dispatch({ origin, path: `${pathname}${search}`, method: 'GET' }, download)
    } catch (error) {
      download.fail(error instanceof Error ? error.message : String(error))
    }
  }

  async close(): Promise<void> {
    this.closed = true
    await this.agent.destroy()
  }
}

/** One GET, as undici's handler. It ends once, whatever undici still says afterwards. */
class Download implements Dispatcher.DispatchHandler {
  private readonly hash = createHash('sha1')
  private readonly timeout: NodeJS.Timeout
  private controller: Dispatcher.DispatchController | undefined
  private status = 0
  private bytes = 0
  private hasEnded = false

  constructor(private readonly ticket: number, private readonly bytesMax: number, private readonly report: (end: FetchEnd) => void) {
    this.timeout = setTimeout(() => this.fail(`not whole within ${TOTAL_TIMEOUT_MILLIS / 1_000} s`), TOTAL_TIMEOUT_MILLIS)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.hasEnded) controller.abort(GIVEN_UP)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.status = status
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.hasEnded) return
    this.bytes += chunk.length
    this.hash.update(chunk)
    if (this.bytes <= this.bytesMax) return
    // More than was announced: what it would be is of no interest any more.
    this.done()
    controller.abort(GIVEN_UP)
  }

  onResponseEnd(): void {
    this.done()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error.message)
  }

  fail(reason: string): void {
    this.end({ type: 'fetch-failed', ticket: this.ticket, reason })
    this.controller?.abort(GIVEN_UP)
  }

  private done(): void {
    this.end({ type: 'fetched', ticket: this.ticket, status: this.status, bytes: this.bytes, sha1: this.hash.digest('hex') })
  }

  private end(end: FetchEnd): void {
    if (this.hasEnded) return
    this.hasEnded = true
    clearTimeout(this.timeout)
    this.report(end)
  }
}

const GIVEN_UP = new Error('the fetch was given up')
