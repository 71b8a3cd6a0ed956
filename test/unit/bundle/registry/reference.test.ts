import { describe, expect, it } from 'vitest'
import {
  formatReference,
  isLocal,
  isReference,
  parseReference,
} from '../../../../src/bundle/registry/reference.ts'
import { caught } from '../../../support/caught.ts'

const digest = `sha256:${'a'.repeat(64)}`

describe('a reference', () => {
  it.each([
    ['registry.example/acme/wan', { registry: 'registry.example', repository: 'acme/wan' }],
    ['registry.example/wan:1.0.0', { registry: 'registry.example', repository: 'wan', tag: '1.0.0' }],
    [
      `registry.example:5000/a/b__c.d@${digest}`,
      { registry: 'registry.example:5000', repository: 'a/b__c.d', digest },
    ],
    [`localhost/wan:v1@${digest}`, { registry: 'localhost', repository: 'wan', tag: 'v1', digest }],
    ['[::1]:5000/wan', { registry: '[::1]:5000', repository: 'wan' }],
  ])('%s is read', (text, parts) => {
    expect(parseReference(text)).toEqual(parts)
  })

  it.each([
    ['acme/wan', 'begins with no host, such as registry.example'],
    ['wan', 'begins with no host, such as registry.example'],
    ['registry.example/Acme', 'has "Acme" for a repository, which needs lower-case letters and digits'],
    ['registry.example/', 'has "" for a repository, which needs lower-case letters and digits'],
    ['registry.example/a/../b', 'has "a/../b" for a repository, which needs lower-case letters and digits'],
    ['registry.example/a:b:c', 'has more than one tag or digest'],
    ['registry.example/a:-', 'has a tag "-" that cannot be one'],
    ['registry.example/a@sha256:12', 'has a digest "sha256:12" that is not sha256: and 64 hex digits'],
  ])('%s is refused', (text, reason) => {
    expect(() => parseReference(text)).toThrow(
      `"${text}" ${reason}; write registry.example/acme/wan:1.0.0 or registry.example/acme/wan@sha256:….`,
    )
  })

  it('is told from the path of a folder by its host', () => {
    const words = ['build', './build', '../x.y/build', 'C:\\build', '/registry.example/a', 'registry.example']
    expect(words.filter(isReference)).toEqual([])
    expect(['registry.example/a', 'localhost/a', '127.0.0.1:5000/a', 'reg:5000/a'].every(isReference)).toBe(
      true,
    )
  })

  it('is written as it is read', () => {
    const text = `registry.example/acme/wan:1.0@${digest}`
    const parts = parseReference(text)
    expect(formatReference(parts, parts)).toBe(text)
  })
})

it('plain http is no risk on this machine alone', () => {
  const hosts = ['localhost', 'localhost:5000', '127.0.0.1:5000', '127.1.2.3', '[::1]:5000']
  expect(hosts.filter((host) => !isLocal(host))).toEqual([])
  expect(['registry.example', '127.example', 'localhost.example:1'].filter(isLocal)).toEqual([])
})

it('a bad reference ends with exit code 2', () => {
  expect(caught(() => parseReference('x'))).toMatchObject({ code: 'bad-reference', exitCode: 2 })
})
