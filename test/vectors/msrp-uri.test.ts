/** MSRP URIs and paths: what is read, what is the same (RFC 4975 sections 6 and 6.1). */
import { describe, expect, it } from 'vitest'
import { addressOf, firstOf, parsePath, parseUri, sameUri } from '../../core/msrp/uri.js'

describe('an MSRP URI', () => {
  it.each([
    ['msrp://atlanta.example.com:7654/jshA7weztas;tcp', { transport: 'tcp', host: 'atlanta.example.com', port: 7_654, sessionId: 'jshA7weztas', carrier: 'tcp' }],
    ['MSRPS://Biloxi.Example.com:12763/Kj+=/d;TCP;note=x;more', { transport: 'tls', host: 'biloxi.example.com', port: 12_763, sessionId: 'Kj+=/d', carrier: 'tcp' }],
    ['msrp://alice@192.0.2.1/abc;tcp', { host: '192.0.2.1', port: undefined, sessionId: 'abc' }],
    ['msrp://[2001:db8::1]:2855/abc;tcp', { host: '[2001:db8::1]', port: 2_855 }],
    ['msrps://relay.example.org:9000;tcp', { sessionId: undefined }],
  ])('is read: %s', (text, expected) => {
    expect(parseUri(text)).toMatchObject({ text, ...expected })
  })

  it.each([
    '', 'msrp:', 'msrp://host:1/abc', 'sip:user@host', 'msrp://host:99999/abc;tcp', 'msrp://host:1/a b;tcp', 'msrp://host:/abc;tcp', 'msrp:///abc;tcp', 'msrp://host:1/;tcp', 'msrp://host:1/abc;',
    'msrp://2001:db8::1:2855/abc;tcp', 'msrp://host:1/a"b;tcp', `msrp://host:1/${'a'.repeat(1_024)};tcp`, 'msrp://ho st:1/abc;tcp', 'xmsrp://host:1/abc;tcp', 'msrp://host:1/abc;tcp\r\n',
  ])('is not read: %s', (text) => {
    expect(parseUri(text)).toBeUndefined()
  })

  it('is compared as section 6.1 says', () => {
    const base = 'msrp://host.example:2855/AbC;tcp'
    const same = (other: string): boolean => sameUri(parseUri(base)!, parseUri(other)!)
    expect(same('MSRP://HOST.example:2855/AbC;TCP')).toBe(true)
    expect(same('msrp://user@host.example:2855/AbC;tcp;x=y')).toBe(true)
    expect(same('msrps://host.example:2855/AbC;tcp')).toBe(false)
    expect(same('msrp://other.example:2855/AbC;tcp')).toBe(false)
    expect(same('msrp://host.example:2856/AbC;tcp')).toBe(false)
    expect(same('msrp://host.example/AbC;tcp')).toBe(false)
    expect(same('msrp://host.example:2855/ABC;tcp')).toBe(false)
    expect(same('msrp://host.example:2855;tcp')).toBe(false)
    expect(same('msrp://host.example:2855/AbC;sctp')).toBe(false)
  })

  it('tells the address to connect to, and only a literal one', () => {
    expect(addressOf(parseUri('msrp://192.0.2.1:1/a;tcp')!)).toBe('192.0.2.1')
    expect(addressOf(parseUri('msrp://[::1]:1/a;tcp')!)).toBe('::1')
    expect(addressOf(parseUri('msrp://localhost:1/a;tcp')!)).toBeUndefined()
  })
})

describe('a path', () => {
  it('is one URI or several, the next hop first', () => {
    expect(parsePath('msrps://r.example:1/x;tcp  msrp://192.0.2.1:9/y;tcp')!.map(({ host }) => host)).toEqual(['r.example', '192.0.2.1'])
    expect(parsePath('msrp://192.0.2.1:9/y;tcp')).toHaveLength(1)
    expect(parsePath('')).toBeUndefined()
    expect(parsePath('msrp://192.0.2.1:9/y;tcp nonsense')).toBeUndefined()
    expect(parsePath(Array.from({ length: 17 }, () => 'msrp://192.0.2.1:9/y;tcp').join(' '))).toBeUndefined()
    expect(firstOf('a b')).toBe('a')
    expect(firstOf('a')).toBe('a')
  })
})
