/** The one function that chooses a way to deliver, and its document. */
import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BINDING_NAMES, bitOf, type BindingName } from '../../core/push/bindings/binding.js'
import { SELECTION, devicesFor, policyFor, select, type DeviceKnowledge, type SelectionInput } from '../../core/push/bindings/select.js'
import { DEFAULT_SELECTION } from '../../core/push/bindings/selection-settings.js'
import { selectionDocument } from '../../core/push/bindings/selection-text.js'

const ALL = BINDING_NAMES.reduce((bits, name) => bits | bitOf(name), 0)
const device: DeviceKnowledge = { instance: 'i1', gruu: 'sip:a@x;gr=1', methods: undefined, mediaTypes: undefined, sizeMax: undefined, applications: ['mms.ua'], registeredAt: 1 }
const base: SelectionInput = {
  bearer: undefined, bearerRequired: false, size: 200, contentType: 'text/plain; charset=utf-8', application: 'mms.ua', statesCapabilities: false,
  devices: [], toGruu: false, transportIsStream: true, policy: DEFAULT_SELECTION, available: ALL,
}
const order = (input: Partial<SelectionInput>): readonly string[] => {
  const choice = select({ ...base, ...input })
  return 'refused' in choice ? [`refused ${choice.refused}`] : [choice.binding, ...choice.fallbacks]
}

describe('the table of the selection', () => {
  it('is what docs/selection.md says', () => {
    const path = new URL('../../docs/selection.md', import.meta.url)
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, selectionDocument())
    expect(readFileSync(path, 'utf8')).toBe(selectionDocument())
  })

  it('sends what is small as MESSAGE while nothing else is known, as ever', () => {
    expect(order({ available: bitOf('message') })).toEqual(['message'])
    expect(order({ available: bitOf('message'), size: 65_536 })).toEqual(['message'])
    expect(order({})[0]).toBe('message')
    expect(order({ transportIsStream: false, size: 500 })[0]).toBe('message')
  })

  it('opens a session for what a MESSAGE may not hold, and falls back to a reference', () => {
    expect(order({ size: 65_537 })).toEqual(['session', 'indirection'])
    expect(order({ size: 501, transportIsStream: false })).toEqual(['session', 'indirection', 'message'])
    expect(order({ size: 65_537, devices: [{ ...device, methods: ['MESSAGE'] }] })).toEqual(['indirection'])
    expect(order({ size: 65_537, available: bitOf('message') })).toEqual(['refused 2006'])
  })

  it('uses no reference where the operator forbids it, not even as a fallback', () => {
    const policy = { ...DEFAULT_SELECTION, allowIndirection: false }
    expect(order({ size: 65_537, policy })).toEqual(['session'])
    expect(order({ policy, bearer: 'indirection', bearerRequired: true })).toEqual(['refused 3010'])
  })

  it('uses a standing subscription when the operator prefers it', () => {
    const policy = { ...DEFAULT_SELECTION, preferEvent: true }
    expect(order({ policy })[0]).toBe('event')
    expect(order({ policy, available: ALL & ~bitOf('event') })[0]).toBe('message')
  })

  it('refuses before anything is sent what no device could take: 2006, or 2005 when capabilities were stated', () => {
    expect(order({ devices: [{ ...device, applications: ['ulp.ua'] }] })).toEqual(['refused 2006'])
    expect(order({ devices: [{ ...device, mediaTypes: ['image/*'] }], statesCapabilities: true })).toEqual(['refused 2005'])
    expect(order({ devices: [{ ...device, mediaTypes: ['text/*'] }] })[0]).toBe('message')
    expect(order({ devices: [{ ...device, sizeMax: 199 }] })).toEqual(['refused 2006'])
    expect(order({ devices: [{ ...device, sizeMax: 199 }, device] })[0]).toBe('message')
    expect(order({ size: DEFAULT_SELECTION.sessionOctetsMax + 1 })).toEqual(['refused 2006'])
  })

  it('goes by the bearer alone where it is required, and is refused 3010 where that is not to be had', () => {
    const names: readonly BindingName[] = BINDING_NAMES
    for (const bearer of names) {
      expect(order({ bearer, bearerRequired: true })).toEqual([bearer])
      expect(order({ bearer, bearerRequired: true, available: ALL & ~bitOf(bearer) })).toEqual(['refused 3010'])
      expect(order({ bearer })[0]).toBe(bearer)
      expect(order({ bearer, available: ALL & ~bitOf(bearer) })).not.toContain(bearer)
    }
  })

  it('gives for every input a binding that is there, each at most once, or a refusal; and reaches every row', () => {
    const rows = new Set<number>()
    const known = fc.record({
      instance: fc.constant('i'), gruu: fc.constantFrom('', 'sip:a@x;gr=1'), methods: fc.constantFrom(undefined, ['MESSAGE'], ['INVITE'], []),
      mediaTypes: fc.constantFrom(undefined, ['image/*'], ['text/plain'], ['*/*']), sizeMax: fc.constantFrom(undefined, 100, 1_000_000_000),
      applications: fc.constantFrom(undefined, ['mms.ua'], ['ulp.ua']), registeredAt: fc.nat(),
    })
    fc.assert(fc.property(fc.record({
      bearer: fc.constantFrom(undefined, ...BINDING_NAMES), required: fc.boolean(), size: fc.constantFrom(1, 600, 70_000, 200_000_000), devices: fc.array(known, { maxLength: 2 }),
      transportIsStream: fc.boolean(), preferEvent: fc.boolean(), allowIndirection: fc.boolean(), available: fc.integer({ min: 0, max: ALL }),
    }), ({ bearer, required, size, devices, transportIsStream, preferEvent, allowIndirection, available }) => {
      const choice = select({ ...base, bearer, bearerRequired: required && bearer !== undefined, size, devices, transportIsStream, available, policy: { ...DEFAULT_SELECTION, preferEvent, allowIndirection } })
      rows.add(choice.row)
      if ('refused' in choice) return
      const all = [choice.binding, ...choice.fallbacks]
      expect(new Set(all).size).toBe(all.length)
      for (const name of all) expect(available & bitOf(name)).not.toBe(0)
      if (size > DEFAULT_SELECTION.messageOctetsStreamMax) expect(all).not.toContain('message')
    }), { numRuns: 5_000, seed: 1 })
    expect([...rows].sort((a, b) => a - b)).toEqual(SELECTION.map((_, index) => index))
  })
})

