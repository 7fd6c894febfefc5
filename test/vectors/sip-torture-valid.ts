/**
 * Messages of our own that are legal however strange they look: every condition of RFC 4475 sections 3.1.1 and 3.4 that
 * a parser decides, and of RFC 5118, with other hosts, users and texts. Lines are written with plain line breaks here;
 * `octets` puts CR LF in their place and computes `Content-Length: *`.
 */
import { expect } from 'vitest'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { nameAddrs, parseNameAddr, tagOf, uriOf } from '../../core/sip/name-addr.js'
import { hasParam, paramOf } from '../../core/sip/params.js'
import { gruuOf, parseUri, sameUri, unescapeUser } from '../../core/sip/uri.js'
import { allValues, parseCSeq } from '../../core/sip/values.js'
import { parseVia, receivedOf, topVia } from '../../core/sip/via.js'

export interface Vector {
  /** The name RFC 4475 or RFC 5118 gives the condition, or ours. */
  readonly name: string
  readonly shows: string
  readonly text: string
  readonly check?: (message: SipMessage) => void
}

/** CR LF line ends, and the body's length in place of `*`. A character above 255 stands for its UTF-8 octets. */
export function octets(text: string): Buffer {
  const lines = text.replace(/\r?\n/g, '\r\n')
  const bodyAt = lines.indexOf('\r\n\r\n') + 4
  const length = Buffer.byteLength(lines.slice(bodyAt), 'utf8')
  return Buffer.from(lines.replace(/(Content-Length\s*:\s*)\*/i, `$1${length}`), 'utf8')
}

/** The lines most messages share; `extra` replaces nothing, it comes behind. */
export function request(method: string, uri: string, extra: string, body = ''): string {
  return `${method} ${uri} SIP/2.0
Via: SIP/2.0/TCP edge.north.example;branch=z9hG4bK-torture-1
Max-Forwards: 70
From: "Maija" <sip:maija@north.example>;tag=m-1
To: <sip:olli@south.example>
Call-ID: torture-1@north.example
CSeq: 7 ${method}
${extra}${extra === '' ? '' : '\n'}Content-Length: *

${body}`
}

const uriOfContact = (message: SipMessage, index = 0) => parseUri(nameAddrs(message, Header.Contact)![index]!.uri)!

