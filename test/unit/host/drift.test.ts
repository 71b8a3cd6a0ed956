import { describe, expect, it } from 'vitest'
import type { PathChange } from '../../../src/engine/containers-port.ts'
import { classify, expectation, pinnedPaths, suspects } from '../../../src/host/drift.ts'

const modified = (path: string): PathChange => ({ path, kind: 'modified' })
const added = (path: string): PathChange => ({ path, kind: 'added' })

describe('the expectation of a service', () => {
  it('holds for what its globs match, where something is mounted, and what the Engine puts there', () => {
    const isExpected = expectation(['/var/log/squid/**', '/root/.bash_history'], ['/var/spool/squid'])
    const paths = [
      '/var/log/squid/a/b',
      '/root/.bash_history',
      '/var/spool/squid',
      '/usr/sbin/docker-init',
      '/var/lib/slipway',
      '/etc/hostname',
      '/etc/hosts',
      '/etc/resolv.conf',
      '/var/lib/slipway/undo/etc/passwd',
      '/dev',
      '/dev/console',
      '/devices',
      '/var/log/other',
      '/root/.bash_historyx',
      '/etc/passwd',
    ]
    expect(paths.filter(isExpected)).toEqual(paths.slice(0, 11))
  })
})

describe('the suspects among changes', () => {
  it('are neither expected nor folders that are only on the way to a change', () => {
    const changes = [modified('/etc'), modified('/etc/passwd'), modified('/srv'), modified('/var/x')]
    expect(suspects(changes, (path) => path === '/var/x')).toEqual([
      modified('/etc/passwd'),
      modified('/srv'),
    ])
  })

  it('leave out a folder that the Engine had to make for what it puts there', () => {
    const isExpected = expectation([], [])
    const changes = [added('/sbin'), added('/sbin/docker-init'), added('/srv'), added('/srv/a')]
    expect(suspects(changes, isExpected)).toEqual([added('/srv/a')])
    const emptied: PathChange[] = [
      { path: '/opt', kind: 'deleted' },
      { path: '/opt/a', kind: 'deleted' },
    ]
    expect(suspects(emptied, isExpected)).toEqual(emptied)
  })
})

describe('the class of a path', () => {
  const owners = pinnedPaths({ libssl3t64: '/.\n/lib\n/lib/x/libssl.so.3\n/usr/share/doc/a\n' })

  it('is pinned for a file of a pinned library, also where its list knows the path before /usr was merged', () => {
    expect(classify(modified('/usr/lib/x/libssl.so.3'), () => false, owners, false)).toEqual({
      path: '/usr/lib/x/libssl.so.3',
      kind: 'modified',
      class: 'pinned',
      package: 'libssl3t64',
    })
  })

  it('is pinned whatever a glob expects', () => {
    expect(classify(modified('/usr/share/doc/a'), () => true, owners, false).class).toBe('pinned')
  })

  it('is not pinned for a folder, which is of many packages', () => {
    expect(classify(modified('/usr/share/doc/a'), () => false, owners, true).class).toBe('changed')
  })

  it('is expected or changed for the rest', () => {
    expect(classify(modified('/a'), () => true, owners, false).class).toBe('expected')
    expect(classify(modified('/a'), () => false, owners, false).class).toBe('changed')
  })
})
