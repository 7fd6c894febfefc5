/** Ctrl-C, a closed terminal and friends: the first asks for an orderly end, a second one ends at once. Knows signals, not what is ended. */
import { EXIT } from './command-failure.js'

export interface Stops {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP; its reason names which. */
  readonly orderly: AbortSignal
  /** Aborted by a second one; a terminal's end is told more than once, by shell and system, and counts once. */
  readonly atOnce: AbortSignal
  /** Undefined as long as nothing was to be stopped. */
  readonly exitCode: typeof EXIT.interrupted | typeof EXIT.hungUp | undefined
  /** Signals mean again what they mean to any process. */
  release(): void
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const REASONS: Readonly<Record<(typeof SIGNALS)[number], string>> = {
  SIGINT: 'interrupted by Ctrl-C', SIGTERM: 'stopped by SIGTERM', SIGHUP: 'stopped by the end of its terminal (SIGHUP)',
}

/** @param onFirst told at the first signal, to say what a second one does */
export function listenForStops(onFirst: () => void): Stops {
  const orderly = new AbortController()
  const atOnce = new AbortController()
  let exitCode: Stops['exitCode']
  const onSignal = (signal: NodeJS.Signals): void => {
    if (orderly.signal.aborted) {
      if (signal !== 'SIGHUP') atOnce.abort()
      return
    }
    exitCode = signal === 'SIGHUP' ? EXIT.hungUp : EXIT.interrupted
    orderly.abort(REASONS[signal as keyof typeof REASONS])
    onFirst()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  for (const stream of [process.stdout, process.stderr]) stream.on('error', passOverLostTerminal)
  return {
    orderly: orderly.signal,
    atOnce: atOnce.signal,
    get exitCode() { return exitCode },
    release: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal)
    },
  }
}

/** A closed terminal takes no more words, perhaps before its signal is heard; what is under way ends in order all the same. */
function passOverLostTerminal(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EIO') throw error
}
