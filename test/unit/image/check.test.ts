import { describe, expect, it } from 'vitest'
import type { TarEntry } from '../../../src/debian/tar-reader.ts'
import type { Check } from '../../../src/definition/definition.ts'
import { checkImage } from '../../../src/image/check.ts'
import type { OpenedImage } from '../../../src/image/image-files.ts'

const file = (path: string, text = '', facts: Partial<TarEntry> = {}): [string, TarEntry] => [
  path,
  { path, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, content: Buffer.from(text), ...facts },
]
const link = (path: string, target: string): [string, TarEntry] => [
  path,
  { path, type: 'symlink', mode: 0o777, uid: 0, gid: 0, mtime: 0, target },
]
const image = {
  config: { config: { ExposedPorts: { '53/udp': {} } } },
  files: new Map([
    file('etc/passwd', 'root:x:0:0::/root:/bin/sh\nproxy:x:13:13::/:/bin/false\n'),
    file('var/lib/dpkg/status', 'Package: squid\nVersion: 6.13-2\n\nPackage: libssl3t64\nVersion: 3.5.7-1\n'),
    link('bin', 'usr/bin'),
    link('usr/bin/awk', '/etc/alternatives/awk'),
    link('etc/alternatives/awk', '../../usr/bin/mawk'),
    link('usr/bin/cron', '/opt/gone'),
    file('usr/bin/mawk', 'awk', { mode: 0o4755, uid: 13 }),
  ]),
} as unknown as OpenedImage
const failures = (...checks: Check[]) => checkImage(image, checks).map((result) => result.failure ?? 'holds')

describe('checks on a built image', () => {
  it('find a file through links, and look at mode, owner and text', () => {
    expect(
      failures(
        { file: '/bin/awk', mode: 0o4755, owner: 'proxy', contains: 'aw' },
        { file: '/bin/awk', mode: 0o755 },
        { file: '/bin/awk', owner: 'root' },
        { file: '/bin/awk', owner: 'nobody' },
        { file: '/bin/awk', contains: 'gawk' },
        { file: '/bin/gawk' },
      ),
    ).toEqual([
      'holds',
      'its mode is 4755, not 0755',
      'it belongs to the user with id 13, not to root',
      'there is no user nobody to own it',
      'it does not contain "gawk"',
      'it is missing',
    ])
  })

  it('read a package version as a pin does, and offer the nearest name', () => {
    expect(
      failures(
        { package: 'libssl3t64', version: '3.5.*' },
        { package: 'libssl3t64', version: '3.4.*' },
        { package: 'libssl3t64' },
        { package: 'squib' },
      ),
    ).toEqual(['holds', 'version 3.5.7-1 is', 'holds', 'it is not; squid is'])
  })

  it('hold a link that leads nowhere for something that is there', () => {
    expect(failures({ absent: '/bin/cron' }, { absent: '/bin/cron/x' })).toEqual(['it is a symlink', 'holds'])
  })

  it('say what stands where a path should be absent, which id a user has, which ports are declared', () => {
    expect(
      failures(
        { absent: '/usr/sbin/cron' },
        { absent: '/etc/passwd' },
        { user: 'proxy', uid: 13 },
        { user: 'proxy', uid: 14 },
        { user: 'cron', uid: 1 },
        { port: '53/udp' },
        { port: '53/tcp' },
      ),
    ).toEqual([
      'holds',
      'it is a file',
      'holds',
      'its id is 13',
      'there is no such user',
      'holds',
      'the image declares 53/udp',
    ])
  })
})
