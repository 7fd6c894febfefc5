/** Many small answers of a load driver or sink as one write: what a kernel is asked to do is then the same for every process under test. */
import type { Socket } from 'node:net'

/** Gathers what is written within one turn of the event loop into one write. */
export class GatheredWriter {
  private gathered = ''

  constructor(private readonly socket: Socket) {}

  write(text: string): void {
    if (this.gathered === '') setImmediate(this.flush)
    this.gathered += text
  }

  private readonly flush = (): void => {
    this.socket.write(this.gathered, 'latin1')
    this.gathered = ''
  }
}
