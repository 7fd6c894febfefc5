/** A lie about what was received: MSRP reports that name one octet less than there is. Works on octets about to leave; knows no session. */

/** One REPORT up to and with the end of its range (RFC 4975 section 7.1.2); a report of nothing is left as it is. */
const REPORT = /(MSRP \S+ REPORT\r\n(?:[^\r]*\r\n)*?Byte-Range: \d+-)([1-9]\d*)/g

export function reportedLess(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  if (!text.includes(' REPORT\r\n')) return bytes
  return Buffer.from(text.replace(REPORT, (_, start: string, end: string) => `${start}${Number(end) - 1}`), 'latin1')
}
