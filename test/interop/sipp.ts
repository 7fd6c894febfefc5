/** SIPp with the scenarios that lie here, as a terminal on one port of loopback. It runs them; what they stand for is written in them. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SIPP } from './installed.js'
import { hasUdpPort } from './kernel-sockets.js'

const LIFE_SECONDS = 20
const LOOK_MILLIS = 20

export interface SippRun {
  /** What is wrong, '' when every call went as the scenario says. */
  readonly ended: Promise<string>
  /** Until SIPp has its port: before, what is sent there is lost. */
  readonly ready: Promise<void>
}

/** @param proxy where it sends to, and gets its requests from */
export function sipp(scenario: string, port: number, proxy: string, user: string, calls = 1): SippRun {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-sipp-'))
  const child = spawn('timeout', [
    '--kill-after=5', String(LIFE_SECONDS + 5), SIPP!, proxy, '-sf', fileURLToPath(new URL(`sipp/${scenario}.xml`, import.meta.url)), '-key', 'user', user,
    '-i', '127.0.0.1', '-p', String(port), '-m', String(calls), '-nostdin', '-timeout', String(LIFE_SECONDS), '-timeout_error', '-trace_err', '-error_file', join(folder, 'errors'),
  ], { cwd: folder, stdio: 'ignore' })
  let isOver = false
  const ended = new Promise<string>((resolve) => {
    child.once('close', (code) => {
      isOver = true
      const errors = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')).join('\n')
      rmSync(folder, { recursive: true })
      resolve(code === 0 ? '' : `SIPp ended with ${code}: ${errors}`)
    })
  })
  const ready = async (): Promise<void> => {
    while (!isOver && !hasUdpPort(port)) await new Promise((resolve) => { setTimeout(resolve, LOOK_MILLIS) })
  }
  return { ended, ready: ready() }
}
