/**
 * Messages of our own that must be refused, each with the status a request is answered with or `drop` for a response:
 * the conditions of RFC 4475 sections 3.1.2, 3.2 and 3.3 and of RFC 5118 that the codec decides.
 */
import { request, response } from './sip-torture-valid.js'

export interface Refusal {
  readonly name: string
  readonly shows: string
  readonly text: string
  readonly answer: number | 'drop'
  /** A word the explanation must hold. */
  readonly says: string
  /** On a stream these end the connection, because nobody can tell where the next message starts. */
  readonly breaksStream?: boolean
}

const plain = request('OPTIONS', 'sip:olli@south.example', '')
const edited = (from: string | RegExp, to: string) => plain.replace(from, to)

export const REFUSED: readonly Refusal[] = [
  { name: 'badinv01', shows: 'separators with nothing between them in Via', text: edited(/;branch=\S+/, ';;,;,,'), answer: 400, says: 'Via' },
  { name: 'badinv01 contact', shows: 'separators with nothing between them in Contact', text: request('INVITE', 'sip:south.example', 'Contact: "Joe" <sip:joe@south.example>;;;;'), answer: 400, says: 'Contact' },
  { name: 'ncl', shows: 'a negative Content-Length', text: edited('Content-Length: *', 'Content-Length: -12'), answer: 400, says: 'Content-Length', breaksStream: true },
  { name: 'ncl sign', shows: 'a Content-Length with a plus', text: edited('Content-Length: *', 'Content-Length: +0'), answer: 400, says: 'Content-Length', breaksStream: true },
  { name: 'mcl01', shows: 'two lengths', text: edited('Content-Length: *', 'Content-Length: 0\nContent-Length: 5'), answer: 400, says: 'more than one', breaksStream: true },
  { name: 'mcl01 compact', shows: 'two lengths, one of them compact', text: edited('Content-Length: *', 'Content-Length: 0\nl: 0'), answer: 400, says: 'more than one', breaksStream: true },
  { name: 'scalar02 cseq', shows: 'CSeq above 2^31 - 1', text: edited('CSeq: 7', 'CSeq: 2147483648'), answer: 400, says: 'CSeq' },
  { name: 'scalar02 huge cseq', shows: 'CSeq with many digits', text: edited('CSeq: 7', 'CSeq: 36893488147419103232'), answer: 400, says: 'CSeq' },
  { name: 'scalar02 max-forwards', shows: 'Max-Forwards above 255', text: edited('Max-Forwards: 70', 'Max-Forwards: 256'), answer: 400, says: 'Max-Forwards' },
  { name: 'scalar02 expires', shows: 'Expires above 2^32 - 1', text: request('REGISTER', 'sip:south.example', 'Expires: 4294967296'), answer: 400, says: 'Expires' },
  { name: 'scalar negative', shows: 'a negative Max-Forwards', text: edited('Max-Forwards: 70', 'Max-Forwards: -1'), answer: 400, says: 'Max-Forwards' },
  { name: 'quotbal', shows: 'a quote that never closes', text: edited('<sip:olli', '"Olli <sip:olli'), answer: 400, says: 'To' },
  { name: 'ltgtruri', shows: 'brackets around the Request-URI', text: edited('sip:olli@south.example', '<sip:olli@south.example>'), answer: 400, says: 'Request-URI' },
  { name: 'lwsruri', shows: 'a space inside the Request-URI', text: edited('sip:olli@south.example', 'sip:olli@south.example; lr'), answer: 400, says: 'one space' },
  { name: 'lwsstart', shows: 'several spaces in the first line', text: edited('OPTIONS sip:olli@south.example', 'OPTIONS  sip:olli@south.example '), answer: 400, says: 'line' },
  { name: 'trws', shows: 'spaces behind SIP/2.0', text: edited('SIP/2.0\n', 'SIP/2.0  \n'), answer: 400, says: 'SIP/2.0' },
  { name: 'escruri', shows: 'headers in the Request-URI', text: edited('sip:olli@south.example', 'sip:olli@south.example?Route=%3Csip:a.example%3E'), answer: 400, says: 'question mark' },
  { name: 'regbadct', shows: 'a Contact with ? and no brackets', text: request('REGISTER', 'sip:south.example', 'Contact: sip:olli@south.example?Route=%3Csip:a.example%3E'), answer: 400, says: 'Contact' },
  { name: 'badaspec', shows: 'spaces between brackets and URI', text: edited('<sip:olli@south.example>', '"Olli, O" < sip:olli@south.example >'), answer: 400, says: 'To' },
  { name: 'baddn', shows: 'a comma in an unquoted display name', text: edited('"Maija" <sip', 'Maija, M <sip'), answer: 400, says: 'From' },
  { name: 'badvers', shows: 'another version', text: edited('SIP/2.0\n', 'SIP/7.0\n'), answer: 505, says: 'SIP/7.0' },
  { name: 'mismatch01', shows: 'CSeq names another method', text: edited('CSeq: 7 OPTIONS', 'CSeq: 7 INVITE'), answer: 400, says: 'CSeq' },
  { name: 'mismatch02', shows: 'the same with a method nobody knows', text: edited('OPTIONS sip', 'NOVELTY sip'), answer: 400, says: 'CSeq' },
  { name: 'badbranch', shows: 'a branch that is only the cookie', text: edited(/branch=\S+/, 'branch=z9hG4bK'), answer: 400, says: 'branch' },
  { name: 'insuf Call-ID', shows: 'no Call-ID', text: edited(/Call-ID: .*\n/, ''), answer: 400, says: 'Call-ID' },
  { name: 'insuf From', shows: 'no From', text: edited(/From: .*\n/, ''), answer: 400, says: 'From' },
  { name: 'insuf To', shows: 'no To', text: edited(/To: .*\n/, ''), answer: 400, says: 'To' },
  { name: 'insuf CSeq', shows: 'no CSeq', text: edited(/CSeq: .*\n/, ''), answer: 400, says: 'CSeq' },
  { name: 'unkscm', shows: 'a scheme nobody knows', text: edited('sip:olli@south.example', 'nobodyhasthis:whatever'), answer: 416, says: 'nobodyhasthis' },
  { name: 'novelsc', shows: 'a scheme others know', text: edited('sip:olli@south.example', 'soap.beep://192.0.2.3:3002'), answer: 416, says: 'soap.beep' },
  { name: 'multi01', shows: 'fields repeated that may stand once', text: request('INVITE', 'sip:south.example', 'CSeq: 8 INVITE\nCall-ID: two\nMax-Forwards: 5\nTo: <sip:b@c.example>'), answer: 400, says: 'more than one' },
  { name: 'multi01 from', shows: 'two From', text: edited('To:', 'From: <sip:b@c.example>;tag=2\nTo:'), answer: 400, says: 'more than one From' },
  { name: 'ipv6-bad', shows: 'IPv6 without brackets', text: edited('sip:olli@south.example', 'sip:2001:db8::10'), answer: 400, says: 'Request-URI' },
  { name: 'no colon', shows: 'a header line without colon', text: edited('To:', 'This is no header\nTo:'), answer: 400, says: 'colon' },
  { name: 'bad name', shows: 'a header name that is no token', text: edited('To:', 'Bad(name): 1\nTo:'), answer: 400, says: 'token' },
  { name: 'folded first line', shows: 'a header section that begins with a space', text: edited('SIP/2.0\n', 'SIP/2.0\n \n'), answer: 400, says: 'line' },
  { name: 'port 0', shows: 'a port that is none', text: edited('sip:olli@south.example', 'sip:olli@south.example:0'), answer: 400, says: 'Request-URI' },
  { name: 'port 65536', shows: 'a port above 65535', text: edited('edge.north.example', 'edge.north.example:65536'), answer: 400, says: 'Via' },
  { name: 'contact star', shows: 'Contact * outside REGISTER', text: request('INVITE', 'sip:south.example', 'Contact: *'), answer: 400, says: 'Contact' },
]

