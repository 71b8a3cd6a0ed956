import { describe, expect, it } from 'vitest'
import { fieldOf, formatStanza, parseStanzas } from '../../../src/debian/deb822.ts'

const text = `# a comment
Package: a
Description: short
 long line
 .
 the end

Package: b
Tag:
 x::y,
 z::w
`

describe('parseStanzas', () => {
  const stanzas = [
    {
      line: 2,
      fields: [
        { name: 'Package', value: 'a' },
        { name: 'Description', value: 'short\n long line\n .\n the end' },
      ],
    },
    {
      line: 8,
      fields: [
        { name: 'Package', value: 'b' },
        { name: 'Tag', value: '\n x::y,\n z::w' },
      ],
    },
  ]

  it('reads fields with their continuation lines, and the line where a stanza begins', () => {
    expect(parseStanzas(text, 'status')).toEqual(stanzas)
  })

  it('reads CRLF as LF, and any number of blank lines between stanzas', () => {
    const same = text.replaceAll('\n', '\r\n')
    expect(parseStanzas(same, 'status')).toEqual(stanzas)
    expect(parseStanzas(`\n\n${text}\n \n\n`, 'status').map(({ line }) => line)).toEqual([4, 10])
  })

  it('writes a stanza back as it stood', () => {
    const written = parseStanzas(text, 'status').map(({ fields }) => formatStanza(fields))
    expect(`# a comment\n${written.join('\n')}`).toBe(text)
  })

  it('finds a field whatever the case of its name', () => {
    expect(fieldOf(parseStanzas('SHA256: x', 'Release')[0]!, 'sha256')).toBe('x')
  })

  it.each([
    ['Package: a\nno field', 'status, line 2: "no field" is no "Field: value".'],
    [' folded', 'status, line 1: a continuation line before any field.'],
    ['A: 1\na: 2', 'status, line 2: the field a is given twice.'],
    ['A: 1\n\n: 2', 'status, line 3: ": 2" is no "Field: value".'],
  ])('refuses %j with its line', (bad, sentence) => {
    expect(() => parseStanzas(bad, 'status')).toThrow(sentence)
  })
})
