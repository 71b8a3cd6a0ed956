import { describe, expect, it } from 'vitest'
import { type Resolution, type ResolveRequest, resolve } from '../../../src/debian/resolver.ts'
import { tinyIndex } from '../../support/stanzas.ts'

type Extra = Omit<Partial<ResolveRequest>, 'index' | 'wanted'>

function resolveTiny(lines: string, wanted: string, extra: Extra = {}): Resolution {
  const packages = wanted.split(' ').filter((name) => name !== '')
  return resolve({ index: tinyIndex(lines), wanted: [{ by: 'app', packages }], ...extra })
}

/** What is chosen, as "name version". */
function choose(lines: string, wanted: string, extra: Extra = {}): string[] {
  return resolveTiny(lines, wanted, extra).packages.map(
    ({ package: { name, version } }) => `${name} ${version}`,
  )
}

function sentence(lines: string, wanted: string, extra: Extra = {}): string {
  try {
    return `chosen: ${choose(lines, wanted, extra).join(', ')}`
  } catch (error) {
    return (error as Error).message
  }
}

describe('what is chosen', () => {
  it('follows Pre-Depends and Depends, not Recommends', () => {
    const lines = `
      a 1; Pre-Depends: b; Depends: c (>= 2); Recommends: d
      b 1
      c 2; Depends: a
      d 1`
    expect(choose(lines, 'a')).toEqual(['a 1', 'b 1', 'c 2'])
  })

  it('follows Recommends when asked, as far as they can be met', () => {
    const lines = `
      a 1; Recommends: b, c, nowhere
      b 1
      c 1; Conflicts: a`
    expect(choose(lines, 'a', { recommends: true })).toEqual(['a 1', 'b 1'])
  })

  it('records who asks for a package and what meets its needs', () => {
    const lines = `
      a 1; Pre-Depends: b; Depends: v, c | d
      b 1; Essential: yes
      d 1; Provides: v`
    expect(
      resolve({
        index: tinyIndex(lines),
        wanted: [
          { by: 'web', packages: ['a', 'b'] },
          { by: 'app', packages: ['a'] },
        ],
        essentialFor: 'base',
      }).packages.map(({ package: { name }, ...rest }) => ({ name, ...rest })),
    ).toEqual([
      { name: 'a', requestedBy: ['app', 'web'], needs: ['b', 'd'] },
      { name: 'b', requestedBy: ['base', 'web'], needs: [] },
      { name: 'd', requestedBy: [], needs: [] },
    ])
  })

  it('takes no Essential package unless it is asked for the set', () => {
    const lines = `
      a 1
      b 1; Essential: yes`
    expect(choose(lines, 'a')).toEqual(['a 1'])
    expect(choose(lines, 'a', { essentialFor: 'base' })).toEqual(['a 1', 'b 1'])
  })

  it('takes the highest version of all suites', () => {
    expect(choose('a 1.9\na 1.10\na 1.9+deb13u1', 'a')).toEqual(['a 1.10'])
  })

  it('is closed for packages that need each other', () => {
    expect(choose('a 1; Depends: b\nb 1; Depends: a', 'a')).toEqual(['a 1', 'b 1'])
  })
})

describe('a long chain of needs', () => {
  it('is followed to its end', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => `p${i} 1; Depends: p${i + 1}`)
    expect(choose([...chain, 'p20000 1'].join('\n'), 'p0')).toHaveLength(20_001)
  })
})