export const VALID: readonly Vector[] = [
  {
    name: 'wsinv', shows: 'odd spaces, folding, letter case and compact names',
    text: `INVITE sip:olli@south.example;weird=yes SIP/2.0
tO :
 sip:olli@south.example ;   tag    = o-77
fROM   : "Maija \\\\\\"" <sip:maija@north.example>
  ;
  tag = m-4
MaX-fOrWaRdS: 0055
cAlL-iD: folded.99@north.example
CSeq: 0008
  INVITE
v:  SIP  / 2.0
 /UDP
    192.0.2.91;branch=z9hG4bK-ws-1
s :
nObOdY-kNoWs-ThIs:
  its value
  ; goes on
Content-Type: text/plain
Route:
 <sip:relay.north.example;lr;odd=%61;more>
v:  SIP  / 2.0  / TCP     relay.north.example   ;
  branch  =   z9hG4bK-ws-2  ,
 SIP  /    2.0   / UDP  192.0.2.55   : 5090;branch=
 z9hG4bK-ws-3
m:"Written\\"Oddly" <sip:maija@desk.north.example> ; extra = one ;
  more = "two"
l: *

hello`.replace('l: *', 'l: 5'),
    check: (message) => {
      expect(tagOf(message, Header.To)).toBe('o-77')
      expect(tagOf(message, Header.From)).toBe('m-4')
      expect(parseNameAddr(message.get(Header.From)!)!.display).toBe('Maija \\"')
      expect(parseCSeq(message.get(Header.CSeq)!)).toEqual({ number: 8, method: 'INVITE' })
      expect(allValues(message, Header.Via).map((value) => parseVia(value)!.branch)).toEqual(['z9hG4bK-ws-1', 'z9hG4bK-ws-2', 'z9hG4bK-ws-3'])
      expect(parseVia(allValues(message, Header.Via)[2]!)).toMatchObject({ transport: 'UDP', host: '192.0.2.55', port: 5090 })
      expect(message.get(Header.Subject)).toBe('')
      expect(message.getOther('Nobody-Knows-THIS')).toBe('its value ; goes on')
      const contact = nameAddrs(message, Header.Contact)![0]!
      expect([contact.display, paramOf(contact.params, 'extra'), paramOf(contact.params, 'more')]).toEqual(['Written"Oddly', 'one', '"two"'])
      expect(message.body.toString()).toBe('hello')
    },
  },
  {
    name: 'intmeth', shows: 'every legal character in method, user and tags, and quoted control characters',
    text: `!mostly%legal*Tokens'are_+this~.\`ok sip:1.odd_user~(not-me!)&isn't+you=$/why?,/;;*:&or+has=2,strange!*pass$~x_.(fine)@south.example SIP/2.0
Via: SIP/2.0/UDP edge.north.example;branch=z9hG4bK-.!%66*_+\`'~
To: "BEL:\\\u0007 NUL:\\\u0000 DEL:\\\u007f" <sip:1.odd_user~(not-me!)&isn't+you=$/why?,/;;*@south.example>
From: t1~'+.%word* <sip:maija:&+a=,b!*c$~d_.(e)@north.example>;tag=_tag~1'+\`!.%*-2
Call-ID: !word%ZK-.!*_+'@word\`~)(><:\\/"][?}{
CSeq: 99 !mostly%legal*Tokens'are_+this~.\`ok
Max-Forwards: 255
odd!name.%*_+\`'~: yes
Content-Length: 0

`,
    check: (message) => {
      expect(message.method).toBe("!mostly%legal*Tokens'are_+this~.`ok")
      const uri = parseUri(message.requestUri)!
      expect([uri.user, uri.password]).toEqual(["1.odd_user~(not-me!)&isn't+you=$/why?,/;;*", '&or+has=2,strange!*pass$~x_.(fine)'])
      expect(parseNameAddr(message.get(Header.To)!)!.display).toBe('BEL:\u0007 NUL:\u0000 DEL:\u007f')
      expect(parseNameAddr(message.get(Header.From)!)!.display).toBe("t1~'+.%word*")
      expect(tagOf(message, Header.From)).toBe("_tag~1'+`!.%*-2")
    },
  },
  {
    name: 'esc01', shows: 'escapes in user, parameter and header of a URI',
    text: request('INVITE', 'sip:sips%3Aolli%40south.example@west.example', 'Contact: <sip:caller%2F1@east.example;l%72;n%61me=v%61lue%25%34%31>\nX-One: 1'),
    check: (message) => {
      expect(unescapeUser(parseUri(message.requestUri)!.user)).toBe('sips:olli@south.example')
      expect(sameUri(parseUri('sip:%6dai%6Aa@a.example')!, parseUri('sip:maija@A.example')!)).toBe(true)
      expect(uriOfContact(message).params).toBe(';l%72;n%61me=v%61lue%25%34%31')
    },
  },
  {
    name: 'escnull', shows: '%00 in a user is a character like others: two contacts',
    text: request('REGISTER', 'sip:south.example', 'Contact: <sip:%00@desk.south.example>\nContact: <sip:%00%00@desk.south.example>'),
    check: (message) => {
      expect(sameUri(uriOfContact(message, 0), uriOfContact(message, 1))).toBe(false)
      expect(unescapeUser(uriOfContact(message, 1).user)).toBe('\0\0')
    },
  },
  {
    name: 'esc02', shows: '% in a method or a display name is no escape',
    text: request('MESS%41GE', 'sip:south.example', 'Contact: "%5Aoe" <sip:zoe@a.example>\nContact: <sip:al%69ce@b.example>'),
    check: (message) => {
      expect(message.method).toBe('MESS%41GE')
      expect(nameAddrs(message, Header.Contact)![0]!.display).toBe('%5Aoe')
    },
  },
  {
    name: 'lwsdisp', shows: 'no space between a display name of tokens and the bracket',
    text: request('OPTIONS', 'sip:south.example', 'P-Asserted-Identity: Maija M<sip:maija@north.example>'),
    check: (message) => expect(parseNameAddr(message.get(Header.PAssertedIdentity)!)).toMatchObject({ display: 'Maija M', uri: 'sip:maija@north.example' }),
  },
  {
    name: 'longreq', shows: 'very long values everywhere',
    text: request('INVITE', `sip:${'u'.repeat(400)}@${'h'.repeat(60)}.example`,
      `${Array.from({ length: 34 }, (_, hop) => `Via: SIP/2.0/TCP hop${hop}.example;branch=z9hG4bK${'long'.repeat(30)}${hop}`).join('\n')}
Contact: "${'n'.repeat(500)}" <sip:${'c'.repeat(300)}@desk.example>;${'p'.repeat(300)}=${'v'.repeat(300)}
${'X'.repeat(300)}: ${'w'.repeat(2_000)}`),
    check: (message) => {
      expect(message.getAll(Header.Via)).toHaveLength(35)
      expect(message.getOther('x'.repeat(300))).toHaveLength(2_000)
    },
  },
  {
    name: 'semiuri', shows: 'a semicolon inside the user part belongs to the user',
    text: request('OPTIONS', 'sip:olli;box=9%40north.example@south.example', 'Accept: text/plain'),
    check: (message) => {
      const uri = parseUri(message.requestUri)!
      expect([unescapeUser(uri.user), uri.host, uri.params]).toEqual(['olli;box=9@north.example', 'south.example', ''])
    },
  },
  {
    name: 'transports', shows: 'Via with transports that nobody speaks',
    text: request('OPTIONS', 'sip:south.example',
      'Via: SIP/2.0/SCTP a.example;branch=z9hG4bK1\nVia: SIP/2.0/TLS b.example;branch=z9hG4bK2\nVia: SIP/2.0/PIGEON c.example;branch=z9hG4bK3'),
    check: (message) => expect(message.getAll(Header.Via).map((value) => parseVia(value)!.transport)).toEqual(['TCP', 'SCTP', 'TLS', 'PIGEON']),
  },
  {
    name: 'mpart01', shows: 'a multipart body with NUL and every other octet',
    text: request('MESSAGE', 'sip:south.example', 'Content-Type: multipart/mixed;boundary=edge',
      `--edge\n\nplain\n--edge\nContent-Type: application/octet-stream\n\n${String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code))}\n--edge--\n`),
    check: (message) => expect(message.body.includes(Buffer.from([0, 1, 2, 3]))).toBe(true),
  },
  {
    name: 'baddate', shows: 'a Date in another zone than GMT is an unusable header, not an unusable message',
    text: request('INVITE', 'sip:south.example', 'Date: Fri, 01 Jan 2027 16:00:00 EST'),
  },
  {
    name: 'zeromf', shows: 'Max-Forwards 0 is legal', text: request('OPTIONS', 'sip:south.example', '').replace('Max-Forwards: 70', 'Max-Forwards: 0'),
    check: (message) => expect(message.get(Header.MaxForwards)).toBe('0'),
  },
  {
    name: 'inv2543', shows: 'a caller of RFC 2543: no branch, no Max-Forwards, no tag',
    text: `INVITE sip:olli@south.example SIP/2.0
Via: SIP/2.0/UDP old.north.example
From: <sip:maija@north.example>
To: sip:olli@south.example
Call-ID: 1717@old.north.example
CSeq: 1 INVITE
Content-Length: 0

`,
    check: (message) => {
      expect(topVia(message)!.branch).toBe('')
      expect(tagOf(message, Header.From)).toBe('')
    },
  },
  {
    name: 'unksm2', shows: 'a scheme unknown here may stand in To, From and Contact',
    text: request('REGISTER', 'sip:south.example', 'Contact: <urn:uuid:6b1f>').replace('<sip:olli@south.example>', 'isbn:951015').replace('<sip:maija@north.example>', '<http://maija.north.example>'),
    check: (message) => expect(uriOf(message, Header.To)).toBeUndefined(),
  },
  {
    name: 'regaut01', shows: 'an authorization scheme nobody knows', text: request('REGISTER', 'sip:south.example', 'Authorization: Handshake grip=firm, seconds=3'),
    check: (message) => expect(message.get(Header.Authorization)).toBe('Handshake grip=firm, seconds=3'),
  },
  { name: 'bext01', shows: 'extensions nobody knows', text: request('OPTIONS', 'sip:south.example', 'Require: flying, swimming\nProxy-Require: diving, gliding') },
  { name: 'invut', shows: 'a body of unknown type', text: request('INVITE', 'sip:south.example', 'Content-Type: application/x-unheard-of', '<x/>') },
  { name: 'sdp01', shows: 'an Accept that leaves nothing to answer with', text: request('INVITE', 'sip:south.example', 'Accept: text/x-nothing') },
  {
    name: 'cparam01', shows: 'without brackets a parameter is the header\'s', text: request('REGISTER', 'sip:south.example', 'Contact: sip:+3585550100@gate.south.example;unheard'),
    check: (message) => {
      expect(uriOfContact(message).params).toBe('')
      expect(hasParam(nameAddrs(message, Header.Contact)![0]!.params, 'unheard')).toBe(true)
    },
  },
  {
    name: 'cparam02', shows: 'within brackets a parameter is the URI\'s', text: request('REGISTER', 'sip:south.example', 'Contact: <sip:+3585550100@gate.south.example;unheard>'),
    check: (message) => expect(uriOfContact(message).params).toBe(';unheard'),
  },
  {
    name: 'regescrt', shows: 'an escaped Route in a Contact URI stays as it is',
    text: request('REGISTER', 'sip:south.example', 'Contact: <sip:olli@south.example?Route=%3Csip:relay.south.example;lr%3E>'.replace(';lr', '%3Blr')),
    check: (message) => expect(uriOfContact(message).headers).toBe('Route=%3Csip:relay.south.example%3Blr%3E'),
  },
  {
    name: 'gruu', shows: 'a public GRUU, an empty gr, and quoted parameters with every separator inside',
    text: request('MESSAGE', 'sip:olli@south.example;gr=urn:uuid:6f0e', 'Contact: <sip:t@south.example;gr>;+sip.instance="<urn:uuid:a,b;c>";q=0.5, <sip:u@south.example>'),
    check: (message) => {
      expect(gruuOf(parseUri(message.requestUri)!)).toBe('urn:uuid:6f0e')
      const contacts = nameAddrs(message, Header.Contact)!
      expect(contacts).toHaveLength(2)
      expect([gruuOf(parseUri(contacts[0]!.uri)!), paramOf(contacts[0]!.params, '+sip.instance'), paramOf(contacts[0]!.params, 'q')]).toEqual(['', '"<urn:uuid:a,b;c>"', '0.5'])
    },
  },
  { name: 'ipv6-good', shows: 'IPv6 in Request-URI, Via and Contact', text: ipv6('sip:[2001:db8::77]'), check: (message) => expect(parseUri(message.requestUri)!.host).toBe('[2001:db8::77]') },
  {
    name: 'port-ambiguous', shows: 'what looks like a port inside the brackets is address',
    text: ipv6('sip:[2001:db8::77:5090]'), check: (message) => expect(parseUri(message.requestUri)).toMatchObject({ host: '[2001:db8::77:5090]', port: 0 }),
  },
  { name: 'port-unambiguous', shows: 'a port behind the brackets', text: ipv6('sip:[2001:db8::77]:5090'), check: (message) => expect(parseUri(message.requestUri)).toMatchObject({ host: '[2001:db8::77]', port: 5090 }) },
  {
    name: 'via-received-param-with-delim', shows: 'received with brackets around IPv6',
    text: ipv6('sip:south.example', ';received=[2001:db8::9:7]'), check: (message) => expect(receivedOf(topVia(message)!)).toBe('2001:db8::9:7'),
  },
  {
    name: 'via-received-param-no-delim', shows: 'received without brackets around IPv6',
    text: ipv6('sip:south.example', ';received=2001:db8::9:7'), check: (message) => expect(receivedOf(topVia(message)!)).toBe('2001:db8::9:7'),
  },
  { name: 'ipv6-in-sdp', shows: 'IPv6 in a body', text: ipv6('sip:south.example', '', 'v=0\nc=IN IP6 2001:db8::20\n') },
  { name: 'mult-ip-in-sdp', shows: 'both kinds in a body', text: ipv6('sip:south.example', '', 'v=0\nc=IN IP4 192.0.2.1\nc=IN IP6 2001:db8::20\n') },
  {
    name: 'mult-ip-in-header', shows: 'both kinds in Via',
    text: ipv6('sip:south.example').replace('Max-Forwards', 'Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKfour\nMax-Forwards'),
    check: (message) => expect(message.getAll(Header.Via).map((value) => parseVia(value)!.host)).toEqual(['[2001:db8::9]', '192.0.2.7']),
  },
  { name: 'ipv4-mapped-ipv6', shows: 'an IPv4 address inside IPv6', text: ipv6('sip:[::ffff:192.0.2.7]'), check: (message) => expect(parseUri(message.requestUri)!.host).toBe('[::ffff:192.0.2.7]') },
  { name: 'ipv6-bug-abnf-3-colons', shows: 'the three colons that the grammar of RFC 3261 allowed', text: ipv6('sip:olli@[2001:db8:::192.0.2.7]') },
  { name: 'ipv6-correct-abnf-2-colons', shows: 'the two colons that were meant', text: ipv6('sip:olli@[2001:db8::192.0.2.7]') },
]

