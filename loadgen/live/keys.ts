/**
 * Single keys from the terminal that started the command, while it is in its foreground. Keys that mean something to a terminal
 * (Ctrl-C, Ctrl-Z, Ctrl-\) mean it all the same. Knows keys, not what they change.
 */
import { isInForeground } from './foreground.js'

const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = { '\x03': 'SIGINT', '\x1a': 'SIGTSTP', '\x1c': 'SIGQUIT' }
/** The whole process group, as a terminal does it. */
const GROUP = 0

export interface KeysUser {
  pressed(key: string): void
  /** The terminal is somebody else's for a while, or for good. */
  stopped(): void
  resumed(): void
}

export class Keys {
  private constructor(private readonly stream: NodeJS.ReadStream, private readonly user: KeysUser) {
    stream.on('data', this.take)
    // A terminal that was closed has no keys and no mode; its end is told by a signal.
    stream.on('error', () => {})
    process.on('SIGCONT', this.resume)
    process.once('exit', this.restore)
    this.open()
  }

  /** Undefined where there is no terminal, or it is somebody else's just now. */
  static listen(stream: NodeJS.ReadStream, user: KeysUser): Keys | undefined {
    return stream.isTTY && isInForeground() ? new Keys(stream, user) : undefined
  }

  close(): void {
    this.stream.off('data', this.take)
    process.off('SIGCONT', this.resume)
    process.off('exit', this.restore)
    this.restore()
    this.stream.pause()
  }

  private readonly take = (octets: Buffer): void => {
    for (const key of octets.toString('latin1')) {
      const signal = SIGNALS[key]
      if (signal === undefined) {
        this.user.pressed(key)
        continue
      }
      // Ctrl-C is answered in order, and more keys may follow; whoever is stopped or killed leaves the terminal as it was.
      if (signal !== 'SIGINT') {
        this.restore()
        this.user.stopped()
      }
      process.kill(GROUP, signal)
    }
  }

  private readonly resume = (): void => {
    if (!isInForeground()) return
    this.open()
    this.user.resumed()
  }

  private open(): void {
    this.stream.setRawMode(true)
    this.stream.resume()
    // Nobody waits for a key: the process ends when its work does.
    this.stream.unref()
  }

  private readonly restore = (): void => { this.stream.setRawMode(false) }
}
