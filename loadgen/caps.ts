/** Limits of the set-up that a run hit, in words: the gateway's admission, and sockets or ports the system would not give. Knows causes, not who gave them. */
import type { RunRecord } from '../reports/record.js'
import { SHED } from './reconcile/measures.js'

/** What the system calls them (errno(3)), in words for people. */
const SYSTEM_LIMITS: Readonly<Record<string, string>> = {
  EMFILE: 'open files of the process (ulimit -n)',
  ENFILE: 'open files of the machine (fs.file-max)',
  EADDRNOTAVAIL: 'ports of this machine (net.ipv4.ip_local_port_range)',
  ENOBUFS: 'memory for sockets',
  ENOMEM: 'memory',
}

/** @param inFlightMax the gateway's */
export function capsOf(causes: RunRecord['causes'], inFlightMax: number): string[] {
  const caps: string[] = []
  const shed = causes.find(({ outcome, cause }) => outcome === 'refused' && cause === SHED) ?? causes.find(({ cause }) => cause === SHED)
  if (shed !== undefined) caps.push(`admission: the gateway answered ${shed.count} submissions with 503 (gateway.inFlightMax ${inFlightMax})`)
  for (const { outcome, cause, count } of causes) {
    const limit = outcome === 'unanswered' ? SYSTEM_LIMITS[cause] : undefined
    if (limit !== undefined) caps.push(`sockets: ${count} submissions had no connection, ${cause}: ${limit}`)
  }
  return caps
}
