/** PAP documents of one small service, as its initiator and its gateway write them: each kind of message once, and bad ones. */
import { PROLOGUE_2_0, prologue } from './pap-oracle.js'

const PLMN = 'WAPPUSH=+46701230042/TYPE=PLMN@ppg.lighthouse.example'
const USER = 'WAPPUSH=sip%3Aelsa.n%40ims.lighthouse.example/TYPE=USER@ppg.lighthouse.example'
const IPV4 = 'WAPPUSH=198.51.100.7/TYPE=IPv4@ppg.lighthouse.example'
const ID = 'fog/2031-77@beacon.example'

const address = (value: string) => `<address address-value="${value}"/>`
const document = (message: string, product = '') => `${PROLOGUE_2_0}<pap${product}>${message}</pap>\n`

/** By name: a document the DTD allows, whitespace between elements as people write it. */
export const GOOD: Readonly<Record<string, string>> = {
  'E1 push to three addresses within a time window': document(
    `<push-message push-id="${ID}" deliver-after-timestamp="2031-02-03T05:00:00Z" deliver-before-timestamp="2031-02-03T08:30:00Z" ` +
    'source-reference="Fog watch, north" ppg-notify-requested-to="https://beacon.example/pap?run=77&amp;zone=n" progress-notes-requested="true">\n' +
    `  ${address(PLMN)}\n  ${address(USER)}\n  ${address(IPV4)}\n` +
    '  <quality-of-service priority="high" delivery-method="confirmed" network="GSM" bearer="GPRS" bearer-required="false"/>\n</push-message>',
    ' product-name="Beacon/1.4"'),
  'E1r its acceptance with two progress notes': document(
    `<push-response push-id="${ID}" sender-address="https://ppg.lighthouse.example/pap" sender-name="Lighthouse" reply-time="2031-02-03T04:58:00Z">` +
    '<progress-note stage="validation" note="valid" time="2031-02-03T04:58:00Z"/><progress-note stage="addressing"/>' +
    '<response-result code="1001" desc="Accepted for Processing"/></push-response>'),
  'E2 notification of a confirmed delivery': document(
    `<resultnotification-message push-id="${ID}" sender-address="https://ppg.lighthouse.example/pap" received-time="2031-02-03T04:58:00Z" ` +
    `event-time="2031-02-03T05:00:02Z" message-state="delivered" code="1000" desc="OK">${address(PLMN)}` +
    '<quality-of-service priority="high" delivery-method="confirmed"/></resultnotification-message>'),
  'E2a its acknowledgement': document(`<resultnotification-response push-id="${ID}" code="1000">${address(PLMN)}</resultnotification-response>`),
  'E3 status query for every recipient': document(`<statusquery-message push-id="${ID}"/>`),
  'E3r grouped answer': document(
    `<statusquery-response push-id="${ID}"><statusquery-result event-time="2031-02-03T05:00:02Z" message-state="delivered" code="1000">` +
    `${address(PLMN)}</statusquery-result><statusquery-result message-state="pending" code="1000">${address(USER)}${address(IPV4)}` +
    '<quality-of-service delivery-method="unconfirmed"/></statusquery-result></statusquery-response>'),
  'E4 cancel for two recipients': document(`<cancel-message push-id="${ID}">${address(PLMN)}${address(IPV4)}</cancel-message>`),
  'E4r one cancelled, one not': document(
    `<cancel-response push-id="${ID}"><cancel-result code="1000">${address(IPV4)}</cancel-result>` +
    `<cancel-result code="2008" desc="on its way">${address(PLMN)}</cancel-result></cancel-response>`),
  'E5 capability query': document(`<ccq-message query-id="q-9" app-id="x-wap-application:mms.ua">${address(PLMN)}</ccq-message>`),
  'E5r its answer': document(`<ccq-response query-id="q-9" code="3008" desc="not known">${address(PLMN)}</ccq-response>`),
  'E6 replacement of what is still pending': document(
    `<push-message push-id="fog/2031-78@beacon.example" replace-push-id="${ID}" replace-method="pending-only">${address(IPV4)}` +
    '<quality-of-service delivery-method="unconfirmed"/></push-message>'),
  'E7 bad message': document('<badmessage-response code="2000" desc="Bad Request" bad-message-fragment="&lt;push-mesage push-id=&quot;1&quot;&gt;"/>'),
}

export interface BadExample {
  readonly xml: string
  readonly answer: 'push-response' | 'badmessage-response' | 'cancel-response' | 'statusquery-response' | 'ccq-response'
  readonly code: 2000 | 3002
  /** What the description for people must hold. */
  readonly says: RegExp
}

const push = (attributes: string, children: string) => document(`<push-message ${attributes}>${children}</push-message>`)