describe('alternatives and virtual packages', () => {
  it('the first alternative that can be met is taken', () => {
    expect(choose('a 1; Depends: nowhere | b | c\nb 1\nc 1', 'a')).toEqual(['a 1', 'b 1'])
  })

  it('an alternative that is asked for beats the first', () => {
    expect(choose('a 1; Depends: b | c\nb 1\nc 1', 'a c')).toEqual(['a 1', 'c 1'])
  })

  it('an alternative that another dependency chose before is enough', () => {
    expect(choose('a 1; Depends: c, b | c\nb 1\nc 1', 'a')).toEqual(['a 1', 'c 1'])
  })

  it('a real package beats those that provide its name', () => {
    expect(choose('a 1; Depends: v\nv 1\nw 1; Provides: v', 'a')).toEqual(['a 1', 'v 1'])
  })

  it('a provider of higher Priority beats one of lower, an Essential one beats both', () => {
    const lines = `
      a 1; Depends: v
      x 1; Provides: v; Priority: optional
      y 1; Provides: v; Priority: required`
    expect(choose(lines, 'a')).toEqual(['a 1', 'y 1'])
    expect(choose(`${lines}\nz 1; Provides: v; Essential: yes; Priority: extra`, 'a')).toEqual(['a 1', 'z 1'])
  })

  it('a versioned dependency is met by a versioned Provides only', () => {
    const lines = `
      a 1; Depends: v (>= 2)
      w 9; Provides: v; Priority: required
      x 1; Provides: v (= 1); Priority: required
      y 1; Provides: v (= 2)`
    expect(choose(lines, 'a')).toEqual(['a 1', 'y 1'])
  })

  it('a choice that leads nowhere is reconsidered', () => {
    const lines = `
      a 1; Depends: b | c
      b 1; Depends: nowhere
      c 1`
    expect(choose(lines, 'a')).toEqual(['a 1', 'c 1'])
  })

  it('a choice made early is reconsidered for a conflict found late', () => {
    const lines = `
      a 1; Depends: b | c, d, e
      b 1
      c 1
      d 1
      e 1; Depends: f
      f 1; Conflicts: b`
    expect(choose(lines, 'a')).toEqual(['a 1', 'c 1', 'd 1', 'e 1', 'f 1'])
  })
})

describe('conflicts', () => {
  it('a package may conflict with a name that it provides itself', () => {
    const lines = `
      a 1; Provides: mta; Conflicts: mta
      b 1; Depends: mta`
    expect(choose(lines, 'a b')).toEqual(['a 1', 'b 1'])
  })

  it('a Breaks of other versions does no harm', () => {
    expect(choose('a 1; Breaks: b (<< 2)\nb 2', 'a b')).toEqual(['a 1', 'b 2'])
  })

  it('a versioned Breaks does not hit an unversioned Provides', () => {
    expect(choose('a 1; Breaks: v (<< 2)\nb 1; Provides: v', 'a b')).toEqual(['a 1', 'b 1'])
  })

  it('an impossible set is told as the two requirements that meet', () => {
    const lines = `
      a 1; Depends: c
      b 1; Depends: d
      c 1; Conflicts: e
      d 1; Depends: e
      e 1`
    expect(sentence(lines, 'a b')).toBe(
      'No set of packages fits on amd64: app → b → d needs e, but c 1 conflicts with e, and there is app → a → c.',
    )
  })

  it('a conflict with a virtual name says who provides it', () => {
    expect(sentence('a 1; Conflicts: v\nb 1; Provides: v', 'a b')).toBe(
      'No set of packages fits on amd64: app asks for b, but a 1 conflicts with v, which b provides, and there is app → a.',
    )
  })

  it('of several failures the one that needed fewest choices is told', () => {
    const lines = `
      a 1; Depends: b | c, d
      b 1; Conflicts: d
      c 1
      d 1; Depends: nowhere`
    expect(sentence(lines, 'a')).toBe(
      'No set of packages fits on amd64: app → a → d needs nowhere, which the archive does not have.',
    )
  })

  it('a hopeless set is given up quickly, however many choices stand beside it', () => {
    const pairs = Array.from({ length: 40 }, (_, i) => `p${i} 1; Depends: l${i} | r${i}\nl${i} 1\nr${i} 1`)
    const all = pairs.map((_, i) => `p${i}`).join(' ')
    expect(sentence(`${pairs.join('\n')}\nz 1; Depends: nowhere`, `${all} z`)).toBe(
      'No set of packages fits on amd64: app → z needs nowhere, which the archive does not have.',
    )
  })
})

