/**
 * Certificates that change while somebody listens with them: the files of a TLS configuration are looked at, and read again
 * when one of them is another. Tells who uses them; what cannot be used is said once and changes nothing.
 */
import { unwatchFile, watchFile } from 'node:fs'
import { readTls, type TlsConfig, type TlsMaterial } from './tls.js'

const LOOK_MILLIS = 2_000
/** Certificate and key are written one after the other: both are read once nothing has changed for so long. */
const SETTLE_MILLIS = 500

export class TlsWatch {
  private readonly files: readonly string[]
  private settling: NodeJS.Timeout | undefined

  /**
   * @param use takes what was read anew
   * @param warn takes why it could not be read, for people; what was in use stays
   */
  constructor(private readonly config: TlsConfig, private readonly use: (material: TlsMaterial) => void, private readonly warn: (why: string) => void, lookMillis = LOOK_MILLIS) {
    this.files = [config.certificate, config.key, ...(config.authorities === undefined ? [] : [config.authorities])]
    for (const file of this.files) watchFile(file, { interval: lookMillis, persistent: false }, this.changed)
  }

  close(): void {
    clearTimeout(this.settling)
    for (const file of this.files) unwatchFile(file, this.changed)
  }

  private readonly changed = (): void => {
    clearTimeout(this.settling)
    this.settling = setTimeout(this.readAgain, SETTLE_MILLIS).unref()
  }

  private readonly readAgain = (): void => {
    let material: TlsMaterial
    try {
      material = readTls(this.config)
    } catch (error) {
      return this.warn(`the certificates in use stay: ${error instanceof Error ? error.message : String(error)}`)
    }
    this.use(material)
  }
}