function ipv6(uri: string, viaParams = '', body = ''): string {
  return `OPTIONS ${uri} SIP/2.0
Via: SIP/2.0/TCP [2001:db8::9]:6060;branch=z9hG4bK-six${viaParams}
Max-Forwards: 70
From: <sip:maija@[2001:db8::1]>;tag=m-6
To: <sip:olli@south.example>
Contact: <sip:maija@[2001:db8::1]:5070>
Call-ID: six@north.example
CSeq: 3 OPTIONS
Content-Length: *

${body}`
}

/** Responses that are legal. */
export const VALID_RESPONSES: readonly Vector[] = [
  {
    name: 'unreason', shows: 'a reason phrase in UTF-8', text: response('200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e'),
    check: (message) => expect(Buffer.from(message.reason, 'latin1').toString('utf8')).toBe('= 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e'),
  },
  { name: 'noreason', shows: 'an empty reason phrase with its space', text: response('100 '), check: (message) => expect([message.status, message.reason]).toEqual([100, '']) },
  { name: 'bcast', shows: 'a Via that leads to everybody', text: response('200 OK').replace('edge.north.example', '255.255.255.255'), check: (message) => expect(topVia(message)!.host).toBe('255.255.255.255') },
]

export function response(statusLine: string): string {
  return `SIP/2.0 ${statusLine}
Via: SIP/2.0/TCP edge.north.example;branch=z9hG4bK-torture-9
From: <sip:maija@north.example>;tag=m-9
To: <sip:olli@south.example>;tag=o-9
Call-ID: torture-9@north.example
CSeq: 5 INVITE
Content-Length: *

`
}
