import { describe, expect, it } from 'vitest'
import { installedNames, writeDpkgDatabase } from '../../../src/image/dpkg-database.ts'
import { dpkgPathRules } from '../../../src/image/dpkg-path-rules.ts'
import { mergeStatus } from '../../../src/image/dpkg-status.ts'
import { FileTree } from '../../../src/image/file-tree.ts'
import { describeLayer, type TinyEntry, tinyEntry, tinyTree } from '../../support/tiny-tree.ts'

function tinyInstalled(
  control: Readonly<Record<string, string>>,
  files: Readonly<Record<string, TinyEntry>>,
  omitted: readonly string[] = [],
) {
  return {
    control: new Map(Object.entries(control).map(([name, text]) => [name, new TextEncoder().encode(text)])),
    entries: Object.entries(files).map(([path, tiny]) => tinyEntry(path, tiny)),
    omitted,
  }
}

const library = tinyInstalled(
  {
    control:
      'Package: libx1\nSource: x\nVersion: 1.0-1\nArchitecture: amd64\nMaintainer: N <n@mirror.example>\n' +
      'Depends: libc6 (>= 2.4)\nSection: libs\nMulti-Arch: same\nHomepage: https://x.example\nDescription: a library\n of x\n',
    md5sums:
      '0cc175b9c0f1b6a831c399e269772661  usr/lib/libx.so.1\n92eb5ffee6ae2fec3ad71c777531578f  usr/share/doc/libx1/NEWS\n',
    triggers: 'activate-noawait ldconfig\n',
  },
  { usr: '/', 'usr/lib': '/', 'usr/lib/libx.so.1': 'a' },
  ['usr/share/doc/libx1/NEWS'],
)
const daemon = tinyInstalled(
  {
    control:
      'Package: xd\nVersion: 1.0-1\nArchitecture: amd64\nMaintainer: N <n@mirror.example>\nEssential: yes\nDescription: a daemon\n',
    conffiles: '/etc/xd.conf\n',
    postinst: '#!/bin/sh\n',
    triggers: 'interest-noawait /usr/share/xd\ninterest ldconfig\n',
  },
  { etc: '/', 'etc/xd.conf': 'b' },
)

