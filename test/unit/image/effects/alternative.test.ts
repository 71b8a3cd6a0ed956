import { describe, expect, it } from 'vitest'
import { installAlternative } from '../../../../src/image/effects/alternative.ts'
import { caught } from '../../../support/caught.ts'
import { describeLayer, tinyTree } from '../../../support/tiny-tree.ts'

const mawk = {
  link: '/usr/bin/awk',
  name: 'awk',
  path: '/usr/bin/mawk',
  priority: 5,
  slaves: [
    { link: '/usr/bin/nawk', name: 'nawk', path: '/usr/bin/mawk' },
    { link: '/usr/share/man/man1/awk.1.gz', name: 'awk.1.gz', path: '/usr/share/man/man1/mawk.1.gz' },
  ],
}
const gawk = { ...mawk, path: '/usr/bin/gawk', priority: 10, slaves: [] }

const links = (lines: readonly string[]) =>
  lines.filter((line) => line.includes('->')).map((line) => line.replace(' 777 0:0', ''))

describe('installAlternative', () => {
  it('links the choice and those slaves whose file is there, and notes all of them', () => {
    const tree = tinyTree({ 'usr/bin/mawk': 'm' })
    installAlternative(tree, mawk)
    expect(links(describeLayer(tree))).toEqual([
      'etc/alternatives/awk -> /usr/bin/mawk',
      'etc/alternatives/nawk -> /usr/bin/mawk',
      'usr/bin/awk -> /etc/alternatives/awk',
      'usr/bin/nawk -> /etc/alternatives/nawk',
    ])
    expect(tree.readText('var/lib/dpkg/alternatives/awk')).toBe(
      'auto\n/usr/bin/awk\nawk.1.gz\n/usr/share/man/man1/awk.1.gz\nnawk\n/usr/bin/nawk\n\n' +
        '/usr/bin/mawk\n5\n/usr/share/man/man1/mawk.1.gz\n/usr/bin/mawk\n\n',
    )
  })

  it('gives the link to the highest priority, in whichever order they come, and takes away links of the others', () => {
    for (const order of [
      [mawk, gawk],
      [gawk, mawk],
    ]) {
      const tree = tinyTree({ 'usr/bin/mawk': 'm', 'usr/bin/gawk': 'g' })
      for (const effect of order) installAlternative(tree, effect)
      expect(links(describeLayer(tree))).toEqual([
        'etc/alternatives/awk -> /usr/bin/gawk',
        'usr/bin/awk -> /etc/alternatives/awk',
      ])
      expect(tree.readText('var/lib/dpkg/alternatives/awk')).toBe(
        'auto\n/usr/bin/awk\nawk.1.gz\n/usr/share/man/man1/awk.1.gz\nnawk\n/usr/bin/nawk\n\n' +
          '/usr/bin/gawk\n10\n\n\n/usr/bin/mawk\n5\n/usr/share/man/man1/mawk.1.gz\n/usr/bin/mawk\n\n',
      )
    }
  })

  it('passes over an optional one whose file is missing, and refuses another', () => {
    const tree = tinyTree()
    installAlternative(tree, { ...mawk, optional: true })
    expect(describeLayer(tree)).toEqual([])
    expect(caught(() => installAlternative(tree, mawk))).toMatchObject({
      code: 'alternative-without-file',
      message:
        'The alternative awk is to be /usr/bin/mawk, which is not in the image; correct the recipe, or the omit rule that left it out.',
    })
  })
})
