import { describe, expect, it } from 'vitest'
import type { Effect } from '../../../../src/debian/effect.ts'
import { applyEffects, type EffectContext } from '../../../../src/image/effects/apply.ts'
import { caught } from '../../../support/caught.ts'
import { describeLayer, tinyTree } from '../../../support/tiny-tree.ts'

const context: EffectContext = { users: [], groups: [], day: 19_675 }
const accounts = {
  'etc/passwd': 'root:*:0:0:root:/root:/bin/bash\nproxy:*:13:13::/bin:/bin/sh\n',
  'etc/group': 'root:*:0:\nmail:*:8:\nproxy:*:13:\nshadow:*:42:\nnogroup:*:65534:\n',
}
const root = { owner: 'root', group: 'root' }

describe('applyEffects', () => {
  it('makes what is missing and leaves what is there', () => {
    const tree = tinyTree({ 'etc/kept': 'old\n' }, accounts)
    applyEffects(
      tree,
      [
        { kind: 'directory', path: '/var/mail', mode: 0o2775, owner: 'root', group: 'mail' },
        { kind: 'directory', path: '/etc', mode: 0o700, ...root },
        { kind: 'file', path: '/etc/kept', content: 'new\n', ...root, replace: false },
        { kind: 'file', path: '/etc/made', content: 'new\n', mode: 0o600, ...root, replace: false },
        { kind: 'file', path: '/etc/copy', copyOf: '/etc/kept', ...root, replace: false },
        { kind: 'symlink', path: '/etc/made', target: 'elsewhere', replace: false },
        { kind: 'symlink', path: '/etc/link', target: 'kept', replace: false },
      ],
      context,
    )
    expect(describeLayer(tree)).toEqual([
      'etc 755 0:0 directory',
      'etc/copy 644 0:0 "old\\n"',
      'etc/kept 644 0:0 "old\\n"',
      'etc/link 777 0:0 -> kept',
      'etc/made 600 0:0 "new\\n"',
      'var 755 0:0 directory',
      'var/mail 2775 0:8 directory',
    ])
  })

  it('replaces where an effect says so', () => {
    const tree = tinyTree({ 'var/run': '/', 'etc/x': 'old' })
    applyEffects(
      tree,
      [
        { kind: 'symlink', path: '/var/run', target: '/run', replace: true },
        { kind: 'file', path: '/etc/x', content: 'new', ...root, replace: true },
      ],
      context,
    )
    expect(describeLayer(tree)).toEqual([
      'etc 755 0:0 directory',
      'etc/x 644 0:0 "new"',
      'var 755 0:0 directory',
      'var/run 777 0:0 -> /run',
    ])
  })

  it('has the accounts first, whatever the order of the effects', () => {
    const tree = tinyTree({
      'usr/share/base-passwd/passwd.master': accounts['etc/passwd'],
      'usr/share/base-passwd/group.master': accounts['etc/group'],
    })
    const effects: Effect[] = [
      { kind: 'directory', path: '/run/x', mode: 0o755, owner: 'x', group: 'nogroup' },
      { kind: 'user', name: 'x', uid: 900, group: 'nogroup', home: '/', shell: '/bin/false', comment: '' },
      { kind: 'shadow' },
      {
        kind: 'accounts',
        passwd: '/usr/share/base-passwd/passwd.master',
        group: '/usr/share/base-passwd/group.master',
      },
    ]
    applyEffects(tree, effects, context)
    expect(tree.readText('etc/passwd')).toBe(
      'root:x:0:0:root:/root:/bin/bash\nproxy:x:13:13::/bin:/bin/sh\nx:x:900:65534::/:/bin/false\n',
    )
    expect(tree.get('run/x')).toMatchObject({ uid: 900, gid: 65534 })
  })

  it('changes owner, mode and capability of a file of a lower layer by copying it up', () => {
    const tree = tinyTree({}, { ...accounts, 'usr/bin/x': { mode: 0o755, content: Buffer.from('x') } })
    applyEffects(
      tree,
      [
        { kind: 'owner', path: '/usr/bin/x', owner: 'proxy', group: 'proxy' },
        { kind: 'mode', path: '/usr/bin/x', mode: 0o750 },
        { kind: 'capability', path: '/usr/bin/x', capabilities: 'cap_net_raw=ep' },
      ],
      context,
    )
    expect(describeLayer(tree)).toContain(
      'usr/bin/x 750 13:13 "x" capability 0100000200200000000000000000000000000000',
    )
  })

  it('changes both names of a hard link', () => {
    const tree = tinyTree({
      'usr/bin/a': 'x',
      'usr/bin/b': { type: 'hardlink', target: 'usr/bin/a' },
    })
    applyEffects(tree, [{ kind: 'mode', path: '/usr/bin/b', mode: 0o755 }], context)
    expect(tree.follow('usr/bin/b')).toBe(tree.get('usr/bin/a'))
    expect(tree.get('usr/bin/a')!.mode).toBe(0o755)
  })

  it('makes a copy of a hard link into a lower layer', () => {
    const tree = tinyTree({}, { 'usr/bin/a': 'x', 'usr/bin/b': { type: 'hardlink', target: 'usr/bin/a' } })
    applyEffects(tree, [{ kind: 'mode', path: '/usr/bin/b', mode: 0o755 }], context)
    expect(describeLayer(tree)).toContain('usr/bin/b 755 0:0 "x"')
  })

  it('passes over an optional change of a missing path, and refuses another', () => {
    const tree = tinyTree()
    applyEffects(tree, [{ kind: 'mode', path: '/x', mode: 0o755, optional: true }], context)
    expect(
      caught(() => applyEffects(tree, [{ kind: 'mode', path: '/x', mode: 0o755 }], context)),
    ).toMatchObject({
      code: 'effect-without-file',
      message:
        'A recipe changes or copies /x, which is not in the image; correct the recipe, or the omit rule that left it out.',
    })
  })

  it('notes diversions and stat overrides as dpkg does, once', () => {
    const tree = tinyTree({ 'usr/bin/crontab': 'x' }, accounts)
    const effects: Effect[] = [
      { kind: 'diversion', path: '/lib32', to: '/.lib32.usr-is-merged', package: 'base-files' },
      { kind: 'stat-override', path: '/usr/bin/crontab', mode: 0o2755, owner: 'root', group: 'mail' },
    ]
    applyEffects(tree, [...effects, ...effects], context)
    expect(tree.readText('var/lib/dpkg/diversions')).toBe('/lib32\n/.lib32.usr-is-merged\nbase-files\n')
    expect(tree.readText('var/lib/dpkg/statoverride')).toBe('root mail 2755 /usr/bin/crontab\n')
    expect(tree.get('usr/bin/crontab')).toMatchObject({ mode: 0o2755, gid: 8 })
  })

  it('takes a user that the definition has, id and all, over the script’s words', () => {
    const tree = tinyTree({}, accounts)
    const user = { name: 'x', uid: 999, group: 'x', home: '/srv', shell: '/bin/sh', comment: 'chosen' }
    applyEffects(
      tree,
      [{ kind: 'user', name: 'x', group: 'nogroup', home: '/', shell: '/bin/false', comment: '' }],
      { users: [user], groups: [{ name: 'x', gid: 998 }], day: 0 },
    )
    expect(tree.readText('etc/passwd').split('\n').at(-2)).toBe('x:*:999:998:chosen:/srv:/bin/sh')
  })

  it.each<[Effect, string]>([
    [
      { kind: 'user', name: 'x', group: 'nogroup', home: '/', shell: '/bin/false', comment: '' },
      'A package needs the user x, and nobody chose its id: ids must not depend on the build. Add it to users in a ' +
        'component.yaml, such as "- { name: x, uid: 900, group: nogroup, home: / }".',
    ],
    [
      { kind: 'group', name: 'x' },
      'A package needs the group x, and nobody chose its id: ids must not depend on the build. Add it to groups in ' +
        'a component.yaml, such as "- { name: x, gid: 900 }".',
    ],
  ])('refuses to pick an id (%#)', (effect, message) => {
    const tree = tinyTree({}, accounts)
    expect(caught(() => applyEffects(tree, [effect], context))).toMatchObject({
      code: 'no-id-chosen',
      message,
    })
  })

  it('needs no id for an account that is there', () => {
    const tree = tinyTree({}, accounts)
    applyEffects(
      tree,
      [
        { kind: 'user', name: 'proxy', group: 'proxy', home: '/', shell: '/bin/sh', comment: '' },
        { kind: 'group', name: 'mail' },
      ],
      context,
    )
    expect(describeLayer(tree)).toEqual([])
  })
})
