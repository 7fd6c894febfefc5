/**
 * Pushes of a store as lines: one a recipient for who looks through them, the whole history of one for who asks about it, and
 * one JSON object a push for programs. Texts only; it knows no file and no store. Times are UTC.
 */
import type { StoredOutcome, StoredPush, StoredRecipient } from '../../core/live/store-reader.js'

const STATE_WIDTH = 18
const PUSH_ID_WIDTH = 32
const TIME_WIDTH = 19
const LABEL_WIDTH = 12
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/g
const NO_TIME = ' '.repeat(TIME_WIDTH)

/** When accepted, state and code, push-id, address. */
export function listLine(push: StoredPush, { address, outcome }: StoredRecipient): string {
  const state = outcome === undefined ? 'pending' : `${outcome.state} ${outcome.code}`
  return printable(`${timeText(push.acceptedAt)}  ${state.padEnd(STATE_WIDTH)}  ${push.pushId.padEnd(PUSH_ID_WIDTH)}  ${address}`)
}

/** What happened to it and when, as far as the store keeps it. */
export function historyLines(push: StoredPush): string[] {
  const { pushId, initiator, acceptedAt, priority, deliveryMethod, pending } = push
  const lines = [row('push', pushId), row('initiator', initiator === '' ? 'nobody was asked who he is' : initiator), row('asked', `${priority} priority, delivery ${deliveryMethod}`)]
  if (pending !== undefined) {
    lines.push(row('content', `${pending.contentType}, ${pending.contentOctets} octets, for ${pending.applicationId}`))
    if (pending.deliverAfter > 0) lines.push(row('not before', timeText(pending.deliverAfter)))
    lines.push(row('not after', timeText(pending.expiresAt)))
  }
  for (const { address, uri, outcome, devices } of push.recipients) {
    lines.push('', address, `  ${timeText(acceptedAt)}  accepted${uri === undefined ? '' : `, for ${uri}`}`)
    for (const device of devices) lines.push(`  ${NO_TIME}  ${device.state} ${device.code} at ${device.device}`)
    lines.push(...(outcome === undefined ? [`  ${NO_TIME}  pending`] : outcomeLines(outcome)))
  }
  return lines.map(printable)
}

/** Quantities as in the PAP documents, times as ISO 8601; what is unknown or does not apply is left out. */
export function pushObject({ pending, recipients, acceptedAt, ...facts }: StoredPush): Record<string, unknown> {
  return {
    ...facts, state: pending === undefined ? 'ended' : 'pending', acceptedAt: isoText(acceptedAt),
    ...(pending === undefined ? {} : {
      ...(pending.deliverAfter === 0 ? {} : { deliverAfter: isoText(pending.deliverAfter) }), expiresAt: isoText(pending.expiresAt),
      applicationId: pending.applicationId, contentType: pending.contentType, contentOctets: pending.contentOctets,
    }),
    recipients: recipients.map(({ address, uri, outcome, devices }) => ({
      address, ...(uri === undefined ? {} : { uri }),
      ...(outcome === undefined ? { state: 'pending' } : { ...outcome, sipStatus: outcome.sipStatus === 0 ? undefined : outcome.sipStatus, endedAt: isoText(outcome.endedAt), desc: outcome.desc === '' ? undefined : outcome.desc }),
      ...(devices.length === 0 ? {} : { devices }),
    })),
  }
}

function row(label: string, value: string): string {
  return `${label.padEnd(LABEL_WIDTH)}${value}`
}

function outcomeLines({ state, code, confirmed, binding, sipStatus, endedAt, desc, notification }: StoredOutcome): string[] {
  const how = [confirmed === undefined ? '' : confirmed ? 'confirmed' : 'unconfirmed', binding === undefined ? '' : `by ${binding}`, sipStatus === 0 ? '' : `SIP ${sipStatus}`].filter((word) => word !== '')
  const lines = [`  ${timeText(endedAt)}  ${state} ${code}${how.length === 0 ? '' : `, ${how.join(', ')}`}${desc === '' ? '' : `: ${desc}`}`]
  if (notification !== 'not asked for') lines.push(`  ${NO_TIME}  result notification ${notification === 'settled' ? 'acknowledged or given up' : 'not acknowledged yet'}`)
  return lines
}

/** What others wrote steers no terminal. */
function printable(line: string): string {
  return line.replace(CONTROL_CHARACTERS, '?')
}

function isoText(wall: number): string {
  return new Date(wall).toISOString()
}

function timeText(wall: number): string {
  return isoText(wall).slice(0, TIME_WIDTH).replace('T', ' ')
}
