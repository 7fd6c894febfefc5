/** What terminals say they can do when asked by OPTIONS, and that it differs from device to device. */
import { describe, expect, it } from 'vitest'
import { readOptions } from '../../core/ota/options.js'
import { Header } from '../../core/sip/header-names.js'
import type { SipMessage } from '../../core/sip/message.js'
import { TerminalWire } from './terminal-wire.js'

type Options = ConstructorParameters<typeof TerminalWire>[0] & object

function asked(population: Options['population'] = {}): { readonly wire: TerminalWire; readonly answer: SipMessage } {
  const wire = new TerminalWire({ population: { subscribers: 1, ...population } })
  wire.register()
  const { contact, aor } = [...wire.registrar.bindings.values()][0]!
  wire.act((gateway, now) => gateway.send(now, gateway.request('OPTIONS', contact, `${aor};gr=urn:uuid:1`)))
  return { wire, answer: wire.gateway.answers[0] as SipMessage }
}

describe('OPTIONS', () => {
  it('is answered with Allow, Accept, Supported, the GRUU with its features, and a description that offers nothing (RFC 3840 8, RFC 5547 8.5)', () => {
    const { wire, answer } = asked()
    const { device } = wire.terminal()
    expect(answer.status).toBe(200)
    expect(answer.get(Header.Contact)).toBe(`<${wire.population.publicGruu(0, 0)}>;+g.oma.pusheventapp="${device.applications.join(',')}";methods="MESSAGE,OPTIONS,INVITE,ACK,CANCEL,BYE,NOTIFY,REFER"`)
    expect(answer.get(Header.Supported)).toBe('path, gruu, norefersub')
    // RFC 6665 section 4.4.4: packages it notifies, which is none.
    expect(answer.has(Header.AllowEvents)).toBe(false)
    expect(answer.body.toString()).toMatch(/\r\nm=message 0 TCP\/MSRP \*\r\n[^]*a=accept-types:text\/plain [^]*a=max-size:104857600\r\na=file-selector\r\n/)
    const told = readOptions(answer)
    expect(told).toMatchObject({ methods: ['MESSAGE', 'OPTIONS', 'INVITE', 'ACK', 'CANCEL', 'BYE', 'NOTIFY', 'REFER'], sizeMax: 104_857_600, takesFiles: true, applications: device.applications, userAgent: 'pushbench-terminal' })
    expect(told.mediaTypes).toEqual(expect.arrayContaining(['application/sdp', 'text/vnd.wap.si', 'message/external-body', 'message/partial']))
  })

  it('tells of a device without sessions or indirection neither description nor such types', () => {
    const { answer } = asked({ capabilities: [{ bindings: ['event'], types: ['image/png'] }] })
    expect(answer.get(Header.Allow)).toBe('MESSAGE, OPTIONS, NOTIFY, REFER')
    expect(answer.body).toHaveLength(0)
    expect(answer.get(Header.Accept)).toMatch(/^text\/plain, .*image\/png, message\/partial$/)
  })

  it('differs between kinds of devices, by their weights and the seed, and leaves every other draw as it was', () => {
    const kinds = [{ bindings: ['session'], weight: 1 }, { bindings: [], sizeMax: 10, weight: 3 }] as const
    const wire = new TerminalWire({ population: { subscribers: 400, devicesPerSubscriber: { 2: 1 }, capabilities: kinds } })
    const plain = new TerminalWire({ population: { subscribers: 400, devicesPerSubscriber: { 2: 1 } } })
    const devices = wire.fleet.roster.terminals.map(({ device }) => device)
    const share = devices.filter(({ capabilities }) => capabilities.bindings.length === 1).length / devices.length
    expect(share).toBeGreaterThan(0.2)
    expect(share).toBeLessThan(0.3)
    expect(new Set(devices.map(({ capabilities }) => capabilities)).size).toBe(2)
    expect(devices.map(({ applications, instance }) => [applications, instance])).toEqual(plain.fleet.roster.terminals.map(({ device }) => [device.applications, device.instance]))
  })
})
