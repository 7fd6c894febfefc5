/**
 * Whose turn it is among the hosts that result notifications go to: hosts take turns, each with a few under way, so a
 * slow or dead one holds up nobody else. Knows hosts and counts, not what is sent.
 */
import { Fifo } from '../../kit/fifo.js'
import type { Notification } from './notify.js'

export class NotifyHost {
  readonly waiting = new Fifo<Notification>()
  underWay = 0
  /** Notifications for this host in memory. */
  held = 0
  /** Whether it stands in the line of hosts with something to send. */
  inLine = false

  constructor(readonly name: string) {}
}

export class NotifyHosts {
  private readonly byName = new Map<string, NotifyHost>()
  private readonly line = new Fifo<NotifyHost>()
  private underWay = 0

  constructor(private readonly underWayMax: number, private readonly perHostMax: number) {}

  of(name: string): NotifyHost {
    let host = this.byName.get(name)
    if (host === undefined) {
      host = new NotifyHost(name)
      this.byName.set(name, host)
    }
    return host
  }

  add(host: NotifyHost, notification: Notification): void {
    host.waiting.push(notification)
    this.lineUp(host)
  }

  /** The next notification that may go, counted as under way until `done`. */
  next(): Notification | undefined {
    while (this.underWay < this.underWayMax) {
      const host = this.line.shift()
      if (host === undefined) return undefined
      host.inLine = false
      const notification = host.waiting.shift()
      if (notification === undefined) continue
      host.underWay++
      this.underWay++
      this.lineUp(host)
      return notification
    }
    return undefined
  }

  done(host: NotifyHost): void {
    host.underWay--
    this.underWay--
    this.lineUp(host)
  }

  /** Forgets a host nothing is held for. */
  release(host: NotifyHost): void {
    if (host.held === 0 && host.underWay === 0) this.byName.delete(host.name)
  }

  private lineUp(host: NotifyHost): void {
    if (host.inLine || host.waiting.length === 0 || host.underWay >= this.perHostMax) return
    host.inLine = true
    this.line.push(host)
  }
}

/** The authority of an http(s) URL in lower case; the whole text when it has none. */
export function hostOf(url: string): string {
  const start = url.indexOf('://')
  if (start < 0) return url
  const end = url.slice(start + 3).search(/[/?#]/)
  return (end < 0 ? url.slice(start + 3) : url.slice(start + 3, start + 3 + end)).toLowerCase()
}
