import { describe, expect, it } from 'vitest'
import { takeLocalCertificates, updateCertificates } from '../../../../src/image/effects/ca-bundle.ts'
import { certificateOf, subjectHash } from '../../../../src/image/effects/subject-hash.ts'
import { caught } from '../../../support/caught.ts'
import { plain, sameSubjectA, sameSubjectB } from '../../../support/tiny-certificates.ts'
import { describeLayer, tinyTree } from '../../../support/tiny-tree.ts'

describe('subjectHash', () => {
  it.each([
    ['blanks, capitals and UTF-8', sameSubjectA, '1067c943'],
    ['a plain subject', plain, '680810c8'],
  ])('is what OpenSSL says, for %s', (_, pem, hash) => {
    expect(subjectHash(certificateOf(pem)!)).toBe(hash)
  })

  it('refuses bytes that are no certificate', () => {
    expect(caught(() => subjectHash(Uint8Array.of(0x30, 0x82, 0xff, 0xff)))).toMatchObject({
      code: 'bad-certificate',
    })
  })

  it('is not asked of a file with several certificates, which OpenSSL passes over', () => {
    expect(certificateOf(plain + sameSubjectA)).toBeUndefined()
  })
})

describe('updateCertificates', () => {
  it.each([
    ['nothing', ''],
    ['other bytes', 'aGVsbG8gaGVsbG8gaGVsbG8='],
    ['a length that is cut off', 'MIQB'],
    ['an empty frame', 'MAIwAA=='],
  ])('refuses a certificate of %s, and says which file it is', (_, base64) => {
    const text = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
    const tree = tinyTree({ 'usr/local/share/ca-certificates/acme.crt': text })
    expect(caught(() => updateCertificates(tree))).toMatchObject({
      code: 'bad-certificate',
      exitCode: 2,
      message:
        '/usr/local/share/ca-certificates/acme.crt holds no certificate that can be read; put a whole one in its place, or leave it out (omit in appliance.yaml, where a package brings it).',
    })
  })

  const links = (lines: readonly string[]) =>
    lines.filter((line) => line.includes('->')).map((line) => line.replace(' 777 0:0', ''))

  it('selects every packaged certificate, links it by name and by hash, and bundles it', () => {
    const tree = tinyTree({
      'usr/share/ca-certificates/mozilla/b (old), x.crt': sameSubjectB,
      'usr/share/ca-certificates/mozilla/A.crt': sameSubjectA.trimEnd(),
      'usr/share/ca-certificates/mozilla/README': 'no certificate',
      'usr/local/share/ca-certificates/plain.crt': plain,
    })
    updateCertificates(tree)
    expect(tree.readText('etc/ca-certificates.conf').split('\n').slice(-4)).toEqual(
      [
        '# line begins with ! is certificate filename to be deselected.',
        '#',
        'mozilla/A.crt',
        'mozilla/b (old), x.crt',
        '',
      ].slice(1),
    )
    expect(links(describeLayer(tree))).toEqual([
      'etc/ssl/certs/1067c943.0 -> A.pem',
      'etc/ssl/certs/1067c943.1 -> b_=old=__x.pem',
      'etc/ssl/certs/680810c8.0 -> plain.pem',
      'etc/ssl/certs/A.pem -> /usr/share/ca-certificates/mozilla/A.crt',
      'etc/ssl/certs/b_=old=__x.pem -> /usr/share/ca-certificates/mozilla/b (old), x.crt',
      'etc/ssl/certs/plain.pem -> /usr/local/share/ca-certificates/plain.crt',
    ])
    expect(tree.readText('etc/ssl/certs/ca-certificates.crt')).toBe(sameSubjectA + sameSubjectB + plain)
  })

  it('leaves out what the configuration deselects', () => {
    const tree = tinyTree({
      'usr/share/ca-certificates/a.crt': sameSubjectA,
      'usr/share/ca-certificates/p.crt': plain,
      'etc/ca-certificates.conf': '# mine\n!a.crt\np.crt\ngone.crt\n',
    })
    updateCertificates(tree)
    expect(tree.readText('etc/ssl/certs/ca-certificates.crt')).toBe(plain)
  })

  it('gives one certificate under two names one hash link', () => {
    const tree = tinyTree({
      'usr/share/ca-certificates/a.crt': plain,
      'usr/share/ca-certificates/b.crt': plain,
    })
    updateCertificates(tree)
    expect(links(describeLayer(tree)).filter((line) => line.includes('680810c8'))).toEqual([
      'etc/ssl/certs/680810c8.0 -> a.pem',
    ])
  })

  it('takes in what a component put where an administrator would, and only then', () => {
    const lower = {
      'usr/share/ca-certificates/p.crt': plain,
      'etc/ca-certificates.conf': 'p.crt\n',
      'etc/ssl/certs/ca-certificates.crt': plain,
    }
    const bundleWith = (own: Record<string, string>): string => {
      const tree = tinyTree(own, lower)
      takeLocalCertificates(tree)
      return tree.readText('etc/ssl/certs/ca-certificates.crt')
    }
    expect([
      bundleWith({ 'usr/local/share/ca-certificates/acme.crt': sameSubjectA }),
      bundleWith({ 'usr/local/share/ca-certificates/readme.txt': sameSubjectA }),
    ]).toEqual([plain + sameSubjectA, plain])
  })
})
