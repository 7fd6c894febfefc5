/** What this machine has left for a run: memory, disk, open files, ports. What a system does not tell limits nothing. */
import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { availableParallelism, freemem } from 'node:os'
import { dirname, resolve } from 'node:path'
import type { MachineLimits } from '../feasibility.js'

/** @param folder where a run's folder is to be */
export function machineLimits(folder: string): MachineLimits {
  return { cores: availableParallelism(), memoryBytes: memoryBytes(), diskBytes: diskBytes(folder), openFiles: openFiles(), ports: ports() }
}

/** What the kernel could give without swapping (proc(5)); elsewhere what nobody uses. */
function memoryBytes(): number {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(textOf('/proc/meminfo'))?.[1]
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1_024
}

function diskBytes(folder: string): number | undefined {
  let place = resolve(folder)
  while (!existsSync(place)) place = dirname(place)
  try {
    const { bavail, bsize } = statfsSync(place)
    return bavail * bsize
  } catch {
    return undefined
  }
}

/** Node raises the soft limit to the hard one when it starts. */
function openFiles(): number | undefined {
  const [, limit] = /^Max open files\s+(\d+|unlimited)/m.exec(textOf('/proc/self/limits')) ?? []
  return limit === undefined || limit === 'unlimited' ? undefined : Number(limit)
}

function ports(): number | undefined {
  const [from, to] = textOf('/proc/sys/net/ipv4/ip_local_port_range').trim().split(/\s+/).map(Number)
  return from === undefined || to === undefined || !(to >= from) ? undefined : to - from + 1
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // This system has no /proc.
    return ''
  }
}
