/** Ctrl-C and friends: once asks for an orderly end, twice ends at once. Knows signals, not what is ended. */

export interface Stops {
  /** Aborted by the first SIGINT or SIGTERM; its reason names which. */
  readonly orderly: AbortSignal
  /** Aborted by the second. */
  readonly atOnce: AbortSignal
  /** Signals mean again what they mean to any process. */
  release(): void
}

/** @param onFirst told at the first signal, to say what a second one does */
export function listenForStops(onFirst: () => void): Stops {
  const orderly = new AbortController()
  const atOnce = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    if (orderly.signal.aborted) return atOnce.abort()
    orderly.abort(signal === 'SIGINT' ? 'interrupted by Ctrl-C' : `stopped by ${signal}`)
    onFirst()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    orderly: orderly.signal,
    atOnce: atOnce.signal,
    release: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
