/** The population: the same for the same seed, nobody twice, in the shares asked for, and one answer to who is who. */
import { Schema } from 'effect'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededEntropy } from '../../core/kit/entropy.js'
import { PopulationConfig, populationOf } from '../../sim/live/population-config.js'
import { decodeTerminalsConfig } from '../../sim/live/terminals-config.js'
import { draw } from '../../sim/terminal/behaviour.js'
import { PopulationDirectory } from '../../sim/terminal/directory.js'
import { SUBSCRIBER_CLASSES, type Population } from '../../sim/terminal/population.js'

const populationWith = (config: typeof PopulationConfig.Encoded = {}): Population => populationOf(Schema.decodeSync(PopulationConfig)(config))

const anyPopulation = fc.record({
  subscribers: fc.integer({ min: 1, max: 3_000 }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  shares: fc.record({ returning: fc.double({ min: 0, max: 0.25, noNaN: true }), cycling: fc.double({ min: 0, max: 0.25, noNaN: true }), refusing: fc.double({ min: 0, max: 0.25, noNaN: true }), absent: fc.double({ min: 0, max: 0.25, noNaN: true }) }),
})

describe('a population', () => {
  it('is the same for the same settings, however it is asked', () => {
    fc.assert(fc.property(anyPopulation, fc.integer({ min: 0, max: 2_999 }), (config, wanted) => {
      const index = wanted % config.subscribers
      const population = populationWith(config)
      population.subscriber(0)
      expect(populationWith(config).subscriber(index)).toEqual(population.subscriber(index))
    }))
  })

  it('divides into classes without gap or overlap, each subscriber in the class it says', () => {
    fc.assert(fc.property(anyPopulation, (config) => {
      const population = populationWith(config)
      let next = 0
      for (const name of SUBSCRIBER_CLASSES) {
        const { from, to } = population.range(name)
        expect(from).toBe(next)
        next = to
        if (to > from) expect([population.subscriber(from).class, population.subscriber(to - 1).class]).toEqual([name, name])
        expect(population.pick(name, 0)).toBe(to > from ? from : undefined)
        expect(population.pick(name, 1 - Number.EPSILON)).toBe(to > from ? to - 1 : undefined)
      }
      expect(next).toBe(config.subscribers)
    }))
  })

  it('gives no two devices the same instance, and another seed others', () => {
    const instances = (seed: number): string[] => {
      const population = populationWith({ subscribers: 5_000, seed })
      return Array.from({ length: population.size }, (_, index) => population.subscriber(index).devices.map(({ instance }) => instance)).flat()
    }
    const [first, second] = [instances(1), instances(2)]
    expect(new Set([...first, ...second]).size).toBe(first.length + second.length)
    expect(first.filter((instance) => !/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/.test(instance))).toEqual([])
  })

  it('has devices and applications in the shares asked for', () => {
    const population = populationWith({ subscribers: 20_000, devicesPerSubscriber: { 1: 0.6, 2: 0.3, 3: 0.1 } })
    const counts: Record<number, number> = {}
    const sets: Record<number, number> = {}
    for (let index = 0; index < population.size; index++) {
      const { devices } = population.subscriber(index)
      counts[devices.length] = (counts[devices.length] ?? 0) + 1
      sets[devices[0]!.applications.length] = (sets[devices[0]!.applications.length] ?? 0) + 1
    }
    expect([1, 2, 3].map((count) => Math.round((counts[count]! / population.size) * 100))).toEqual([60, 30, 10])
    expect(Math.abs(sets[4]! / population.size - 0.5)).toBeLessThan(0.02)
  })

  it('lets a push to a subscriber with several devices reach two at least, by any application of the first', () => {
    const population = populationWith({ subscribers: 1_000 })
    const { from, to } = population.range('multi-device')
    expect(to - from).toBe(400)
    for (let index = from; index < to; index++) {
      for (const application of population.subscriber(index).devices[0]!.applications) expect(population.devicesWith(index, application).length).toBeGreaterThanOrEqual(2)
    }
  })

  it('finds a subscriber by either identity, and nobody for any other text', () => {
    const population = populationWith({ subscribers: 1_500, identity: { domain: 'ims.example', user: '49#####7x', telephone: '+4900#####1' } })
    const directory = new PopulationDirectory(population)
    expect(population.impu(123)).toBe('sip:49001237x@ims.example')
    expect(population.telephone(123)).toBe('tel:+4900001231')
    for (const index of [0, 9, 123, 1_499]) {
      expect(population.indexOf(population.impu(index))).toBe(index)
      expect(population.indexOf(population.telephone(index)!)).toBe(index)
      expect(directory.find(population.impu(index))).toEqual({
        impi: `user${String(index).padStart(6, '0')}@home1.example`, password: population.subscriber(index).password, mayRegister: true,
        identities: [{ uri: population.impu(index), barred: false }, { uri: population.telephone(index), barred: false }],
      })
    }
    fc.assert(fc.property(fc.oneof(fc.string(), fc.constantFrom('sip:', 'tel:', population.impu(1_500), 'sip:49001237x@other.example', 'sip:4900127x@ims.example', 'sip:49000128x@ims.example')), (text) => {
      expect(directory.find(text)).toBeUndefined()
    }))
  })

  it('can stand for a range of users of another registrar, with one password for all', () => {
    const population = populationWith({ subscribers: 100, identity: { domain: '192.0.2.9', user: '#', privateIdentity: '#', password: 'same', firstNumber: 1_000 } })
    expect(population.subscriber(7)).toMatchObject({ index: 7, impu: 'sip:1007@192.0.2.9', impi: '1007', password: 'same' })
    expect(['sip:1007@192.0.2.9', 'sip:1099@192.0.2.9', 'sip:1100@192.0.2.9', 'sip:999@192.0.2.9'].map((impu) => population.indexOf(impu))).toEqual([7, 99, undefined, undefined])
  })

  it('is refused when its shares need more subscribers than there are, or a key is not known', () => {
    expect(() => populationWith({ subscribers: 10, shares: { absent: 0.9 }, referenceTerminals: 2 })).toThrow('need more than the 10 subscribers')
    expect(() => decodeTerminalsConfig({ proxy: { address: '127.0.0.1', port: 5060 }, worker: 2 })).toThrow('worker')
    expect(() => decodeTerminalsConfig({ proxy: { address: '127.0.0.1', port: 0 } })).toThrow('port')
  })
})

describe('a distribution', () => {
  it('draws whole, non-negative durations around what it says', () => {
    const entropy = new SeededEntropy(7)
    const mean = (distribution: Parameters<typeof draw>[0]): number => {
      const values = Array.from({ length: 20_000 }, () => draw(distribution, entropy))
      expect(values.filter((value) => !Number.isInteger(value) || value < 0)).toEqual([])
      return values.reduce((sum, value) => sum + value, 0) / values.length
    }
    expect(mean({ type: 'constant', micros: 5 })).toBe(5)
    expect(mean({ type: 'uniform', fromMicros: 100, toMicros: 300 }) / 200).toBeCloseTo(1, 1)
    expect(mean({ type: 'exponential', meanMicros: 1_000_000 }) / 1_000_000).toBeCloseTo(1, 1)
    expect(mean({ type: 'lognormal', medianMicros: 1_000_000, sigma: 0.5 }) / (1_000_000 * Math.exp(0.125))).toBeCloseTo(1, 1)
    expect(mean({ type: 'lognormal', medianMicros: 0, sigma: 0.5 })).toBe(0)
  })
})