describe('writeDpkgDatabase', () => {
  it('writes what dpkg would: status in its own order of fields, lists, kept sums, scripts, triggers', () => {
    const tree = tinyTree({ 'etc/xd.conf': 'changed by an overlay' })
    writeDpkgDatabase(tree, [daemon, library], [])
    const info = 'var/lib/dpkg/info'
    expect(tree.readText('var/lib/dpkg/status')).toBe(`Package: libx1
Status: install ok installed
Section: libs
Maintainer: N <n@mirror.example>
Architecture: amd64
Multi-Arch: same
Source: x
Version: 1.0-1
Depends: libc6 (>= 2.4)
Description: a library
 of x
Homepage: https://x.example

Package: xd
Essential: yes
Status: install ok installed
Maintainer: N <n@mirror.example>
Architecture: amd64
Version: 1.0-1
Conffiles:
 /etc/xd.conf 92eb5ffee6ae2fec3ad71c777531578f
Description: a daemon

`)
    expect(
      describeLayer(tree).filter((line) => line.startsWith('var/lib/dpkg/') && !/\/status /.test(line)),
    ).toEqual([
      'var/lib/dpkg/alternatives 755 0:0 directory',
      'var/lib/dpkg/arch 644 0:0 "amd64\\n"',
      'var/lib/dpkg/diversions 644 0:0 ""',
      `${info} 755 0:0 directory`,
      `${info}/format 644 0:0 "1\\n"`,
      `${info}/libx1:amd64.list 644 0:0 "/.\\n/usr\\n/usr/lib\\n/usr/lib/libx.so.1\\n"`,
      `${info}/libx1:amd64.md5sums 644 0:0 "0cc175b9c0f1b6a831c399e269772661  usr/lib/libx.so.1\\n"`,
      `${info}/libx1:amd64.triggers 644 0:0 "activate-noawait ldconfig\\n"`,
      `${info}/xd.conffiles 644 0:0 "/etc/xd.conf\\n"`,
      `${info}/xd.list 644 0:0 "/.\\n/etc\\n/etc/xd.conf\\n"`,
      `${info}/xd.postinst 755 0:0 "#!/bin/sh\\n"`,
      `${info}/xd.triggers 644 0:0 "interest-noawait /usr/share/xd\\ninterest ldconfig\\n"`,
      'var/lib/dpkg/lock 640 0:0 ""',
      'var/lib/dpkg/lock-frontend 640 0:0 ""',
      'var/lib/dpkg/parts 755 0:0 directory',
      'var/lib/dpkg/triggers 755 0:0 directory',
      'var/lib/dpkg/triggers/File 644 0:0 "/usr/share/xd xd/noawait\\n"',
      'var/lib/dpkg/triggers/Lock 600 0:0 ""',
      'var/lib/dpkg/triggers/Unincorp 644 0:0 ""',
      'var/lib/dpkg/triggers/ldconfig 644 0:0 "xd\\n"',
      'var/lib/dpkg/updates 755 0:0 directory',
    ])
  })

  it('in a higher layer holds the status of all packages, and files only of its own', () => {
    const below = tinyTree()
    writeDpkgDatabase(below, [library], [])
    const tree = new FileTree([below.own], below.date)
    expect(installedNames(tree)).toEqual(['libx1'])
    writeDpkgDatabase(tree, [daemon], [])
    expect(installedNames(tree)).toEqual(['libx1', 'xd'])
    expect([...tree.own.keys()].filter((path) => path.includes('/info/') && !path.includes('/xd.'))).toEqual(
      [],
    )
  })

  it('tells of what the definition excludes as one package that provides it', () => {
    const tree = tinyTree()
    writeDpkgDatabase(
      tree,
      [],
      [
        { name: 'perl', version: '5.40.1-6', reason: 'Nothing here\nuses it.' },
        { name: 'cron', version: '3.0pl1-197', reason: 'No timers.' },
        { name: 'unheard-of', version: '', reason: 'The archive has none.' },
      ],
    )
    expect(tree.readText('var/lib/dpkg/status')).toBe(`Package: slipway-excluded
Status: install ok installed
Priority: optional
Section: metapackages
Installed-Size: 0
Maintainer: Slipway <slipway@localhost>
Architecture: all
Multi-Arch: foreign
Version: 1
Provides: cron (= 3.0pl1-197), perl (= 5.40.1-6), unheard-of
Description: what this appliance does without, and why
 cron: No timers.
 perl: Nothing here uses it.
 unheard-of: The archive has none.

`)
    expect(tree.readText('var/lib/dpkg/info/slipway-excluded.list')).toBe('/.\n')
  })
})

describe('mergeStatus', () => {
  it('sorts by name and architecture, and replaces a package’s older stanza', () => {
    const stanza = (name: string, architecture: string, version: string) =>
      `Package: ${name}\nArchitecture: ${architecture}\nVersion: ${version}\n`
    const old = `${stanza('b', 'amd64', '1')}\n${stanza('a', 'i386', '1')}\n`
    expect(mergeStatus(old, [stanza('b', 'amd64', '2'), stanza('a', 'amd64', '1')])).toBe(
      `${stanza('a', 'amd64', '1')}\n${stanza('a', 'i386', '1')}\n${stanza('b', 'amd64', '2')}\n`,
    )
  })
})

describe('dpkgPathRules', () => {
  it('says the omit rules in dpkg’s words, exceptions last', () => {
    const rules = [
      { path: '/usr/share/doc/*/**', except: ['/usr/share/doc/*/copyright'], reason: '' },
      { path: '/usr/share/man/**', except: [], reason: '' },
    ]
    expect(dpkgPathRules(rules)).toBe(
      'path-exclude=/usr/share/doc/*/*\npath-exclude=/usr/share/man/*\npath-include=/usr/share/doc/*/copyright\n',
    )
  })
})
