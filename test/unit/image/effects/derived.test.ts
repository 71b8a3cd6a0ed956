import { describe, expect, it } from 'vitest'
import { updatePam } from '../../../../src/image/effects/pam.ts'
import { updateShells } from '../../../../src/image/effects/shells.ts'
import { tinyTree } from '../../../support/tiny-tree.ts'

describe('updateShells', () => {
  const base = {
    bin: '-> usr/bin',
    'usr/share/debianutils/shells': '# valid login shells\n/bin/sh\n',
    'usr/share/debianutils/shells.d/bash': '/bin/bash\n/usr/bin/bash # the same\n',
  }

  it('adds declared shells, under the names behind merged /usr too', () => {
    const tree = tinyTree(base)
    updateShells(tree)
    expect(tree.readText('etc/shells')).toBe(
      '# valid login shells\n/bin/sh\n/usr/bin/sh\n/bin/bash\n/usr/bin/bash\n',
    )
    expect(tree.readText('var/lib/shells.state')).toBe('/bin/sh\n/usr/bin/sh\n/bin/bash\n/usr/bin/bash\n')
  })

  it('adds to what is there, and does not bring back what was taken out by hand', () => {
    const tree = tinyTree({ ...base, 'etc/shells': '/bin/mine\n', 'var/lib/shells.state': '/bin/sh\n' })
    updateShells(tree)
    expect(tree.readText('etc/shells')).toBe('/bin/mine\n/usr/bin/sh\n/bin/bash\n/usr/bin/bash\n')
  })
})

describe('updatePam', () => {
  const template = (type: string) => `# ${type}
# here are the per-package modules (the "Primary" block)
$${type}_primary
# here's the fallback if no module succeeds
${type}\trequisite\tpam_deny.so
# and here are more per-package modules (the "Additional" block)
$${type}_additional
# end of pam-auth-update config
`
  const templates = Object.fromEntries(
    ['auth', 'account', 'password', 'session', 'session-noninteractive'].map((type) => [
      `usr/share/pam/common-${type}`,
      template(type.replace('-noninteractive', '')),
    ]),
  )
  const unix = `Name: Unix authentication
Default: yes
Priority: 256
Auth-Type: Primary
Auth:
\t[success=end default=ignore]\tpam_unix.so nullok try_first_pass
Auth-Initial:
\t[success=end default=ignore]\tpam_unix.so nullok
Session-Type: Additional
Session:
\trequired\tpam_unix.so
`
  const ldap = `Name: LDAP
Default: yes
Priority: 128
Auth-Type: Primary
Auth:
\t[success=end default=ignore]\tpam_ldap.so use_first_pass
Session-Interactive-Only: yes
Session-Type: Additional
Session:
\toptional\tpam_ldap.so
`
  const home = `Name: Home
Default: no
Priority: 0
Session-Type: Additional
Session:
\toptional\tpam_mkhomedir.so
`

  it('stacks the profiles enabled by default by priority, with jumps over the rest of the block', () => {
    const tree = tinyTree({
      ...templates,
      'usr/share/pam-configs/unix': unix,
      'usr/share/pam-configs/ldap': ldap,
      'usr/share/pam-configs/home': home,
    })
    updatePam(tree)
    expect(tree.readText('etc/pam.d/common-auth')).toBe(`# auth
# here are the per-package modules (the "Primary" block)
auth\t[success=2 default=ignore]\tpam_unix.so nullok
auth\t[success=1 default=ignore]\tpam_ldap.so use_first_pass
# here's the fallback if no module succeeds
auth\trequisite\tpam_deny.so
# and here are more per-package modules (the "Additional" block)
# end of pam-auth-update config
`)
    expect(tree.readText('etc/pam.d/common-session')).toBe(`# session
# here are the per-package modules (the "Primary" block)
session\t[default=1]\t\t\tpam_permit.so
# here's the fallback if no module succeeds
session\trequisite\tpam_deny.so
# and here are more per-package modules (the "Additional" block)
session\trequired\tpam_unix.so 
session\toptional\tpam_ldap.so 
# end of pam-auth-update config
`)
    expect(tree.readText('etc/pam.d/common-session-noninteractive')).not.toContain('pam_ldap')
    expect(tree.readText('var/lib/pam/auth')).toBe(`Module: unix
[success=end default=ignore]\tpam_unix.so nullok
Module: ldap
[success=end default=ignore]\tpam_ldap.so use_first_pass
`)
    expect(tree.readText('var/lib/pam/session')).toBe(`Module: null
[default=1]\t\t\tpam_permit.so
Module: unix
required\tpam_unix.so
Module: ldap
optional\tpam_ldap.so
`)
    expect(tree.readText('var/lib/pam/seen')).toBe('unix\nldap\nhome\n')
  })

  it('leaves out the lower of two profiles that conflict', () => {
    const tree = tinyTree({
      ...templates,
      'usr/share/pam-configs/unix': unix,
      'usr/share/pam-configs/ldap': `${ldap}Conflicts: unix\n`,
    })
    updatePam(tree)
    expect(tree.readText('var/lib/pam/auth')).not.toContain('ldap')
  })
})
