/**
 * Single keys from the terminal that started the command, while it is in its foreground. Keys that mean something to a terminal
 * (Ctrl-C, Ctrl-Z, Ctrl-\) mean it all the same. Knows keys, not what they change.
 */
import { isInForeground } from './foreground.js'

const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = { '\x03': 'SIGINT', '\x1a': 'SIGTSTP', '\x1c': 'SIGQUIT' }
/** The whole process group, as a terminal does it. */
const GROUP = 0

export class Keys {
  private constructor(private readonly stream: NodeJS.ReadStream, private readonly onKey: (key: string) => void) {
    stream.on('data', this.take)
    process.on('SIGCONT', this.open)
    process.once('exit', this.restore)
    this.open()
  }

  /** Undefined where there is no terminal, or it is somebody else's just now. */
  static listen(stream: NodeJS.ReadStream, onKey: (key: string) => void): Keys | undefined {
    return stream.isTTY && isInForeground() ? new Keys(stream, onKey) : undefined
  }

  close(): void {
    this.stream.off('data', this.take)
    process.off('SIGCONT', this.open)
    process.off('exit', this.restore)
    this.restore()
    this.stream.pause()
  }

  private readonly take = (octets: Buffer): void => {
    for (const key of octets.toString('latin1')) {
      const signal = SIGNALS[key]
      if (signal === undefined) {
        this.onKey(key)
        continue
      }
      // Ctrl-C is answered in order, and more keys may follow; whoever is stopped or killed leaves the terminal as it was.
      if (signal !== 'SIGINT') this.restore()
      process.kill(GROUP, signal)
    }
  }

  private readonly open = (): void => {
    if (!isInForeground()) return
    this.stream.setRawMode(true)
    this.stream.resume()
    // Nobody waits for a key: the process ends when its work does.
    this.stream.unref()
  }

  private readonly restore = (): void => { this.stream.setRawMode(false) }
}
