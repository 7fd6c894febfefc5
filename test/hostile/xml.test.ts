/** Documents made to hurt: each is refused, with nothing expanded, fetched or built beyond the limits. */
import { describe, expect, it } from 'vitest'
import { readXml } from '../../core/xml/read.js'
import {
  XML_ATTRIBUTE_LENGTH_MAX, XML_ATTRIBUTES_MAX, XML_BYTES_MAX, XML_DEPTH_MAX, XML_ELEMENTS_MAX, type XmlElement, type XmlFailure,
} from '../../core/xml/tree.js'

function refused(source: string | Buffer): XmlFailure {
  const result = readXml(source)
  if (result.ok) throw new Error('accepted')
  return result
}

function countOf(element: XmlElement | undefined): number {
  return element === undefined ? 0 : element.children.reduce((sum, child) => sum + countOf(child), 1)
}

const subset = (declarations: string, body = '<pap/>') => `<!DOCTYPE pap [${declarations}]>${body}`
const laughs = Array.from({ length: 10 }, (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`).join('')

const DECLARATIONS: Readonly<Record<string, string>> = {
  'an entity': subset('<!ENTITY a "b">'),
  'an entity that expands a thousandfold thousandfold': subset(`<!ENTITY l0 "ha">${laughs}`, '<pap>&l10;</pap>'),
  'an entity repeated often (quadratic)': subset(`<!ENTITY a "${'a'.repeat(5_000)}">`, `<pap>${'&a;'.repeat(5_000)}</pap>`),
  'an entity of itself': subset('<!ENTITY a "&a;">', '<pap>&a;</pap>'),
  'an external entity from a file': subset('<!ENTITY a SYSTEM "file:///etc/passwd">', '<pap>&a;</pap>'),
  'an external entity from the network': subset('<!ENTITY a PUBLIC "x" "http://127.0.0.1:1/x">', '<pap>&a;</pap>'),
  'an unparsed entity': subset('<!NOTATION n SYSTEM "x"><!ENTITY a SYSTEM "x" NDATA n>'),
  'a parameter entity': subset('<!ENTITY % p SYSTEM "http://127.0.0.1:1/x">'),
  'a parameter entity reference': subset('%p;'),
  'an element declaration': subset('<!ELEMENT pap ANY>'),
  'an attribute list that sets a default': subset('<!ATTLIST push-message push-id CDATA "1">'),
  'a notation': subset('<!NOTATION n SYSTEM "x">'),
  'a conditional section': subset('<![INCLUDE[<!ENTITY a "b">]]>'),
  'a declaration behind a comment and an instruction': subset('<!-- x --><?y z?>\n<!ENTITY a "b">'),
  'a declaration in a comment that never ends': subset('<!-- <!ENTITY a "b">'),
  'an instruction that never ends': subset('<?x <!ENTITY a "b">'),
  'text': subset('hello'),
  'the end of the subset twice': subset(']'),
}

describe('the document type', () => {
  it.each(Object.keys(DECLARATIONS))('may not hold %s', (name) => {
    const failure = refused(DECLARATIONS[name]!)
    // Refused before the first element: nothing was built that could hold an expansion.
    expect(failure.root).toBeUndefined()
    expect(failure.message.length).toBeLessThan(200)
  })

  it('may hold comments and instructions, and identifiers that nobody follows', () => {
    const result = readXml('<!DOCTYPE pap PUBLIC "-//X//EN" "http://127.0.0.1:1/never-fetched.dtd" [ <!-- "<!ENTITY" --> <?a b="c"?>\n<?d?> ] ><pap/>')
    expect(result.ok && result.doctype).toEqual({
      name: 'pap', publicId: '-//X//EN', systemId: 'http://127.0.0.1:1/never-fetched.dtd',
      instructions: [{ target: 'a', body: 'b="c"' }, { target: 'd', body: '' }],
    })
  })

  it('is refused with the place of the declaration', () => {
    expect(refused('<?xml version="1.0"?>\n<!DOCTYPE pap [\n  <?ok?>\n  <!ENTITY a "b">]><pap/>').place).toEqual({ line: 4, column: 3 })
  })
})

describe('references', () => {
  it('know the five names of XML and characters that are allowed, and nothing else', () => {
    const result = readXml('<a b="&amp;&lt;&gt;&quot;&apos;&#65;&#x1F600;"/>')
    expect(result.ok && result.root.attributes['b']).toBe('&<>"\'A\u{1F600}')
    const characters = ['&#0;', '&#1;', '&#xD800;', '&#x110000;', '&#xFFFE;', '&#99999999999999999999;']
    for (const reference of ['&nbsp;', '&a', '&;', '&constructor;', '&__proto__;', ...characters]) {
      expect(refused(`<a b="${reference}"/>`).ok).toBe(false)
      expect(refused(`<a>${reference}</a>`).ok).toBe(false)
    }
  })
})

describe('limits: at the limit accepted, one above refused', () => {
  const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth)
  const wide = (elements: number) => `<a>${'<b/>'.repeat(elements - 1)}</a>`
  const attributes = (count: number) => `<a ${Array.from({ length: count }, (_, index) => `x${index}="1"`).join(' ')}/>`
  const long = (length: number) => `<a x="${'y'.repeat(length)}"/>`
  const sized = (bytes: number) => `<a>${'y'.repeat(bytes - 7)}</a>`

  it.each([
    ['depth', nested, XML_DEPTH_MAX, /deeper than 8/],
    ['elements', wide, XML_ELEMENTS_MAX, /more than 2048 elements/],
    ['attributes of an element', attributes, XML_ATTRIBUTES_MAX, /more than 32 attributes/],
    ['length of an attribute', long, XML_ATTRIBUTE_LENGTH_MAX, /longer than 8192 characters/],
    ['octets of a document', sized, XML_BYTES_MAX, /larger than 262144 octets/],
  ])('%s', (_, make, limit, message) => {
    expect(readXml(Buffer.from(make(limit))).ok).toBe(true)
    expect(refused(Buffer.from(make(limit + 1))).message).toMatch(message)
  })

  it('stops building where a limit is passed, however much follows', () => {
    expect(countOf(refused(nested(20_000)).root)).toBe(XML_DEPTH_MAX)
    expect(countOf(refused(wide(60_000)).root)).toBe(XML_ELEMENTS_MAX)
    expect(countOf(refused(`<a>${attributes(20_000)}<b/></a>`).root)).toBe(1)
    expect(refused(Buffer.alloc(XML_BYTES_MAX + 1, '<a>')).root).toBeUndefined()
  })
})

describe('what is no XML', () => {
  it.each([
    ['nothing', ''], ['whitespace', ' \n '], ['text', 'hello'], ['two roots', '<a/><b/>'], ['text behind the root', '<a/>x'], ['wrong nesting', '<a><b></a></b>'],
    ['a doubled attribute', '<a b="1" b="2"/>'], ['an attribute without quotes', '<a b=1/>'], ['a < in an attribute', '<a b="<"/>'], ['a NUL', '<a b="\0"/>'],
    ['a control character', '<a>\u0008</a>'], ['a noncharacter', '<a>\ufffe</a>'], ['a comment with --', '<a><!-- x -- y --></a>'], [']]> in text', '<a>]]></a>'],
    ['a second document type', '<!DOCTYPE a><!DOCTYPE a><a/>'], ['a document type behind the root', '<a/><!DOCTYPE a>'], ['CDATA outside the root', '<![CDATA[x]]><a/>'],
    ['an XML declaration in the middle', '<a/><?xml version="1.0"?>'], ['an open tag', '<a'], ['an open attribute', '<a b="'], ['an open comment', '<a/><!--'],
  ])('%s is refused with a place', (_, source) => {
    const { message, place } = refused(source)
    expect(message.length).toBeGreaterThan(5)
    expect(place.line).toBeGreaterThanOrEqual(1)
    expect(place.column).toBeGreaterThanOrEqual(1)
  })

  it('does not reach the next document: a refusal leaves the reader whole', () => {
    const good = () => {
      const result = readXml('<a b="1">x<c/><![CDATA[<y>]]></a>')
      return result.ok && [result.root.text, result.root.attributeCount, countOf(result.root), result.doctype]
    }
    const unknownEncoding = '<?xml version="1.0" encoding="nope"?><a/>'
    const openComments = `<a>${'<!--'.repeat(1000)}</a>`
    for (const bad of ['<a', '<a b="', '<!DOCTYPE a [<!ENTITY x "y">]><a/>', '<a><b>', '<a><![CDATA[', unknownEncoding, openComments]) {
      refused(Buffer.from(bad))
      expect(good()).toEqual(['x<y>', 1, 2, undefined])
    }
  })

  it('cannot reach prototypes: names like __proto__ are names', () => {
    const result = readXml('<a __proto__="1" constructor="2"><__proto__ toString="3"/></a>')
    expect(result.ok && Object.keys(result.root.attributes)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['1']).toBeUndefined()
  })
})
