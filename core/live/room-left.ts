/** How much longer a file may become: by what its file system has free, and by what the system lets this process write. Knows no content. */
import { readFileSync, statSync, statfsSync } from 'node:fs'

/** Octets; 0 when the file is as long as it may be. */
export function roomLeft(file: string): number {
  const { bavail, bsize } = statfsSync(file)
  return Math.min(bavail * bsize, Math.max(0, fileSizeMax() - statSync(file).size))
}

/** RLIMIT_FSIZE of this process (setrlimit(2)); Infinity where there is none, or no /proc to tell. */
function fileSizeMax(): number {
  try {
    const limit = /^Max file size +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))
    return limit === null ? Infinity : Number(limit[1])
  } catch {
    return Infinity
  }
}
