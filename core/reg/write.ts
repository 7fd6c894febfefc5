/** Registration information as an XML document. What a watcher is told, and when, is the notifier's. */
import { escapeXml } from '../xml/write.js'
import { GRUUINFO_NAMESPACE, REGINFO_NAMESPACE, type RegContact, type RegInfo, type RegRegistration } from './model.js'

const START = `<?xml version="1.0"?>\n<reginfo xmlns="${REGINFO_NAMESPACE}" xmlns:gr="${GRUUINFO_NAMESPACE}"`

/** UTF-8. */
export function writeRegInfo({ version, state, registrations }: RegInfo): Buffer {
  let text = `${START} version="${version}" state="${state}">\n`
  for (const registration of registrations) text += registrationText(registration)
  return Buffer.from(`${text}</reginfo>\n`, 'utf8')
}

function registrationText({ aor, id, state, contacts }: RegRegistration): string {
  const start = `  <registration aor="${escapeXml(aor)}" id="${escapeXml(id)}" state="${state}"`
  if (contacts.length === 0) return `${start}/>\n`
  let text = `${start}>\n`
  for (const contact of contacts) text += contactText(contact)
  return `${text}  </registration>\n`
}

function contactText(contact: RegContact): string {
  let text = `    <contact id="${escapeXml(contact.id)}" state="${contact.state}" event="${contact.event}"`
  text += attribute('duration-registered', contact.durationSeconds) + attribute('expires', contact.expiresSeconds)
  text += attribute('retry-after', contact.retryAfterSeconds) + attribute('q', contact.q)
  text += attribute('callid', contact.callId) + attribute('cseq', contact.cseq)
  text += `>\n      <uri>${escapeXml(contact.uri)}</uri>\n`
  if (contact.displayName !== undefined) text += `      <display-name>${escapeXml(contact.displayName)}</display-name>\n`
  for (const { name, value } of contact.parameters) text += `      <unknown-param name="${escapeXml(name)}">${escapeXml(value)}</unknown-param>\n`
  if (contact.publicGruu !== undefined) text += `      <gr:pub-gruu uri="${escapeXml(contact.publicGruu)}"/>\n`
  const temporary = contact.temporaryGruu
  if (temporary !== undefined) text += `      <gr:temp-gruu uri="${escapeXml(temporary.uri)}" first-cseq="${temporary.firstCseq}"/>\n`
  return `${text}    </contact>\n`
}

function attribute(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : ` ${name}="${escapeXml(String(value))}"`
}
