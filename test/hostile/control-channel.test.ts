/** Nonsense on the channel between the command and a part: passed over, answered where it can be, and the part goes on. */
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { ControlOut } from '../../core/live/control.js'
import { drawn } from './octets.js'

const IMS = fileURLToPath(new URL('../../dist/sim/live/ims-part.js', import.meta.url))
const SEED = 11
const MESSAGES = 300

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const word = fc.constantFrom('start', 'do', 'halt', 'ready', '', '__proto__')
const nonsense = fc.oneof(
  fc.jsonValue(),
  fc.record({ type: word }),
  fc.record({ type: word, id: fc.jsonValue(), what: fc.jsonValue(), argument: fc.jsonValue() }),
  fc.record({ type: fc.constant('do'), id: fc.integer(), what: fc.string(), argument: fc.jsonValue() }),
  fc.record({ type: fc.constant('start'), config: fc.jsonValue(), journalPath: fc.jsonValue() }),
)

describe('a part whose command has gone mad', () => {
  it('passes over what is no message, refuses the words it does not know, and still stops cleanly', async () => {
    const child = fork(IMS, [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced' })
    children.push(child)
    const heard: ControlOut[] = []
    const hears = (type: ControlOut['type']): Promise<ControlOut> => new Promise((resolve) => {
      child.on('message', (message) => { if ((message as ControlOut).type === type) resolve(message as ControlOut) })
    })
    child.on('message', (message) => heard.push(message as ControlOut))
    const ended = new Promise<number | string | null>((resolve) => { child.once('exit', (code, signal) => resolve(code ?? signal)) })
    const ready = hears('ready')
    child.send({ type: 'start', config: {}, journalPath: undefined })
    await ready
    for (const message of drawn(nonsense, MESSAGES, SEED)) child.send(message as object)
    const stopped = hears('stopped')
    child.send({ type: 'stop' })
    await stopped
    expect(await ended).toBe(0)
    expect(heard.filter(({ type }) => type === 'ready')).toHaveLength(1)
    expect(heard.filter(({ type }) => type === 'not-done').length).toBeGreaterThan(MESSAGES / 10)
    expect(heard.filter(({ type }) => type === 'fatal' || type === 'done')).toEqual([])
  })
})
