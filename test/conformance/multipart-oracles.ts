/** Two multipart parsers of other people, fed a whole body, as judges of ours on the bodies they handle. */
import { Dicer } from '@fastify/busboy'
import * as multipasta from 'multipasta'

/** Header names in lower case with their values, and the body. */
export interface JudgedPart {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Undefined when the parser reports a fault. */
export function byMultipasta(body: Buffer, boundary: string): readonly JudgedPart[] | undefined {
  const parts: { headers: Record<string, string>; chunks: Uint8Array[] }[] = []
  let failed = false
  const parser = multipasta.make({
    headers: { 'content-type': `multipart/related; boundary="${boundary}"` },
    isFile: () => true,
    onField: () => { failed = true },
    onFile: ({ headers }) => {
      const part = { headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])), chunks: [] as Uint8Array[] }
      parts.push(part)
      return (chunk) => { if (chunk !== null) part.chunks.push(chunk) }
    },
    onError: () => { failed = true },
    onDone: () => undefined,
  })
  parser.write(body)
  parser.end()
  return failed ? undefined : parts.map((part) => ({ headers: part.headers, body: Buffer.concat(part.chunks) }))
}

export function byDicer(body: Buffer, boundary: string): Promise<readonly JudgedPart[] | undefined> {
  return new Promise((resolve) => {
    const parts: { headers: Record<string, string>; chunks: Buffer[] }[] = []
    const dicer = new Dicer({ boundary })
    dicer.on('part', (stream) => {
      const part = { headers: {} as Record<string, string>, chunks: [] as Buffer[] }
      parts.push(part)
      stream.on('header', (header: object) => {
        for (const [name, values] of Object.entries(header)) part.headers[name] = String((values as readonly string[])[0])
      })
      stream.on('data', (chunk: Buffer | string) => { part.chunks.push(Buffer.from(chunk)) })
      stream.on('error', () => { resolve(undefined) })
    })
    dicer.on('error', () => { resolve(undefined) })
    dicer.on('finish', () => { resolve(parts.map((part) => ({ headers: part.headers, body: Buffer.concat(part.chunks) }))) })
    dicer.end(body)
  })
}
