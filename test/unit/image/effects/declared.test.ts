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

  it('stops at a line that says what nobody knows', () => {
    expect(caught(() => sysusersEffects('u a 900\nx b 901\n', 'usr/lib/sysusers.d/acme.conf'))).toMatchObject(
      {
        code: 'unknown-declaration',
        message:
          '/usr/lib/sysusers.d/acme.conf, line 2 (x b 901), has the type "x", which Slipway does not know, so nobody knows what it would do to the image; leave the file out by an omit rule in appliance.yaml, say what it does in a component.yaml, and run: slipway build',
      },
    )
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
      { kind: 'adjust', path: '/var/spool/x', mode: 0o1730, owner: 'root', group: 'crontab' },
      {
        kind: 'file',
        path: '/var/lib/x/state',
        content: 'some text',
        mode: 0o640,
        owner: 'x',
        group: 'x',
        replace: false,
      },
      { kind: 'adjust', path: '/var/lib/x/state', mode: 0o640, owner: 'x', group: 'x' },
      { kind: 'symlink', path: '/etc/x', target: '../usr/share/x', replace: true },
      { kind: 'symlink', path: '/etc/y', target: '/usr/share/factory/etc/y', replace: false },
      { kind: 'adjust', path: '/var/log/x', mode: 0o750, owner: 'x', isPattern: true },
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
C /run/motd - - - - /usr/share/motd
w /proc/sys/vm/swappiness - - - - 10
w- /sys/power/state - - - - mem
Z /run/acme - acme acme
c /dev/acme 0600 root root - 10:200
b! /dev/loop99 0600 root root - 7:99
h /var/log/acme - - - - +C
f /etc/machine - - - - %m
`
    expect(tmpfilesEffects(text)).toEqual([])
  })
})

describe('tmpfiles.d in a tree', () => {
  const accounts = {
    'etc/passwd': 'acme:x:900:900::/:/bin/false\n',
    'etc/group': 'acme:x:900:\nadm:x:4:\n',
  }
  /** What the lines make of the tree, without the accounts. */
  function applied(text: string, ...layers: Parameters<typeof tinyTree>): string[] {
    const [own, ...lower] = layers
    const tree = tinyTree({ ...accounts, ...own }, ...lower)
    applyEffects(tree, tmpfilesEffects(text), { users: [], groups: [], day: 0 })
    return describeLayer(tree).filter((line) => !/^etc\/(passwd|group) |^(etc|usr|usr\/share) /.test(line))
  }
  const factory = {
    'usr/share/factory/etc/acme': '/',
    'usr/share/factory/etc/acme/sub': '/',
    'usr/share/factory/etc/acme/a': { content: Buffer.from('A'), mode: 0o600, gid: 4 },
    'usr/share/factory/etc/acme/sub/b': 'B',
    'usr/share/factory/etc/acme/l': '-> a',
  }

  it('C copies a file or a folder to where nothing is, with the owners of the line for all of it', () => {
    const text = `C /etc/acme 0700 acme acme
C /etc/one :0604 :acme - - /usr/share/factory/etc/acme/a
C /etc/none
`
    expect(applied(text, {}, factory)).toEqual([
      'etc/acme 700 900:900 directory',
      'etc/acme/a 600 900:900 "A"',
      'etc/acme/l 777 900:900 -> a',
      'etc/acme/sub 755 900:900 directory',
      'etc/acme/sub/b 644 900:900 "B"',
      'etc/one 604 900:4 "A"',
    ])
  })

  it('C leaves a folder with files as it is, fills an empty one, and with + adds what is missing', () => {
    const own = { 'etc/acme': '/', 'opt/kept/a': 'mine', 'opt/filled/a': 'mine' }
    const text = `C /etc/acme
C /opt/kept - - - - /usr/share/factory/etc/acme
C+ /opt/filled - - - - /usr/share/factory/etc/acme
`
    expect(applied(text, own, factory)).toEqual([
      'etc/acme 755 0:0 directory',
      'etc/acme/a 600 0:4 "A"',
      'etc/acme/l 777 0:0 -> a',
      'etc/acme/sub 755 0:0 directory',
      'etc/acme/sub/b 644 0:0 "B"',
      'opt 755 0:0 directory',
      'opt/filled 755 0:0 directory',
      'opt/filled/a 644 0:0 "mine"',
      'opt/filled/l 777 0:0 -> a',
      'opt/filled/sub 755 0:0 directory',
      'opt/filled/sub/b 644 0:0 "B"',
      'opt/kept 755 0:0 directory',
      'opt/kept/a 644 0:0 "mine"',
    ])
  })

  it('w writes over the beginning of a file that is there, w+ behind its end, through links and patterns', () => {
    const own = { 'opt/w1': 'hello\n', 'opt/w2.conf': 'a\n', 'opt/l': '-> w1' }
    const text = `w /opt/l - - - - ab
w+ /opt/*.conf 0600 acme - - b  c\\n"d"
w /opt/none - - - - x
`
    expect(applied(text, own)).toEqual([
      'opt 755 0:0 directory',
      'opt/l 777 0:0 -> w1',
      'opt/w1 644 0:0 "abllo\\n"',
      'opt/w2.conf 600 900:0 "a\\nb  c\\n\\"d\\""',
    ])
  })

  it('z gives mode and owner to what a pattern names, Z to all below it too, e to folders alone', () => {
    const lower = {
      opt: '/',
      'opt/a': '/',
      'opt/a/f': 'f',
      'opt/a/l': '-> f',
      'opt/a/right': { content: Buffer.from('r'), mode: 0o640, uid: 900, gid: 900 },
      'opt/b1': '/',
      'opt/b2': 'b',
      'opt/b3': '/',
      'opt/b3/in': 'in',
      'opt/.b': 'hidden',
      'opt/c': '/',
      'opt/c/x': { content: Buffer.from('x'), mode: 0o755 },
    }
    const text = `Z /opt/a 0640 acme acme
z /opt/b[12] 0700 - acme
z /opt/* - - adm
e /opt/b* 1770
Z /opt/c ~2770
`
    expect(applied(text, {}, lower)).toEqual([
      'opt/a 640 900:4 directory',
      'opt/a/f 640 900:900 "f"',
      'opt/a/l 777 900:900 -> f',
      'opt/b1 1770 0:4 directory',
      'opt/b2 700 0:4 "b"',
      'opt/b3 1770 0:4 directory',
      'opt/c 2770 0:4 directory',
      'opt/c/x 770 0:0 "x"',
    ])
  })

  it('reads quotes, escapes, specifiers, base64, and "-" as no argument', () => {
    const text = `f "/opt/f 1" 0640 acme acme - x\\ty %%
f /opt/empty - - - - -
f+ /opt/there - - - - %S/acme
f~ /opt/binary - - - - aGVsbG8K
d %L/acme 0750
L /opt/link - - - - -
L? /opt/lost - - - - nothing
p /opt/pipe 0622
`
    expect(applied(text, { 'opt/there': 'before' })).toEqual([
      'opt 755 0:0 directory',
      'opt/binary 644 0:0 "hello\\n"',
      'opt/empty 644 0:0 ""',
      'opt/f 1 640 900:900 "x\\ty %"',
      'opt/link 777 0:0 -> /usr/share/factory/opt/link',
      'opt/pipe 622 0:0 fifo',
      'opt/there 644 0:0 "/var/lib/acme"',
      'var 755 0:0 directory',
      'var/log 755 0:0 directory',
      'var/log/acme 750 0:0 directory',
    ])
  })

  it('stops where a path of the image would need what no layer holds, and only there', () => {
    const text = 'a+ /opt/acme - - - - d:group:adm:r-x\nt /opt/none - - - - user.x=1\n'
    expect(applied(text)).toEqual([])
    expect(caught(() => applied(text, { 'opt/acme': '/' }))).toMatchObject({
      code: 'unsupported-declaration',
      message:
        "A package's tmpfiles.d file gives /opt/acme access lists, which no layer of an image would hold; leave that file out by an omit rule in appliance.yaml, and let the service do without.",
    })
  })

  it.each([
    ['Y /opt/x', 'has the type "Y", which Slipway does not know'],
    ['d= /opt/x', 'has "=" behind the type d, which Slipway does not know'],
    ['d', 'names no path'],
    ['d opt/x', 'names a path that does not begin at /'],
    ['d /opt/x 0799', 'has the mode "0799", which is no octal number'],
    ['d "/opt/x', 'has no closing "'],
    ['d /opt/%w', 'has the specifier "%w", which Slipway does not know'],
    ['f /opt/x - - - - a\\q', 'has the escape "\\q", which is no text'],
    ['w /opt/x', 'does not say what to write'],
    ['X! /run/x\nYY /run/y', 'has the type "Y", which Slipway does not know'],
  ])('stops at %j', (text, why) => {
    const error = caught(() => tmpfilesEffects(text, 'usr/lib/tmpfiles.d/acme.conf'))
    expect(error.message).toMatch(/^\/usr\/lib\/tmpfiles\.d\/acme\.conf, line [12] \(/)
    expect(error.message).toContain(`), ${why}, so nobody knows`)
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
      { kind: 'adjust', path: '/var/lib/x', mode: 0o700 },
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
