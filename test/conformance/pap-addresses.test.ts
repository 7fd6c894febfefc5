/** Client addresses and application ids, as initiators write them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ADDRESS_LENGTH_MAX, parseAddress, userAddress } from '../../core/pap/addresses.js'
import { parseApplicationId } from '../../core/pap/application-ids.js'

const read = (literal: string) => {
  const address = parseAddress(literal)
  return address.ok ? [address.type, address.value, address.ppg] : address.desc
}

describe('client addresses (WAP-249 section 6.1)', () => {
  it.each([
    ['WAPPUSH=+46-70.1230042/TYPE=PLMN@ppg.lighthouse.example', ['PLMN', '+46701230042', 'ppg.lighthouse.example']],
    ['/WAPPUSH=+1-555.1999/TYPE=PLMN/@PPG.Lighthouse.example', ['PLMN', '+15551999', 'ppg.lighthouse.example']],
    ['wappush=elsa.n%40lighthouse.example/type=user@ppg.lighthouse.example', ['USER', 'elsa.n@lighthouse.example', 'ppg.lighthouse.example']],
    ['WAPPUSH=sip%3Aelsa%40ims.example%3Bgr%3Durn%3Auuid%3A1-2/TYPE=USER@ppg', ['USER', 'sip:elsa@ims.example;gr=urn:uuid:1-2', 'ppg']],
    ['WAPPUSH=gr%C3%BCn_%5F%25/TYPE=USER@ppg.example', ['USER', 'grün__%', 'ppg.example']],
    ['WAPPUSH=+46701230042/TYPE=USER@ppg.example', ['USER', '+46701230042', 'ppg.example']],
    ['WAPPUSH=198.51.100.7/TYPE=IPv4@ppg.example', ['IPV4', '198.51.100.7', 'ppg.example']],
    ['WAPPUSH=2001:0DB8:0000:0000:0000:0000:0000:0001/TYPE=IPv6@ppg.example', ['IPV6', '2001:0DB8:0000:0000:0000:0000:0000:0001', 'ppg.example']],
    ['WAPPUSH=12345678/TYPE=MAN@ppg.example', ['MAN', '12345678', 'ppg.example']],
    ['WAPPUSH=491711234/TYPE=GSM_MSISDN@ppg.example', ['GSM_MSISDN', '491711234', 'ppg.example']],
    ['WAPPUSH=elsa/TYPE=USER', ['USER', 'elsa', undefined]],
    ['sip:elsa@ims.example;gr=urn:uuid:1-2', ['URI', 'sip:elsa@ims.example;gr=urn:uuid:1-2', undefined]],
    ['SIPS:elsa@ims.example', ['URI', 'SIPS:elsa@ims.example', undefined]],
    ['tel:+46701230042', ['URI', 'tel:+46701230042', undefined]],
  ])('reads %s', (literal, expected) => {
    expect(read(literal)).toEqual(expected)
    expect(parseAddress(literal)).toMatchObject({ ok: true, literal })
  })

  it('reads qualifiers, whose values may hold an @', () => {
    expect(parseAddress('WAPPUSH=elsa/Area=n@rth/x-1=a b/TYPE=USER@ppg.example')).toMatchObject({
      ok: true, value: 'elsa', qualifiers: [['area', 'n@rth'], ['x-1', 'a b']], ppg: 'ppg.example',
    })
  })

  it.each([
    ['WAPPUSH=0046701230042/TYPE=PLMN@ppg.example', /type PLMN and must hold \+/],
    ['WAPPUSH=+/TYPE=PLMN@ppg.example', /type PLMN/],
    ['WAPPUSH=198.51.100.256/TYPE=IPv4@ppg.example', /0 to 255/],
    ['WAPPUSH=2001:db8::1/TYPE=IPv6@ppg.example', /eight groups/],
    ['WAPPUSH=1234/TYPE=MAN@ppg.example', /eight digits/],
    ['WAPPUSH=sip:elsa@ims.example/TYPE=USER@ppg.example', /not escaped/],
    ['WAPPUSH=/TYPE=USER@ppg.example', /empty/],
    ['WAPPUSH=50%/TYPE=USER@ppg.example', /escaped/],
    ['WAPPUSH=%FF%FE/TYPE=USER@ppg.example', /escaped/],
    ['WAPPUSH=elsa%0D%0AVia%3Ax/TYPE=USER@ppg.example', /escaped/],
    ['WAPPUSH=elsa@ppg.example', /\/TYPE=/],
    ['WAPPUSH=elsa/TYPE=@ppg.example', /\/TYPE=/],
    ['WAPPUSH=elsa/TYPE=USER@', /domain name/],
    ['WAPPUSH=elsa/TYPE=USER@ppg..example', /domain name/],
    ['WAPPUSH=elsa/area/TYPE=USER@ppg.example', /qualifier/],
    ['+46701230042', /begins neither/],
    ['sip:elsa@ims.example\r\nVia: x', /begins neither/],
    ['mailto:elsa@ims.example', /begins neither/],
    ['', /begins neither/],
    [`WAPPUSH=${'a'.repeat(ADDRESS_LENGTH_MAX)}/TYPE=USER@ppg`, /longer than 1024/],
  ])('refuses %s', (literal, desc) => {
    expect(read(literal)).toMatch(desc)
  })

  it('writes any identity as a USER address that reads back the same', () => {
    // eslint-disable-next-line no-control-regex -- no identity holds one
    const identity = fc.string({ minLength: 1, maxLength: 60, unit: 'binary' }).filter((text) => !/[\0-\x1f\x7f]/.test(text))
    fc.assert(fc.property(identity, (text) => { expect(read(userAddress(text, 'ppg.example'))).toEqual(['USER', text, 'ppg.example']) }))
  })

  it('never throws, whatever the text', () => {
    const piece = fc.constantFrom('WAPPUSH=', '/TYPE=', 'PLMN', 'USER', '@', '/', '=', '%', '%C3', '+', 'sip:', 'ß')
    const pieces = fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 12 })
    fc.assert(fc.property(pieces, (texts) => { expect(typeof parseAddress(texts.join('')).ok).toBe('boolean') }), { numRuns: 500 })
  })
})

describe('application ids', () => {
  it.each([
    [undefined, 'wml.ua', 0x02],
    ['x-wap-application:mms.ua', 'mms.ua', 0x04],
    ['4', 'mms.ua', 0x04],
    ['10', 'ulp.ua', 0x10],
    ['0A', 'wv.ua', 0x0a],
    [' x-oma-application:ulp.ua ', 'ulp.ua', 0x10],
    ['x-wap-application:tide.ua', 'tide.ua', undefined],
    ['x-wap-application:tide.ua;app-encoding=9A00', 'tide.ua', 0x9a00],
    ['x-wap-application:mms.ua; app-encoding=9A00', 'mms.ua', 0x04],
    ['x-wap-microsoft:localcontent.ua', 'x-wap-microsoft:localcontent.ua', 0x8000],
    ['9023', 'x-3gpp:mbms.service.announcement.ua', 0x9023],
    ['urn:beacon:tide', 'urn:beacon:tide', undefined],
  ])('names the application of %s', (header, featureTag, code) => {
    expect(parseApplicationId(header)).toMatchObject({ featureTag, code })
  })

  it.each([
    '', '0', 'x-wap-application:*', 'FFFFFF', '123456789', 'tide', 'x-wap-application:a"b', 'x-wap-application:a,b',
    'x-wap-application:a;app-encoding=xyz', 'x:a\r\nb',
  ])('gives no name to %j', (header) => { expect(parseApplicationId(header)).toBeUndefined() })
})
