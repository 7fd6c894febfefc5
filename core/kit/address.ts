/**
 * Literal IP addresses as their octets in network order, and back. Knows the two notations; names and ports are somebody else's.
 */

/** 4 or 16 octets of a literal IPv4 or IPv6 address; IPv6 may hold one `::`, or end in a dotted IPv4 part (RFC 4291 section 2.2). */
export function addressOctets(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const octets = Buffer.alloc(16)
  before.forEach((octet, index) => (octets[index] = octet))
  after.forEach((octet, index) => (octets[16 - after.length + index] = octet))
  return octets
}

/** The text of 4 or 16 octets; IPv6 with all its eight groups. */
export function addressText(octets: Buffer): string {
  if (octets.length === 4) return octets.join('.')
  const parts: string[] = []
  for (let index = 0; index < 16; index += 2) parts.push(octets.readUInt16BE(index).toString(16))
  return parts.join(':')
}

function groups(text: string): number[] {
  const octets: number[] = []
  for (const group of text.split(':')) {
    if (group === '') continue
    if (group.includes('.')) octets.push(...group.split('.').map(Number))
    else octets.push(parseInt(group, 16) >> 8, parseInt(group, 16) & 255)
  }
  return octets
}
