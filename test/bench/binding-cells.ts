/**
 * Which bindings are measured with which sizes, how much of each, and what cannot be had and why. Names and numbers only;
 * it knows no process.
 */
import type { PushBinding } from '../../loadgen/submission.js'
import { DEFAULT_SELECTION } from '../../core/push/bindings/selection-settings.js'
import type { Missing } from './rows.js'

/** `session` is a session for each push, `session-reused` one that is kept for the next push to the same device. */
export const WAYS = ['message', 'session', 'session-reused', 'event', 'indirection'] as const
export type Way = (typeof WAYS)[number]

export interface SizeClass {
  readonly name: string
  /** Of the content. */
  readonly octets: number
  /** Pushes outstanding. */
  readonly outstanding: number
  /** Pushed to in turn: as many as pushes are outstanding, or more, and then without result notifications. */
  readonly users: number
  /** One push to each user, so that every session that is to be kept is there. */
  readonly warmUp: number
  readonly repeats: number
  /** About how long a repeat takes, whatever the rate. */
  readonly seconds: number
}

const sized = (name: string, octets: number, outstanding: number, repeats: number, seconds: number, users = outstanding): SizeClass =>
  ({ name, octets, outstanding, users, warmUp: users, repeats, seconds })

/** Flushes of the store lie between a push and its outcome: with few pushes outstanding the disk is measured, and not the way. */
const MANY = 512
export const SIZES: readonly SizeClass[] = [
  sized('200B', 200, MANY, 3, 1), sized('1kB', 1_000, MANY, 3, 1), sized('10kB', 10_000, MANY, 3, 1), sized('100kB', 100_000, 16, 2, 1), sized('1MB', 1_000_000, 4, 2, 1.5),
]
/** Where keeping sessions is compared with a session for each push. */
export const REUSE_SIZE: SizeClass = sized('2kB', 2_000, MANY / 2, 5, 1, MANY)
export const USERS = MANY
/** Before anything is measured: every process has then compiled what a push goes through. */
export const COMPILING: SizeClass = sized('1kB', 1_000, MANY, 1, 3)

const FIGURES = { pushesPerSecond: '1/s', cpuUs: 'µs', wireBytes: 'bytes' } as const
export type Figure = keyof typeof FIGURES

/** One row's name and unit. */
export function figureRow(way: Way, size: SizeClass, figure: Figure): { readonly name: string; readonly unit: string } {
  return { name: `binding.${way}.${size.name}.${figure}`, unit: FIGURES[figure] }
}

function figuresOf(way: Way, size: SizeClass): readonly { readonly name: string; readonly unit: string }[] {
  return (Object.keys(FIGURES) as Figure[]).map((figure) => figureRow(way, size, figure))
}

/** Why this way cannot carry this size, in words; undefined when it can. */
export function whyNot(way: Way, { octets }: SizeClass): string | undefined {
  const most = DEFAULT_SELECTION.messageOctetsStreamMax
  if ((way !== 'message' && way !== 'event') || octets <= most) return undefined
  return `${way === 'message' ? 'a MESSAGE' : 'a NOTIFY'} holds ${most} octets of content at most (selection.messageStreamMax)`
}

/** The rows of a way and a size that it cannot carry. */
export function missingRows(way: Way, size: SizeClass, reason: string): readonly Missing[] {
  return figuresOf(way, size).map((row) => ({ ...row, reason }))
}

/** What the gateway is told by the PAP bearer. */
export function bindingOf(way: Way): PushBinding {
  return way === 'session-reused' ? 'session' : way
}

/** The names of all rows of one way. */
export function rowNames(way: Way): readonly string[] {
  return SIZES.flatMap((size) => figuresOf(way, size).map(({ name }) => name))
}
