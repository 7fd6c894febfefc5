/** Whether this command has its terminal to itself just now: one in the background that asks for single keys is stopped by the system. */
import { readFileSync } from 'node:fs'

/** Linux tells (proc(5), stat: pgrp and tpgid); elsewhere a command with a terminal is taken to have it. */
export function isInForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[2] === fields[5]
  } catch {
    return true
  }
}