describe('the devices of a push to a user', () => {
  const second: DeviceKnowledge = { ...device, instance: 'i2', gruu: 'sip:a@x;gr=2', registeredAt: 9 }
  const other: DeviceKnowledge = { ...device, instance: 'i3', gruu: 'sip:a@x;gr=3', applications: ['ulp.ua'] }
  const input = { ...base, devices: [device, second, other] }

  it('are each a delivery of their own when all must take it, those left out that could not', () => {
    expect(devicesFor(input, 'all')).toEqual([device.gruu, second.gruu])
  })

  it('are in the order of their registration, the latest first, when one after another is tried', () => {
    expect(devicesFor(input, 'first')).toEqual([second.gruu, device.gruu])
  })

  it('are the core network’s business when any suffices, when a GRUU was named, or when one of them has none', () => {
    expect(devicesFor(input, 'any')).toBeUndefined()
    expect(devicesFor({ ...input, toGruu: true }, 'all')).toBeUndefined()
    expect(devicesFor({ ...input, devices: [device, { ...second, gruu: '' }] }, 'all')).toBeUndefined()
    expect(devicesFor({ ...input, devices: [other, { ...other, gruu: 'sip:a@x;gr=4' }] }, 'all')).toBeUndefined()
    expect(devicesFor({ ...input, devices: [device] }, 'all')).toBeUndefined()
  })

  it('is addressed by itself where one alone of several could take it', () => {
    expect(devicesFor({ ...input, devices: [device, other] }, 'all')).toEqual([device.gruu])
    expect(devicesFor({ ...input, devices: [other, device] }, 'first')).toEqual([device.gruu])
  })

  it('follow the policy of their application, else the general one', () => {
    const policy = { ...DEFAULT_SELECTION, devices: 'any' as const, devicesByApplication: { 'mms.ua': 'all' as const } }
    expect(policyFor(policy, 'mms.ua')).toBe('all')
    expect(policyFor(policy, 'ulp.ua')).toBe('any')
  })
})
