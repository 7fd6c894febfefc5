/** The registration table of a terminal: every cell visited from a saved state, and the terminal obeys it. */
import { describe, expect, it } from 'vitest'
import { BugError } from '../../core/kit/assert.js'
import { SeededEntropy } from '../../core/kit/entropy.js'
import type { Micros, Now } from '../../core/kit/time.js'
import { acceptedTypes } from '../../sim/terminal/applications.js'
import type { Device } from '../../sim/terminal/population.js'
import { TERMINAL_EVENTS, TERMINAL_STATES, TERMINAL_TABLE, type TerminalEvent, type TerminalState } from '../../sim/terminal/registration-table.js'
import { refreshDelaySeconds, type TerminalHost } from '../../sim/terminal/flow-registration.js'
import { Terminal } from '../../sim/terminal/terminal.js'

const DEVICE: Device = {
  subscriber: 0, ordinal: 0, instance: 'urn:uuid:00000000-0000-8000-8000-000000000000', applications: ['push.sia'],
  behaviour: { absent: false, cycle: undefined, answerDelay: { type: 'constant', micros: 0 }, refusal: undefined, misbehaviour: undefined, lateMicros: 0 },
  capabilities: { bindings: [], sizeMax: 1, types: [], subscribes: false },
}
const NOW: Now = { mono: 5_000_000, wall: 0 }

/** Notes what the terminal asks for; `canSend` false is a flow that is down. */
class NotingHost implements TerminalHost {
  readonly entropy = new SeededEntropy(1)
  readonly backoff = { baseMicros: 1_000, maxMicros: 1_000_000 }
  readonly sent: number[] = []
  armedAt: Micros | undefined
  canSend = true

  sendRegister(now: Now, terminal: Terminal, expirySeconds: number): void {
    if (!this.canSend) return terminal.fire(now, 'failed', this)
    this.sent.push(expirySeconds)
    terminal.pending = this.sent
  }
  arm(_terminal: Terminal, at: Micros): void { this.armedAt = at }
  disarm(): void { this.armedAt = undefined }
  stateChanged(): void {}
}

/** One way to every state. */
const WAYS: Readonly<Record<TerminalState, readonly TerminalEvent[]>> = {
  off: [],
  registering: ['switch-on'],
  challenged: ['switch-on', 'challenge'],
  registered: ['switch-on', 'challenge', 'accepted'],
  refreshing: ['switch-on', 'accepted', 'timer'],
  backoff: ['switch-on', 'failed'],
  refused: ['switch-on', 'refused'],
  leaving: ['switch-on', 'switch-off'],
  deregistering: ['switch-on', 'accepted', 'switch-off'],
  returning: ['switch-on', 'accepted', 'switch-off', 'switch-on'],
}

function walked(events: readonly TerminalEvent[], host: TerminalHost): Terminal {
  const terminal = new Terminal(DEVICE, acceptedTypes(DEVICE.applications), 0, { devices: 1, received: 0, repeats: 0, refused: 0, rejectedByCheck: 0 })
  for (const event of events) terminal.fire(NOW, event, host)
  return terminal
}

/** A terminal in the saved state of another, so that every branch starts from the same. */
function branched(saved: Terminal): Terminal {
  return Object.assign(new Terminal(saved.device, saved.types, saved.flowSlot, saved.group), saved)
}

describe('the registration table', () => {
  for (const state of TERMINAL_STATES) {
    const saved = walked(WAYS[state], new NotingHost())

    it(`is reached in ${state}, and leads from there where its cells say`, () => {
      expect(saved.state).toBe(state)
      for (const event of TERMINAL_EVENTS) {
        const cell = TERMINAL_TABLE[state][event]
        const host = new NotingHost()
        const terminal = branched(saved)
        if (cell === 'bug') {
          expect(() => terminal.fire(NOW, event, host), event).toThrow(BugError)
          continue
        }
        terminal.fire(NOW, event, host)
        expect(terminal.state, event).toBe(cell === 'ignore' ? state : cell.next)
        const action = cell === 'ignore' ? 'none' : cell.action
        const isLeaving = terminal.state === 'deregistering' || terminal.state === 'returning'
        if (action === 'register') expect(host.sent, event).toEqual([600_000])
        else if (action === 'deregister') expect(host.sent, event).toEqual([0])
        else if (action === 'answer-challenge') expect(host.sent, event).toEqual([isLeaving ? 0 : 600_000])
        else expect(host.sent, event).toEqual([])
        if (action === 'adopt' || action === 'wait') expect(host.armedAt, event).toBeGreaterThan(NOW.mono - 1)
      }
    })
  }

  it('has a request pending exactly in the states that can be answered', () => {
    const asked = TERMINAL_STATES.filter((state) => TERMINAL_TABLE[state].accepted !== 'bug')
    const pending = TERMINAL_STATES.filter((state) => walked(WAYS[state], new NotingHost()).pending !== undefined)
    expect(pending).toEqual(asked)
  })

  it('has a timer armed exactly in the states where it may fire', () => {
    const timed = TERMINAL_STATES.filter((state) => TERMINAL_TABLE[state].timer !== 'bug')
    const armed = TERMINAL_STATES.filter((state) => {
      const host = new NotingHost()
      walked(WAYS[state], host)
      return host.armedAt !== undefined
    })
    expect(armed).toEqual(timed)
  })

  it('lets a terminal whose flow is down wait, from every state that sends', () => {
    for (const state of TERMINAL_STATES) {
      for (const event of TERMINAL_EVENTS) {
        const cell = TERMINAL_TABLE[state][event]
        if (typeof cell === 'string' || !['register', 'deregister', 'answer-challenge'].includes(cell.action)) continue
        const host = new NotingHost()
        const terminal = branched(walked(WAYS[state], host))
        host.canSend = false
        terminal.fire(NOW, event, host)
        expect(terminal.state, `${state}, ${event}`).toBe(cell.next === 'deregistering' ? 'off' : 'backoff')
        expect(host.armedAt === undefined, `${state}, ${event}`).toBe(terminal.state === 'off')
      }
    }
  })

  it('ends the old binding before it makes a new one, and waits for a pending REGISTER before it leaves (RFC 3261 10.2)', () => {
    const sentBy = (events: readonly TerminalEvent[]): readonly number[] => {
      const host = new NotingHost()
      walked(events, host)
      return host.sent
    }
    expect(sentBy(['switch-on', 'accepted', 'switch-off', 'switch-on', 'challenge', 'accepted'])).toEqual([600_000, 0, 0, 600_000])
    expect(sentBy(['switch-on', 'switch-off', 'challenge', 'challenge', 'accepted'])).toEqual([600_000, 0, 0])
    expect(sentBy(['switch-on', 'switch-off', 'switch-on', 'challenge', 'accepted'])).toEqual([600_000, 600_000])
  })

  it('forgets everything of a registration when off', () => {
    const terminal = walked(['switch-on', 'challenge', 'accepted', 'vanish'], new NotingHost())
    expect(terminal).toMatchObject({ callId: '', cseq: 0, digest: undefined, grant: undefined, failures: 0, pending: undefined })
  })

  it('refreshes before half or 600 s before the end, never within 32 s of it when more than 64 s were granted (RFC 5627 4.2)', () => {
    expect([3_600, 1_201, 1_200, 65, 10].map(refreshDelaySeconds)).toEqual([3_000, 601, 600, 32.5, 5])
  })
})
