import { describe, expect, it } from 'vitest'
import { isCaptured, layCaptured } from '../../../../src/image/run/lay-captured.ts'
import type { Entry } from '../../../../src/image/tree.ts'
import { caught } from '../../../support/caught.ts'
import {
  describeLayer,
  type TinyEntry,
  tinyEntry,
  tinyTree,
  tinyTreeDate,
} from '../../../support/tiny-tree.ts'

const captured = (entries: Record<string, TinyEntry>, deleted: string[] = []) => ({
  entries: Object.entries(entries).map(([path, tiny]) => tinyEntry(path, tiny) as never),
  deleted,
})

describe('what scripts left', () => {
  it('is kept where it is the product’s: files, folders of logs and caches, alternatives', () => {
    for (const path of ['etc/acme/id', 'usr/bin/agent', 'var/lib/acme/x', 'var/lib/dpkg/alternatives/agent'])
      expect(isCaptured(path, 'file'), path).toBe(true)
    for (const path of ['var/log/acme', 'var/cache/acme'])
      expect(isCaptured(path, 'directory'), path).toBe(true)
  })

  it('is dropped where it is the container’s or the day’s: logs, caches, ids of the machine, what runs', () => {
    const files = [
      'var/log/acme/install.log',
      'var/cache/acme/index',
      'var/cache/debconf/config.dat',
      'etc/machine-id',
      'etc/ld.so.cache',
      'etc/resolv.conf',
      'etc/passwd-',
      'etc/.pwd.lock',
      'run/acme.pid',
      'tmp/x',
      'var/lib/dpkg/status',
      'var/lib/dpkg/status-old',
      'usr/lib/python3/__pycache__/x.pyc',
      'usr/sbin/policy-rc.d',
    ]
    for (const path of files) expect(isCaptured(path, 'file'), path).toBe(false)
  })
})

describe('layCaptured', () => {
  it('lays new and changed paths in, none dated after the layer', () => {
    const tree = tinyTree({ 'etc/acme.conf': 'old' }, { etc: '/', var: '/' })
    const late = { mtime: tinyTreeDate + 5_000, type: 'directory', mode: 0o750, uid: 101, gid: 102 } as const
    layCaptured(tree, captured({ 'etc/acme.conf': 'new', 'var/acme': late }), 19_000)
    expect(describeLayer(tree)).toEqual(['etc/acme.conf 644 0:0 "new"', 'var/acme 750 101:102 directory'])
    expect(tree.get('var/acme')!.mtime).toBe(tinyTreeDate)
  })

  it('leaves alone what is as it was, its date too', () => {
    const tree = tinyTree({}, { etc: '/', 'etc/acme.conf': 'same' })
    layCaptured(tree, captured({ 'etc/acme.conf': { ...tinyEntry('etc/acme.conf', 'same'), mtime: 5 } }), 0)
    expect(describeLayer(tree)).toEqual([])
  })

  it('keeps the days of accounts that were there, and gives new ones the layer’s', () => {
    const tree = tinyTree({}, { 'etc/shadow': 'root:*:100:0:99999:7:::\n' })
    const shadow = 'root:*:20777:0:99999:7:::\nacme:!:20777::::::\n'
    layCaptured(tree, captured({ 'etc/shadow': shadow }), 19_000)
    expect(tree.readText('etc/shadow')).toBe('root:*:100:0:99999:7:::\nacme:!:19000::::::\n')
  })

  it('takes out what a script removed of its own layer, and refuses to remove from a layer below', () => {
    const tree = tinyTree({ 'opt/a/x': 'x', 'opt/ab': 'kept' }, { 'etc/passwd': 'root' })
    layCaptured(tree, captured({}, ['opt/a', 'tmp/x']), 0)
    expect([...tree.own.keys()].filter((path) => (tree.get(path) as Entry).type === 'file')).toEqual([
      'opt/ab',
    ])
    expect(caught(() => layCaptured(tree, captured({}, ['etc/passwd']), 0)).message).toBe(
      'A maintainer script removed /etc/passwd, which a layer below holds, and a layer only adds; leave it out with a rule under omit in appliance.yaml, or describe the script in a recipe.',
    )
  })
})
