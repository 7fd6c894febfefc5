/** Run as a process by terminals.test.ts: starts terminals and reference terminals, stops them, and must then end by itself. */
import { decodeTerminalsConfig } from '../../sim/live/terminals-config.js'
import { startTerminals } from '../../sim/live/terminals-service.js'
import { startSmallRegistrar } from './small-registrar-live.js'

const registrar = await startSmallRegistrar({ domain: 'home1.example', algorithms: ['MD5'], passwordOf: (impi) => `secret-${impi.slice(4, 10)}`, expirySeconds: 3_600 })
const config = decodeTerminalsConfig({ proxy: { address: '127.0.0.1', port: registrar.port }, workers: 2, population: { subscribers: 20, referenceTerminals: 3 } })
const service = await startTerminals(config, undefined, (error) => { throw error })
const result = await service.register({ perSecond: 500, withinMicros: 10_000_000 })
// Registered, refresh timers armed: the harder case.
await service.stop()
await registrar.close()
process.stdout.write(JSON.stringify(result))
