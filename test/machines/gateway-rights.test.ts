/** What each initiator may push and ask, through the gateway's front door: his own addresses, applications and notification hosts, and nobody else's. */
import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../../core/push/settings.js'
import { encodePap } from '../../core/pap/encode.js'
import { GatewayWorld } from './gateway-world.js'

const SHOP = { name: 'shop', addresses: ['sip:a*@ims.example', 'sip:+357*@IMS.example'], applications: ['mms.ua', 'push.*'], notifyHosts: ['*.shop.example', '192.0.2.1', '[2001:db8::1]'] }
const ALL = { name: 'all', addresses: ['*'], applications: ['*'], notifyHosts: ['*'] }

const world = (): GatewayWorld => new GatewayWorld({ settings: { initiators: [SHOP, ALL] } })
const anna = 'sip:anna@ims.example'

describe('an initiator', () => {
  it('pushes to addresses that fit a pattern of his, however they are written, and to no other', () => {
    const gateway = world()
    const code = (pushId: string, address: string, initiator = 'shop'): number | undefined => gateway.code(gateway.submit({ pushId, addresses: [address] }, { app: 'x-wap-application:mms.ua', initiator }))
    expect(code('1', anna)).toBe(1001)
    expect(code('2', 'WAPPUSH=sip%3aanna%40ims.example/TYPE=USER@ppg.example')).toBe(1001)
    expect(code('3', 'sip:anna@ims.example;gr=urn:uuid:1')).toBe(1001)
    expect(code('4', 'sip:bob@ims.example')).toBe(2001)
    expect([2001, 2002]).toContain(code('5', 'sip:bob@ims.example;x=sip:anna@ims.example'))
    expect(code('6', 'sip:bob@ims.example', 'all')).toBe(1001)
    expect(code('7', anna, 'somebody')).toBe(2001)
  })

  it('is refused a push of which one recipient is not his', () => {
    const gateway = world()
    expect(gateway.code(gateway.submit({ pushId: '1', addresses: [anna, 'sip:bob@ims.example'] }, { app: 'x-wap-application:mms.ua', initiator: 'shop' }))).toBe(2001)
    expect(gateway.gateway.counters).toMatchObject({ accepted: 0, refused: 1 })
  })

  it('pushes for his applications, by URI, tag or code', () => {
    const gateway = world()
    const code = (pushId: string, app: string): number | undefined => gateway.code(gateway.submit({ pushId, addresses: [anna] }, { app, initiator: 'shop' }))
    expect(code('1', 'x-wap-application:mms.ua')).toBe(1001)
    expect(code('2', '4')).toBe(1001)
    expect(code('3', 'x-wap-application:push.sia')).toBe(1001)
    expect(code('4', 'x-wap-application:syncml.dm')).toBe(2001)
    expect(code('5', 'x-evil-application:mms.ua')).toBe(2001)
  })

  it('has results sent to his hosts only', () => {
    const gateway = world()
    const code = (pushId: string, notifyRequestedTo: string, initiator = 'shop'): number | undefined => gateway.code(gateway.submit({ pushId, addresses: [anna], notifyRequestedTo }, { app: 'x-wap-application:mms.ua', initiator }))
    for (const [index, url] of ['http://pi.shop.example/n', 'https://PI.shop.example:8443?x=/', 'http://192.0.2.1:80/', 'http://[2001:db8::1]:80/'].entries()) expect(code(`good${index}`, url), url).toBe(1001)
    for (const [index, url] of ['http://shop.example/', 'http://evil.example/.shop.example', 'http://evil.example?.shop.example', 'http://evil.example#.shop.example', 'http://evil.example\\.shop.example/', 'http://192.0.2.10/'].entries()) {
      expect([2000, 2001], url).toContain(code(`bad${index}`, url))
    }
    expect(code('all', 'http://anywhere.example/', 'all')).toBe(1001)
  })

  it('asks about clients he may push to', () => {
    const gateway = world()
    const ask = (address: string, initiator: string): number | undefined => gateway.code(gateway.post('application/xml', Buffer.from(encodePap({ type: 'ccq-message', queryId: 'q', address }, '2.0')), initiator))
    expect(ask(anna, 'shop')).toBe(3008)
    expect(ask('sip:bob@ims.example', 'shop')).toBe(2001)
    expect(ask('sip:bob@ims.example', 'all')).toBe(3008)
  })

  it('is nobody in particular where no initiators are configured, and may everything', () => {
    const gateway = new GatewayWorld()
    expect(DEFAULT_SETTINGS).not.toHaveProperty('initiators')
    expect(gateway.code(gateway.submit({ pushId: '1', addresses: ['sip:bob@ims.example'], notifyRequestedTo: 'http://anywhere.example/' }, { initiator: 'anybody' }))).toBe(1001)
  })
})
