import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readLocalDeb } from '../../../../src/definition/sources/local-deb.ts'
import { caughtLater } from '../../../support/caught.ts'
import { testFolder } from '../../../support/test-folder.ts'
import { makeDeb } from '../../../support/tiny-deb.ts'

describe('readLocalDeb', () => {
  it.each([
    [
      'Depends',
      'a b',
      'Depends: The dependency "a b" cannot be read: expected name[:architecture] [(relation version)]',
    ],
    [
      'Conflicts',
      'a b',
      'Conflicts: The dependency "a b" cannot be read: expected name[:architecture] [(relation version)]',
    ],
    [
      'Breaks',
      'a b',
      'Breaks: The dependency "a b" cannot be read: expected name[:architecture] [(relation version)]',
    ],
    ['Source', 'Acme Agent', 'the Source "Acme Agent" cannot be read'],
    ['Multi-Arch', 'none', 'the Multi-Arch "none" cannot be read'],
  ])('names the file whose %s cannot be read', async (field, value, why) => {
    const file = path.join(await testFolder('local-deb'), 'agent.deb')
    await writeFile(file, await makeDeb({ name: 'agent', version: '1', fields: { [field]: value } }))
    expect(await caughtLater(() => readLocalDeb(file, 'images/acme/agent.deb'))).toMatchObject({
      code: 'bad-source',
      message: `images/acme/agent.deb is no Debian package: ${why}; put a whole one in its place.`,
    })
  })
})
