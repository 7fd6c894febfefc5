/** Configuration and scenario files: every mistake told with line, column and what was probably meant. */
import { Schema } from 'effect'
import { describe, expect, it } from 'vitest'
import { decodeGatewayConfig, endpointOf, readGatewayConfig, settingsOf } from '../../core/live/config.js'
import { editDistance, nearest } from '../../core/live/nearest.js'
import { Duration, Rate } from '../../core/live/units.js'
import { decodeYaml, formatProblems } from '../../core/live/yaml-schema.js'

const Load = Schema.Struct({
  rate: Rate,
  rows: Schema.optional(Schema.Array(Schema.Union(
    Schema.Struct({ kind: Schema.Literal('plain'), share: Schema.Number }),
    Schema.Struct({ kind: Schema.Literal('timed'), waitTime: Duration }),
  ))),
  byName: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.Struct({ weight: Schema.Number }) })),
})

function problemsOf(text: string): string {
  const decoded = decodeYaml(Schema.Struct({ load: Load }), text, 'a.yaml')
  return decoded.ok ? 'none' : formatProblems(decoded.problems)
}

describe('a YAML file', () => {
  it('becomes a typed value, and so does JSON', () => {
    const value = { load: { rate: 500, rows: [{ kind: 'timed', waitTime: 30_000_000 }] } }
    expect(decodeYaml(Schema.Struct({ load: Load }), 'load:\n  rate: 500/s\n  rows:\n    - kind: timed\n      waitTime: 30s\n', 'a.yaml')).toEqual({ ok: true, value })
    expect(decodeYaml(Schema.Struct({ load: Load }), '{"load": {"rate": "500/s", "rows": [{"kind": "timed", "waitTime": "30s"}]}}', 'a.json')).toEqual({ ok: true, value })
  })

  it('has every unknown key told at its place with the nearest known one', () => {
    expect(problemsOf('load:\n  rtae: 500/s\n  rate: 5/s\n  colour: red\n')).toBe(
      'a.yaml:2:3 load.rtae: "rtae" is not known here; did you mean "rate"?\n'
      + 'a.yaml:4:3 load.colour: "colour" is not known here; known here: rate, rows, byName')
    expect(problemsOf('load:\n  rate: 5/s\n  byName:\n    first:\n      wieght: 3\n      weight: 1\n')).toBe(
      'a.yaml:5:7 load.byName.first.wieght: "wieght" is not known here; did you mean "weight"?')
  })

  it('has keys within lists and alternatives told too', () => {
    expect(problemsOf('load:\n  rate: 5/s\n  rows:\n    - kind: timed\n      waitTme: 3s\n')).toContain('a.yaml:5:7 load.rows.0.waitTme: "waitTme" is not known here; did you mean "waitTime"?')
  })

  it('has wrong and missing values told where they are', () => {
    expect(problemsOf('load:\n  rate: fast\n')).toMatch(/^a\.yaml:2:9 load\.rate: "fast" is no rate: write a number and a unit/)
    expect(problemsOf('load:\n  rows: 3\n')).toMatch(/^a\.yaml:2:3 load\.rate: is missing\na\.yaml:2:9 load\.rows: /)
    expect(problemsOf('')).toBe('a.yaml:1:1 load: is missing')
  })

  it('has broken syntax, doubled keys and alias bombs told and refused', () => {
    expect(problemsOf('load:\n  rate: [1, 2\n')).toMatch(/^a\.yaml:\d+:\d+ /)
    expect(problemsOf('load:\n  rate: 1/s\n  rate: 2/s\n')).toBe('a.yaml:3:3 Map keys must be unique')
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`)].join('\n')
    expect(problemsOf(bomb)).toMatch(/alias/i)
    expect(problemsOf(`load: "${'x'.repeat(2_000_000)}"`)).toMatch(/more than 1048576 characters/)
  })
})

describe('the nearest word', () => {
  it('counts one swap of neighbours as one mistake', () => {
    expect(editDistance('rtae', 'rate')).toBe(1)
    expect(editDistance('', 'abc')).toBe(3)
    expect(editDistance('listen', 'silent')).toBe(4)
  })

  it('is not offered when nothing is near', () => {
    expect(nearest('inFligth', ['inFlight', 'attempts'])).toBe('inFlight')
    expect(nearest('xyz', ['inFlight', 'attempts'])).toBeUndefined()
    expect(nearest('ab', ['cd'])).toBeUndefined()
  })
})

describe('the gateway’s configuration', () => {
  it('has a default for every key', () => {
    const decoded = readGatewayConfig('', 'gateway.yaml')
    expect(decoded).toEqual({ ok: true, value: decodeGatewayConfig({}) })
    const settings = settingsOf(decodeGatewayConfig({}), { pap: { address: '127.0.0.1', port: 8081 }, sip: { address: '::1', port: 5080 }, content: { address: '127.0.0.1', port: 8082 }, msrp: { address: '127.0.0.1', port: 2855 } })
    expect(settings).toMatchObject({
      senderAddress: 'http://127.0.0.1:8081/pap', sipAddress: '[::1]:5080', nextHops: [{ transport: 'tcp', address: '127.0.0.1', port: 5060 }], trustedPeers: ['127.0.0.1'],
      inFlightMax: 20_000, defaultLifetimeMillis: 259_200_000, retentionMillis: 604_800_000, backoff: { firstMicros: 2_000_000, maxMicros: 600_000_000 },
    })
  })

  it('takes quantities with their units', () => {
    const config = decodeGatewayConfig({ pap: { bodyMax: '64 KiB' }, times: { lifetime: '90m' }, notifications: { retries: ['1s', '500ms'] }, sip: { nextHops: ['udp:[::1]:5062'] } })
    expect(config.pap.bodyMax).toBe(65_536)
    expect(settingsOf(config, { pap: { address: '127.0.0.1', port: 1 }, sip: { address: '127.0.0.1', port: 2 }, content: { address: '127.0.0.1', port: 3 }, msrp: { address: '127.0.0.1', port: 4 } })).toMatchObject({
      defaultLifetimeMillis: 5_400_000, notifications: { retryMicros: [1_000_000, 500_000] }, nextHops: [{ transport: 'udp', address: '::1', port: 5062 }],
    })
  })

  it('tells mistakes in the words of the file', () => {
    const decoded = readGatewayConfig('pap:\n  listen: localhost:80\nsip:\n  nextHop: [tcp:127.0.0.1:5060]\nlimits:\n  inFlight: -1\n', 'gateway.yaml')
    expect(decoded.ok ? '' : formatProblems(decoded.problems)).toBe(
      'gateway.yaml:2:11 pap.listen: "localhost:80" is no address with a port: write such as 127.0.0.1:8080 or [::1]:8080\n'
      + 'gateway.yaml:4:3 sip.nextHop: "nextHop" is not known here; did you mean "nextHops"?\n'
      + 'gateway.yaml:6:13 limits.inFlight: -1 is no whole number from 1 to 10000000')
  })

  it('knows literal addresses only', () => {
    expect(endpointOf('127.0.0.1:0')).toEqual({ address: '127.0.0.1', port: 0 })
    expect(endpointOf('[::1]:5060')).toEqual({ address: '::1', port: 5060 })
    for (const text of ['127.0.0.1', '127.0.0.1:', '127.0.0.1:65536', '::1:5060', 'host:80', '999.0.0.1:1', '']) expect(endpointOf(text)).toBeUndefined()
  })
})
