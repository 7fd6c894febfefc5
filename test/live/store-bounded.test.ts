/**
 * The store on a real disk through weeks of traffic in virtual time: what is deleted when its retention is over makes room for
 * what comes, so that the file stays as large as the traffic of one retention time needs. Also when who looked inside was killed.
 */
import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { TICK } from '../../core/kit/machine.js'
import { systemCrypto } from '../../core/live/crypto.js'
import { openStore, type LmdbStore } from '../../core/live/store-lmdb.js'
import { encodeSubmission } from '../../core/pap/submission.js'
import { pushMessage } from '../../core/pap/documents.js'
import type { GatewayIn } from '../../core/push/contract.js'
import { Gateway } from '../../core/push/gateway.js'
import { writeMessage } from '../../core/sip/write.js'
import { PEER, SETTINGS, START_WALL, thirdPartyRegister, user } from '../machines/gateway-world.js'
import { diskFolder } from './disk.js'

const HOUR_MILLIS = 3_600_000
const HOURS_OF_A_DAY = 24
const PUSHES_AN_HOUR = 60
const RETENTION_DAYS = 2
const READER = `import { open } from 'lmdb'; open({ path: process.argv[1], readOnly: true, noSubdir: false }).useReadTransaction(); process.stdout.write('reads'); setInterval(() => {}, 1_000)`

/** A gateway whose only user is away, so that every push ends with its lifetime. Time is the test's, the disk is real. */
class GatewayThroughDays {
  private readonly gateway = new Gateway({
    settings: { ...SETTINGS, defaultLifetimeMillis: HOUR_MILLIS / 2, retentionMillis: RETENTION_DAYS * HOURS_OF_A_DAY * HOUR_MILLIS }, entropy: new SeededEntropy(1), crypto: systemCrypto,
  })
  private readonly todo: GatewayIn[] = []
  private isBusy = false
  private millis = 0
  private unanswered = 0
  private onAnswer = (): void => {}
  private serial = 0
  private store!: LmdbStore

  async start(folder: string): Promise<void> {
    this.store = await openStore(folder, {
      report: (input) => {
        this.unanswered--
        this.input(input)
        this.onAnswer()
      },
      onFailure: (error) => { throw error },
    })
    this.input(TICK)
    await this.settled()
    this.input({ type: 'flow-up', flow: 1, transport: 'tcp', local: { address: '127.0.0.1', port: 5070 }, remote: { address: PEER, port: 40_000 }, ticket: undefined })
    this.input({ type: 'bytes', flow: 1, bytes: writeMessage(thirdPartyRegister('sip:anna@ims.example', 0)) })
  }

  async hour(): Promise<void> {
    for (let count = 0; count < PUSHES_AN_HOUR; count++) {
      const serial = ++this.serial
      const { contentType, body } = encodeSubmission(pushMessage({ pushId: `p${serial}`, addresses: [user('anna')] }), { contentType: 'text/plain', headers: [], body: Buffer.alloc(100 + (serial * 997) % 8_000, 0x78) })
      this.input({ type: 'pap-request', id: serial, initiator: 'pi', contentType, body })
    }
    await this.settled()
    for (const end = this.millis + HOUR_MILLIS; this.millis < end; ) {
      this.millis = Math.min(end, Math.max(this.millis + 1, Math.ceil(this.gateway.deadline() / 1_000)))
      this.input(TICK)
      await this.settled()
    }
  }

  get counters(): { readonly accepted: number; readonly timeout: number; readonly inFlight: number } {
    return this.gateway.counters
  }

  close(): Promise<void> {
    return this.store.close()
  }

  private input(input: GatewayIn): void {
    this.todo.push(input)
    if (this.isBusy) return
    this.isBusy = true
    for (let next = this.todo.shift(); next !== undefined; next = this.todo.shift()) {
      this.gateway.handle({ mono: this.millis * 1_000, wall: START_WALL + this.millis }, next)
      for (let out = this.gateway.poll(); out !== undefined; out = this.gateway.poll()) {
        if (out.type !== 'commit' && out.type !== 'read' && out.type !== 'scan') continue
        this.unanswered++
        this.store.output(out)
      }
    }
    this.isBusy = false
  }

  private settled(): Promise<void> {
    return new Promise((resolve) => {
      this.onAnswer = () => { if (this.unanswered === 0) resolve() }
      this.store.flush()
      this.onAnswer()
    })
  }
}

it('the file of a store stays as large as one retention time of traffic needs, and one who looked inside and was killed takes no room for good', { timeout: 120_000 }, async () => {
  const folder = diskFolder()
  const gateway = new GatewayThroughDays()
  await gateway.start(folder)
  const sizes: number[] = []
  const day = async (): Promise<void> => {
    for (let hour = 0; hour < HOURS_OF_A_DAY; hour++) await gateway.hour()
    sizes.push(statSync(join(folder, 'data.mdb')).size)
  }
  for (let number = 0; number < 4; number++) await day()
  const reader = spawn(process.execPath, ['--input-type=module', '--eval', READER, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => { reader.stdout.once('data', resolve) })
  const gone = new Promise((resolve) => { reader.once('exit', resolve) })
  reader.kill('SIGKILL')
  await gone
  for (let number = 0; number < 6; number++) await day()
  expect(gateway.counters).toMatchObject({ accepted: 10 * HOURS_OF_A_DAY * PUSHES_AN_HOUR, timeout: 10 * HOURS_OF_A_DAY * PUSHES_AN_HOUR, inFlight: 0 })
  process.stdout.write(`store: data.mdb at the end of each day, KiB: ${sizes.map((size) => size / 1_024).join(' ')}\n`)
  // From its retention on, a day takes the room of one that is forgotten; what the reader held for a while is used again.
  expect(sizes[3]).toBeLessThan(1.15 * sizes[2]!)
  expect(sizes[4]).toBeLessThan(5 * sizes[3]!)
  expect(Math.max(...sizes)).toBeLessThan(1.1 * sizes[4]!)
  await gateway.close()
})
