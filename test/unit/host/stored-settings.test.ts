import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withStoredSettings } from '../../../src/host/settings.ts'
import { formatSettings, mergeSettings } from '../../../src/host/stored-settings.ts'
import { caught } from '../../support/caught.ts'

const key = fc.constantFrom('dns.cache', 'dns.port', 'optimiser.cache', 'upstreamDns')
const value = fc.stringMatching(/^[0-9a-z.,]{1,8}$/)
const settings = fc.dictionary(key, value)

function facts(action: () => unknown) {
  const { code, exitCode, message } = caught(action)
  return { code, exitCode, message }
}

describe('settings of a site', () => {
  it('are the stored ones with those of the command over them', () => {
    fc.assert(
      fc.property(settings, settings, (stored, set) => {
        const merged = mergeSettings(stored, { set: formatSettings(set), unset: [] }, 'acme')
        expect(merged).toEqual({ ...stored, ...set })
      }),
    )
  })

  it('are the same when the same command is given again', () => {
    fc.assert(
      fc.property(settings, settings, (stored, set) => {
        const changes = { set: formatSettings(set), unset: [] }
        const once = mergeSettings(stored, changes, 'acme')
        expect(formatSettings(mergeSettings(once, changes, 'acme'))).toEqual(formatSettings(once))
      }),
    )
  })

  it('do not depend on the order in which different ones were given', () => {
    fc.assert(
      fc.property(settings, settings, (stored, set) => {
        const inOrder = formatSettings(set)
        const merge = (texts: string[]) =>
          formatSettings(mergeSettings(stored, { set: texts, unset: [] }, 'acme'))
        expect(merge([...inOrder].reverse())).toEqual(merge(inOrder))
      }),
    )
  })

  it('lose what is forgotten and nothing else', () => {
    fc.assert(
      fc.property(settings, key, value, (stored, one, text) => {
        const { [one]: _, ...others } = stored
        const set = mergeSettings(stored, { set: [`${one}=${text}`], unset: [] }, 'acme')
        expect(mergeSettings(set, { set: [], unset: [one] }, 'acme')).toEqual(others)
      }),
    )
  })

  it('take the last of several values, and keep what stands after a second equals sign', () => {
    expect(mergeSettings({}, { set: ['dns.cache=1', 'dns.cache=a=b'], unset: [] }, 'acme')).toEqual({
      'dns.cache': 'a=b',
    })
  })

  it('spell sizes of memory in one way', () => {
    expect(mergeSettings({}, { set: ['dns.memory=1024m'], unset: [] }, 'acme')).toEqual({
      'dns.memory': '1g',
    })
  })
})

describe('a setting that cannot be', () => {
  it('forgotten, since it is not there, is told with those that are', () => {
    expect(
      facts(() => mergeSettings({ 'dns.port': '1053' }, { set: [], unset: ['dns.cache'] }, 'acme')),
    ).toEqual({
      code: 'not-set',
      exitCode: 2,
      message: '--unset dns.cache: acme has no such setting of its own; it has dns.port=1053.',
    })
    expect(caught(() => mergeSettings({}, { set: [], unset: ['dns.cache'] }, 'acme')).message).toBe(
      '--unset dns.cache: acme has no such setting of its own; it has none.',
    )
  })

  it('set and forgotten at once is refused', () => {
    expect(
      facts(() => mergeSettings({ 'dns.port': '53' }, { set: ['dns.port=54'], unset: ['dns.port'] }, 'acme')),
    ).toEqual({
      code: 'set-and-unset',
      exitCode: 2,
      message: '--set dns.port=… and --unset dns.port contradict each other; say one of them.',
    })
  })

  it('applied to a release without its service is told with the way to forget it', () => {
    const profile = { name: 'branch', description: '', services: {} }
    expect(facts(() => withStoredSettings(profile, { 'relay.port': '99' }, ['dns']))).toEqual({
      code: 'stored-setting',
      exitCode: 2,
      message:
        'The stored setting relay.port=99 does not fit this release; `slipway install --unset relay.port` forgets it.',
    })
  })
})
