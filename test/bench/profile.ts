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
  const groups = groupsOf(profile.nodes, placeOf, 'Node')
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

/** Busy microseconds of a profile by whose code was at work, or had called what was; undefined for what none of them called. What `whole` calls is its own, whose code it may be. */
export function busyMicros<Name extends string>(profile: CpuProfile, nameOfPlace: (url: string) => Name | undefined, whole: Name): Map<Name | undefined, number> {
  const groups = groupsOf<Name | undefined>(profile.nodes, ({ url }) => nameOfPlace(url), undefined, whole)
  const idle = new Set(profile.nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id))
  const sums = new Map<Name | undefined, number>()
  profile.samples.forEach((id, index) => {
    if (!idle.has(id)) sums.set(groups.get(id), (sums.get(groups.get(id)) ?? 0) + profile.timeDeltas[index]!)
  })
  return sums
}

function placeOf({ functionName, url }: ProfileNode['callFrame']): Group | undefined {
  return functionName === '(garbage collector)' ? 'gc' : PLACES.find(([pattern]) => pattern.test(url))?.[1]
}

/** A node's group is its own code's, else its caller's; `nobody` where no caller has one. */
function groupsOf<Name>(nodes: readonly ProfileNode[], own: (frame: ProfileNode['callFrame']) => Name | undefined, nobody: Name, whole?: Name): Map<number, Name> {
  const callerOf = new Map<number, number>()
  for (const { id, children } of nodes) for (const child of children ?? []) callerOf.set(child, id)
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const groups = new Map<number, Name>()
  const groupOf = (id: number): Name => {
    if (groups.has(id)) return groups.get(id)!
    const { callFrame } = byId.get(id)!
    const caller = callerOf.get(id)
    const callers = caller === undefined ? nobody : groupOf(caller)
    const group = callers === whole && whole !== undefined ? whole : own(callFrame) ?? callers
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