/** By defect: the document, and the answer it gets. */
export const BAD: Readonly<Record<string, BadExample>> = {
  'B1 no push-id': {
    xml: push('', address(PLMN)),
    answer: 'badmessage-response', code: 2000, says: /needs the attribute push-id \(line 3, column 6\)/,
  },
  'B2 quality of service before the address': {
    xml: push('push-id="b2"', `<quality-of-service/>${address(PLMN)}`),
    answer: 'push-response', code: 2000, says: /at least one address here, not quality-of-service/,
  },
  'B2 a priority that does not exist': {
    xml: push('push-id="b2"', `${address(PLMN)}<quality-of-service priority="urgent"/>`),
    answer: 'push-response', code: 2000, says: /priority is "urgent" and must be high, medium, low/,
  },
  'B2 yes for true': {
    xml: push('push-id="b2" progress-notes-requested="yes"', address(PLMN)),
    answer: 'push-response', code: 2000, says: /progress-notes-requested is "yes" and must be true or false/,
  },
  'B3 entities declared in the internal subset': {
    xml: `${prologue('2.0', ' [<!ENTITY a "AAAA"><!ENTITY b "&a;&a;&a;">]')}<pap><push-message push-id="&b;">${address(PLMN)}</push-message></pap>`,
    answer: 'badmessage-response', code: 2000, says: /internal subset holds <!ENTITY/,
  },
  'B4 a date in another format': {
    xml: push('push-id="b4" deliver-before-timestamp="03/02/2031 08:30"', address(PLMN)),
    answer: 'push-response', code: 2000, says: /deliver-before-timestamp is .* YYYY-MM-DDThh:mm:ssZ/,
  },
  'a date the calendar lacks': {
    xml: push('push-id="b4" deliver-before-timestamp="2031-02-29T08:30:00Z"', address(PLMN)),
    answer: 'push-response', code: 2000, says: /existing UTC time/,
  },
  'B6 a version nobody has': {
    xml: `${prologue('9.0')}<pap><push-message push-id="b6">${address(PLMN)}</push-message></pap>`,
    answer: 'badmessage-response', code: 3002, says: /PAP 9\.0 is not supported/,
  },
  'no address': { xml: push('push-id="n1"', ''), answer: 'push-response', code: 2000, says: /at least one address/ },
  'an address without value': {
    xml: push('push-id="n2"', '<address/>'),
    answer: 'push-response', code: 2000, says: /needs the attribute address-value/,
  },
  'an element the DTD lacks': {
    xml: push('push-id="n3"', `${address(PLMN)}<content/>`),
    answer: 'push-response', code: 2000, says: /content may not stand here/,
  },
  'an attribute the DTD lacks': {
    xml: push('push-id="n4" colour="red"', address(PLMN)),
    answer: 'push-response', code: 2000, says: /no attribute colour/,
  },
  'two quality-of-service elements': {
    xml: push('push-id="n5"', `${address(PLMN)}<quality-of-service/><quality-of-service/>`),
    answer: 'push-response', code: 2000, says: /quality-of-service may not stand here/,
  },
  'text between elements': { xml: push('push-id="n6"', `${address(PLMN)} hello`), answer: 'push-response', code: 2000, says: /may not hold text/ },
  'an enumeration in upper case': {
    xml: push('push-id="n7"', `${address(PLMN)}<quality-of-service priority="HIGH"/>`),
    answer: 'push-response', code: 2000, says: /priority is "HIGH"/,
  },
  'an empty push-id': { xml: push('push-id=""', address(PLMN)), answer: 'badmessage-response', code: 2000, says: /1 to 512 characters/ },
  'a push-id of 513 characters': {
    xml: push(`push-id="${'i'.repeat(513)}"`, address(PLMN)),
    answer: 'badmessage-response', code: 2000, says: /it has 513/,
  },
  'more than 1000 addresses': {
    xml: push('push-id="n8"', address(PLMN).repeat(1001)),
    answer: 'push-response', code: 2000, says: /more than 1000 address/,
  },
  'two messages in one document': {
    xml: document(`<push-message push-id="n9">${address(PLMN)}</push-message><cancel-message push-id="n9"/>`),
    answer: 'push-response', code: 2000, says: /second message, cancel-message/,
  },
  'no message': { xml: document(''), answer: 'badmessage-response', code: 2000, says: /holds no message/ },
  'another root element': {
    xml: '<si><indication href="http://a.example"/></si>',
    answer: 'badmessage-response', code: 2000, says: /root element is si/,
  },
  'a message nobody knows': {
    xml: document('<push-mesage push-id="n10"/>'),
    answer: 'badmessage-response', code: 2000, says: /push-mesage is not a PAP message/,
  },
  'an element left open behind a readable push-id': {
    xml: `${PROLOGUE_2_0}<pap><push-message push-id="n11">${address(PLMN)}</pap>`,
    answer: 'push-response', code: 2000, says: /unexpected close tag \(line 3, column 119\)/,
  },
  'a cancel with an unknown attribute': {
    xml: document('<cancel-message push-id="n12" why="x"/>'),
    answer: 'cancel-response', code: 2000, says: /no attribute why/,
  },
  'a status query with a foreign element': {
    xml: document('<statusquery-message push-id="n13"><x/></statusquery-message>'),
    answer: 'statusquery-response', code: 2000, says: /x may not stand here/,
  },
  'a capability query for two addresses': {
    xml: document(`<ccq-message query-id="q">${address(PLMN)}${address(USER)}</ccq-message>`),
    answer: 'ccq-response', code: 2000, says: /address may not stand here/,
  },
  'a replacement in PAP 1.0': {
    xml: `${prologue('1.0')}<pap><push-message push-id="n14" replace-push-id="o">${address(PLMN)}</push-message></pap>`,
    answer: 'push-response', code: 2000, says: /no attribute replace-push-id in PAP 1\.0/,
  },
}
