import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Resolution, resolve } from '../../../src/debian/resolver.ts'
import { satisfies } from '../../../src/debian/version.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { tinyIndex } from '../../support/stanzas.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const virtual = ['v', 'w']
const name = fc.constantFrom(...names)
const dependency = fc
  .tuple(fc.constantFrom(...names, ...virtual), fc.constantFrom('', '', ' (>= 2)', ' (<< 2)', ' (= 1)'))
  .map(([target, version]) => target + version)
const clause = fc.array(dependency, { minLength: 1, maxLength: 3 }).map((list) => list.join(' | '))
const field = (label: string, item: fc.Arbitrary<string>, maxLength: number) =>
  fc.array(item, { maxLength }).map((list) => (list.length > 0 ? `; ${label}: ${list.join(', ')}` : ''))

const line = fc
  .tuple(
    name,
    fc.constantFrom('1', '2'),
    field('Depends', clause, 2),
    field('Pre-Depends', clause, 1),
    field('Conflicts', dependency, 1),
    field('Breaks', dependency, 1),
    field('Provides', fc.constantFrom('v', 'w', 'v (= 2)', 'w (= 1)'), 1),
  )
  .map(([one, version, ...fields]) => `${one} ${version}${fields.join('')}`)

const archive = fc.uniqueArray(line, {
  minLength: 4,
  maxLength: 12,
  selector: (text) => text.split(/[ ;]/, 2).join(' '),
})
const wanted = fc.uniqueArray(name, { minLength: 1, maxLength: 3 })

interface Meaning {
  readonly chosen: readonly string[]
  readonly error?: string
}

function attempt(lines: readonly string[], packages: readonly string[]): Resolution | SlipwayError {
  try {
    return resolve({ index: tinyIndex(lines.join('\n')), wanted: [{ by: 'app', packages }] })
  } catch (error) {
    if (error instanceof SlipwayError) return error
    throw error
  }
}

function meaning(result: Resolution | SlipwayError): Meaning {
  if (result instanceof SlipwayError) return { chosen: [], error: result.message }
  return { chosen: result.packages.map((one) => `${one.package.name} ${one.package.version}`) }
}

/** Written from Policy without the resolver's own matching. */
function isMet(
  dependency: { name: string; relation?: string; version?: string },
  by: Resolution['packages'],
) {
  return by.some(({ package: one }) =>
    [{ name: one.name, version: one.version }, ...one.provides].some(
      (borne) =>
        borne.name === dependency.name &&
        (dependency.relation === undefined ||
          (borne.version !== undefined &&
            satisfies(borne.version, dependency.relation as '=', dependency.version!))),
    ),
  )
}

it('what is chosen is closed, at peace, and holds what was asked for', () => {
  fc.assert(
    fc.property(archive, wanted, (lines, packages) => {
      const result = attempt(lines, packages)
      if (result instanceof SlipwayError) return
      const chosen = result.packages
      expect(chosen.map((one) => one.package.name)).toEqual(expect.arrayContaining(packages))
      for (const { package: one } of chosen) {
        const others = chosen.filter((other) => other.package !== one)
        for (const alternatives of [...one.preDepends, ...one.depends]) {
          expect(alternatives.some((dependency) => isMet(dependency, chosen))).toBe(true)
        }
        for (const negative of [...one.conflicts, ...one.breaks].flat()) {
          expect(isMet(negative, others)).toBe(false)
        }
      }
    }),
    { numRuns: 1500 },
  )
})

it('nothing is refused that trying every set of newest versions finds possible', () => {
  fc.assert(
    fc.property(archive, wanted, (lines, packages) => {
      const result = attempt(lines, packages)
      if (!(result instanceof SlipwayError) || result.code === 'unknown-package') return
      const index = tinyIndex(lines.join('\n'))
      const newest = [...index.names()].map((one) => ({
        package: index.named(one)[0]!,
        requestedBy: [],
        needs: [],
      }))
      for (let bits = 0; bits < 2 ** newest.length; bits++) {
        const set = newest.filter((_, place) => (bits >> place) & 1)
        const works =
          packages.every((wish) => set.some((one) => one.package.name === wish)) &&
          set.every(
            (one) =>
              [...one.package.preDepends, ...one.package.depends].every((clauses) =>
                clauses.some((dependency) => isMet(dependency, set)),
              ) &&
              ![...one.package.conflicts, ...one.package.breaks].flat().some((negative) =>
                isMet(
                  negative,
                  set.filter((other) => other !== one),
                ),
              ),
          )
        expect(works).toBe(false)
      }
    }),
    { numRuns: 400 },
  )
})

it('the order of packages in the archive and of names in the request does not matter', () => {
  fc.assert(
    fc.property(archive, wanted, (lines, packages) => {
      const forward = meaning(attempt(lines, packages))
      expect(meaning(attempt(lines.toReversed(), packages.toReversed()))).toEqual(forward)
    }),
    { numRuns: 800 },
  )
})
