/**
 * A password as it may stand in a configuration: its scrypt hash (RFC 7914) with salt and cost, in the form
 * `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, both in base64. Reads that form; computing one takes too long for a pure room.
 */

export interface PasswordHash {
  /** N, a power of two. */
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
  readonly salt: Buffer
  readonly hash: Buffer
}

const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]+)={0,2}\$([A-Za-z0-9+/]+)={0,2}$/
const LOG_COST = { min: 10, max: 17 } as const
const BLOCK_SIZE_MAX = 16
const PARALLELIZATION_MAX = 4
const SALT_OCTETS = { min: 8, max: 64 } as const
const HASH_OCTETS = { min: 16, max: 64 } as const

/** Undefined for another form, and for a cost that would be no protection or would stop the gateway. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const match = FORM.exec(text)
  if (match === null) return undefined
  const [logCost, blockSize, parallelization] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const salt = Buffer.from(match[4]!, 'base64')
  const hash = Buffer.from(match[5]!, 'base64')
  const isUsable = within(logCost, LOG_COST) && within(blockSize, { min: 1, max: BLOCK_SIZE_MAX }) && within(parallelization, { min: 1, max: PARALLELIZATION_MAX })
    && within(salt.length, SALT_OCTETS) && within(hash.length, HASH_OCTETS)
  return isUsable ? { cost: 2 ** logCost, blockSize, parallelization, salt, hash } : undefined
}

/** Octets of memory that computing it takes. */
export function memoryOf({ cost, blockSize, parallelization }: PasswordHash): number {
  return 128 * blockSize * (cost + parallelization + 2)
}

function within(value: number, { min, max }: { readonly min: number; readonly max: number }): boolean {
  return value >= min && value <= max
}
