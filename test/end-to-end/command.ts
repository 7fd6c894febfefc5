/** Runs the built command as a child process in a folder of its own, as a user would. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const COMMAND = fileURLToPath(new URL('../../dist/pushbench.js', import.meta.url))

export interface Ended {
  /** The exit code; the signal's name when one ended it. */
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
  /** Command lines of processes the command had started and that outlived it; none is known where there is no /proc. */
  readonly left: readonly string[]
}

/** Of the processes a process has started those that still run. */
export function childrenOf(pid: number): number[] {
  return ofProcess(pid, `task/${pid}/children`).split(' ').filter((word) => word !== '').map(Number)
}

/** Empty for a process that has ended. */
export function commandLine(pid: number): string {
  return ofProcess(pid, 'cmdline').replaceAll('\0', ' ').trim()
}

function ofProcess(pid: number, what: string): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'utf8')
  } catch {
    // It has ended, or this system has no /proc.
    return ''
  }
}

export const HAS_PRLIMIT = spawnSync('prlimit', ['--version']).status === 0

/** Lets a process open so many files more than it has (prlimit(1)). */
export function allowFiles(pid: number, more: number): void {
  const most = readdirSync(`/proc/${pid}/fd`).length + more
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${most}:${most}`])
  if (status !== 0) throw new Error(`prlimit: ${stderr.toString()}`)
}

export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'pushbench-test-'))
  private readonly children: ChildProcess[] = []

  write(name: string, text: string): string {
    writeFileSync(join(this.path, name), text)
    return name
  }

  /** @param during called with what came on standard error so far whenever more comes */
  command(words: readonly string[], during: (child: ChildProcess, stderr: string) => void = () => {}): Promise<Ended> {
    const child = spawn(process.execPath, [COMMAND, ...words], { cwd: this.path, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } })
    this.children.push(child)
    let stdout = ''
    let stderr = ''
    const started = new Set<number>()
    child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString() })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
      for (const pid of childrenOf(child.pid!)) started.add(pid)
      during(child, stderr)
    })
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code: code ?? signal ?? 'nothing', stdout, stderr, left: [...started].map(commandLine).filter((line) => line.includes('-part.js')) }))
    })
  }

  /** The folder of the one run made here. */
  run(): string {
    // Their history lies beside them.
    const runs = readdirSync(join(this.path, 'runs')).filter((name) => !name.endsWith('.csv'))
    if (runs.length !== 1) throw new Error(`one run was expected, there are ${runs.length}: ${runs.join(', ')}`)
    return join(this.path, 'runs', runs[0]!)
  }

  /** Also ends a command that a failed test left running; its parts end with it. */
  remove(): void {
    for (const child of this.children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    rmSync(this.path, { recursive: true, force: true })
  }
}
