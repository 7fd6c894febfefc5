// A SIP application that pushes by itself, without a gateway: it tells one user that a message waits.
//
//   node docs/examples/push-sender-agent.mjs <I-CSCF as address:port> <sip:user@domain or GRUU> [identity]
//
// For a network to try it on: `npx pushbench ims` and `npx pushbench terminals` (each has --help). From an application of
// your own, import 'pushbench/push-sender-agent'.
import { openPushSenderAgent } from '../../dist/core/live/push-sender-agent.js'

const [entry, to, identity = 'sip:mail@home1.example'] = process.argv.slice(2)
if (entry === undefined || to === undefined) {
  console.error('usage: push-sender-agent.mjs <I-CSCF as address:port> <sip:user@domain> [identity]')
  process.exit(1)
}
const [address, port] = entry.split(':')

const agent = await openPushSenderAgent({
  listen: { address: '127.0.0.1', port: 0 },
  nextHop: { transport: 'tcp', address, port: Number(port) },
  identity,
})
const { result, reason } = await agent.push({
  to,
  application: 'x-wap-application:push.sia',
  contentType: 'text/plain',
  content: Buffer.from('You have mail.'),
})
console.log(`${to}: ${result} (${reason})`)
await agent.close()
process.exitCode = result === 'delivered' ? 0 : 2
