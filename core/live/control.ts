/**
 * How the all-in-one command talks to a part it forked (gateway, IMS, terminals), over Node's process channel.
 * Few, small messages: the data plane never passes here. Types and the part's side of the conversation.
 */

/** From the command to the part. The first message is always `start`. */
export type ControlIn =
  | { readonly type: 'start'; readonly config: unknown; readonly journalPath: string | undefined }
  /** Part-specific words with a JSON argument, answered by `done` with the same id. */
  | { readonly type: 'do'; readonly id: number; readonly what: string; readonly argument?: unknown }
  /** Stop cleanly; answered by `stopped`, after which the process exits 0. */
  | { readonly type: 'stop' }

/** From the part to the command. */
export type ControlOut =
  /** `addresses` name what was bound, e.g. { pap: "http://127.0.0.1:8080/pap", sip: "127.0.0.1:5060" }. */
  | { readonly type: 'ready'; readonly addresses: Readonly<Record<string, string>> }
  | { readonly type: 'done'; readonly id: number; readonly result?: unknown }
  /** About once a second: running counters and gauges, and the process's resources so far. */
  | { readonly type: 'sample'; readonly counters: Readonly<Record<string, number>>; readonly resources: Resources }
  | { readonly type: 'stopped'; readonly resources: Resources; readonly histograms: Readonly<Record<string, string>> }
  /** The part cannot go on; `message` is for people. The process exits 1 after it. */
  | { readonly type: 'fatal'; readonly message: string }

export interface Resources {
  readonly cpuSeconds: number
  readonly rssBytesMax: number
  /** Busy share of the busiest event loop of the part since the last report, 0 to 1. */
  readonly loopUtilisation: number
}

/** What a part's module hands to `runPart`. */
export interface Part {
  readonly addresses: Readonly<Record<string, string>>
  /** A part-specific word; rejects for one it does not know. */
  perform(what: string, argument: unknown): Promise<unknown>
  counters(): Readonly<Record<string, number>>
  /** Closes everything; resolves with the part's own histograms (hdr-histogram compressed base64, microseconds) by stage name. */
  stop(): Promise<Readonly<Record<string, string>>>
}
