/**
 * The ways a terminal can be a bad peer, by name: what each means, so that scenarios and tests can ask for one. Names
 * only; where each shows is written where it shows.
 *
 * - never-answers: an INVITE rings and gets no final answer; every other request is not heard at all
 * - answers-late: every request is answered, after `lateMicros`
 * - answers-twice: every answer is sent a second time, with another To tag (to an INVITE: as another device behind a fork would), and every
 *   MSRP answer and report too
 * - closes-mid-chunk: closes the MSRP connection when the first octets of a content have come
 * - refuses-type: says in OPTIONS and SDP that it takes a type, and answers 415 when it comes
 * - refuses-size: says nothing of a limit, and answers 413 when content comes
 * - lies-about-support: OPTIONS and registration name every method; an INVITE gets 488, a NOTIFY 489
 * - wrong-ranges: its MSRP success reports name one octet less than it has
 */
export const MISBEHAVIOURS = [
  'never-answers', 'answers-late', 'answers-twice', 'closes-mid-chunk', 'refuses-type', 'refuses-size', 'lies-about-support', 'wrong-ranges',
] as const
export type Misbehaviour = (typeof MISBEHAVIOURS)[number]
