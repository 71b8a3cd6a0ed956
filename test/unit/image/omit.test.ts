import { describe, expect, it } from 'vitest'
import { compileOmit } from '../../../src/image/omit.ts'
import { globPattern } from '../../../src/lib/glob.ts'

describe('omit rules', () => {
  it('leave out what a path matches, but for its exceptions', () => {
    const omits = compileOmit([
      { path: '/usr/share/doc/**', except: ['/usr/share/doc/*/copyright'], reason: 'r' },
      { path: '/usr/sbin/squid', except: [], reason: 'r' },
    ])
    const paths = [
      'usr/share/doc/x/copyright',
      'usr/share/doc/x/y/copyright',
      'usr/sbin/squid',
      'usr/sbin/squid2',
    ]
    expect(paths.map(omits)).toEqual([false, true, true, false])
  })

  it('read `*` within a name, `**` over folders, and everything else as itself', () => {
    expect(globPattern('/a/*.b/**').source).toBe('^\\/a\\/[^/]*\\.b\\/.*$')
  })
})
