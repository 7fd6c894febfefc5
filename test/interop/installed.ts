/** Which third parties' programs are on this machine, and the words for those that are not. Knows names, places and packages; starts nothing. */
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Distributions keep daemons where the search path of a user need not lead. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
/** The tables of Kamailio's presence modules, as its packages bring them. */
export const KAMAILIO_TABLES = '/usr/share/kamailio/dbtext/kamailio'

export const KAMAILIO = FOLDERS.map((folder) => join(folder, 'kamailio')).find((path) => existsSync(path))
export const SIPP = FOLDERS.map((folder) => join(folder, 'sipp')).find((path) => existsSync(path))
export const HAS_REG_EVENT = KAMAILIO !== undefined && existsSync(KAMAILIO_TABLES)
  && ['', ...readdirSync('/usr/lib')].some((architecture) => existsSync(join('/usr/lib', architecture, 'kamailio/modules/presence_reginfo.so')))

const PROGRAMS: readonly (readonly [name: string, isThere: boolean, aptPackage: string])[] = [
  ['kamailio', KAMAILIO !== undefined, 'kamailio'],
  ['its reg event package', HAS_REG_EVENT, 'kamailio-presence-modules'],
  ['sipp', SIPP !== undefined, 'sip-tester'],
]

/** Says on standard error what a file of tests leaves out because of these, and what would install them. */
export function tellMissing(wanted: readonly ('kamailio' | 'its reg event package' | 'sipp')[], leftOut: string): void {
  const missing = PROGRAMS.filter(([name, isThere]) => !isThere && wanted.some((each) => each === name))
  if (missing.length === 0) return
  const [names, packages] = [missing.map(([name]) => name), missing.map(([, , aptPackage]) => aptPackage)]
  process.stderr.write(`${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} not installed, so that ${leftOut}: apt-get install ${packages.join(' ')}\n`)
}
