import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { mergeYaml } from '../../../src/definition/merge-yaml.ts'
import { parseYaml } from '../../../src/definition/yaml-file.ts'

const over = (...texts: string[]) => mergeYaml(texts.map((text, index) => parseYaml(text, `${index}.yaml`)))

describe('mergeYaml', () => {
  it('adds to a list without doubles, and beneath the last where that is to stay', () => {
    const files = ['layers: [base, brand]\nports: [1, 2]', 'layers+: [tools]\nports+: [2, 3]'].map((text) =>
      parseYaml(text, 'x.yaml'),
    )
    expect(mergeYaml(files, { keepLast: ['layers'] }).value).toEqual({
      layers: ['base', 'tools', 'brand'],
      ports: [1, 2, 3],
    })
  })

  it('begins a list that is not there yet, and adds to it again from further above', () => {
    const merged = over('a: 1', 'list+: [x]', 'list+: [y]')
    expect(merged.value).toEqual({ a: 1, list: ['x', 'y'] })
    expect(merged.settingsOf(['list'])).toEqual([
      { file: '1.yaml', line: 1, value: ['x'], does: 'adds' },
      { file: '2.yaml', line: 1, value: ['y'], does: 'adds' },
    ])
    expect(merged.placeOf(['list', 1])).toEqual({ file: '2.yaml', line: 1 })
  })

  it('takes a value away, which a file above may set anew', () => {
    expect(over('a: { b: 1, c: 2 }', 'a: { b: }').value).toEqual({ a: { c: 2 } })
    const again = over('a: { b: 1 }', 'a: { b: }', 'a: { b: 3 }')
    expect(again.value).toEqual({ a: { b: 3 } })
    expect(again.settingsOf(['a', 'b']).map(({ does }) => does)).toEqual(['sets', 'removes', 'sets'])
  })

  it('keeps an empty value that covers nothing: Compose means something by it', () => {
    expect(over('volumes: { a: { driver: x } }', 'volumes: { b: }').value).toEqual({
      volumes: { a: { driver: 'x' }, b: null },
    })
  })

  it('replaces where one is a map and the other is not', () => {
    expect(over('a: { b: 1 }', 'a: [1]').value).toEqual({ a: [1] })
    expect(over('a: [1]', 'a: { b: 1 }').value).toEqual({ a: { b: 1 } })
  })

  it('tells every mistake of every file, and merges nothing then', () => {
    expect(over('a: 1', 'a: [').problems.map(({ file }) => file)).toEqual(['1.yaml'])
  })

  const key = fc.stringMatching(/^[a-c]$/)
  const tree = fc.letrec((tie) => ({
    map: fc.dictionary(key, tie('value'), { maxKeys: 3 }),
    value: fc.oneof({ maxDepth: 3 }, fc.integer(), fc.array(fc.integer(), { maxLength: 2 }), tie('map')),
  })).map

  it('is what merging by hand gives, and each value stands where the last file that says it has it', () => {
    fc.assert(
      fc.property(tree, tree, tree, (a, b, c) => {
        const merged = over(...[a, b, c].map((value) => stringify(value)))
        expect(merged.value).toEqual(byHand(byHand(a, b), c))
        for (const path of paths(merged.value)) {
          const last = merged.settingsOf(path).at(-1)!
          expect(merged.placeOf(path)).toEqual({ file: last.file, line: last.line })
          expect(last.value).toEqual(at(merged.value, path))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('changes nothing when a file is laid over itself, or nothing over a file', () => {
    fc.assert(
      fc.property(tree, (a) => {
        const text = stringify(a)
        expect(over(text, text).value).toEqual(a)
        expect(over(text, '{}').value).toEqual(a)
      }),
      { numRuns: 100 },
    )
  })
})

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function byHand(a: unknown, b: unknown): unknown {
  if (!isMap(a) || !isMap(b)) return b
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries(
    [...keys].map((key) => [key, key in a && key in b ? byHand(a[key], b[key]) : (b[key] ?? a[key])]),
  )
}

/** The paths of scalars and lists. */
function paths(value: unknown, path: string[] = []): string[][] {
  if (!isMap(value)) return path.length > 0 ? [path] : []
  return Object.entries(value).flatMap(([key, inner]) => paths(inner, [...path, key]))
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], value)
}