export const REFUSED_RESPONSES: readonly Refusal[] = [
  { name: 'bigcode', shows: 'a status with ten digits', text: response('4294967301 too big'), answer: 'drop', says: 'status line' },
  { name: 'status 700', shows: 'a class that does not exist', text: response('700 none'), answer: 'drop', says: 'status line' },
  { name: 'scalarlg', shows: 'CSeq out of range', text: response('503 no').replace('CSeq: 5', 'CSeq: 9292394834772304023312'), answer: 'drop', says: 'CSeq' },
  { name: 'scalarlg retry', shows: 'Retry-After out of range', text: response('503 no').replace('CSeq', 'Retry-After: 949302838503028349304023988\nCSeq'), answer: 'drop', says: 'Retry-After' },
  { name: 'response without Via', shows: 'nothing that says whose it is', text: response('200 OK').replace(/Via: .*\n/, ''), answer: 'drop', says: 'Via' },
]

/** Conditions that parse and pass here, and that elements decide: named so that nobody looks for them in the codec. */
export const DECIDED_ELSEWHERE: Readonly<Record<string, string>> = {
  esc02: 'unknown method: 501 or 405 by the UAS', intmeth: 'unknown method: 501 or 405 by the UAS', zeromf: '483 by a proxy',
  bext01: '420 by UAS and proxy', invut: '415 by the UAS', sdp01: '406 by the UAS', regaut01: '401 by the registrar',
  unksm2: '400 by the registrar', bcast: 'the endpoint drops a response whose top Via is not its own',
  regescrt: 'whoever sends to that contact adds the Route', inv2543: 'matched by RFC 2543 rules in the transaction layer',
}
