// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of Compose.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { interpolate } from '../../../src/definition/interpolate.ts'

const variables = { SET: 'value', EMPTY: '' }

describe('interpolate', () => {
  it.each([
    ['plain', 'plain'],
    ['$SET', 'value'],
    ['${SET}', 'value'],
    ['a${SET}b$SET', 'avaluebvalue'],
    ['${SET:-other}', 'value'],
    ['${EMPTY:-other}', 'other'],
    ['${EMPTY-other}', ''],
    ['${NONE:-other}', 'other'],
    ['${NONE-other}', 'other'],
    ['${NONE:-}', ''],
    ['${NONE:-a:-b ?c}', 'a:-b ?c'],
    ['${SET:?is needed}', 'value'],
    ['${EMPTY?is needed}', ''],
    ['${NONE:-${SET}}', 'value'],
    ['${NONE:-$SET}', 'value'],
    ['${NONE:-a${EMPTY:-${NONE-b}}c} d', 'abc d'],
    ['${SET:-${NONE}} d', 'value d'],
    ['${NONE:-5$$}', '5$'],
    ['${NONE:-$${SET}', '${SET'],
    ['$$SET', '$SET'],
    ['$$$SET', '$value'],
    ['50% off', '50% off'],
  ])('%s becomes "%s"', (text, expected) => {
    expect(interpolate(text, variables)).toMatchObject({ text: expected, errors: [] })
  })

  it.each([
    ['${NONE}', 'uses the variable NONE, which has no value; write ${NONE:-default} to give it one'],
    ['$NONE', 'uses the variable NONE, which has no value; write ${NONE:-default} to give it one'],
    ['${NONE:?tell me the port}', 'needs the variable NONE: tell me the port'],
    ['${EMPTY:?}', 'needs the variable EMPTY: it has no value'],
    [
      '${toString}',
      'uses the variable toString, which has no value; write ${toString:-default} to give it one',
    ],
    ['cost: 5$', 'has a $ that begins no variable ("cost: 5$"); write $$ for a dollar'],
    ['${1}', 'has a $ that begins no variable ("${1}"); write $$ for a dollar'],
    ['${SET', 'has a $ that begins no variable ("${SET"); write $$ for a dollar'],
    ['${NONE:-${SET}', 'has a $ that begins no variable ("${NONE:-${SET}"); write $$ for a dollar'],
    [
      '${NONE:-${OTHER}}',
      'uses the variable OTHER, which has no value; write ${OTHER:-default} to give it one',
    ],
    ['${NONE:?set ${SET}}', 'needs the variable NONE: set value'],
    ['${SET:+x}', 'has a $ that begins no variable ("${SET:+x}"); write $$ for a dollar'],
  ])('%s is refused', (text, error) => {
    expect(interpolate(text, variables).errors).toEqual([error])
  })

  it('names every variable, set or not', () => {
    expect(interpolate('$A ${B:-${C}} ${SET}', variables).names).toEqual(['A', 'B', 'C', 'SET'])
  })

  it('leaves any text with its dollars doubled as it was', () => {
    fc.assert(
      fc.property(fc.string(), (text) => interpolate(text.replaceAll('$', '$$$$'), variables).text === text),
    )
  })
})
