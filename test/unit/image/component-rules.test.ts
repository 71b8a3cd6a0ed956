import { describe, expect, it } from 'vitest'
import { toComponent } from '../../../src/definition/component.ts'
import { applyComponentRules } from '../../../src/image/component-rules.ts'
import { caught } from '../../support/caught.ts'
import { describeLayer, tinyTree } from '../../support/tiny-tree.ts'

const nothing = toComponent('dns', {}, [])
const context = { users: [], groups: [], day: 0 }
const base = {
  etc: '/',
  'etc/passwd': 'root:*:0:0::/root:/bin/sh\n',
  'etc/group': 'root:*:0:\n',
  'etc/motd': 'old',
  'usr/bin/x': 'x',
  srv: '/',
}

describe('applyComponentRules', () => {
  it('makes accounts, then directories, links and files that they own', () => {
    const tree = tinyTree({}, base)
    applyComponentRules(
      tree,
      {
        ...nothing,
        groups: [{ name: 'dns', gid: 901 }],
        users: [{ name: 'dns', uid: 900, group: 'dns', home: '/srv', shell: '/bin/false', comment: '' }],
        directories: [{ path: '/srv', mode: 0o2750, owner: 'root', group: 'dns' }],
        files: [{ path: '/usr/bin/x', mode: 0o4750, group: 'dns' }],
        links: [{ path: '/etc/motd', target: '../srv/motd' }],
      },
      context,
    )
    expect(describeLayer(tree)).toEqual([
      'etc/group 644 0:0 "root:*:0:\\ndns:x:901:\\n"',
      'etc/motd 777 0:0 -> ../srv/motd',
      'etc/passwd 644 0:0 "root:*:0:0::/root:/bin/sh\\ndns:*:900:901::/srv:/bin/false\\n"',
      'srv 2750 0:901 directory',
      'usr 755 0:0 directory',
      'usr/bin 755 0:0 directory',
      'usr/bin/x 4750 0:901 "x"',
    ])
  })

  it('refuses a rule for a file that is not there', () => {
    const component = { ...nothing, files: [{ path: '/usr/bin/y', mode: 0o755 }] }
    expect(caught(() => applyComponentRules(tinyTree({}, base), component, context))).toMatchObject({
      code: 'effect-without-file',
      message: 'files of its component.yaml names /usr/bin/y, which is not in the image so far.',
    })
  })
})
