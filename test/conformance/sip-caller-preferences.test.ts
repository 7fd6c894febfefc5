/** Caller preferences (RFC 3841) over feature parameters (RFC 3840): the RFC's own example, the push matrix, and what values match. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PREFERENCE_CACHE_MAX, parsePreferences, preferencesOf, selectTargets } from '../../core/sip/caller-preferences.js'
import { FEATURES_MAX, FEATURE_VALUES_MAX, featuresMeet, isFeatureName, parseFeatures } from '../../core/sip/feature-parameters.js'

const contact = (name: string, params: string, q = 1) => ({ name, q, features: parseFeatures(params) })
const chosen = (contacts: ReturnType<typeof contact>[], accept: string[], reject: string[] = [], method = 'MESSAGE', event?: string) =>
  selectTargets(contacts, preferencesOf(accept, reject, method, event)).map((target) => [target.contact.name, Math.round(target.qa * 100) / 100])

describe('RFC 3841 section 7.2.5', () => {
  it('orders u5, u1, u4 and drops u2 and u3', () => {
    const contacts = [
      contact('u1', ';audio;video;methods="INVITE,BYE";q=0.2', 0.2),
      contact('u2', ';audio="FALSE";methods="INVITE";actor="msg-taker";q=0.2', 0.2),
      contact('u3', ';audio;actor="msg-taker";methods="INVITE";video;q=0.3', 0.3),
      contact('u4', ';audio;methods="INVITE,OPTIONS";q=0.2', 0.2),
      contact('u5', ';q=0.5', 0.5),
    ]
    expect(chosen(contacts, ['*;audio;require', '*;video;explicit', '*;methods="BYE";class="business"'], ['*;actor="msg-taker";video'], 'INVITE'))
      .toEqual([['u5', 1], ['u1', 0.83], ['u4', 0.5]])
  })
})

describe('a push to +g.oma.pusheventapp="mms.ua"', () => {
  const devices = [
    contact('both', ';+g.oma.pusheventapp="mms.ua,syncml.dm";+sip.instance="<urn:uuid:1>"'),
    contact('other', ';+g.oma.pusheventapp="syncml.dm"'),
    contact('untagged', ';audio'),
    contact('featureless', ';expires=60;reg-id=1;pub-gruu="sip:a@x;gr=1"'),
  ]
  const tag = '*;+g.oma.pusheventapp="mms.ua"'
  it.each([
    ['', [['both', 1], ['featureless', 1], ['other', 0], ['untagged', 0]]],
    [';require', [['both', 1], ['featureless', 1], ['untagged', 0]]],
    [';explicit', [['both', 1], ['featureless', 1], ['other', 0], ['untagged', 0]]],
    [';require;explicit', [['both', 1], ['featureless', 1]]],
  ])('with flags "%s" reaches the devices of the matrix', (flags, expected) => {
    expect(chosen(devices, [tag + flags])).toEqual(expected)
  })

  it('is 480 (nobody) when no device has the application', () => {
    expect(chosen(devices.slice(1, 3), [`${tag};require;explicit`])).toEqual([])
  })

  it('does not take a tag without value for any application', () => {
    expect(chosen([contact('any', ';+g.oma.pusheventapp')], [`${tag};require`])).toEqual([])
  })

  it('matches tag names and tokens without regard to case, instance strings exactly', () => {
    expect(chosen([contact('upper', ';+G.OMA.PUSHEVENTAPP="MMS.UA"')], [`${tag};require;explicit`])).toEqual([['upper', 1]])
    expect(chosen([devices[0]!], ['*;+sip.instance="<urn:uuid:1>";require'])).toEqual([['both', 1]])
    expect(chosen([devices[0]!], ['*;+sip.instance="<URN:uuid:1>";require'])).toEqual([])
  })

  it('takes several values in one header line as several preferences', () => {
    expect(chosen([devices[1]!], [`${tag};explicit, *;+g.oma.pusheventapp="syncml.dm"`])).toEqual([['other', 1]])
  })
})

describe('without stated preferences', () => {
  const message = contact('takes', ';methods="MESSAGE,OPTIONS"')
  const invite = contact('refuses', ';methods="INVITE"')
  const silent = contact('silent', ';audio')
  it('contacts that deny the method are left out, unless that leaves nobody', () => {
    expect(chosen([invite, message, silent], [])).toEqual([['takes', 1], ['silent', 0]])
    expect(chosen([invite], [])).toEqual([['refuses', 1]])
  })
  it('the event of a subscription counts too', () => {
    expect(chosen([contact('a', ';methods="SUBSCRIBE";events="reg"'), contact('b', ';methods="SUBSCRIBE";events="presence"')], [], [], 'SUBSCRIBE', 'reg')).toEqual([['a', 1]])
  })
})

describe('Reject-Contact', () => {
  it('drops only contacts that speak of every feature it names', () => {
    const contacts = [contact('both', ';actor="msg-taker";video'), contact('half', ';actor="msg-taker"'), contact('other', ';actor="principal";video')]
    expect(chosen(contacts, [], ['*;actor="msg-taker";video']).map(([name]) => name)).toEqual(['half', 'other'])
    expect(chosen(contacts, [], ['*']).length).toBe(3)
  })
})

describe('feature values', () => {
  const meet = (a: string, b: string) => featuresMeet(parseFeatures(`;class=${a}`)[0]!, parseFeatures(`;class=${b}`)[0]!)
  it.each([
    ['"business"', '"BUSINESS"', true],
    ['"a,b"', '"b,c"', true],
    ['"a"', '"!a"', false],
    ['"a"', '"!b"', true],
    ['"!a"', '"!a"', true],
    ['"!a"', '"!b"', true],
    ['"#>=5"', '"#<=5"', true],
    ['"#>=5"', '"#<=4.9"', false],
    ['"#1:4"', '"#3:9"', true],
    ['"#=3"', '"!#1:4"', false],
    ['"#2:9"', '"!#1:4"', true],
    ['"#=-1.5"', '"#-2:-1"', true],
    ['"TRUE"', '"true"', true],
    ['"<A>"', '"<a>"', false],
    ['"<a>"', '"a"', false],
    ['"!a"', '"<a>"', false],
    ['"!a"', '"#=1"', true],
  ])('%s and %s meet: %s', (a, b, expected) => {
    expect(meet(a, b)).toBe(expected)
    expect(meet(b, a)).toBe(expected)
  })

  it('leaves malformed ones, unknown names and repeats out', () => {
    expect(parseFeatures(';class="";audio=x;video="a b";text="#5";q=0.5;foo="a";+1x="a";data="a\'b";data="c"').map((feature) => feature.name)).toEqual(['data'])
    expect(isFeatureName('+sip.instance')).toBe(true)
    expect(isFeatureName('reg-id')).toBe(false)
  })

  it('stops at its limits', () => {
    expect(parseFeatures(Array.from({ length: FEATURES_MAX + 5 }, (_, index) => `;+f${index}`).join('')).length).toBe(FEATURES_MAX)
    expect(parseFeatures(`;class="${Array.from({ length: FEATURE_VALUES_MAX + 1 }, () => 'a').join(',')}"`)).toEqual([])
  })
})

describe('any text from outside', () => {
  const piece = fc.constantFrom('*', ';', ',', '"', '<', '>', '=', '!', '#', '+g.x', 'audio', 'require', 'explicit', '\\', ' ', '1', ':', '>=')
  it('is read without an exception, and a second time the same', () => {
    fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('')
      const first = parsePreferences(text)
      expect(parsePreferences(text)).toEqual(first)
    }))
  })

  it('does not make the memory of texts grow without bound', () => {
    const first = parsePreferences('*;+g.first')
    expect(parsePreferences('*;+g.first')).toBe(first)
    for (let index = 0; index <= PREFERENCE_CACHE_MAX; index++) parsePreferences(`*;+g.x${index}`)
    expect(parsePreferences('*;+g.first')).not.toBe(first)
  })
})
