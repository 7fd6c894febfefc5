/**
 * How a child of the bench talks to it: words with an argument, each answered once. A child ends when its channel does,
 * and leaves Ctrl-C to the bench.
 */

export interface ToChild {
  readonly id: number
  readonly word: string
  readonly argument: unknown
}

export interface FromChild {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** What a child does for each of its words. */
export type Words = Readonly<Record<string, (argument: never) => unknown>>

export function serve(words: Words): void {
  process.on('SIGINT', () => {})
  process.on('disconnect', () => process.exit(0))
  process.on('message', ({ id, word, argument }: ToChild) => {
    void answer(words, word, argument).then(
      (result) => say({ id, result }),
      (error: unknown) => say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
}

async function answer(words: Words, word: string, argument: unknown): Promise<unknown> {
  const perform = words[word]
  if (perform === undefined) throw new Error(`there is no word "${word}" here`)
  return perform(argument as never)
}

function say(message: FromChild): void {
  if (process.connected) process.send?.(message)
}
