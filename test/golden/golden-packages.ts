import type { TinySuite } from '../support/tiny-archive.ts'
import type { TinyFile, TinyPackage } from '../support/tiny-deb.ts'

const march = Date.parse('2025-03-01T12:00:00Z') / 1000
const may = Date.parse('2025-05-01T12:00:00Z') / 1000

/** Releases and their signatures are of this date; the security suite's is a day later. */
const released = new Date('2025-06-01T00:00:00Z')
const fixed = new Date('2025-06-02T00:00:00Z')

const architectures = ['amd64', 'arm64'] as const

/** The archive of the golden product; `later` has the next version of tinyd in its security suite. */
export function goldenSuites(later: boolean): TinySuite[] {
  return [
    {
      codename: 'trixie',
      date: released,
      validUntil: null,
      packages: architectures.flatMap((architecture) => [
        base(architecture),
        library(architecture, '2:3.1-1'),
        daemon(architecture, '4.0-2'),
        ...(architecture === 'amd64' ? [pager, cron] : []),
      ]),
    },
    {
      codename: 'trixie-updates',
      date: released,
      validUntil: new Date('2099-01-01T00:00:00Z'),
      packages: architectures.map((architecture) => library(architecture, '2:3.2-1')),
    },
    {
      codename: 'trixie-security',
      date: fixed,
      validUntil: new Date('2099-01-02T00:00:00Z'),
      pool: 'pool/updates/main',
      packages: architectures.flatMap((architecture) => [
        library(architecture, '2:3.1-1+deb13u1'),
        ...(later ? [daemon(architecture, '4.0-2+deb13u1')] : []),
      ]),
    },
  ]
}

/** Essential: accounts, links, a hard link, set-id, a conffile, omitted documentation. */
function base(architecture: string): TinyPackage {
  return {
    name: 'tiny-base',
    version: '1.2',
    architecture,
    fields: { Essential: 'yes', Priority: 'required' },
    files: at(march, [
      ...directories('etc', 'usr', 'usr/bin', 'usr/share', 'usr/share/doc', 'usr/share/doc/tiny-base'),
      { path: 'bin', type: 'symlink', target: 'usr/bin' },
      { path: 'tmp', type: 'directory', mode: 0o1777 },
      { path: 'etc/hosts.tiny', content: '127.0.0.1 localhost\n' },
      { path: 'usr/bin/sh', content: `a shell for ${architecture}\n`, mode: 0o755 },
      { path: 'usr/bin/rsh', type: 'link', target: './usr/bin/sh', mode: 0o755 },
      { path: 'usr/bin/su', content: 'set-user-id\n', mode: 0o4755 },
      { path: 'usr/share/doc/tiny-base/changelog', content: 'left out\n' },
      { path: 'usr/share/doc/tiny-base/copyright', content: 'stays\n' },
      ...directories('usr/share/tiny-base'),
      {
        path: 'usr/share/tiny-base/group',
        content: 'root:*:0:\nadm:*:4:\nshadow:*:42:\nnogroup:*:65534:\n',
      },
      {
        path: 'usr/share/tiny-base/passwd',
        content:
          'root:*:0:0:root:/root:/bin/sh\nnobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
      },
    ]),
    control: {
      conffiles: '/etc/hosts.tiny\n',
      postinst: script(
        'install-accounts /usr/share/tiny-base',
        'dpkg --print-architecture > /etc/architecture',
      ),
    },
  }
}

/** Co-installable, with an epoch and a source of another name and version. */
function library(architecture: string, version: string): TinyPackage {
  const triplet = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[architecture]!
  const folder = `usr/lib/${triplet}`
  return {
    name: 'libtiny1',
    version,
    architecture,
    fields: { Source: 'tiny (3.1)', 'Multi-Arch': 'same', Section: 'libs' },
    files: at(march, [
      ...directories('usr', 'usr/lib', folder),
      { path: `${folder}/libtiny.so.1`, type: 'symlink', target: 'libtiny.so.1.0' },
      { path: `${folder}/libtiny.so.1.0`, content: `libtiny ${version} for ${architecture}\n` },
    ]),
  }
}

/** User, capability, alternative, conffile and trigger; its file `clock` is younger than the archive. */
function daemon(architecture: string, version: string): TinyPackage {
  const isFirst = version === '4.0-2'
  return {
    name: 'tinyd',
    version,
    architecture,
    fields: { Depends: 'libtiny1 (>= 2:3.1), tiny-cron | tiny-timer', Section: 'net' },
    files: at(may, [
      ...directories('etc', 'etc/tinyd', 'usr', 'usr/sbin', 'usr/share', 'usr/share/man'),
      ...directories('usr/share/man/man8', 'usr/share/tinyd', 'var', 'var/spool', 'var/spool/tinyd'),
      { path: 'etc/tinyd/tinyd.conf', content: '# from the package\n' },
      { path: 'usr/sbin/tinyd', content: `tinyd ${version} for ${architecture}\n`, mode: 0o755 },
      { path: 'usr/share/man/man8/tinyd.8.gz', content: 'left out\n' },
      { path: 'usr/share/tinyd/clock', mtime: may + 365 * 86_400, content: 'tick\n' },
      isFirst
        ? { path: 'usr/share/tinyd/first', content: 'only in the first version\n' }
        : { path: 'usr/share/tinyd/second', content: 'only in the second version\n', mode: 0o600 },
    ]),
    control: {
      conffiles: '/etc/tinyd/tinyd.conf\n',
      triggers: 'activate-noawait tiny-refresh\ninterest-noawait tiny-refresh\n',
      postinst: script(
        'adduser --system tinyd',
        '# Automatically added by dh_installsystemd/13.11',
        'systemctl start tinyd',
        '# End automatically added section',
        'chown tinyd: /var/spool/tinyd',
      ),
    },
  }
}

/** An alternative that needs no recipe. */
const pager: TinyPackage = {
  name: 'tiny-pager',
  version: '0.9',
  files: at(march, [
    ...directories('usr', 'usr/bin'),
    { path: 'usr/bin/tiny-pager', content: 'a pager\n', mode: 0o755 },
  ]),
  control: {
    postinst: script(
      '# Automatically added by dh_installalternatives/13.11',
      'update-alternatives --install /usr/bin/pager pager /usr/bin/tiny-pager 50',
      '# End automatically added section',
    ),
  },
}

const cron: TinyPackage = { name: 'tiny-cron', version: '3.0' }

function script(...lines: readonly string[]): string {
  return ['#!/bin/sh', 'set -e', ...lines, ''].join('\n')
}

function directories(...paths: readonly string[]): TinyFile[] {
  return paths.map((path) => ({ path, type: 'directory' }))
}

/** Dates the files that have no date of their own. */
function at(mtime: number, files: readonly TinyFile[]): TinyFile[] {
  return files.map((file) => ({ mtime, ...file }))
}
