import { describe, expect, it } from 'vitest'
import { declaredEffects } from '../../../../src/image/declared-effects.ts'
import { applyEffects } from '../../../../src/image/effects/apply.ts'
import { encodeCapabilities } from '../../../../src/image/effects/capability.ts'
import { sysusersEffects } from '../../../../src/image/effects/sysusers.ts'
import { tmpfilesEffects } from '../../../../src/image/effects/tmpfiles.ts'
import { caught } from '../../../support/caught.ts'
import { describeLayer, tinyEntry, tinyTree } from '../../../support/tiny-tree.ts'

describe('sysusersEffects', () => {
  it('reads users, groups and members; an id of "-" is left open', () => {
    const text = `# comment
u! dnsdist 901 "DNS load balancer" /var/lib/dnsdist
u  web 33:www-data - - /bin/sh
g  crontab - -
m  web crontab
r  - 500-900
`
    expect(sysusersEffects(text)).toEqual([
      { kind: 'group', name: 'dnsdist', gid: 901 },
      {
        kind: 'user',
        name: 'dnsdist',
        uid: 901,
        group: 'dnsdist',
        home: '/var/lib/dnsdist',
        shell: '/usr/sbin/nologin',
        comment: 'DNS load balancer',
      },
      { kind: 'user', name: 'web', uid: 33, group: 'www-data', home: '/', shell: '/bin/sh', comment: '' },
      { kind: 'group', name: 'crontab' },
      { kind: 'member', user: 'web', group: 'crontab' },
    ])
  })
})

describe('tmpfilesEffects', () => {
  it('reads directories, files, links and modes', () => {
    const text = `d /var/spool/x 1730 root crontab
f /var/lib/x/state 0640 x x - some text
L+ /etc/x - - - - ../usr/share/x
L /etc/y
z /var/log/x 0750 x -
`
    expect(tmpfilesEffects(text)).toEqual([
      { kind: 'directory', path: '/var/spool/x', mode: 0o1730, owner: 'root', group: 'crontab' },
      { kind: 'owner', path: '/var/spool/x', owner: 'root', group: 'crontab', optional: true },
      { kind: 'mode', path: '/var/spool/x', mode: 0o1730, optional: true },
      {
        kind: 'file',
        path: '/var/lib/x/state',
        content: 'some text',
        mode: 0o640,
        owner: 'x',
        group: 'x',
        replace: false,
      },
      { kind: 'symlink', path: '/etc/x', target: '../usr/share/x', replace: true },
      { kind: 'symlink', path: '/etc/y', target: '/usr/share/factory/etc/y', replace: false },
      { kind: 'owner', path: '/var/log/x', owner: 'x', optional: true },
      { kind: 'mode', path: '/var/log/x', mode: 0o750, optional: true },
    ])
  })

  it('gives a folder that a package ships the mode and owner of its line, and no more than the line names', () => {
    const tree = tinyTree({
      'etc/passwd': 'acme:x:900:900::/:/bin/false\n',
      'etc/group': 'acme:x:900:\n',
      'var/lib/a': '/',
      'var/lib/b': { type: 'directory', mode: 0o755, gid: 77 },
      'var/lib/c': '/',
    })
    const text = 'd /var/lib/a 0750 acme acme\ne /var/lib/b - acme -\nd /var/lib/c :0700 :acme :acme\n'
    applyEffects(tree, tmpfilesEffects(text), { users: [], groups: [], day: 0 })
    expect(describeLayer(tree).filter((line) => line.startsWith('var/lib/'))).toEqual([
      'var/lib/a 750 900:900 directory',
      'var/lib/b 755 900:77 directory',
      'var/lib/c 755 0:0 directory',
    ])
  })

  it('passes over what a container mounts, what is for boot, for a machine, or for cleaning', () => {
    const text = `d /run/squid 0755 proxy proxy -
d /var/run/x 0755 root root
r! /etc/shadow.lock
f^ /etc/motd.d/x - - - - login.motd
z /var/log/journal/%m 2755 root systemd-journal
x /var/tmp/keep
R /var/cache/x
`
    expect(tmpfilesEffects(text)).toEqual([])
  })
})

describe('declaredEffects', () => {
  it('reads only the files that systemd would', () => {
    const entries = [
      tinyEntry('usr/lib/sysusers.d/x.conf', 'g x 900\n'),
      tinyEntry('usr/lib/tmpfiles.d/x.conf', 'd /var/lib/x 0700\n'),
      tinyEntry('usr/lib/sysusers.d/README', 'g y 901\n'),
      tinyEntry('etc/tmpfiles.d', '/'),
    ]
    expect(declaredEffects(entries)).toEqual([
      { kind: 'group', name: 'x', gid: 900 },
      { kind: 'directory', path: '/var/lib/x', mode: 0o700, owner: 'root', group: 'root' },
      { kind: 'mode', path: '/var/lib/x', mode: 0o700, optional: true },
    ])
  })
})

describe('encodeCapabilities', () => {
  const hex = (text: string) => Buffer.from(encodeCapabilities(text)).toString('hex')
  it.each([
    ['cap_net_raw=ep', '0100000200200000000000000000000000000000'],
    ['cap_net_bind_service,cap_net_admin+eip', '0100000200140000001400000000000000000000'],
    ['cap_bpf=p', '0000000200000000000000008000000000000000'],
  ])('writes %s as the kernel reads it', (text, expected) => {
    expect(hex(text)).toBe(expected)
  })

  it('refuses a name that Linux does not know', () => {
    expect(caught(() => encodeCapabilities('cap_net_row=ep')).message).toBe(
      '"cap_net_row" is no Linux capability that Slipway knows; write it as in "cap_net_raw=ep".',
    )
  })
})
