import { expect, it } from 'vitest'
import { parseChallenges } from '../../../../src/bundle/registry/challenge.ts'

it.each([
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a:pull,push"',
    [
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.example/token',
          service: 'registry.example',
          scope: 'repository:a:pull,push',
        },
      },
    ],
  ],
  [
    'Basic realm="with \\"quotes\\", and a comma"',
    [{ scheme: 'basic', parameters: { realm: 'with "quotes", and a comma' } }],
  ],
  [
    'Negotiate, Basic realm=plain , Bearer Realm = "x"',
    [
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'basic', parameters: { realm: 'plain' } },
      { scheme: 'bearer', parameters: { realm: 'x' } },
    ],
  ],
  ['', []],
  ['realm="nobody"', []],
])('the challenge %s is read', (header, challenges) => {
  expect(parseChallenges(header)).toEqual(challenges)
})

it('a long header that is none is read in linear time', () => {
  const started = performance.now()
  parseChallenges(`${'a '.repeat(30_000)}"${'\\'.repeat(30_000)}`)
  expect(performance.now() - started).toBeLessThan(1000)
})
