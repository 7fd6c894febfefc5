/**
 * The population as the HSS sees it: a directory that computes a subscriber from the public identity it is asked
 * for. Knows the population and the shape of HSS data; keeps nothing.
 */
import type { Subscriber, SubscriberDirectory } from '../ims/subscribers.js'
import type { Population } from './population.js'

export class PopulationDirectory implements SubscriberDirectory {
  constructor(private readonly population: Population) {}

  find(impu: string): Subscriber | undefined {
    const index = this.population.indexOf(impu)
    if (index === undefined) return undefined
    const { impi, password } = this.population.credentials(index)
    const telephone = this.population.telephone(index)
    // Who was asked for by his SIP identity has been named: there is only one text of it.
    const identities = [{ uri: impu === telephone ? this.population.impu(index) : impu, barred: false }]
    if (telephone !== undefined) identities.push({ uri: telephone, barred: false })
    const usim = this.population.access.usim(index)
    const barredNetworks = this.population.access.barredNetworks(index)
    return { impi, password, identities, mayRegister: true, ...(usim === undefined ? {} : { usim }), ...(barredNetworks === undefined ? {} : { barredNetworks }) }
  }
}
