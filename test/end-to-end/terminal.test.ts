/** A run on a real pseudo-terminal: the picture in place, the keys that change the rate, and the terminal as it was before, however the run ends. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Terminal } from '../machines/terminal-emulator.js'
import { COMMAND, Folder, childrenOf, commandLine } from './command.js'
import { recordIn, small } from './small-run.js'

const hasScript = spawnSync('script', ['--version']).status === 0
if (!hasScript) process.stderr.write('not run: a run on a terminal, because script (util-linux) is not installed\n')

const LONG = small({ load: { rate: '20/s', warmUp: '1s', duration: '10m', drainMax: '30s' } })

/** A command on a terminal of 80 by 24; its exit code and the terminal's state are printed after it. */
class Session {
  readonly screen = new Terminal(80, 24)
  octets = ''
  readonly process: ChildProcess
  readonly ended: Promise<void>
  private look: () => void = () => {}

  constructor(folder: string, words: string) {
    // Ctrl-C reaches the shell as well, which still has to tell what is left.
    const line = `trap : INT; stty rows 24 cols 80; '${process.execPath}' '${COMMAND}' ${words}; echo "code $?"; stty -a`
    const { NO_COLOR: _unused, ...env } = process.env
    this.process = spawn('script', ['-qfc', line, '/dev/null'], { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'], env: { ...env, TERM: 'xterm-256color', SHELL: '/bin/sh' } })
    this.process.stdout!.setEncoding('utf8')
    this.process.stdout!.on('data', (text: string) => {
      this.octets += text
      this.screen.write(text)
      this.look()
    })
    this.ended = new Promise((resolve) => { this.process.once('close', () => resolve()) })
  }

  /** Resolves when the screen shows it. Rejects when the command has ended without. */
  async shows(pattern: RegExp): Promise<void> {
    await Promise.race([
      new Promise<void>((resolve) => {
        this.look = () => { if (pattern.test(this.screen.text())) resolve() }
        this.look()
      }),
      this.ended.then(() => { throw new Error(`the command ended before ${String(pattern)} was seen; the screen was\n${this.screen.text()}`) }),
    ])
  }

  press(key: string): void {
    this.process.stdin!.write(key)
  }

  /** The process of the command itself, below the terminal's and its shell's. */
  get pid(): number {
    const all = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(all)]
    return all(this.process.pid!).find((pid) => commandLine(pid).includes('pushbench.js run') && !commandLine(pid).includes('stty'))!
  }

  /** The last word on whether the cursor is seen, and what stty said of the terminal afterwards. */
  left(): { cursor: string | undefined; isCooked: boolean; code: number } {
    return {
      cursor: this.screen.modes.filter((mode) => mode.startsWith('?25')).at(-1),
      isCooked: / icanon/.test(this.octets) && / echo /.test(this.octets),
      code: Number(/code (\d+)/.exec(this.octets)?.[1]),
    }
  }
}

describe.runIf(hasScript)('pushbench run on a terminal', () => {
  let folder: Folder
  let session: Session
  beforeEach(() => { folder = new Folder() })
  afterEach(async () => {
    session.process.kill('SIGKILL')
    await session.ended
    folder.remove()
  })

  it('draws in place, takes keys for another rate, and Ctrl-C ends in order with the terminal as it was', async () => {
    session = new Session(folder.path, `run ${folder.write('long.yaml', LONG)}`)
    await session.shows(/▸ load[\s\S]*planned +\d+\/s[\s\S]*wanted 20\.0\/s/)
    expect(session.screen.text().split('\n').length).toBeLessThanOrEqual(24)
    session.press('+')
    await session.shows(/wanted 22\.0\/s/)
    session.press(' ')
    await session.shows(/held at 22\.0\/s/)
    session.press('\x03')
    await session.ended
    // It may be seen for a moment only: the result follows, and is longer than the screen.
    expect(session.octets).toContain('Stopping:')
    expect(session.left()).toEqual({ cursor: '?25h', isCooked: true, code: 130 })
    const record = recordIn(folder.run())
    expect(record.rateChanges?.map(({ what, perSecond }) => [what, Math.round(perSecond)])).toEqual([['rate', 22], ['held', 22]])
    expect(record.interrupted).toMatch(/^interrupted by Ctrl-C during the load/)
  }, 120_000)

  it('leaves the terminal as it was after SIGTERM, and after being ended at once', async () => {
    session = new Session(folder.path, `run ${folder.write('long.yaml', LONG)}`)
    await session.shows(/▸ (?:start|register)/)
    const { pid } = session
    process.kill(pid, 'SIGTERM')
    await session.shows(/Stopping:/)
    process.kill(pid, 'SIGTERM')
    await session.ended
    expect(session.left()).toEqual({ cursor: '?25h', isCooked: true, code: 130 })
  }, 60_000)

  it('still reports when its terminal is closed while it listens to keys', async () => {
    session = new Session(folder.path, `run ${folder.write('long.yaml', LONG)}`)
    await session.shows(/▸ load[\s\S]*wanted 20\.0\/s/)
    const { pid } = session
    session.process.kill('SIGKILL')
    await expect.poll(() => commandLine(pid), { timeout: 60_000 }).toBe('')
    expect(recordIn(folder.run()).interrupted).toMatch(/^stopped by the end of its terminal \(SIGHUP\) during the load/)
  }, 120_000)

  it('prints plain lines where the terminal is a dumb one', async () => {
    session = new Session(folder.path, `check ${folder.write('long.yaml', LONG)} >/dev/null; TERM=dumb '${process.execPath}' '${COMMAND}' run long.yaml --out dumb`)
    await session.shows(/start the parts \.\.\./)
    session.press('\x03')
    await session.ended
    expect(session.octets).not.toContain('\x1b')
    expect(session.left().isCooked).toBe(true)
  }, 60_000)
})
