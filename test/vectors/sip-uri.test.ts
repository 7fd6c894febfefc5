/** URIs, addresses, parameters and Via values: RFC 3261 sections 19.1, 20.10 and 20.42, RFC 3966, RFC 5627. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import { composed, quotedText } from '../../core/sip/header-text.js'
import { SipMessage } from '../../core/sip/message.js'
import { aorIn, isNameAddrLine, nameAddrText, nameAddrs, parseNameAddr, tagOf, uriOf } from '../../core/sip/name-addr.js'
import { hasParam, listParams, paramOf, unquote, withParam, withoutParam } from '../../core/sip/params.js'
import { aorOf, escapeUser, gruuOf, isHost, parseUri, sameUri, unescapeUser, uriScheme, uriText } from '../../core/sip/uri.js'
import { markReceived, parseVia, receivedOf, rportOf, topVia, viaText } from '../../core/sip/via.js'

const equal = (a: string, b: string) => sameUri(parseUri(a)!, parseUri(b)!)

describe('sameUri, RFC 3261 section 19.1.4', () => {
  it.each([
    ['sip:%61nna@pine.example;transport=TCP', 'sip:anna@PINE.example;Transport=tcp'],
    ['sip:otto@elm.example', 'sip:otto@elm.example;newparam=5'],
    ['sip:otto@elm.example;security=on', 'sip:otto@elm.example;newparam=5'],
    ['sip:elm.example;transport=tcp;method=REGISTER?to=a%40b.example', 'sip:elm.example;method=REGISTER;transport=tcp?to=a%40b.example'],
    ['sip:anna@pine.example?subject=two%20words&priority=urgent', 'sip:anna@pine.example?priority=urgent&subject=two%20words'],
    ['sip:anna@pine.example;gr=urn:uuid:1', 'sip:anna@pine.example'],
    ['tel:+358-55-501', 'tel:+35855501'],
    ['sip:[2001:DB8::1]', 'sip:[2001:db8::1]'],
  ])('%s equals %s', (a, b) => expect([equal(a, b), equal(b, a)]).toEqual([true, true]))

  it.each([
    ['sip:ANNA@pine.example', 'sip:anna@pine.example'],
    ['sip:otto@elm.example', 'sip:otto@elm.example:5060'],
    ['sip:otto@elm.example', 'sip:otto@elm.example;transport=udp'],
    ['sip:otto@elm.example', 'sips:otto@elm.example'],
    ['sip:otto@elm.example', 'sip:otto@elm.example;user=phone'],
    ['sip:otto@elm.example', 'sip:otto@elm.example;ttl=1'],
    ['sip:otto@elm.example', 'sip:otto@elm.example;method=INVITE'],
    ['sip:otto@elm.example', 'sip:otto@elm.example;maddr=192.0.2.1'],
    ['sip:otto@elm.example;x=1', 'sip:otto@elm.example;x=2'],
    ['sip:otto@elm.example?subject=next', 'sip:otto@elm.example'],
    ['sip:otto:a@elm.example', 'sip:otto@elm.example'],
    ['sip:a%3Bb@elm.example', 'sip:a;b@elm.example'],
    ['sip:elm.example', 'sip:192.0.2.4'],
    ['tel:+35855501', 'sip:+35855501@elm.example'],
  ])('%s differs from %s', (a, b) => expect([equal(a, b), equal(b, a)]).toEqual([false, false]))

  it('is not transitive: two contacts with different security parameters both equal the bare one', () => {
    expect([equal('sip:c@d.example', 'sip:c@d.example;security=on'), equal('sip:c@d.example', 'sip:c@d.example;security=off')]).toEqual([true, true])
    expect(equal('sip:c@d.example;security=on', 'sip:c@d.example;security=off')).toBe(false)
  })
})

describe('addresses of record and GRUUs', () => {
  it.each([
    ['sip:Anna:secret@PINE.Example:5070;transport=tcp?subject=x', 'sip:Anna@pine.example:5070'],
    ['sip:%61nn%61%3b1@pine.example', 'sip:anna;1@pine.example'],
    ['sip:%2b358@pine.example', 'sip:+358@pine.example'],
    ['sip:a%20b%c3%a4@pine.example', 'sip:a%20b%C3%A4@pine.example'],
    ['sip:anna@pine.example;gr=urn:uuid:1', 'sip:anna@pine.example'],
    ['sips:pine.example', 'sips:pine.example'],
    ['tel:+358-(55)-501;ext=9', 'tel:+35855501'],
    ['tel:501;phone-context=Pine.Example', 'tel:501;phone-context=pine.example'],
  ])('the address of record of %s is %s', (uri, aor) => expect(aorOf(parseUri(uri)!)).toBe(aor))

  it.each([
    '<sip:anna@pine.example>', '<sip:+1555%2C0@pine.example>', '<sip:anna@Pine.example>', '<SIP:anna@pine.example>', '<sips:anna@pine.example>', '<sip:anna:secret@pine.example>',
    '<sip:anna@pine.example:5060>', '<sip:anna@pine.example;gr=urn:x>', '<sip:anna@pine.example?subject=x>', '<sip:anna@pine.example>;tag=1', '"Anna" <sip:anna@pine.example>',
    'sip:anna@pine.example', '<sip:a;b?c/d@pine.example>', '<sip:pine.example>', '<sip:anna@[2001:db8::1]>', '<tel:+1-555-0100>', '<sip:anna@>', '<sip:@pine.example>', '<sip:an na@pine.example>', '',
    '<sip:anna@pine.example>, <sip:otto@elm.example>', '<sip:anna@otto@pine.example>',
  ])('is cut out of a line %j or worked out, with the same outcome', (line) => {
    const message = new SipMessage({ method: 'REGISTER' }).append(Header.To, composed(line))
    const uri = uriOf(message, Header.To)
    expect(aorIn(message, Header.To)).toBe(uri === undefined ? undefined : aorOf(uri))
  })

  it('tells a public GRUU, a temporary one and none apart', () => {
    expect(['sip:a@b.example;gr=urn:uuid:1', 'sip:a@b.example;gr', 'sip:a@b.example;grr=1'].map((uri) => gruuOf(parseUri(uri)!))).toEqual(['urn:uuid:1', '', undefined])
  })
})

describe('what is no URI', () => {
  it.each([
    '', 'sip:', 'sip:@host', 'sip:a@', 'sip:a@b c', 'sip:a@b:', 'sip:a@b:0', 'sip:a@b:65536', 'sip:a@b:5o', 'sip:a@b;', 'sip:a@b;;x', 'sip:a@b;=1', 'sip:a@b;x=', 'sip:a@b?',
    'sip:a%4@b', 'sip:a%zz@b', 'sip:a@[::1', 'sip:a@::1', 'sip:a@b@c', 'sip:a"@b', 'sip:a@b;x="y"', '<sip:a@b>', 'sip:\u0101@b', 'sip:a@b\r\nX: 1', 'tel:', 'tel:+', 'tel:abc def', 'http://a', 'urn:uuid:1',
  ])('%j', (text) => expect(parseUri(text)).toBeUndefined())

  it('names the scheme of what it does not read', () => {
    expect(['urn:uuid:1', 'HTTP://a', ':a', '1a:b', 'no scheme', 'soap.beep:x'].map(uriScheme)).toEqual(['urn', 'http', '', '', '', 'soap.beep'])
  })
})

const user = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6().map((address) => `[${address}]`))
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
const value = fc.stringMatching(/^[a-zA-Z0-9:.[\]/&+$-]{1,10}$/)
const params = fc.uniqueArray(fc.tuple(name, fc.option(value, { nil: '' })), { maxLength: 4, selector: ([key]) => key })
  .map((list) => list.map(([key, each]) => (each === '' ? `;${key}` : `;${key}=${each}`)).join(''))
const sipUri = fc.record({
  scheme: fc.constantFrom('sip' as const, 'sips' as const), user: fc.oneof(fc.constant(''), user.map(escapeUser)), password: fc.constant(undefined),
  host, port: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 65535 })), params, headers: fc.constantFrom('', 'subject=x', 'a=1&b=2'),
})

describe('properties', () => {
  it('any user text survives escaping, writing, reading and unescaping', () => {
    fc.assert(fc.property(user, host, (text, where) => {
      const uri = parseUri(uriText({ scheme: 'sip', user: escapeUser(text), password: undefined, host: where, port: 0, params: '', headers: '' }))
      return uri !== undefined && unescapeUser(uri.user) === Buffer.from(text, 'utf8').toString('utf8')
    }))
  })
  it('a written URI reads back as it was', () => {
    fc.assert(fc.property(sipUri, (uri) => {
      expect(parseUri(uriText(uri))).toEqual(uri)
    }))
  })
  it('sameUri is reflexive and symmetric, and an address of record is its own', () => {
    fc.assert(fc.property(sipUri, sipUri, (a, b) => {
      const aor = parseUri(aorOf(a))!
      return sameUri(a, a) && sameUri(a, b) === sameUri(b, a) && aorOf(aor) === aorOf(a)
    }))
  })
  it('letter case and escapes that change nothing leave a URI equal', () => {
    fc.assert(fc.property(sipUri, (uri) => {
      const loud = { ...uri, host: uri.host.toUpperCase(), params: uri.params.toUpperCase(), user: uri.user.replace(/[a-z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`) }
      return sameUri(uri, loud)
    }))
  })
  it('nothing that parseUri takes makes it, sameUri or aorOf throw', () => {
    const noise = fc.stringMatching(/^sip:[ -~]{0,60}$/)
    fc.assert(fc.property(noise, noise, (a, b) => {
      const [one, other] = [parseUri(a), parseUri(b)]
      if (one !== undefined && other !== undefined) expect(sameUri(one, other)).toBe(sameUri(other, one))
      if (one !== undefined) expect(uriText(one).toLowerCase()).toBe(a.toLowerCase())
    }))
  })
  it('a display name of any text survives quoting', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !/[\r\n\0]/.test(text)), (text) => {
      const display = parseNameAddr(nameAddrText('sip:a@b.example', ';tag=1', quotedText(text)))?.display
      return display === Buffer.from(text, 'utf8').toString('utf8')
    }))
  })
  it('parameters keep their order and can be set and removed', () => {
    fc.assert(fc.property(params, name, value, (text, key, each) => {
      const set = withParam(text, key, each)
      expect(paramOf(set, key)).toBe(each)
      expect(hasParam(withoutParam(set, key), key)).toBe(false)
      expect(listParams(withoutParam(set, key))).toEqual(listParams(withoutParam(text, key)))
    }))
  })
})

describe('addresses in headers', () => {
  it.each([
    ['sip:a@b.example;tag=1', { uri: 'sip:a@b.example', params: ';tag=1', display: undefined }],
    ['<sip:a@b.example;lr>;x=","', { uri: 'sip:a@b.example;lr', params: ';x=","', display: undefined }],
    ['"a,<b>\\"" <sip:a@b.example>', { uri: 'sip:a@b.example', params: '', display: 'a,<b>"' }],
    ['"P\u00c3\u00a4ivi" <sip:a@b.example>', { uri: 'sip:a@b.example', params: '', display: 'P\u00e4ivi' }],
  ])('%s', (line, expected) => expect(parseNameAddr(line)).toMatchObject(expected))

  it.each(['', 'sip:', '<sip:a@b', 'sip:a@b>', '"a <sip:a@b>', 'a,b <sip:a@b>', '<sip:a@b> x', 'sip:a@b?c=d', '<>', '<sip:a@b>;', '<sip:a@b>;tag=', '< sip:a@b>', 'a@b'])(
    '%j is malformed', (line) => expect([parseNameAddr(line), isNameAddrLine(line, 1)]).toEqual([undefined, false]))

  it('a list of addresses is cut at its own commas only', () => {
    const message = new SipMessage({ method: 'REGISTER', requestUri: 'sip:b' })
    message.append(Header.Contact, composed('"x, y" <sip:a,b@c.example>;q=0.1 , <sip:d@e.example>;i="<f,g>"')).append(Header.Contact, composed('sip:h@i.example'))
    expect(nameAddrs(message, Header.Contact)!.map((each) => each.uri)).toEqual(['sip:a,b@c.example', 'sip:d@e.example', 'sip:h@i.example'])
    expect(isNameAddrLine(message.get(Header.Contact)!, 1)).toBe(false)
  })

  it.each([
    ['<sip:a@b>;tag=x', 'x'], ['<sip:a@b>;Tag=x', 'x'], ['<sip:a@b> ; tag = x ;y', 'x'], ['<sip:a@b;tag=no>', ''], ['sip:a@b;tag=x;y=1', 'x'], ['<sip:a@b>;y=";tag=no"', ''],
    ['<sip:a@b>;y=">";tag=x', 'x'], ['";tag=no" <sip:a@b>;tag=x', 'x'], ['";tag=no>" <sip:a@b>', ''], ['<sip:a@b>;mytag=no', ''], ['<sip:a@b>;tag=x ;y', 'x'], ['<sip:a@b', ''],
  ])('the tag of %s is %j', (line, tag) => {
    expect(tagOf(new SipMessage({ method: 'BYE', requestUri: 'sip:b' }).append(Header.To, composed(line)), Header.To)).toBe(tag)
  })

  it('knows hosts', () => expect(['a.b', '[::1]', '192.0.2.1', '::1', 'a b', '', 'a\n', '[zz]'].map(isHost)).toEqual([true, true, true, false, false, false, false, false]))
  it('unquotes', () => expect(['"a\\"b"', 'plain', '"', '""'].map(unquote)).toEqual(['a"b', 'plain', '"', '']))
})

describe('Via', () => {
  const withVia = (line: string) => new SipMessage({ method: 'OPTIONS', requestUri: 'sip:b' }).append(Header.Via, composed(line))
  it('reads one of several values and says where it ends', () => {
    const line = 'SIP/2.0/UDP a.example ; branch=z9hG4bK1 , SIP/2.0/TCP [::1]:7;branch=z9hG4bK2;rport'
    const first = parseVia(line)!
    expect(line[first.end]).toBe(',')
    expect(parseVia(line, first.end + 1)).toMatchObject({ transport: 'TCP', host: '[::1]', port: 7, branch: 'z9hG4bK2' })
  })
  it('writes what it reads', () => expect(parseVia(viaText('TCP', 'a.example:5070', 'z9hG4bKx', ';rport'))).toMatchObject({ host: 'a.example', port: 5070, branch: 'z9hG4bKx', params: ';branch=z9hG4bKx;rport' }))
  it.each(['', 'SIP/2.0/UDP', 'SIP/3.0/UDP a', 'SIP/2.0/UDP a:x', 'SIP/2.0/UDP a;', 'SIP/2.0/UDP a;branch=', 'SIP/2.0/UDPa', 'SIP/2.0/UDP a b', 'HTTP/2.0/UDP a', 'SIP/2.0/UDP a:0'])(
    '%j is malformed', (line) => expect(parseVia(line)).toBeUndefined())
  it.each([
    ['SIP/2.0/UDP a.example;branch=z9hG4bK1', 'SIP/2.0/UDP a.example;branch=z9hG4bK1;received=192.0.2.9'],
    ['SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1', 'SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1'],
    ['SIP/2.0/UDP 192.0.2.9;rport;branch=z9hG4bK1', 'SIP/2.0/UDP 192.0.2.9;rport=4444;branch=z9hG4bK1;received=192.0.2.9'],
    ['SIP/2.0/UDP a;branch=z9hG4bK1 , SIP/2.0/UDP b;branch=z9hG4bK2', 'SIP/2.0/UDP a;branch=z9hG4bK1;received=192.0.2.9 , SIP/2.0/UDP b;branch=z9hG4bK2'],
    ['SIP/2.0/UDP a', 'SIP/2.0/UDP a;received=192.0.2.9'],
    ['SIP/2.0/UDP a:7 , SIP/2.0/UDP b', 'SIP/2.0/UDP a:7;received=192.0.2.9 , SIP/2.0/UDP b'],
    ['nonsense', 'nonsense'],
  ])('received from 192.0.2.9:4444, %s becomes %s', (before, after) => {
    const message = withVia(before)
    markReceived(message, '192.0.2.9', 4444)
    expect(message.get(Header.Via)).toBe(after)
  })
  it('received and rport read back', () => {
    const via = topVia(withVia('SIP/2.0/UDP a;rport=4444;received=192.0.2.9;branch=z9hG4bK1'))!
    expect([receivedOf(via), rportOf(via), rportOf(parseVia('SIP/2.0/UDP a;rport')!), rportOf(parseVia('SIP/2.0/UDP a;rport=99999')!)]).toEqual(['192.0.2.9', 4444, 0, undefined])
  })
})
