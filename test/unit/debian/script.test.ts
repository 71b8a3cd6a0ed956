import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isEmptyScript, remainder, scriptDigest, scriptText } from '../../../src/debian/script.ts'
import { alternativesOf } from '../../../src/debian/script-alternatives.ts'

const section = (kind: string, body: string): string =>
  `# Automatically added by ${kind}\n${body}\n# End automatically added section\n`

describe('remainder', () => {
  it("drops debhelper's sections that start services, and those whose data are read elsewhere", () => {
    const script = [
      '#!/bin/sh',
      'set -e',
      section('dh_installinit/13.24.2', 'update-rc.d squid defaults'),
      section('dh_installsystemd/13.24.2', 'deb-systemd-helper enable squid.service'),
      section('dh_installtmpfiles/13.24.2', 'systemd-tmpfiles --create squid.conf'),
      section('dh_installsysusers/13.24.2', 'systemd-sysusers squid.conf'),
      section('dh_installalternatives/13.24.2', 'update-alternatives --install /usr/bin/a a /usr/bin/b 5'),
      section('dh_installdeb/13.24.2', 'dpkg-maintscript-helper rm_conffile /etc/old 1.0-1\\~ -- "$@"'),
      'exit 0',
    ].join('\n')
    expect(remainder(script)).toBe('#!/bin/sh\nset -e\n\nexit 0\n')
  })

  it('keeps sections of kinds that it does not know, without the version of debhelper', () => {
    const script = `#!/bin/sh\n${section('dh_python3/6.20250414', 'py3compile -p x')}`
    expect(remainder(script)).toBe(
      '#!/bin/sh\n# Automatically added by dh_python3\npy3compile -p x\n# End automatically added section\n',
    )
  })

  it('keeps a section of dh_installdeb that does more than the helper’s upgrade-only calls', () => {
    const script = `#!/bin/sh\n${section('dh_installdeb/13', 'dpkg-maintscript-helper rm_conffile /etc/old 1 -- "$@"; rm -rf /srv')}`
    expect(remainder(script)).toContain('rm -rf /srv')
  })

  it('keeps what follows a section that never ends', () => {
    const script = '#!/bin/sh\n# Automatically added by dh_installinit/13\nrm -rf /srv\n'
    expect(remainder(script)).toBe(script)
  })

  it('is the same for CRLF, trailing blanks and runs of empty lines', () => {
    const lines = ['#!/bin/sh', 'set -e', '', 'touch /etc/x', '', 'exit 0', '']
    expect(remainder(lines.map((line) => `${line} \t`).join('\r\n\r\n\r\n'))).toBe(
      remainder(lines.join('\n\n\n')),
    )
  })

  it('of a remainder is the remainder', () => {
    const line = fc.constantFrom(
      '#!/bin/sh',
      'set -e',
      '',
      '  x ',
      '# Automatically added by dh_installinit/1',
      '\r',
    )
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const once = remainder(lines.join('\n'))
        expect(remainder(once)).toBe(once)
      }),
    )
  })
})

describe('isEmptyScript', () => {
  it.each([
    '',
    '#!/bin/sh\nset -e\n',
    '#! /bin/bash -e\n# a comment\nexit 0\n',
    '#!/bin/sh\nset -e\ncase "$1" in\n  configure)\n  ;;\n  abort-upgrade|abort-remove)\n  ;;\n  *)\n' +
      '    echo "postinst called with unknown argument \\`$1\'" >&2\n    exit 1\n  ;;\nesac\nexit 0\n',
  ])('is true for a script that does nothing: %j', (text) => {
    expect(isEmptyScript(text)).toBe(true)
  })

  it.each([
    '#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\n',
    '#!/bin/sh\nexit 1\n',
    '#!/bin/sh\nset -e; touch /x\n',
    '#!/usr/bin/perl\nexit 0\n',
    '#!/bin/sh\nconfigure) touch /x ;;\n',
    'set -e\n',
    '#!/bin/sh\n: > /etc/x\n',
    '#!/bin/sh\nset -e\n(ldconfig)\n',
    '#!/bin/sh\necho "`touch /x` called with unknown argument"\n',
  ])('is false as soon as one line might do something: %j', (text) => {
    expect(isEmptyScript(text)).toBe(false)
  })
})

describe('scriptText', () => {
  it('reads what is not UTF-8 as Latin-1, so that one other byte is another digest', () => {
    const digests = [0xe4, 0xe5].map((byte) => scriptDigest(scriptText(Uint8Array.of(0x23, byte))))
    expect(new Set(digests).size).toBe(2)
  })
})

describe('alternativesOf', () => {
  it('reads the calls of dh_installalternatives, with their slaves', () => {
    const body = `if [ "$1" = "configure" ]; then
        update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 \\
            --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz \\
            --slave /usr/bin/nawk nawk /usr/bin/mawk
fi`
    expect(alternativesOf(`#!/bin/sh\n${section('dh_installalternatives/13.24.1', body)}`)).toEqual([
      {
        kind: 'alternative',
        link: '/usr/bin/awk',
        name: 'awk',
        path: '/usr/bin/mawk',
        priority: 5,
        slaves: [
          { link: '/usr/share/man/man1/awk.1.gz', name: 'awk.1.gz', path: '/usr/share/man/man1/mawk.1.gz' },
          { link: '/usr/bin/nawk', name: 'nawk', path: '/usr/bin/mawk' },
        ],
      },
    ])
  })

  it('leaves calls outside such a section to a recipe', () => {
    expect(alternativesOf('update-alternatives --install /usr/bin/a a /usr/bin/b 5\n')).toEqual([])
  })

  it('refuses a call in another form', () => {
    const script = section('dh_installalternatives/13', 'update-alternatives --install /usr/bin/a a "$bin" 5')
    expect(() => alternativesOf(script)).toThrow(
      'The alternative "update-alternatives --install /usr/bin/a a "$bin" 5" is written in a way that Slipway does ' +
        'not know; give the package a recipe with its effects.',
    )
  })
})
