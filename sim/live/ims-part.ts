/** The simulated core as a part of the all-in-one command: forked, told its configuration, asked for its population. */
import { runPart } from '../../core/live/control.js'
import { decodeImsConfig } from './ims-config.js'
import { startIms } from './ims-service.js'

runPart(async (config, journalPath) => {
  const ims = await startIms(decodeImsConfig(config), { journalPath })
  return {
    addresses: ims.addresses,
    counters: () => ims.counters(),
    perform: async (what) => {
      if (what === 'population') return ims.population()
      if (what === 'counters') return ims.counters()
      throw new Error(`the IMS part knows no word "${what}"; it knows "population" and "counters"`)
    },
    stop: async () => {
      await ims.stop()
      return {}
    },
  }
})
