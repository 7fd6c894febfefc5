/** The table of outcomes as the text of docs/outcomes.md. A test prints it, so the document cannot differ from the code. */
import { OUTCOMES, type Action, type OutcomeRow } from './outcomes.js'

const WHEN: Readonly<Record<NonNullable<OutcomeRow['when']>, string>> = {
  'confirmed-required': 'delivery-method is confirmed',
  'retry-after': 'with Retry-After',
  redirectable: 'Contact in a domain of ours, redirected less than twice',
  resolvable: 'temporary GRUU whose device is known by another',
}

export function outcomesDocument(): string {
  const rows = OUTCOMES.map((row) => `| ${row.seen.join(', ')} | ${row.by === undefined ? 'any' : row.by.join(', ')} | ${row.when === undefined ? '' : WHEN[row.when]} | ${actionText(row.action)} | ${row.lifetimeCode} | ${row.because} |`)
  return `# Outcomes of an attempt, by binding

Printed from \`core/push/delivery/outcomes.ts\` by its test (\`UPDATE_DOCS=1\` writes this file). The first row that fits wins; a status
without a row counts as x00 of its class (RFC 3261 section 8.1.3.2), an MSRP status without one as msrp-400. A push lives until deliver-before, else until the
configured default. When that ends it while it waits, retries or queues, it is \`expired\` if deliver-before was given, else
\`timeout\`, with the code of the last column for what was seen last. A push that is never tried because no registered device
of the recipient has the application ends \`undeliverable\` 2006 (2005 when the initiator had stated capabilities).
A push that waits when its initiator cancels or replaces it ends \`cancelled\` 1000; a recipient of a replacement of what is pending only, for
whom nothing waited, \`rejected\` 2008.

| seen | binding | when | what follows | code at the end of the lifetime | because |
|---|---|---|---|---|---|
${rows.join('\n')}
`
}

function actionText(action: Action): string {
  switch (action.do) {
    case 'deliver': return `\`delivered\` 1000, reported ${action.confirmed ? 'confirmed (unconfirmed if that was asked for)' : 'unconfirmed'}`
    case 'end': return `\`${action.state}\` ${action.code}${action.forgetDevice === true ? ', the device is forgotten' : ''}`
    case 'elsewhere': return `by another binding, if one is left; else \`${action.state}\` ${action.code}`
    case 'retry': return 'again after a growing wait, at least Retry-After; first over another next hop when one failed'
    case 'await-registration': return 'waits for a registration (at once if one came meanwhile), or Retry-After'
    case 'hold': return `nothing more is sent; at the end of the lifetime \`${action.state}\` ${action.code}`
    case 'pause-hop': return 'the next hop rests for Retry-After; another one is tried, or this one afterwards'
    case 'redirect': return 'sent to the Contact, in whose queue it takes its turn'
    case 'resolve': return 'sent to the GRUU the device has now, once'
  }
}
