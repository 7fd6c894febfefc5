/**
 * PAP's status codes (WAP-247 sections 8.13 and 8.14): their names and which element may carry which. One table; the
 * encoder refuses to write a code where the table has no mark.
 */

/** The elements that carry a code. */
export type CodeElement =
  | 'response-result' | 'cancel-result' | 'resultnotification-message' | 'resultnotification-response'
  | 'statusquery-result' | 'ccq-response' | 'badmessage-response'

const LETTERS: Readonly<Record<CodeElement, string>> = {
  'response-result': 'R',
  'cancel-result': 'C',
  'resultnotification-message': 'N',
  'resultnotification-response': 'A',
  'statusquery-result': 'S',
  'ccq-response': 'Q',
  'badmessage-response': 'B',
}

/** Code, name, and the letters above of the elements that may carry it. */
const ROWS: readonly (readonly [code: number, name: string, elements: string])[] = [
  [1000, 'OK', 'CNASQ'],
  [1001, 'Accepted for Processing', 'R'],
  [2000, 'Bad Request', 'RCASQB'],
  [2001, 'Forbidden', 'RCNSQ'],
  [2002, 'Address Error', 'RCNSQ'],
  [2003, 'Address Not Found', 'CS'],
  [2004, 'Push ID Not Found', 'RCS'],
  [2005, 'Capabilities Mismatch', 'RN'],
  [2006, 'Required Capabilities Not Supported', 'RN'],
  [2007, 'Duplicate Push ID', 'R'],
  [2008, 'Cancellation Not Possible', 'RCN'],
  [3000, 'Internal Server Error', 'RCSQ'],
  [3001, 'Not Implemented', 'CSQ'],
  [3002, 'Version Not Supported', 'B'],
  [3003, 'Not Possible', 'CS'],
  [3004, 'Capability Matching Not Supported', 'R'],
  [3005, 'Multiple Addresses Not Supported', 'RCS'],
  [3006, 'Transformation Failure', 'RNS'],
  [3007, 'Specified Delivery Method Not Possible', 'RNS'],
  [3008, 'Capabilities Not Available', 'Q'],
  [3009, 'Required Network Not Available', 'RNS'],
  [3010, 'Required Bearer Not Available', 'RNS'],
  [3011, 'Replacement Not Supported', 'R'],
  [4000, 'Service Failure', 'NS'],
  [4001, 'Service Unavailable', 'NS'],
  [5000, 'Mobile Client Aborted', 'NS'],
]

const BY_CODE: ReadonlyMap<number, (typeof ROWS)[number]> = new Map(ROWS.map((row) => [row[0], row]))

/** The codes of the table; 5000 stands for its whole class. */
export const CODES: readonly number[] = ROWS.map((row) => row[0])

/** Whether the table lets an element carry a code. Any code of class 5 counts as 5000 (section 8.14.5). */
export function codeAllowed(element: CodeElement, code: number): boolean {
  const row = BY_CODE.get(code >= 5000 && code <= 5999 ? 5000 : code)
  return row !== undefined && row[2].includes(LETTERS[element])
}

/** The code as far as we know it: itself, or x000 of its class for a code that is not in the table (section 8.13). */
export function knownCode(code: number): number {
  if (BY_CODE.has(code) || (code >= 5000 && code <= 5999)) return code
  return Math.floor(code / 1000) * 1000
}

/** The code's name, that of its class for an unknown one; `Unknown` outside the five classes. */
export function codeName(code: number): string {
  const known = knownCode(code)
  return BY_CODE.get(known >= 5000 && known <= 5999 ? 5000 : known)?.[1] ?? 'Unknown'
}

/** 5abc: the WSP abort reason or X-Wap-Push-Status (0 to 999) in decimal (section 8.14.5); 5000 for one that does not fit below the private range. */
export function abortCode(reason: number): number {
  return Number.isInteger(reason) && reason >= 0 && reason < 500 ? 5000 + reason : 5000
}
