/**
 * The table of the selection as the text of docs/selection.md, with what it gives for every combination that matters. A test
 * prints it, so the document cannot differ from the code.
 */
import { BINDING_NAMES, bitOf, type BindingName } from './binding.js'
import { MESSAGE_HEAD_OCTETS, SELECTION, select, type DeviceKnowledge, type SelectionInput, type SelectionRow } from './select.js'
import { DEFAULT_SELECTION } from './selection-settings.js'

const DEVICE: DeviceKnowledge = { instance: 'urn:uuid:1', gruu: 'sip:a@x;gr=1', methods: undefined, mediaTypes: undefined, sizeMax: undefined, applications: ['mms.ua'], registeredAt: 0 }

const DEVICES: readonly (readonly [name: string, devices: readonly DeviceKnowledge[]])[] = [
  ['nothing known', []],
  ['MESSAGE and INVITE', [{ ...DEVICE, methods: ['MESSAGE', 'INVITE'] }]],
  ['MESSAGE only', [{ ...DEVICE, methods: ['MESSAGE'] }]],
  ['INVITE only', [{ ...DEVICE, methods: ['INVITE'] }]],
  ['takes image/* only', [{ ...DEVICE, mediaTypes: ['image/*'] }]],
  ['takes 1,000 octets', [{ ...DEVICE, sizeMax: 1_000 }]],
  ['another application', [{ ...DEVICE, applications: ['ulp.ua'] }]],
]

const SIZES: readonly (readonly [name: string, size: number])[] = [['200 B', 200], ['10 kB', 10_000], ['1 MB', 1_000_000], ['200 MB', 200_000_000]]
const BEARERS: readonly (readonly [name: string, bearer: BindingName | undefined])[] = [
  ['', undefined], ['sip-message', 'message'], ['sip-msrp', 'session'], ['sip-notify', 'event'], ['sip-indirect', 'indirection'],
]

export function selectionDocument(): string {
  return `# Selection of a way to deliver

Printed from \`core/push/bindings/select.ts\` by its test (\`UPDATE_DOCS=1\` writes this file). The first row whose conditions all hold wins.
Of its bindings those are left out that this gateway was not started with, that the operator forbids, that cannot send this
push now (no subscription stands), that are too small for it (MESSAGE and NOTIFY hold \`selection.messageStreamMax\` at most), and
that a device turned down before; with none left the next row is asked. The first is used, the others follow in this order when
a device turns it down (docs/outcomes.md: "by another binding").

A push fits a MESSAGE when the next hops are reached by streams and its content is no larger than \`selection.messageStreamMax\`
(${DEFAULT_SELECTION.messageOctetsStreamMax} octets); or, where one is reached by UDP, when content and ${MESSAGE_HEAD_OCTETS} octets for the head are no more than
\`selection.messageMax\` (${DEFAULT_SELECTION.messageOctetsMax}; RFC 3428 section 8). What a device takes is known from its registration (feature tags,
\`methods\`) and from its answer to OPTIONS, which goes to its GRUU before something larger than a MESSAGE is sent, is kept for
an hour and forgotten at its next registration. What is not known never speaks against a device.

What goes as MESSAGE goes in pieces (message/partial, RFC 2046 section 5.2.2), one after another, where it is larger than
\`selection.segment\` (0: never, the default; a scenario's \`gateway.segment\`) and each device is known to take no session and no reference; the 200 to the last
piece is the delivery, and a piece that is refused ends the attempt.

One push is made to go one way, for an experiment say, by its \`quality-of-service\`: \`bearer\` names the binding as in the rows below (\`SIP-MESSAGE\`,
\`SIP-MSRP\`, \`SIP-NOTIFY\`, \`SIP-INDIRECT\`, in any letter case) and \`bearer-required="true"\` leaves no other. A scenario's \`push.binding\` does so with
each of its pushes; there is nothing else that overrides this table.

A refusal ends the push as \`undeliverable\` with that code; 2006 becomes 2005 when the initiator had stated capabilities.

| | when | then, in this order | because |
|---|---|---|---|
${SELECTION.map((row, index) => `| ${index + 1} | ${row.when.join(' and ') || 'otherwise'} | ${thenText(row)} | ${row.because} |`).join('\n')}

## What it gives

With all four bindings there, next hops by streams and by UDP, and the defaults. A cell names the row, then binding and fallbacks or the refusal.

${[true, false].map(bySize).join('\n\n')}

## By the bearer asked for

A device of which nothing is known, streams. \`quality-of-service bearer\` is a preference; \`bearer-required="true"\` makes it a demand.

| bearer | required | 200 B | 10 kB | 1 MB | 200 B, subscribed, events preferred |
|---|---|---|---|---|---|
${BEARERS.flatMap(([name, bearer]) => (bearer === undefined ? [false] : [false, true]).map((required) => bearerRow(name, bearer, required))).join('\n')}

## Which devices

A push to a GRUU is for that device. A push to a user is for the devices that have the application and are not known to be unable
to take it, by the policy of \`selection.devices\`, or of \`selection.applications\` for its application:

- \`any\`: one request to the user's address; the core network forks it, and one 200 is enough.
- \`all\`: one delivery for each device, to its GRUU and in its own queue. Delivered when every one took it; else the outcome is that of
  the device that fared worst.
- \`first\`: one device after another, the latest registered first, until one took it. A device that cannot be reached now is
  passed over; when all were, the push waits for the next registration and begins anew.

\`all\` and \`first\` are for a user with at least two devices and need a GRUU of each such device; otherwise it is as \`any\`. One such device
among several is addressed by its GRUU too, since a proxy that knows no caller preferences would fork to the others.
`
}

function bySize(transportIsStream: boolean): string {
  const rows = DEVICES.flatMap(([name, devices]) => [false, true].map((subscribed) =>
    `| ${name}${subscribed ? ', subscribed' : ''} | ${SIZES.map(([, size]) => cell({ ...BASE, devices, size, transportIsStream, available: availableWith(subscribed) })).join(' | ')} |`))
  return `| ${transportIsStream ? 'streams' : 'UDP'}: devices | ${SIZES.map(([name]) => name).join(' | ')} |\n|---|${'---|'.repeat(SIZES.length)}\n${rows.join('\n')}`
}

function bearerRow(name: string, bearer: BindingName | undefined, bearerRequired: boolean): string {
  const asked = (size: number, subscribed: boolean) => cell({
    ...BASE, bearer, bearerRequired, size, available: availableWith(subscribed), policy: { ...DEFAULT_SELECTION, preferEvent: subscribed },
  })
  return `| ${name || 'none'} | ${bearerRequired ? 'yes' : ''} | ${asked(200, false)} | ${asked(10_000, false)} | ${asked(1_000_000, false)} | ${asked(200, true)} |`
}

const BASE: SelectionInput = {
  bearer: undefined, bearerRequired: false, size: 0, contentType: 'text/plain', application: 'mms.ua', statesCapabilities: false,
  devices: [], toGruu: false, transportIsStream: true, policy: DEFAULT_SELECTION, available: availableWith(false),
}

function availableWith(subscribed: boolean): number {
  return BINDING_NAMES.filter((name) => subscribed || name !== 'event').reduce((bits, name) => bits | bitOf(name), 0)
}

function cell(input: SelectionInput): string {
  const choice = select(input)
  return 'refused' in choice ? `${choice.row + 1}: ${choice.refused}` : `${choice.row + 1}: ${[choice.binding, ...choice.fallbacks].join(', ')}`
}

function thenText(row: SelectionRow): string {
  return row.then === undefined ? `refused ${row.refused}` : row.then.join(', ')
}
