/**
 * SIP messages to damage, and ones that are already as bad as they get. No host in them is an address, so that nothing
 * damaged can be sent anywhere but back (RFC 3261 section 18.2.2: to where it came from).
 */
export type Transport = 'TCP' | 'UDP'

/** A whole request as text; `serial` keeps transactions apart. */
export function sipRequest(method: string, transport: Transport, serial: string, uri = 'sip:user999999@home1.example', further: readonly string[] = [], body = ''): string {
  return [
    `${method} ${uri} SIP/2.0`, `Via: SIP/2.0/${transport} client.invalid;branch=z9hG4bK${serial};rport`, 'Max-Forwards: 70', 'From: <sip:stranger@elsewhere.invalid>;tag=h',
    `To: <${uri}>`, `Call-ID: ${serial}@client.invalid`, `CSeq: 1 ${method}`, ...further, `Content-Length: ${body.length}`, '', body,
  ].join('\r\n')
}

/** What each door understands, before it is damaged. */
export function sipTexts(transport: Transport): string[] {
  const contact = 'Contact: <sip:stranger@client.invalid>;+sip.instance="<urn:uuid:00000000-0000-4000-8000-000000000000>";+g.oma.pusheventapp="push.sia";q=0.5;expires=60'
  const request = (method: string, further: readonly string[] = [], body = ''): string => sipRequest(method, transport, `${method}-to-damage`, undefined, further, body)
  const inner = request('REGISTER', [contact])
  return [
    request('REGISTER', [contact, 'Supported: path, gruu', 'Authorization: Digest username="user999999@home1.example", realm="home1.example", nonce="abc", uri="sip:home1.example", response="0123456789abcdef0123456789abcdef", algorithm=MD5, qop=auth, nc=00000001, cnonce="x"']),
    request('MESSAGE', ['P-Asserted-Identity: "Push" <sip:push@home1.example>', 'Accept-Contact: *;+g.oma.pusheventapp="push.sia";require;explicit', 'Content-Type: text/plain;charset="utf-8"'], 'hello'),
    request('REGISTER', [contact, 'Content-Type: multipart/mixed;boundary="b"'], `--b\r\nContent-Type: message/sip\r\n\r\n${inner}\r\n--b\r\nContent-Type: message/sip\r\n\r\nSIP/2.0 200 OK\r\n\r\n\r\n--b--\r\n`),
    request('OPTIONS', ['Accept: application/sdp, */*', 'Require: gruu, 100rel', 'Route: <sip:pcscf.home1.example;lr>, <sip:token@scscf.home1.example;lr;orig>']),
    request('INVITE', [contact, 'Content-Type: application/sdp', 'Record-Route: <sip:x.invalid;lr>'], 'v=0\r\n'),
    request('ACK'), request('CANCEL'), request('SUBSCRIBE', [contact, 'Event: reg', 'Expires: 600000']), request('BYE'),
    request('MESSAGE').replace('MESSAGE sip:user999999@home1.example SIP/2.0', 'SIP/2.0 200 OK'),
  ]
}

/** Each alone is worth a connection. */
export function sipHorrors(transport: Transport): string[] {
  const request = (further: readonly string[]): string => sipRequest('MESSAGE', transport, 'horror', undefined, further)
  const withLength = (length: string): string => request([]).replace('Content-Length: 0', `Content-Length: ${length}`)
  return [
    withLength('99999999999999999999'), withLength('-1'), withLength('1e3'), withLength('400000'), withLength('5\r\nContent-Length: 6'), withLength(''),
    request([`Subject: ${'x'.repeat(70_000)}`]), request([`Subject: ${'('.repeat(20_000)}`]), request([`Subject: "${'\\'.repeat(20_001)}`]),
    request(Array.from({ length: 2_000 }, (_, index) => `Via: SIP/2.0/${transport} v${index}.invalid;branch=z9hG4bK${index}`)),
    request([`Contact: ${'<sip:a@b.invalid>,'.repeat(3_000)}<sip:a@b.invalid>`]), request([`Route: ${','.repeat(20_000)}`]), request([`Accept-Contact: ${';a="b"'.repeat(10_000)}`]),
    request(['Max-Forwards: 0']), request(['Max-Forwards: -1']), request(['Max-Forwards: 99999999999']), request(['CSeq: 99999999999 MESSAGE']), request(['CSeq: 1 INVITE']), request(['To: <sip:twice@home1.example>']),
    '\r\n'.repeat(20_000), '\r\n\r\n'.repeat(2_000), '\0'.repeat(5_000), 'A'.repeat(100_000), `${'MESSAGE '.repeat(500)}\r\n\r\n`,
    request([]).replace('SIP/2.0', 'SIP/3.0'), request([]).replaceAll('\r\n', '\n'), request([]).replaceAll('\r\n', '\r'), request([' folded', '\tfolded again']), request(['No colon here']), request([': no name']),
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', 'SIP/2.0 999999 X\r\n\r\n', 'SIP/2.0 200\r\n\r\n',
    `INVITE sip:${'a'.repeat(60_000)}@home1.example SIP/2.0\r\n\r\n`, sipRequest('MESSAGE', transport, 'loop', 'sip:[::ffff:0:0:0:0:0:0:0:0]'), sipRequest('x'.repeat(5_000), transport, 'long'),
  ]
}
