import { execa } from 'execa'
import { expect, it } from 'vitest'
import { typedWord } from '../../../src/lib/typed-word.ts'

it.each(['acme-wan', '../a/b.tar', 'C:\\Acme\\x.backup', 'größe'])('%s is typed as it is', (word) => {
  expect(typedWord(word)).toBe(word)
})

it.each(['my product/a', "it's", 'a"b', 'a$HOME', 'a`id`', 'a&b', 'a;b', ''])(
  'a shell takes %j for one word, as it was',
  async (word) => {
    const { stdout } = await execa('sh', ['-c', `printf '<%s>' ${typedWord(word)}`])
    expect(stdout).toBe(`<${word}>`)
  },
)
