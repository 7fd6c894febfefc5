/** The gateway as a part of the all-in-one command: forked, told its configuration, asked for its `counters` or what operator.ts knows, stopped by message. */
import * as Effect from 'effect/Effect'
import * as Exit from 'effect/Exit'
import * as Scope from 'effect/Scope'
import { decodeGatewayConfig } from './config.js'
import { runPart } from './control.js'
import { startGateway } from './gateway-service.js'
import { isOperatorWord, OPERATOR_WORDS } from './operator.js'

runPart(async (written, journalPath) => {
  const config = decodeGatewayConfig(written)
  const scope = await Effect.runPromise(Scope.make())
  const gateway = await Effect.runPromise(startGateway(journalPath === undefined ? config : { ...config, journal: journalPath }).pipe(Scope.extend(scope)))
  for (const warning of gateway.warnings) process.stderr.write(`${warning}\n`)
  // Thrown and not returned: nobody waits for it, and an uncaught error is what ends a part.
  Effect.runPromise(Effect.flip(gateway.failure)).then((error) => setImmediate(() => { throw error }), () => {})
  return {
    addresses: gateway.addresses,
    counters: gateway.counters,
    perform: async (what, argument) => {
      if (what === 'counters') return gateway.counters()
      if (isOperatorWord(what)) return gateway.operator.perform(what, argument)
      throw new Error(`the gateway part does not know the word "${what}"; it knows counters, ${OPERATOR_WORDS.join(', ')}`)
    },
    stop: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      return gateway.histograms()
    },
  }
})
