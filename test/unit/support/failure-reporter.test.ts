import { expect, it } from 'vitest'
import { listFailures } from '../../support/failure-reporter.mjs'

const failed = (fullName: string, ...errors: object[]) => ({
  fullName,
  errors: () => errors,
  result: () => ({ errors }),
})
const children = (suites: object[], tests: object[]) => ({ allSuites: () => suites, allTests: () => tests })

it('names what failed, by its file, its name and what it found: the difference without colours, and not for ever', () => {
  const long = Array.from({ length: 50 }, (_, number) => `- ${number}`).join('\n')
  const modules = [
    {
      moduleId: '/p/test/a.test.ts',
      errors: () => [],
      children: children(
        [failed('a'), failed('a > b', { message: 'beforeAll timed out' })],
        [
          failed('a > is one', { message: 'expected 2 to be 1', diff: '\x1b[32m- 1\x1b[39m\n+ 2' }),
          failed('a > is long', { message: 'expected x', diff: long }),
        ],
      ),
    },
    {
      moduleId: '/p/test/c.test.ts',
      errors: () => [{ message: 'no such module\nx' }],
      children: children([], []),
    },
  ]
  const shown = Array.from({ length: 40 }, (_, number) => `\n    - ${number}`).join('')
  expect(listFailures(modules, '/p')).toEqual([
    'test/a.test.ts: a > b: beforeAll timed out',
    'test/a.test.ts: a > is one: expected 2 to be 1\n    - 1\n    + 2',
    `test/a.test.ts: a > is long: expected x${shown}\n    …`,
    'test/c.test.ts: no such module\n    x',
  ])
})
