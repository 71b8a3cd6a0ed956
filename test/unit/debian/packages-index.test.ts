import { describe, expect, it } from 'vitest'
import { createPackageIndex } from '../../../src/debian/package-index.ts'
import { parsePackages } from '../../../src/debian/packages-index.ts'

const sha256 = 'a'.repeat(64)
const stanza = `Package: squid
Source: squid-src (6.13-2)
Version: 6.13-2+b1
Installed-Size: 9000
Architecture: amd64
Maintainer: Jörg <j@mirror.example>
Pre-Depends: libc6
Depends: libc6 (>= 2.36),
 awk | mawk
Multi-Arch: foreign
Provides: http-proxy, squid3 (= 6.13-2)
Priority: standard
Filename: pool/main/s/squid/squid_6.13-2+b1_amd64.deb
Size: 2800000
SHA256: ${sha256}
`
const plain = `Package: tzdata\nVersion: 2026a-1\nArchitecture: all\nEssential: yes\n`

const fields = (text: string | Uint8Array) =>
  parsePackages(text, 'trixie').map((one) => [
    ...[one.name, one.version, one.architecture, one.source, one.sourceVersion, one.suite],
    ...[one.essential, one.priority, one.multiArch, one.provides],
  ])

describe('parsePackages', () => {
  const expected = [
    [
      ...['squid', '6.13-2+b1', 'amd64', 'squid-src', '6.13-2', 'trixie', false, 'standard', 'foreign'],
      [{ name: 'http-proxy' }, { name: 'squid3', version: '6.13-2' }],
    ],
    ['tzdata', '2026a-1', 'all', 'tzdata', '2026a-1', 'trixie', true, 'optional', 'no', []],
  ]

  it('reads a stanza, defaults where it is silent', () => {
    expect(fields(`${stanza}\n${plain}`)).toEqual(expected)
    expect(fields(`${plain}\n\n${stanza}`)).toEqual(expected.toReversed())
  })

  it('reads bytes and CRLF alike, with or without a final newline', () => {
    expect(fields(new TextEncoder().encode(`${stanza}\n${plain}`))).toEqual(expected)
    expect(fields(`\r\n${stanza}\n${plain}`.replaceAll('\n', '\r\n').trimEnd())).toEqual(expected)
  })

  it('reads folded dependencies, and where the file is', () => {
    const [squid] = parsePackages(stanza, 'trixie')
    const { preDepends, depends, breaks, path, size, installedSize } = squid!
    expect({ preDepends, depends, breaks, path, size, sha256: squid!.sha256, installedSize }).toEqual({
      preDepends: [[{ name: 'libc6' }]],
      depends: [[{ name: 'libc6', relation: '>=', version: '2.36' }], [{ name: 'awk' }, { name: 'mawk' }]],
      breaks: [],
      path: 'pool/main/s/squid/squid_6.13-2+b1_amd64.deb',
      size: 2800000,
      sha256,
      installedSize: 9000,
    })
  })

  it('does not take a field of the next stanza for one of this', () => {
    const bare = 'Package: a\nVersion: 1\nArchitecture: all\n'
    const full = 'Package: b\nVersion: 2\nArchitecture: all\nEssential: yes\nProvides: c\n'
    const both = parsePackages(`${bare}\n${full}\n${bare}`, 'trixie')
    expect(both.map(({ essential, provides }) => [essential, provides.length])).toEqual([
      [false, 0],
      [true, 1],
      [false, 0],
    ])
  })

  it('is empty for an empty index', () => {
    expect([parsePackages('', 'trixie-updates'), parsePackages('\n\n', 'trixie-updates')]).toEqual([[], []])
  })

  it.each([
    ['Package: a\nArchitecture: all\n', 'line 1: a stanza has no Version.'],
    [`${plain}\nVersion: 1\nArchitecture: all\n`, 'line 6: a stanza has no Package.'],
    ['Package: ../a\nVersion: 1\nArchitecture: all\n', 'line 1: the Package "../a" cannot be read.'],
    ['Package: a\nVersion: 1 2\nArchitecture: all\n', 'line 1: the Version "1 2" cannot be read.'],
  ])('refuses %j at once', (text, sentence) => {
    expect(() => parsePackages(text, 'trixie')).toThrow(`The Packages index of trixie, ${sentence}`)
  })

  it.each([
    ['Filename: pool/../../etc/passwd', 'the Filename pool/../../etc/passwd leaves the archive.'],
    ['Filename: /etc/passwd', 'the Filename "/etc/passwd" cannot be read.'],
    ['Size: -1', 'a stanza has no Filename.'],
  ])('refuses %s when the path is asked for', (field, sentence) => {
    const [one] = parsePackages(`Package: a\nVersion: 1\nArchitecture: all\n${field}\n`, 'trixie')
    expect(() => one!.path).toThrow(`The Packages index of trixie, line 1: ${sentence}`)
  })

  it('refuses a dependency that cannot be read, with the field', () => {
    const [one] = parsePackages('Package: a\nVersion: 1\nArchitecture: all\nDepends: b (1)\n', 'trixie')
    expect(() => one!.depends).toThrow(
      'The Packages index of trixie, line 1: Depends: The dependency "b (1)" cannot be read: expected name[:architecture] [(relation version)].',
    )
  })
})

describe('createPackageIndex', () => {
  const at = (suite: string, ...versions: string[]) =>
    parsePackages(
      versions
        .map((version) => `Package: a\nVersion: ${version}\nArchitecture: amd64\nProvides: v\n`)
        .join('\n'),
      suite,
    )

  it('lists versions newest first over all suites; the same version counts for the suite given first', () => {
    const index = createPackageIndex('amd64', [
      at('trixie', '1.9'),
      at('trixie-updates', '1.10'),
      at('trixie-security', '1.10', '1.9+deb13u1'),
    ])
    expect(index.named('a').map(({ version, suite }) => `${version} ${suite}`)).toEqual([
      '1.10 trixie-updates',
      '1.9+deb13u1 trixie-security',
      '1.9 trixie',
    ])
    expect(index.providing('v').map((one) => one.package.version)).toEqual(['1.10', '1.9+deb13u1', '1.9'])
    expect([index.named('v'), index.providing('a')]).toEqual([[], []])
  })

  it('leaves packages of other architectures out', () => {
    expect([...createPackageIndex('arm64', [at('trixie', '1')]).names()]).toEqual([])
  })
})
