/** Cancellations, status queries and replacements put to the gateway of gateway-world.ts, and their answers in a line each. */
import { decodePap } from '../../core/pap/decode.js'
import type { PapMessage, StatusQueryResult } from '../../core/pap/documents.js'
import { encodePap } from '../../core/pap/encode.js'
import { complaintOf } from '../conformance/pap-oracle.js'
import { GatewayWorld, MapStore, type WorldOptions } from './gateway-world.js'

/** A gateway started over a copy of what another one flushed: each branch goes on from the same saved state. */
export function branch(saved: MapStore, options: WorldOptions = {}): GatewayWorld {
  const store = new MapStore()
  for (const [key, value] of saved.durable) store.durable.set(key, Buffer.from(value))
  return new GatewayWorld(options, store)
}

/** The request's number, as `answerOf` wants it. */
export function ask(world: GatewayWorld, type: 'cancel-message' | 'statusquery-message', pushId: string, addresses: readonly string[] = [], initiator?: string): number {
  return world.post('application/xml', Buffer.from(encodePap({ type, pushId, addresses }, '2.0')), initiator)
}

/** The document that answered a request, valid by the DTD; `503`, or undefined as long as there is none. */
export function answerOf(world: GatewayWorld, id: number): PapMessage | 503 | undefined {
  const reply = world.replies.find((each) => each.id === id)
  if (reply === undefined) return undefined
  if (reply.status === 503) return 503
  const complaint = complaintOf(reply.body)
  if (complaint !== undefined) throw new Error(complaint)
  const document = decodePap(reply.body)
  if (!document.ok) throw new Error(document.desc)
  return document.message
}

/** `code address address` for each result of a cancel-response. */
export function cancelled(world: GatewayWorld, id: number): string[] | 503 | undefined {
  const answer = answerOf(world, id)
  if (typeof answer !== 'object') return answer
  if (answer.type !== 'cancel-response') throw new Error(answer.type)
  return answer.results.map(({ code, addresses }) => [code, ...addresses.map(nameOf)].join(' '))
}

export function cancel(world: GatewayWorld, pushId: string, addresses: readonly string[] = [], initiator?: string): string[] | 503 | undefined {
  return cancelled(world, ask(world, 'cancel-message', pushId, addresses, initiator))
}

export function statuses(world: GatewayWorld, pushId: string, addresses: readonly string[] = [], initiator?: string): readonly StatusQueryResult[] {
  const answer = answerOf(world, ask(world, 'statusquery-message', pushId, addresses, initiator))
  if (typeof answer !== 'object' || answer.type !== 'statusquery-response') throw new Error(`${typeof answer === 'object' ? answer.type : answer}`)
  return answer.results
}

/** `state code address address` for each result of a statusquery-response. */
export function status(world: GatewayWorld, pushId: string, addresses: readonly string[] = [], initiator?: string): string[] {
  return statuses(world, pushId, addresses, initiator).map(({ messageState, code, addresses: told }) => [messageState, code, ...told.map(nameOf)].join(' '))
}

/** The user of a PAP address of the test domain, or what else the text is. */
export function nameOf(address: string): string {
  return /^WAPPUSH=([^/]*)\/TYPE=USER@ppg\.example$/.exec(address)?.[1] ?? address
}

/** `push-id user state code` of every result notification. */
export function notified(world: GatewayWorld): string[] {
  return world.notifies.map(({ body }) => {
    const document = decodePap(body)
    if (!document.ok || document.message.type !== 'resultnotification-message') throw new Error(body)
    const { pushId, address, messageState, code } = document.message
    return `${pushId} ${nameOf(address)} ${messageState} ${code}`
  })
}
