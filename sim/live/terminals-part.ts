/**
 * The terminals as a part of their own process, forked by the command: `register` and `deregister` with
 * { perSecond, withinMicros }, `switch` with { subscriber, ordinal?, to }, `move` with { subscriber, ordinal?, network? }, `counters`. Knows words; the service does the work.
 */
import { Schema } from 'effect'
import { type Part, runPart } from '../../core/live/control.js'
import { decodeTerminalsConfig } from './terminals-config.js'
import { startTerminals } from './terminals-service.js'

const Paced = Schema.Struct({ perSecond: Schema.Positive, withinMicros: Schema.Int.pipe(Schema.positive()) })
const Switch = Schema.Struct({
  subscriber: Schema.NonNegativeInt,
  ordinal: Schema.optionalWith(Schema.NonNegativeInt, { exact: true }),
  to: Schema.Literal('on', 'off', 'vanished'),
})
const Move = Schema.Struct({
  subscriber: Schema.NonNegativeInt,
  ordinal: Schema.optionalWith(Schema.NonNegativeInt, { exact: true }),
  network: Schema.optionalWith(Schema.String, { exact: true }),
})
const decodePaced = Schema.decodeUnknownSync(Paced)
const decodeSwitch = Schema.decodeUnknownSync(Switch)
const decodeMove = Schema.decodeUnknownSync(Move)

runPart(async (written, journalPath): Promise<Part> => {
  const config = decodeTerminalsConfig(written)
  // A thread that ends by an error ends the part: thrown outside of any promise it is reported as fatal.
  const service = await startTerminals(config, journalPath, (error) => { setImmediate(() => { throw error }) })
  const networks = config.visited.map(({ id }) => id)
  return {
    addresses: {},
    perform: async (what, argument) => {
      switch (what) {
        case 'register': return service.register(decodePaced(argument))
        case 'deregister': return service.deregister(decodePaced(argument))
        case 'switch': {
          const { subscriber, to, ordinal } = decodeSwitch(argument)
          return service.switch(subscriber, to, ordinal)
        }
        case 'move': {
          const { subscriber, network, ordinal } = decodeMove(argument)
          if (network !== undefined && !networks.includes(network)) throw new Error(`there is no visited network "${network}"; there is ${networks.join(', ') || 'none'}`)
          return service.move(subscriber, network, ordinal)
        }
        case 'counters': return service.countersNow()
        default: throw new Error(`the terminals do not know the word "${what}"; they know register, deregister, switch, move and counters`)
      }
    },
    counters: () => service.counters(),
    workerUtilisation: () => service.utilisation(),
    stop: async () => {
      await service.stop()
      return {}
    },
  }
})
