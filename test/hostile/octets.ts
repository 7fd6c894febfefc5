/**
 * Octets nobody should send, for any door: noise, well-formed texts damaged in a few places, the same cut into pieces.
 * Drawn by fast-check from a fixed seed, so a run that fails can be repeated. Knows octets, not whom they are for.
 */
import fc from 'fast-check'

/** What is written one after the other to one connection, or sent as one datagram each. */
export type Pieces = readonly Buffer[]

const damage = fc.record({
  kind: fc.constantFrom('set', 'drop', 'insert', 'double', 'cut'),
  /** Where, as a share of the text. */
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  octets: fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.constantFrom('\r\n', '\r\n\r\n', '\n', '\0', '"', '<', '>', ';', ',', ':', '\u00ff', '%', '--', '&x;', '4294967296', ' '.repeat(300))),
  length: fc.nat(40),
})

/** `texts` with one to six places damaged. */
export function damaged(texts: readonly string[]): fc.Arbitrary<Buffer> {
  return fc.tuple(fc.constantFrom(...texts), fc.array(damage, { minLength: 1, maxLength: 6 })).map(([text, damages]) => {
    let octets: Buffer = Buffer.from(text, 'latin1')
    for (const each of damages) {
      const at = Math.floor(each.at * octets.length)
      const given = Buffer.from(each.octets as string, 'latin1')
      const [before, behind] = [octets.subarray(0, at), octets.subarray(at)]
      if (each.kind === 'set') octets = Buffer.concat([before, given, behind.subarray(given.length)])
      else if (each.kind === 'drop') octets = Buffer.concat([before, behind.subarray(each.length)])
      else if (each.kind === 'insert') octets = Buffer.concat([before, given, behind])
      else if (each.kind === 'double') octets = Buffer.concat([before, behind.subarray(0, each.length), behind])
      else octets = before
    }
    return octets
  })
}

export const noise: fc.Arbitrary<Buffer> = fc.uint8Array({ minLength: 1, maxLength: 3_000 }).map((octets) => Buffer.from(octets))

/** One text in several writes, several texts in one write, or a text as it is. */
export function inPieces(octets: fc.Arbitrary<Buffer>): fc.Arbitrary<Pieces> {
  return fc.oneof(
    octets.map((whole) => [whole]),
    fc.array(octets, { minLength: 2, maxLength: 8 }).map((several) => [Buffer.concat(several)]),
    fc.tuple(octets, fc.integer({ min: 1, max: 50 })).map(([whole, size]) => {
      const step = Math.max(size, Math.ceil(whole.length / 40))
      return Array.from({ length: Math.ceil(whole.length / step) }, (_, index) => whole.subarray(index * step, (index + 1) * step))
    }),
  )
}

export function drawn<Value>(arbitrary: fc.Arbitrary<Value>, count: number, seed: number): Value[] {
  return fc.sample(arbitrary, { numRuns: count, seed })
}