describe('Multi-Arch and architectures', () => {
  it('name:any asks for a package that is Multi-Arch: allowed', () => {
    const lines = 'a 1; Depends: b:any | c:any\nb 1; Multi-Arch: foreign\nc 1; Multi-Arch: allowed'
    expect(choose(lines, 'a')).toEqual(['a 1', 'c 1'])
  })

  it('name:amd64 is met on amd64, by a package of all too; name:arm64 is not', () => {
    const lines = 'a 1; Depends: b:amd64, c:amd64\nb 1\nc 1; Architecture: all\nd 1; Depends: b:arm64'
    expect(choose(lines, 'a')).toEqual(['a 1', 'b 1', 'c 1'])
    expect(sentence(lines, 'd')).toBe(
      'No set of packages fits on amd64: app → d needs b:arm64, but the archive has b 1.',
    )
  })

  it('a Conflicts with name:any hits whatever its Multi-Arch', () => {
    expect(sentence('a 1; Conflicts: b:any\nb 1', 'a b')).toBe(
      'No set of packages fits on amd64: app asks for b, but a 1 conflicts with b:any, and there is app → a.',
    )
  })
})

describe('exclude', () => {
  const lines = `
    a 1; Depends: cron | anacron, log (>= 2)
    b 1; Pre-Depends: cron
    anacron 1
    cron 3
    log 2; Depends: more
    more 1`

  it('drops a dependency with its reason, and what it alone would bring', () => {
    const { packages, excluded } = resolveTiny(lines, 'a b', {
      exclude: { cron: 'no timer', log: 'the Engine logs', unused: 'never met' },
    })
    expect([packages.map((one) => one.package.name), excluded]).toEqual([
      ['a', 'b'],
      [
        { name: 'cron', version: '3', reason: 'no timer', neededBy: ['a', 'b'] },
        { name: 'log', version: '2', reason: 'the Engine logs', neededBy: ['a'] },
      ],
    ])
  })

  it('an Essential package can be excluded, and the record says that it was', () => {
    expect(
      resolveTiny('a 1\nb 2; Essential: yes', 'a', { essentialFor: 'base', exclude: { b: 'not used' } }),
    ).toMatchObject({
      packages: [{ package: { name: 'a' } }],
      excluded: [{ name: 'b', version: '2', reason: 'not used', neededBy: ['essential'] }],
    })
  })

  it('an excluded package is no provider', () => {
    const mail = 'a 1; Depends: mta\nexim 1; Provides: mta\npostfix 1; Provides: mta'
    expect(choose(mail, 'a', { exclude: { postfix: 'exim it is' } })).toEqual(['a 1', 'exim 1'])
    expect(sentence(mail, 'a', { exclude: { postfix: 'no mail', exim: 'no mail' } })).toBe(
      'No set of packages fits on amd64: app → a needs mta, which only excluded packages provide (exim, postfix): exclude mta too.',
    )
    expect(resolveTiny(mail, 'a', { exclude: { mta: 'no mail' } }).excluded).toEqual([
      { name: 'mta', version: '1', reason: 'no mail', neededBy: ['a'] },
    ])
  })

  it('a name that the archive does not have counts for any clause without a version', () => {
    expect(resolveTiny('a 1; Depends: ghost', 'a', { exclude: { ghost: 'elsewhere' } }).excluded).toEqual([
      { name: 'ghost', version: '', reason: 'elsewhere', neededBy: ['a'] },
    ])
    expect(sentence('a 1; Depends: ghost (>= 2)', 'a', { exclude: { ghost: 'elsewhere' } })).toBe(
      'No set of packages fits on amd64: app → a needs ghost (>= 2), but ghost is excluded, and the archive has no version of it that could count.',
    )
  })

  it('is refused for a package that is asked for', () => {
    expect(sentence(lines, 'a cron', { exclude: { cron: 'no timer' } })).toBe(
      'The package cron is asked for by app and excluded at the same time: take it out of one of the two.',
    )
  })
})

