/** Submissions to damage, and HTTP exchanges that are no submissions at all. What is accepted among them goes to nobody who exists. */
const PROLOGUE = '<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.1//EN" "http://www.openmobilealliance.org/tech/DTD/pap_2.1.dtd">'
export const CONTENT_TYPE = 'multipart/related; boundary=edge; type="application/xml"'

/** A whole body of multipart/related; its one recipient does not exist. */
export function papBody(pushId: string, control = ''): string {
  return [
    '--edge', 'Content-Type: application/xml; charset=utf-8', '',
    `${PROLOGUE}<pap><push-message push-id="${pushId}" deliver-before-timestamp="2037-01-01T00:00:00Z" source-reference="x"><address address-value="WAPPUSH=sip:nobody@home1.example/TYPE=USER@ppg.pushbench.example"/>`
    + `<quality-of-service priority="high" delivery-method="confirmed"/></push-message>${control}</pap>`,
    '--edge', 'Content-Type: text/vnd.wap.si', 'X-Wap-Application-Id: x-wap-application:push.sia', 'Content-Transfer-Encoding: base64', '', 'aGVsbG8=', '--edge--', '',
  ].join('\r\n')
}

export function papPost(body: string, headers: readonly string[] = [`Content-Type: ${CONTENT_TYPE}`, `Content-Length: ${body.length}`]): string {
  return ['POST /pap HTTP/1.1', 'Host: gateway', ...headers, '', body].join('\r\n')
}

/** Other documents of PAP's, and things that are none, all to be answered. */
export function papBodies(): string[] {
  const alone = (element: string): string => ['--edge', 'Content-Type: application/xml', '', `${PROLOGUE}<pap>${element}</pap>`, '--edge--', ''].join('\r\n')
  return [
    papBody('damaged-1@hostile.invalid'), papBody('damaged-2@hostile.invalid', '<address/>'), alone('<cancel-message push-id="x"><address address-value="y"/></cancel-message>'),
    alone('<statusquery-message push-id="x"/>'), alone('<ccq-message query-id="1"><address address-value="z"/></ccq-message>'), alone('<push-response push-id="x"><response-result code="1001"/></push-response>'),
  ]
}

/** Hostile on the level of HTTP; each is worth a connection. */
export function httpHorrors(): string[] {
  const body = papBody('http@hostile.invalid')
  const typed = `Content-Type: ${CONTENT_TYPE}`
  const chunked = (chunks: string): string => papPost(chunks, [typed, 'Transfer-Encoding: chunked'])
  return [
    'GET /pap HTTP/1.1\r\nHost: x\r\n\r\n', 'TRACE /pap HTTP/1.1\r\nHost: x\r\n\r\n', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 'POST /pap HTTP/1.1\r\n\r\n', 'POST http://[::1/pap HTTP/1.1\r\nHost: x\r\n\r\n', 'POST * HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
    papPost(body, [typed, `Content-Length: ${body.length}`, `Content-Length: ${body.length + 1}`]), papPost(body, [typed, `Content-Length: ${body.length}`, 'Transfer-Encoding: chunked']), papPost(body, [typed, 'Content-Length: -5']),
    papPost(body, [typed, 'Content-Length: 99999999999999999999']), papPost(body, [typed]), papPost('', [typed, 'Content-Length: 0']), papPost(body, [`Content-Length: ${body.length}`]), papPost(body, ['Content-Type: text/plain', `Content-Length: ${body.length}`]),
    papPost(body, [typed, `Content-Length: ${body.length}`, 'Expect: 200-maybe']), papPost(body, [typed, `Content-Length: ${body.length}`, 'Connection: upgrade', 'Upgrade: h2c']), papPost(body, [typed, `Content-Length: ${body.length}`, `X: ${'y'.repeat(100_000)}`]),
    papPost(body, [typed, `Content-Length: ${body.length}`, ...Array.from({ length: 3_000 }, (_, index) => `X${index}: y`)]),
    papPost(body, [`Content-Type: multipart/related; boundary=${'e'.repeat(5_000)}`, `Content-Length: ${body.length}`]), papPost(body, ['Content-Type: multipart/related', `Content-Length: ${body.length}`]),
    chunked('FFFFFFFFFFFFFFFFF\r\nx'), chunked('-1\r\nx'), chunked(`5;${'e'.repeat(50_000)}\r\nhello\r\n0\r\n\r\n`), chunked('5\r\nhelloworld\r\n0\r\n\r\n'), chunked(`${'1\r\na\r\n'.repeat(5_000)}0\r\n\r\n`),
    papPost('--edge\r\n'.repeat(50_000)), papPost(`--edge\r\n${'A: b\r\n'.repeat(20_000)}\r\n`), papPost(papBody('x@hostile.invalid').replace('<pap>', '<a>'.repeat(20_000))), papPost('x'.repeat(2_000_000)),
    papPost(papBody('x@hostile.invalid').replace('DOCTYPE pap', 'DOCTYPE pap [<!ENTITY a "b">]')), papPost(`${body}`).repeat(200), 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', 'OPTIONS sip:x SIP/2.0\r\n\r\n', '\0'.repeat(20_000),
  ]
}
