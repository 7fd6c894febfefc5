/**
 * A way between terminals and their P-CSCF that can fail: each TCP connection is carried on to the P-CSCF, and what comes back
 * can be held and then lost with the connection, as a radio link does that goes away under a push. What the terminals said
 * before always gets through.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export class Relay {
  /** Connections up through it, and octets held on their way to the terminals. */
  open = 0
  heldBytes = 0
  private isHolding = false
  private readonly pairs = new Set<readonly [near: Socket, far: Socket]>()

  private constructor(private readonly server: Server, private readonly target: { readonly address: string; readonly port: number }, private readonly onChange: () => void) {
    server.on('connection', (near) => this.carry(near))
  }

  /** @param onChange called when something of what is counted here has changed */
  static async to(target: { readonly address: string; readonly port: number }, onChange: () => void): Promise<Relay> {
    const server = createServer({ noDelay: true })
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', () => resolve()) })
    return new Relay(server, target, onChange)
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** From now on nothing reaches the terminals through it. */
  hold(): void {
    this.isHolding = true
  }

  /** Ends every connection; what was held is lost. New ones are carried as before. */
  cut(): void {
    for (const [near, far] of this.pairs) {
      near.destroy()
      far.end()
    }
    this.isHolding = false
    this.heldBytes = 0
  }

  async close(): Promise<void> {
    for (const [near, far] of this.pairs) {
      near.destroy()
      far.destroy()
    }
    await new Promise<void>((resolve) => { this.server.close(() => resolve()) })
  }

  private carry(near: Socket): void {
    const far = connect({ host: this.target.address, port: this.target.port, noDelay: true })
    const pair = [near, far] as const
    this.pairs.add(pair)
    this.open += 1
    this.onChange()
    near.on('data', (bytes) => far.write(bytes))
    far.on('data', (bytes) => {
      if (!this.isHolding) near.write(bytes)
      else {
        this.heldBytes += bytes.length
        this.onChange()
      }
    })
    for (const socket of pair) socket.on('error', () => {})
    near.on('close', () => far.end())
    far.on('close', () => {
      near.destroy()
      if (!this.pairs.delete(pair)) return
      this.open -= 1
      this.onChange()
    })
  }
}