describe('pins', () => {
  const lines = `
    a 1; Depends: lib (>= 3.0)
    lib 3.0.1
    lib 3.0.10
    lib 3.5.0
    z 1; Depends: lib (>= 3.4)`

  it('hold a version: exact, or the newest that fits a pattern', () => {
    expect(choose(lines, 'a', { pins: { lib: '3.0.1' } })).toEqual(['a 1', 'lib 3.0.1'])
    expect(choose(lines, 'a', { pins: { lib: '3.0.*' } })).toEqual(['a 1', 'lib 3.0.10'])
  })

  it('a dot in a pattern is a dot', () => {
    expect(sentence('a 1\na 3x0', 'a', { pins: { a: '3.0' } })).toBe(
      'No version of a for amd64 fits the pin 3.0: the archive has 3x0, 1.',
    )
  })

  it('a pin that cannot be met says which package wants otherwise', () => {
    expect(sentence(lines, 'a z', { pins: { lib: '3.0.*' } })).toBe(
      'No set of packages fits on amd64: app → z needs lib (>= 3.4), but lib is pinned to 3.0.*.',
    )
  })

  it('a pin on a name that the archive does not have is refused', () => {
    expect(sentence(lines, 'a', { pins: { libb: '1' } })).toBe(
      'The pinned package libb is not in the archive for amd64; near to it: lib.',
    )
  })
})

describe('preferred versions', () => {
  const lines = `
    a 1; Depends: lib
    a 2; Depends: lib (>= 2)
    lib 1
    lib 2
    other 1
    other 2`

  it('are kept while nothing speaks against them', () => {
    const preferred = new Map([
      ['a', '1'],
      ['lib', '1'],
      ['other', 'gone'],
    ])
    expect(choose(lines, 'a other', { preferred })).toEqual(['a 1', 'lib 1', 'other 2'])
  })

  it('a package that moves drags along only what it must', () => {
    const preferred = new Map([
      ['lib', '1'],
      ['other', '1'],
    ])
    expect(choose(lines, 'a other', { preferred })).toEqual(['a 2', 'lib 2', 'other 1'])
  })

  it('a pin is stronger', () => {
    expect(choose(lines, 'a', { preferred: new Map([['lib', '1']]), pins: { lib: '2' } })).toEqual([
      'a 2',
      'lib 2',
    ])
  })
})

describe('names that are not there', () => {
  it('a package that does not exist is refused, with the nearest names', () => {
    expect(sentence('dnsmasq 1\ndnsmasq-base 1\nsquid 1', 'dnsmask')).toBe(
      'The package dnsmask, asked for by app, is not in the archive for amd64; near to it: dnsmasq.',
    )
  })

  it('a virtual package is refused, with those that provide it', () => {
    expect(sentence('gawk 1; Provides: awk\nmawk 1; Provides: awk', 'awk')).toBe(
      'awk, asked for by app, is a virtual package: name one of those that provide it (gawk, mawk).',
    )
  })

  it('a dependency that no version meets says what the archive has', () => {
    expect(sentence('a 1; Depends: b (>= 9)\nb 8\nb 7', 'a')).toBe(
      'No set of packages fits on amd64: app → a needs b (>= 9), but the archive has b 8, 7.',
    )
  })

  it('an older version that would do is taken by a pin only, and it is said', () => {
    const lines = 'a 1; Depends: b (<< 8)\nb 8\nb 7'
    expect(sentence(lines, 'a')).toBe(
      'No set of packages fits on amd64: app → a needs b (<< 8), but the newest b is 8: to take 7, pin it in appliance.yaml.',
    )
    expect(choose(lines, 'a', { pins: { b: '7' } })).toEqual(['a 1', 'b 7'])
  })

  it('a Provides of another version says who provides', () => {
    expect(sentence('a 1; Depends: v (>= 9)\nb 8; Provides: v (= 8)', 'a')).toBe(
      'No set of packages fits on amd64: app → a needs v (>= 9), but what provides it is of another version (b).',
    )
  })
})
