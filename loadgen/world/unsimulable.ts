/** What of a scenario the world cannot do, in words for people who would otherwise believe that it did. Knows scenarios and the world's limits. */
import { isClosed } from '../load-shape.js'
import { MESSAGE_OCTETS_MAX, type Scenario } from '../scenario.js'

/** Empty when all of it can be simulated. */
export function unsimulable({ load, push, population, gateway, traffic, ims }: Scenario): string[] {
  const found: string[] = []
  if (isClosed(load) || load.shape === 'campaign' || load.shape === 'replay') found.push('load: a closed load, a campaign and a replay are not simulated')
  if (push.binding !== 'auto' && push.binding !== 'message') found.push(`push.binding ${push.binding}: in virtual time pushes go as MESSAGE`)
  if (push.size > MESSAGE_OCTETS_MAX) found.push(`push.size: more than ${MESSAGE_OCTETS_MAX} octets go another way than MESSAGE, which virtual time has not`)
  if (population.subscribing > 0) found.push('population.subscribing: event mode is not simulated')
  if (Object.keys(population.roaming).length > 0) found.push('population.roaming: visited networks are not simulated')
  if (gateway.registrations !== 'third-party') found.push('gateway.registrations: in virtual time the gateway learns of registrations by third-party REGISTER')
  if (traffic.misbehaving.share > 0 || Object.values(population.misbehaving).some((share) => share > 0)) found.push('misbehaving: bad peers are not simulated')
  if (ims.mode === 'split') found.push('ims.mode split: in virtual time the nodes of the core are one')
  return found
}
