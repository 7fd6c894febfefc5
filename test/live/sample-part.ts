/** A part for tests of the control protocol: adds numbers, and fails in each way a part can fail. Forked from dist. */
import { runPart } from '../../core/live/control.js'

runPart(async (config, journalPath) => {
  if (config === 'refuse') throw new Error('the sample part was told to refuse')
  let additions = 0
  return {
    addresses: { sample: `${String(config)} ${journalPath ?? 'no journal'}` },
    counters: () => ({ additions }),
    perform: async (what, argument) => {
      switch (what) {
        case 'add': {
          additions += 1
          const [a, b] = argument as [number, number]
          return a + b
        }
        case 'throw later':
          setImmediate(() => { throw new Error('thrown in a callback') })
          return new Promise(() => {})
        case 'exit':
          process.stderr.write('about to leave\n')
          return process.exit(7)
        default:
          throw new Error(`the sample part knows no word "${what}"`)
      }
    },
    stop: async () => (config === 'stubborn' ? new Promise(() => {}) : { 'sample.add': 'histogram' }),
  }
})
