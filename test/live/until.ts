/** Waiting in tests for something to become true: looks once per turn of the event loop, never for a guessed time. */
export function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (condition()) resolve()
      else setImmediate(look)
    }
    look()
  })
}
