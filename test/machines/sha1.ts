/** SHA-1 as the tests know it: by the system, not by what is tested. */
import { createHash } from 'node:crypto'

export function sha1(data: string | Buffer): string {
  return createHash('sha1').update(data).digest('hex')
}
