import { truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSources } from '../../../../src/definition/sources/read-sources.ts'
import type { SourceRule } from '../../../../src/definition/sources/source.ts'
import { caughtLater } from '../../../support/caught.ts'
import { testFolder } from '../../../support/test-folder.ts'
import { tinyDefinition } from '../../../support/tiny-definition.ts'

const tree = { target: '/opt', strip: 0, owner: 'root', group: 'root', modes: [] }

describe('readSources', () => {
  it.each<SourceRule>([
    { kind: 'deb', path: 'large' },
    { kind: 'tarball', path: 'large', ...tree },
  ])('refuses a $kind of more than 2 GiB by its name, before it is read', async (rule) => {
    const directory = await testFolder('sources')
    await writeFile(path.join(directory, 'large'), '')
    await truncate(path.join(directory, 'large'), 2_200_000_000)
    const definition = tinyDefinition([{ name: 'acme', sources: [rule] }], {
      roots: [{ directory, label: '' }],
    })
    expect(await caughtLater(() => readSources(definition))).toMatchObject({
      code: 'bad-source',
      message:
        'large has 2.20 GB, and what a component takes is read up to 2 GiB; divide it into several, or leave out what the image does not need.',
    })
  })
})
