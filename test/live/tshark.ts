/** tshark (Wireshark's dissectors, package tshark) as a second reader of what our parts put on the wire. */
import { spawnSync } from 'node:child_process'

export const hasTshark = spawnSync('tshark', ['-v']).error === undefined
if (!hasTshark && process.env['CI'] !== 'true') process.stderr.write('tshark is not installed: what it reads in our captures is not compared\n')

/** Under CI a missing tshark fails instead of being passed over. */
export const wantsTshark = hasTshark || process.env['CI'] === 'true'

/** A free port may be some other protocol's by registration: what the octets look like goes first. */
const HEURISTICS = ['-o', 'tcp.try_heuristic_first:TRUE', '-o', 'udp.try_heuristic_first:TRUE']

/**
 * The fields tshark reads from each packet that matches `filter`, in order; a field that occurs several times in one
 * packet gives several values.
 */
export function readCapture(path: string, filter: string, fields: readonly string[]): string[][][] {
  const { stdout, stderr, status } = spawnSync('tshark', [
    '-r', path, '-o', 'ip.check_checksum:TRUE', ...HEURISTICS, '-Y', filter, '-T', 'fields', '-E', 'occurrence=a', '-E', 'aggregator=|', ...fields.flatMap((field) => ['-e', field]),
  ], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, timeout: 60_000 })
  if (status !== 0) throw new Error(`tshark: ${stderr}`)
  return stdout.split('\n').filter((line) => line.trim() !== '').map((line) => line.split('\t').map((value) => (value === '' ? [] : value.split('|'))))
}
