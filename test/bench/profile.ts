/**
 * Where a push's time goes: the samples of a V8 CPU profile, each given to the room whose code was at work. A sample in
 * the language's or Node's own code belongs to whoever called it; where nobody of ours did, to Node's sockets and loop.
 * It sees the main thread only: LMDB writes and flushes on a thread of its own. Reads a profile's JSON, nothing else.
 */

export const GROUPS = ['HTTP', 'decode', 'push', 'store', 'SIP', 'notify', 'gc', 'Node'] as const
export type Group = (typeof GROUPS)[number]

/** What each group is made of, for people. */
export const GROUP_TEXTS: Readonly<Record<Group, string>> = {
  HTTP: 'node:http server and core/live/http',
  decode: 'core/xml, mime, pap and saxes: submission in, push-response out',
  push: 'core/push, kit and the pump: admission, queues, outcomes',
  store: 'core/store, core/live/store-lmdb and lmdb on the main thread',
  SIP: 'core/sip, core/ota and the sockets below',
  notify: 'notifications: core/push/notification, core/live/notifier and undici',
  gc: 'garbage collection on the main thread',
  Node: 'loop and system calls that no room called',
}

const PLACES: readonly (readonly [RegExp, Group])[] = [
  [/\/undici\/|\/core\/live\/notifier\.|\/core\/push\/notification\//, 'notify'],
  [/\/lmdb\/|\/msgpackr|\/core\/store\/|\/core\/live\/store-lmdb\.|\/core\/push\/store-port\./, 'store'],
  [/\/saxes\/|\/xmlchars\/|\/core\/(?:xml|mime|pap)\//, 'decode'],
  [/\/core\/(?:sip|ota)\/|\/core\/live\/(?:sockets|stream-flow|datagrams)\./, 'SIP'],
  [/^node:_http|^node:internal\/http|\/core\/live\/http\./, 'HTTP'],
  [/\/core\/push\/|\/core\/live\/pump\./, 'push'],
]

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly children?: readonly number[]
}

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface Breakdown {
  /** Share of the busy time of the main thread, 0 to 1. */
  readonly shares: Readonly<Record<Group, number>>
  /** The functions with the most self time, their share and their place, largest first. */
  readonly top: readonly { readonly share: number; readonly name: string }[]
}

export function breakdownOf(profile: CpuProfile, topMax: number): Breakdown {
  const groups = groupsOf(profile.nodes)
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const shares = Object.fromEntries(GROUPS.map((group) => [group, 0])) as Record<Group, number>
  const functions = new Map<string, number>()
  let busy = 0
  profile.samples.forEach((id, index) => {
    const name = names.get(id)!
    if (name === '(idle)') return
    const micros = profile.timeDeltas[index]!
    busy += micros
    shares[groups.get(id)!] += micros
    functions.set(name, (functions.get(name) ?? 0) + micros)
  })
  for (const group of GROUPS) shares[group] /= busy
  const top = [...functions].sort((a, b) => b[1] - a[1]).slice(0, topMax).map(([name, micros]) => ({ share: micros / busy, name }))
  return { shares, top }
}

/** A node's group is its own code's, else its caller's. */
function groupsOf(nodes: readonly ProfileNode[]): Map<number, Group> {
  const callers = new Map<number, number>()
  for (const { id, children } of nodes) for (const child of children ?? []) callers.set(child, id)
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const groups = new Map<number, Group>()
  const groupOf = (id: number): Group => {
    const known = groups.get(id)
    if (known !== undefined) return known
    const { callFrame } = byId.get(id)!
    const own = callFrame.functionName === '(garbage collector)' ? 'gc' : PLACES.find(([pattern]) => pattern.test(callFrame.url))?.[1]
    const caller = callers.get(id)
    const group = own ?? (caller === undefined ? 'Node' : groupOf(caller))
    groups.set(id, group)
    return group
  }
  for (const { id } of nodes) groupOf(id)
  return groups
}

function nameOf({ functionName, url, lineNumber }: ProfileNode['callFrame']): string {
  const place = url.replace(/^file:\/\//, '').split('/').slice(-3).join('/')
  return place === '' ? functionName : `${functionName === '' ? '(anonymous)' : functionName} ${place}:${lineNumber + 1}`
}
